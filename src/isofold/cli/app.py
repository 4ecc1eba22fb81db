"""`isofold app`."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

Folder = Annotated[
    Path,
    typer.Argument(metavar="DIR", exists=True, file_okay=False, help="Results and recordings."),
]
Host = Annotated[str, typer.Option("--host", help="Address to listen on.")]
Port = Annotated[int, typer.Option("--port", min=0, max=65535, help="0 takes a free one.")]
Token = Annotated[
    str | None,
    typer.Option("--token", help="What browsers must show; made anew where one is needed."),
]


def app(
    folder: Folder = Path("."), host: Host = "127.0.0.1", port: Port = 8050, token: Token = None
) -> None:
    """Look at results and recordings of a folder in the browser, and start studies.

    Only this machine reaches it, unless --host says otherwise, and then only who has the token
    that is printed. Nothing outside DIR is opened. Ctrl-C ends it, and the studies it runs.
    """
    from ..app import serve
    from ._show import console

    say = partial(console().print, markup=False, soft_wrap=True)
    serve(folder, host, port, token, started=lambda address: say(f"open {address}"))
