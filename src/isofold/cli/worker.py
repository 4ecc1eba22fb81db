"""`isofold worker`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Job = Annotated[
    Path,
    typer.Argument(metavar="JOB.json", exists=True, dir_okay=False, help="What dispatch wrote."),
]


def worker(job: Job) -> None:
    """Run one job file of "isofold dispatch", in this process, without Dask.

    Exit codes: 0 the run is done (now or before), 1 it failed, which is recorded, 2 no such job.
    """
    from .. import studies
    from ._show import console

    answer = studies.work(job)
    console().print(f"{job.name}: {answer}")
    if answer != "done":
        raise typer.Exit(1)
