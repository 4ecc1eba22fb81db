"""`isofold run`."""

from __future__ import annotations

from typing import Annotated

import typer

from ._options import Memory, Results, Resume, Serial, Study, Workers

Scheduler = Annotated[
    str | None,
    typer.Option("--scheduler", metavar="ADDRESS", help="A Dask scheduler that you trust."),
]
DryRun = Annotated[
    bool,
    typer.Option("--dry-run", help="Show the runs, and about how long they take; keep nothing."),
]


def run(
    study: Study,
    out: Results = None,
    workers: Workers = None,
    scheduler: Scheduler = None,
    serial: Serial = False,
    memory: Memory = None,
    resume: Resume = False,
    dry_run: DryRun = False,
) -> None:
    """Run a study: recordings × methods × seeds × folds, scores on held-out trials, report.

    Results are in results/<name of the study> unless --out says where. Runs that are done are not
    repeated: after Ctrl-C, a crash or a full disk the same command goes on. A study file with
    [cluster] runs there, unless --workers, --serial, --memory or --scheduler say otherwise.
    """
    if serial and (scheduler or workers or memory):
        raise typer.BadParameter(
            "--serial has one process without a limit; drop --workers, --memory and --scheduler"
        )
    if scheduler and (workers or memory):
        raise typer.BadParameter("a scheduler has its own workers; drop --workers and --memory")
    from .. import studies
    from ._show import console, show_plan, show_results

    spec = studies.Study.from_file(study)
    place = out or f"results/{spec.name}"
    if dry_run:
        show_plan(studies.dry_run(spec, place, workers=1 if serial else workers), console())
        return
    results = studies.run(
        spec,
        place,
        workers=workers,
        serial=serial,
        scheduler=scheduler,
        resume=resume,
        memory=memory,
    )
    show_results(results, console())
    if (results.runs["status"] == "error").any():
        raise typer.Exit(1)
