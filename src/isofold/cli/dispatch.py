"""`isofold dispatch`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ._options import Results, Resume, Study

Jobs = Annotated[
    Path, typer.Option("--jobs", metavar="DIR", file_okay=False, help="Folder of the job files.")
]


def dispatch(study: Study, jobs: Jobs, out: Results = None, resume: Resume = False) -> None:
    """Write one job file a run, for SLURM arrays, Nextflow or Code Ocean.

    Each is run by "isofold worker JOB.json", anywhere that sees the input and the results. When
    all are done, "isofold run" with the same study and --out writes the tables and the report.
    """
    from .. import studies
    from ._show import console

    spec = studies.Study.from_file(study)
    place = out or f"results/{spec.name}"
    files = studies.dispatch(spec, jobs, place, resume)
    console().print(f"{len(files)} jobs in {jobs}, results in {place}")
