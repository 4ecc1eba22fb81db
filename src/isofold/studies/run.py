"""Run a study: every run in its own process and folder, then what compares runs."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from .._store import load_recording
from ..errors import StudyError
from . import run_folder
from .executor import Executor, make_executor
from .keys import input_fingerprint, text_fingerprint
from .load import is_saved
from .manifest import manifest, now
from .one_run import execute
from .pair_rows import groups, pair_rows
from .progress import Report, reporting
from .recording_spec import RecordingSpec
from .results import Results
from .spec import Study
from .tables import pair_table, score_table, write_table
from .tasks import Task, done, unrolled

_log = logging.getLogger(__name__)

STUDY, MANIFEST = "study.toml", "manifest.json"


def run(
    study: Study,
    out: str | Path,
    workers: int | None = None,
    serial: bool = False,
    scheduler: str | None = None,
    resume: bool = False,
    progress: Report | bool | None = None,
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
        Folder of the results; new, empty, or of the same study.
    workers
        Number of processes; default: processors.
    serial
        One process, one run after the other, without Dask. Same scores, same bytes.
    scheduler
        Address of a Dask scheduler to use instead of processes here. It shares the file system and
        is trusted: what it sends back is unpickled.
    resume
        Go on in a folder of another study (or of changed input); runs that match are kept.
    progress
        None: a bar on a terminal. False: silent. Or a function of (done, total, what).

    Raises
    ------
    StudyError
        The folder holds something else, or options exclude each other; nothing was touched.
    KeyboardInterrupt
        Ctrl-C; finished runs are kept.

    Examples
    --------
    docs/studies.md runs one.

    >>> run(Study.from_toml("track.toml"), out="results/track", workers=4)  # doctest: +SKIP
    <Results 'results/track': 45 runs done, 0 failed>
    """
    if serial and (scheduler or workers):
        raise StudyError("serial runs have one process; drop workers and scheduler, or serial")
    if workers is not None and workers < 1:
        raise StudyError(f"workers must be at least 1, got {workers}")
    out = Path(out)
    _check_folder(out)
    fingerprints = {r.name: _fingerprint(r) for r in study.recordings}
    given, study = study, replace(study, recordings=[_placed(r, out) for r in study.recordings])
    _check_same(out, study, fingerprints, resume)
    _save_recordings(given, study)
    tasks = unrolled(study, fingerprints)
    started = manifest(study, fingerprints, [t.key for t in tasks])
    (out / "runs").mkdir(parents=True, exist_ok=True)
    run_folder.sweep(out)
    run_folder.write_text(out / STUDY, study.to_toml())
    run_folder.write_json(out / MANIFEST, started)
    executor = make_executor(workers, serial, scheduler)
    try:
        with reporting(progress) as report:
            _run_all(executor, tasks, out, report)
        _compare(executor, study, tasks, out)
    except BaseException:
        executor.close(now=True)
        raise
    executor.close()
    write_table(score_table(tasks, out), out / "scores.parquet")
    run_folder.write_json(out / MANIFEST, started | {"finished": now()})
    _write_page(out)
    return Results(out)


def _run_all(executor: Executor, tasks: list[Task], out: Path, report: Report) -> None:
    waiting = {executor.submit(execute, t, out): t for t in tasks if not done(out, t)}
    finished = len(tasks) - len(waiting)
    report(finished, len(tasks), "")
    for future in executor.as_completed(waiting):
        task = waiting[future]
        try:
            status = future.result()
        except Exception as error:  # the process died, or the task did not reach it
            status = "error"
            with run_folder.new_run(out, task.key, task.settings()):
                raise error
        finished += 1
        if status == "error":
            _log.warning("run %s failed: %s", task.key, _describe(task))
        report(finished, len(tasks), _describe(task))


def _compare(executor: Executor, study: Study, tasks: list[Task], out: Path) -> None:
    waiting = [
        executor.submit(pair_rows, group, out) for group in groups(study.scores or (), tasks, out)
    ]
    rows: list[dict[str, Any]] = []
    for future in executor.as_completed(waiting):
        rows += future.result()
    write_table(pair_table(rows), out / "pairs.parquet")


def _check_folder(out: Path) -> None:
    """Refuse a folder that holds something else."""
    if not out.exists() or (out / STUDY).is_file():
        return
    if not out.is_dir():
        raise StudyError(f"out must be a folder, {str(out)!r} is a file")
    if any(p.name != "inputs" for p in out.iterdir()):
        raise StudyError(
            f"{str(out)!r} is not empty and holds no results of a study; give a new folder (--out)"
        )


def _check_same(out: Path, study: Study, fingerprints: Mapping[str, str], resume: bool) -> None:
    """Refuse the results of another study, unless they are to be gone on with."""
    if resume or not (out / STUDY).is_file():
        return
    results = Results(out)
    inputs = results.manifest.get("inputs", {})
    before = {name: about["sha256"] for name, about in inputs.items()}
    if (out / STUDY).read_text(encoding="utf-8") != study.to_toml():
        what = f"another study ({results.study.get('name')!r})"
    elif before and before != fingerprints:
        what = "this study of other input (a file has changed)"
    else:
        return
    raise StudyError(
        f"{str(out)!r} holds {what}; give a new folder (--out), or --resume to go on in it and "
        "keep the runs that match"
    )


def _fingerprint(spec: RecordingSpec) -> str:
    """Of the file; of the content where it is a `Recording`, in memory or saved."""
    if spec.recording is not None:
        return spec.recording.fingerprint
    if spec.simulate:
        return text_fingerprint(json.dumps(dict(spec.simulate), sort_keys=True))
    path = Path(str(spec.path))
    return load_recording(path).fingerprint if is_saved(path) else input_fingerprint(path)


def _placed(spec: RecordingSpec, out: Path) -> RecordingSpec:
    """A recording given as an object gets a place beside the results."""
    if spec.recording is None:
        return spec
    path = out / "inputs" / f"{_file_name(spec.name)}.zarr"
    return replace(spec, path=str(path.resolve()), recording=None)


def _save_recordings(given: Study, placed: Study) -> None:
    for before, after in zip(given.recordings, placed.recordings, strict=True):
        if before.recording is not None:
            Path(after.path).parent.mkdir(parents=True, exist_ok=True)
            before.recording.save(after.path)


def _file_name(name: str) -> str:
    return "".join(c if c.isalnum() or c in "-_." else "_" for c in name)


def _describe(task: Task) -> str:
    control = "" if task.control == "none" else f", {task.control}"
    return f"{task.recording.name}, {task.method.name}, seed {task.seed}, fold {task.fold}{control}"


def _write_page(out: Path) -> None:
    from ..report import write_report

    write_report(out)
