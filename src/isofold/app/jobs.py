"""Studies that the app runs, each in a process of its own, and how far they are."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import Any

from ..errors import StudyError
from ..studies import run_folder
from ..studies.progress import clock, time_left
from .child import FAILED, STOPPED

MOST_RUNNING, MOST_KEPT = 2, 20
"""Studies that run at a time, and that are listed."""
PATIENCE = 15.0
"""Seconds that a study has to stop before its processes are ended."""
_MOST_SAID = 4000


@dataclass
class Job:
    """One study that was started here."""

    name: str
    out: str
    """Its results, relative to the folder of the app."""
    path: Path
    process: Any
    errors: Any
    begun: float
    before: int
    """Runs that were done when it started."""
    stopped: bool = False
    ended: float | None = field(default=None)


@dataclass(frozen=True)
class Progress:
    """How far a study is."""

    state: str
    """"running", "stopping", "done", "stopped", "failed"."""
    done: int
    failed: int
    total: int
    latest: str
    """What was finished last, and its loss."""
    left: str
    said: str
    """What went wrong."""


class Jobs:
    """The studies that one app runs; `close` ends them."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}
        self._lock = Lock()
        self._count = 0

    def start(self, name: str, study: Path, path: Path, out: str, workers: int = 1) -> str:
        """Run a study file in a new process; the name by which it is asked for.

        Raises
        ------
        StudyError
            As many are running as may, or one into the same folder.
        """
        with self._lock:
            running = [j for j in self._jobs.values() if j.process.poll() is None]
            if any(j.path == path for j in running):
                raise StudyError(f"a study is running into {out!r}; wait for it, or stop it")
            if len(running) >= MOST_RUNNING:
                raise StudyError(
                    f"{len(running)} studies are running, as many as may; stop one, or wait"
                )
            self._count += 1
            key = str(self._count)
            self._jobs[key] = _started(name, study, path, out, workers)
            over = [k for k, j in self._jobs.items() if j.process.poll() is not None]
            for old in over[: max(0, len(self._jobs) - MOST_KEPT)]:
                self._jobs.pop(old).errors.close()
            return key

    def stop(self, key: object) -> None:
        """Ask a study to stop, as Ctrl-C does; runs that are done are kept.

        Raises
        ------
        StudyError
            There is no such study.
        """
        job = self._job(key)
        if job.process.poll() is None and not job.stopped:
            job.stopped = True
            job.process.stdin.close()

    def progress(self, key: object) -> Progress:
        """How far a study is; from its folder, so that it is as true as the results."""
        return _progress(self._job(key))

    def listed(self) -> list[tuple[str, Job]]:
        """All studies, the latest first."""
        with self._lock:
            return list(self._jobs.items())[::-1]

    def close(self) -> None:
        """Stop all studies and wait for them; no process is left."""
        with self._lock:
            jobs = list(self._jobs.values())
        running = [job for job in jobs if job.process.poll() is None]
        for job in running:
            job.stopped = True
            job.process.stdin.close()
        end = monotonic() + PATIENCE
        for job in running:
            _wait(job, max(0.1, end - monotonic()))
        for job in jobs:
            job.errors.close()

    def _job(self, key: object) -> Job:
        with self._lock:
            if not isinstance(key, str) or key not in self._jobs:
                raise StudyError(f"no study {str(key)[:40]!r} was started here")
            return self._jobs[key]


def _started(name: str, study: Path, path: Path, out: str, workers: int) -> Job:
    errors = tempfile.TemporaryFile()  # noqa: SIM115  # as long as the process
    command = [sys.executable, "-m", f"{__package__}.child", str(study), str(path), str(workers)]
    before = len(run_folder.finished(path))
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=errors,
        start_new_session=True,  # Ctrl-C at the app reaches it through the app alone
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )
    return Job(name, out, path, process, errors, monotonic(), before)


def _wait(job: Job, seconds: float) -> None:
    """For its end; then the end of whatever it left running."""
    try:
        job.process.wait(seconds)
    except subprocess.TimeoutExpired:
        job.process.kill()
        job.process.wait()
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(job.process.pid, signal.SIGKILL)


def _progress(job: Job) -> Progress:
    code = job.process.poll()
    if code is not None and job.ended is None:
        job.ended = monotonic()
    keys = _keys(job.path)
    finished = [k for k in run_folder.finished(job.path) if not keys or k in keys]
    failed = sum(run_folder.status(job.path, k) == "error" for k in finished)
    state, said = _state(job, code), ""
    if state == "failed":
        said = _last_words(job)
    left = ""
    run = len(finished) - job.before
    if state == "running" and run > 0 and keys:
        seconds = (job.ended or monotonic()) - job.begun
        left = clock(time_left(seconds, run, len(keys) - job.before))
    latest = _latest(job.path, finished)
    return Progress(state, len(finished) - failed, failed, len(keys), latest, left, said)


def _state(job: Job, code: int | None) -> str:
    if code is None:
        return "stopping" if job.stopped else "running"
    if job.stopped or code == STOPPED:
        return "stopped"
    return "done" if code in (0, FAILED) else "failed"


def _keys(path: Path) -> set[str]:
    manifest = path / run_folder.MANIFEST
    try:
        return set(run_folder.read_json(manifest).get("keys", []))
    except (OSError, ValueError):
        return set()


def _latest(path: Path, keys: list[str]) -> str:
    """The run that was finished last: what it was, and the loss it ended with."""
    import pandas as pd

    folders = [run_folder.run_path(path, key) for key in keys]
    if not folders:
        return ""
    try:
        last = max(folders, key=lambda f: f.stat().st_mtime_ns)
        about = run_folder.read_json(last / run_folder.SETTINGS)
        named = f"{about['method']}, {about['recording']}, seed {about['seed']}"
        log = last / run_folder.LOG
        losses = pd.read_parquet(log) if log.exists() else pd.DataFrame()
        loss = losses["loss"].dropna() if "loss" in losses else losses
        return f"{named}: loss {loss.iloc[-1]:.4g}" if len(loss) else named
    except (OSError, ValueError, KeyError):  # it is being replaced
        return ""


def _last_words(job: Job) -> str:
    size = os.fstat(job.errors.fileno()).st_size
    words = os.pread(job.errors.fileno(), _MOST_SAID, max(0, size - _MOST_SAID))
    lines = [line for line in words.decode("utf-8", "replace").splitlines() if line.strip()]
    return lines[-1].strip() if lines else "it ended without a word"
