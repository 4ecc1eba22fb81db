"""Run a study: every run in its own process and folder, then what compares runs."""

from __future__ import annotations

import errno
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..errors import StudyError
from . import run_folder
from .cluster_spec import ClusterSpec, check_memory
from .executor import Executor, HereExecutor, SerialExecutor
from .manifest import now
from .one_run import compare, describe, execute, record
from .pair_rows import groups
from .place import Place
from .plan import Plan, begun, planned
from .progress import Progress, Report, reporting
from .results import Results
from .run_folder import DONE, MANIFEST, PAGE, PAIRS, SCORES
from .single_trials import Asked, Told, answered
from .spec import Study
from .tables import pair_table, score_table, write_table

_log = logging.getLogger(__name__)


def run(
    study: Study,
    out: str | Path,
    workers: int | None = None,
    serial: bool = False,
    scheduler: str | None = None,
    resume: bool = False,
    progress: Report | bool | None = None,
    memory: str | None = None,
) -> Results:
    """Run a study and write its folder of results.

    Runs that are done are not repeated: a run is known by its code, input, settings, seed and
    fold. A run that fails is recorded and the others go on; it is tried again the next time.
    Processes are started afresh, so a script must call this under `if __name__ == "__main__":`.

    Parameters
    ----------
    study
        What to run.
    out
        Folder of the results, or an address of fsspec such as `s3://bucket/results`; new, empty,
        or of the same study.
    workers
        Number of processes; default: processors.
    serial
        One process, one run after the other, without Dask. Same scores, same bytes.
    scheduler
        Address of a Dask scheduler to use instead of processes here. It sees the input and the
        results and is trusted: what it sends back is unpickled.
    resume
        Go on in a folder of another study (or of changed input); runs that match are kept.
    progress
        None: a bar on a terminal. False: silent. Or a function of (done, total, what).
    memory
        Limit of a process, such as "4 GiB"; one that exceeds it is started anew, and its run with
        it, a few times. Default: the machine's memory divided by its processors.

    Raises
    ------
    StudyError
        The folder holds something else, or options exclude each other; nothing was touched.
    OSError
        The disk is full; finished runs are kept.
    KeyboardInterrupt
        Ctrl-C; finished runs are kept.

    Examples
    --------
    docs/studies.md runs one.

    >>> run(Study.from_toml("track.toml"), out="results/track", workers=4)  # doctest: +SKIP
    <Results 'results/track': 45 runs done, 0 failed>
    """
    check_options(workers, serial, scheduler, memory)
    with _full_disk_said(out):
        plan = planned(study, out, resume)
        started = begun(plan)
        executor = make_executor(workers, serial, scheduler, memory, study.cluster, plan.place)
        try:
            with reporting(progress) as report:
                report.begin(len(plan.tasks), len(plan.tasks) - len(plan.left), executor.dashboard)
                _run_all(executor, plan, report)
            plan.place.pull_runs(DONE, SCORES)
            _compare(executor, plan)
            _answer(executor, plan)
        except BaseException:
            executor.close(now=True)
            raise
        executor.close()
        _finish(plan, started)
    return Results(out)


def check_options(
    workers: int | None, serial: bool, scheduler: str | None, memory: str | None
) -> None:
    """Refuse options that exclude each other."""
    if serial and (scheduler or workers or memory):
        raise StudyError(
            "serial runs have one process and no limit of memory; drop workers, scheduler and "
            "memory, or serial"
        )
    if scheduler and (workers or memory):
        raise StudyError("a scheduler has its own workers; drop workers and memory, or scheduler")
    if memory is not None:
        check_memory(memory, "memory")
    if workers is not None and workers < 1:
        raise StudyError(f"workers must be at least 1, got {workers}")


def make_executor(
    workers: int | None,
    serial: bool,
    scheduler: str | None,
    memory: str | None,
    cluster: ClusterSpec | None,
    place: Place,
) -> Executor:
    """The executor that the options ask for; they win over the cluster of the study."""
    if not place.shared:
        return HereExecutor()
    if serial:
        return SerialExecutor()
    from .dask_executor import DaskExecutor

    by_hand = workers or scheduler or memory
    return DaskExecutor(workers, scheduler, memory, None if by_hand else cluster)


def _run_all(executor: Executor, plan: Plan, report: Progress) -> None:
    place = plan.place
    for task, answer in executor.each(execute, plan.left, results=place.address):
        if isinstance(answer, Exception):  # the process died, or the task did not reach it
            if run_folder.is_full(answer):
                raise answer
            record(task, answer, place)
        failed = answer != DONE
        if failed:
            _log.warning("run %s failed: %s", task.key, describe(task))
        report.advance(describe(task), failed)


def _compare(executor: Executor, plan: Plan) -> None:
    place = plan.place
    asked = groups(plan.study.scores or (), plan.tasks, place.path)
    rows: list[dict[str, Any]] = []
    for _, answer in executor.each(compare, asked, results=place.address):
        if isinstance(answer, Exception):
            raise answer
        rows += answer
    write_table(pair_table(rows), place.path / PAIRS)


def _answer(executor: Executor, plan: Plan) -> None:
    """What is said of recordings and single trials, whatever they are embedded by."""
    study, place = plan.study, plan.place
    # a session is read once more for this, so only where the study asks about it
    told = [r for r in study.recordings if r.clean or any(s.wanted(r) for s in study.single_trials)]
    asked: list[Any] = [Told(r, plan.fingerprints[r.name]) for r in told if not r.simulate]
    asked += [
        Asked(spec, number, r, plan.fingerprints[r.name])
        for number, spec in enumerate(study.single_trials)
        for r in study.recordings
        if spec.wanted(r)
    ]
    for one, names in executor.each(answered, asked, results=place.address):
        if isinstance(names, Exception):
            raise names
        _log.info("answered %s", one)
        place.push(*names)


def _finish(plan: Plan, started: dict[str, Any]) -> None:
    out = plan.place.path
    write_table(score_table(plan.tasks, out), out / SCORES)
    run_folder.write_json(out / MANIFEST, started | {"finished": now()})
    plan.place.push(SCORES, PAIRS, MANIFEST)
    _write_page(plan.place)


def _write_page(place: Place) -> None:
    from ..report import write_report

    write_report(Results(place.address), place.path / PAGE)
    place.push(PAGE)


@contextmanager
def _full_disk_said(out: str | Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if not run_folder.is_full(error):
            raise
        raise OSError(
            errno.ENOSPC,
            "no space is left on the disk of the results; runs that are done are kept: free some "
            "and give the same command again",
            str(out),
        ) from error
