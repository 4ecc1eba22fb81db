"""`isofold run`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ._options import Out, Serial, Workers

Study = Annotated[
    Path, typer.Argument(metavar="STUDY.toml", exists=True, dir_okay=False, help="What to run.")
]
Scheduler = Annotated[
    str | None,
    typer.Option("--scheduler", metavar="ADDRESS", help="A Dask scheduler that you trust."),
]
Resume = Annotated[
    bool,
    typer.Option("--resume", help="Go on in a folder of another study; runs that match are kept."),
]


def run(
    study: Study,
    out: Out = None,
    workers: Workers = None,
    scheduler: Scheduler = None,
    serial: Serial = False,
    resume: Resume = False,
) -> None:
    """Run a study: recordings × methods × seeds × folds, scores on held-out trials, report.

    Results are in results/<name of the study> unless --out says where. Runs that are done are not
    repeated: after Ctrl-C the same command goes on.
    """
    if serial and (scheduler or workers):
        raise typer.BadParameter("--serial has one process; drop --workers and --scheduler")
    if scheduler and workers:
        raise typer.BadParameter("a scheduler has its own workers; drop --workers")
    from .. import studies
    from ._show import console, show_results

    spec = studies.Study.from_toml(study)
    results = studies.run(
        spec,
        out or Path("results") / spec.name,
        workers=workers,
        serial=serial,
        scheduler=scheduler,
        resume=resume,
    )
    show_results(results, console())
    if (results.runs["status"] == "error").any():
        raise typer.Exit(1)
