"""`isofold report`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Folder = Annotated[
    Path, typer.Argument(metavar="DIR", exists=True, file_okay=False, help="Folder of results.")
]


def report(folder: Folder) -> None:
    """Write report.html of a folder of results once more.

    The page is one file that opens with the network off.
    """
    from ..report import write_report
    from ._show import console

    console().print(f"report: {write_report(folder)}")
