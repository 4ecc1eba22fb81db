"""Arguments that several commands take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Out = Annotated[Path | None, typer.Option("--out", help="Folder of the results.")]
Workers = Annotated[
    int | None, typer.Option("--workers", min=1, help="Number of processes. Default: processors.")
]
Serial = Annotated[
    bool, typer.Option("--serial", help="One run after the other, in one process, without Dask.")
]
Results = Annotated[
    str | None,
    typer.Option("--out", metavar="DIR", help="Folder of the results, or an address (s3://…)."),
]
Memory = Annotated[
    str | None,
    typer.Option("--memory", metavar="AMOUNT", help='Limit of a process, such as "4 GiB".'),
]
Study = Annotated[
    Path, typer.Argument(metavar="STUDY.toml", exists=True, dir_okay=False, help="What to run.")
]
Resume = Annotated[
    bool,
    typer.Option("--resume", help="Go on in a folder of another study; runs that match are kept."),
]
