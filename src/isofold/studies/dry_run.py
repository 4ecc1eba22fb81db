"""What a study would run, and about how long, from one run that is timed and thrown away."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import TYPE_CHECKING

import pandas as pd

from . import run_folder
from .executor import SerialExecutor
from .one_run import describe, execute
from .place import Folder
from .plan import Plan, placed, planned, save_recordings
from .run_folder import read_json, run_path
from .spec import Study
from .tasks import Task, done

if TYPE_CHECKING:
    from .executor import Executor


@dataclass(frozen=True)
class DryRun:
    """The runs of a study and an estimate of their time."""

    runs: pd.DataFrame
    """One row a recording, method and control: seeds, folds, `runs`, and how many are `done`."""
    workers: int
    timed: str
    """The run that was timed; "" where all are done."""
    seconds: float
    """What it took."""
    error: str
    """Why it failed; "" where it did not."""

    @property
    def total(self) -> int:
        """Number of runs."""
        return int(self.runs["runs"].sum())

    @property
    def left(self) -> int:
        """Number of runs that are not done."""
        return self.total - int(self.runs["done"].sum())

    @property
    def estimate(self) -> float:
        """Seconds for all that is left, were each as long as the one that was timed."""
        return self.seconds * self.left / min(self.workers, max(self.left, 1))


def dry_run(study: Study, out: str | Path, workers: int | None = None) -> DryRun:
    """The runs of a study; the first that is not done is run in a temporary folder and timed.

    Nothing is written to the results. The estimate is rough: methods differ, and the first run of
    an architecture also compiles it.

    Raises
    ------
    StudyError
        `out` is something else than results of a study.
    """
    with TemporaryDirectory(prefix="isofold-") as folder:
        here = Folder(folder)
        saved = placed(study, here)
        save_recordings(study, saved, here)
        plan = planned(saved, out, resume=True)
        left = plan.left
        seconds, error = _timed(left[0], here.path) if left else (0.0, "")
        n = workers or (study.cluster.jobs * study.cluster.cores if study.cluster else None)
        timed = describe(left[0]) if left else ""
        return DryRun(_table(plan), n or os.cpu_count() or 1, timed, seconds, error)


def _timed(task: Task, folder: Path) -> tuple[float, str]:
    executor: Executor = SerialExecutor()
    start = perf_counter()
    try:
        ((_, answer),) = executor.each(execute, [task], results=str(folder))
    finally:
        executor.close()
    if isinstance(answer, Exception):
        return perf_counter() - start, str(answer)
    run = run_path(folder, task.key)
    if answer != run_folder.DONE:
        return perf_counter() - start, read_json(run / run_folder.ERROR)["message"]
    return sum(read_json(run / run_folder.TIMING).values()), ""  # a process starts once


def _table(plan: Plan) -> pd.DataFrame:
    columns = ["recording", "method", "control"]
    runs = pd.DataFrame(
        [
            (t.recording.name, t.method.name, t.control, t.seed, t.fold, done(plan.place.path, t))
            for t in plan.tasks
        ],
        columns=[*columns, "seed", "fold", "done"],
    )
    return runs.groupby(columns, sort=False, as_index=False).agg(
        seeds=("seed", "nunique"),
        folds=("fold", "nunique"),
        runs=("seed", "size"),
        done=("done", "sum"),
    )
