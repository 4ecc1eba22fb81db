"""What a capsule does: all of a study, or one of the three parts that a pipeline makes of it.

dispatch   study                → results/jobs/job_<key>.json      one file a run
worker     a job                → results/job_<key>/runs/<key>/    what `collect` takes
collect    runs of all workers  → results/<study>/                 tables and report
"""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..errors import StudyError
from .settings import Settings

Say = Callable[[str], None]

CACHES = {
    "TMPDIR": "tmp",
    "ISOFOLD_CACHE": "cache",
    "NUMBA_CACHE_DIR": "numba",
    "XDG_CACHE_HOME": "xdg",
    "MPLCONFIGDIR": "matplotlib",
}
"""Where libraries put what they keep, below /scratch; workers inherit it."""


@dataclass(frozen=True)
class Outcome:
    """What a capsule did."""

    out: Path
    """Folder that was written."""
    done: int
    failed: tuple[str, ...] = ()
    """Runs that failed, and why."""


def run_capsule(settings: Settings, say: Say) -> Outcome:
    """Do what `settings.mode` says.

    Parameters
    ----------
    settings
        Parameters and environment.
    say
        Called with lines of progress.

    Raises
    ------
    StudyError
        There is nothing to run, or it is not said what; nothing was written to the results.
    IsofoldError
        The input cannot be read.
    """
    if not settings.data.is_dir():
        raise StudyError(f"input is read from {settings.data}, which is no folder (--data)")
    _use_scratch(settings.scratch)
    settings.results.mkdir(parents=True, exist_ok=True)
    mode = {"dispatch": _dispatch, "worker": _worker}.get(settings.mode, _all)
    return mode(settings, say)


def _all(settings: Settings, say: Say) -> Outcome:
    from .. import studies
    from ..studies.find import find
    from .choose import chosen_study
    from .gather import gather
    from .metadata import write_metadata

    began = datetime.now(UTC)
    found = find(settings.data)
    if settings.mode == "collect" and not found.results:
        raise StudyError(f"there is nothing to collect: {settings.data} holds no runs of workers")
    study = chosen_study(settings, found)
    if settings.dry_run:
        return _dry(study, settings, say)
    out = settings.results / slug(study.name)
    with _nothing_half_written(out):
        if found.results:
            say(f"{gather(study, out, found.results)} runs taken over from {settings.data}")
        one = settings.workers == 1  # without Dask
        results = studies.run(
            study,
            out,
            workers=None if one else settings.workers,
            serial=one,
            memory=None if one else settings.memory,
            resume=True,
            progress=lambda done, total, what: say(f"{done} of {total} runs {what}".rstrip()),
        )
    runs = results.runs
    write_metadata(settings.results, out, runs["key"].tolist(), settings, found.assets, began)
    failed = runs[runs["status"] == "error"]
    said = [
        f"{r['recording']}, {r['method']}, seed {r['seed']}, fold {r['fold']}: {r['error']}"
        for r in failed.to_dict("records")
    ]
    return Outcome(out, len(runs) - len(failed), tuple(said))


def _dispatch(settings: Settings, say: Say) -> Outcome:
    from .. import studies
    from ..studies.find import find
    from .choose import chosen_study
    from .gather import gather

    found = find(settings.data)
    study = chosen_study(settings, found)
    if settings.dry_run:
        return _dry(study, settings, say)
    known = settings.scratch / "known" / slug(study.name)  # workers have places of their own
    if found.results:
        say(f"{gather(study, known, found.results)} runs are done in {settings.data}")
    jobs = settings.results / "jobs"
    files = studies.dispatch(study, jobs, known, resume=True)
    say(f"{len(files)} jobs in {jobs}")
    return Outcome(jobs, len(files))


def _worker(settings: Settings, say: Say) -> Outcome:
    from ..studies.find import find

    found = find(settings.data)
    if not found.jobs:
        raise StudyError(
            f"{settings.data} holds no job (job_<key>.json of --mode dispatch) for a worker"
        )
    ended = [_work(job, settings, found.assets, say) for job in found.jobs]
    failed = [f"{job}: {why}" for job, why in ended if why]
    return Outcome(settings.results, len(ended) - len(failed), tuple(failed))


def _work(path: Path, settings: Settings, assets: list[Path], say: Say) -> tuple[str, str]:
    """Key of a job, and why it failed."""
    from ..studies import work
    from ..studies.run_folder import DONE, write_json
    from .metadata import write_metadata

    began = datetime.now(UTC)
    job = _placed(path, settings)
    out = Path(job["results"])
    here = settings.scratch / f"job_{job['key']}.json"
    write_json(here, job)
    with _nothing_half_written(out):
        answer = work(here)
    write_metadata(out, out, [job["key"]], settings, assets, began)
    say(f"job {job['key']}: {answer}")
    return job["key"], "" if answer == DONE else answer


def _placed(path: Path, settings: Settings) -> dict[str, Any]:
    """A job whose input and results lie where this capsule has them."""
    from .choose import same_file

    try:
        job = json.loads(path.read_text(encoding="utf-8"))
        for block in job["study"]["recordings"]:
            there = Path(block.get("path", settings.data))  # where it was for the dispatcher
            if not (there.exists() and there.is_relative_to(settings.data)):
                block["path"] = str(same_file(there, settings.data))
        return job | {"results": str(settings.results / f"job_{job['key']}")}
    except (KeyError, TypeError, AttributeError) as error:
        raise StudyError(f"{path} is not a job file of --mode dispatch ({error})") from error


def _dry(study: Any, settings: Settings, say: Say) -> Outcome:
    from ..studies.plan import planned

    plan = planned(study, settings.results / slug(study.name), resume=True)
    for task in plan.tasks:
        say(f"{task.key}: {task.recording.name}, {task.method.name}, seed {task.seed}")
    say(f"{len(plan.tasks)} runs, {len(plan.left)} left; nothing is run (--dry-run)")
    return Outcome(plan.place.path, 0)


def slug(name: str) -> str:
    """A name as one of a folder.

    >>> slug("linear track / CA1")
    'linear-track-CA1'
    """
    kept = "".join(c if c.isalnum() or c in "-." else " " for c in name)
    return "-".join(kept.split()).strip(".") or "study"


def _use_scratch(scratch: Path) -> None:
    for name, folder in CACHES.items():
        path = scratch / folder
        path.mkdir(parents=True, exist_ok=True)
        os.environ[name] = str(path)


@contextmanager
def _nothing_half_written(out: Path) -> Iterator[None]:
    """When it is ended from outside, what its processes were writing goes with them."""
    try:
        yield
    except BaseException:
        for process in multiprocessing.active_children():
            process.join(timeout=5)
        for path in (out / "runs").glob(".tmp-*"):
            shutil.rmtree(path, ignore_errors=True)
        raise
