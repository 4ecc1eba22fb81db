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
