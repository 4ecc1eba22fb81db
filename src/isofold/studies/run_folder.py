"""One run = one folder, written under a temporary name and renamed: it is whole, or not there.

runs/<key>/settings.json       what was run, on what; resolved settings
           model.isofold       the fitted model (baselines have none)
           embedding.zarr      the whole recording; coordinate `split` says train or test
           log.parquet         step, loss, …
           scores.parquet      one row a score and part
           attribution.parquet channels ranked by label, where the study asks for it
           diagnosis.json      is a latent collapsed, is it identified: of models that can say so
           timing.json         seconds of each stage
           done | error.json   done: files, sizes, CRC-32; error.json: type, message, traceback
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import socket
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np

from .integrity import DONE, seal

STUDY, MANIFEST, PAIRS, PAGE = "study.toml", "manifest.json", "pairs.parquet", "report.html"
"""Beside `runs` and SCORES."""
ANSWERS = "recordings"
"""Folder of what is said of each recording, whatever it was embedded by."""
ERROR, SETTINGS, TIMING = "error.json", "settings.json", "timing.json"
ATTRIBUTION, DIAGNOSIS = "attribution.parquet", "diagnosis.json"
MODEL, EMBEDDING, LOG, SCORES = "model.isofold", "embedding.zarr", "log.parquet", "scores.parquet"
_TEMPORARY = ".tmp-"
_LONGEST = 120
"""Bytes of a file name; file systems take about 255."""
_FULL = (errno.ENOSPC, errno.EDQUOT)
_ATTEMPTS = 5
_ABANDONED = 7 * 24 * 3600
"""Seconds after which a temporary folder of another machine is taken for abandoned."""


def run_path(results: Path, key: str) -> Path:
    """Folder of one run."""
    return results / "runs" / key


def status(results: Path, key: str) -> str | None:
    """ "done", "error", or None where the run has not finished."""
    folder = run_path(results, key)
    if (folder / DONE).exists():
        return "done"
    return "error" if (folder / ERROR).exists() else None


def finished(results: Path) -> list[str]:
    """Keys of all runs that are done or failed, sorted."""
    folder = results / "runs"
    keys = [p.name for p in folder.iterdir()] if folder.is_dir() else []
    return sorted(k for k in keys if not k.startswith(_TEMPORARY) and status(results, k))


@contextmanager
def new_run(results: Path, key: str, settings: dict[str, Any]) -> Iterator[Path]:
    """A temporary folder that becomes `runs/<key>` on leaving; an exception becomes error.json.

    An `Exception` inside is recorded and swallowed, so that the other runs go on; Ctrl-C and the
    like leave nothing behind and propagate, and so does a full disk, which is no fault of the run.
    """
    folder = results / "runs" / f"{_TEMPORARY}{key}@{socket.gethostname()}@{os.getpid()}@{_name()}"
    try:
        folder.mkdir(parents=True)
        write_json(folder / SETTINGS, settings)
        try:
            yield folder
        except Exception as error:
            if is_full(error):
                raise
            for path in folder.iterdir():
                if path.name not in (SETTINGS, TIMING):
                    _remove(path)
            write_json(folder / ERROR, _described(error))
        else:
            seal(folder)
        _put(folder, results, key)
    finally:
        _remove(folder)


def is_full(error: BaseException) -> bool:
    """Whether it says that no space is left, or no more may be used."""
    chain: BaseException | None = error
    while chain is not None:  # libraries wrap it
        if isinstance(chain, OSError) and chain.errno in _FULL:
            return True
        chain = chain.__cause__ or chain.__context__
    return False


def drop(results: Path, key: str) -> None:
    """Remove a run; it is gone at once, or there."""
    gone = results / "runs" / f"{_TEMPORARY}{key}-{_name()}"
    run_path(results, key).rename(gone)
    _remove(gone)


def sweep(results: Path) -> None:
    """Remove what interrupted runs left under temporary names, not what is being written."""
    for path in (results / "runs").glob(f"{_TEMPORARY}*"):
        if not _in_use(path):
            _remove(path)


def write_json(path: Path, content: Any) -> None:
    """JSON with sorted keys, through a temporary name: equal content, equal bytes."""
    text = json.dumps(content, indent=2, sort_keys=True, default=_plain, ensure_ascii=False)
    write_text(path, text + "\n")


def write_text(path: Path, text: str) -> None:
    """Text through a temporary name."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary name for a file that takes its place on leaving; after an error it is gone."""
    temporary = path.with_name(f"{_TEMPORARY}{path.name}-{_name()}")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def file_name(name: str) -> str:
    """A name that may stand in a path; a long one ends in a digest of itself.

    >>> file_name("rat 1 (day=2)")
    'rat_1__day_2_'
    """
    plain = "".join(c if c.isalnum() or c in "-_." else "_" for c in name)
    if len(plain.encode()) <= _LONGEST:
        return plain
    digest = hashlib.sha256(name.encode()).hexdigest()[:16]
    return plain.encode()[: _LONGEST - 17].decode(errors="ignore") + "_" + digest


def read_json(path: Path) -> Any:
    """The content of a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


def _put(folder: Path, results: Path, key: str) -> None:
    target = run_path(results, key)
    for attempt in range(_ATTEMPTS):
        if status(results, key) == "done":  # another process was faster
            return
        _remove(target)
        try:
            folder.rename(target)
            return
        except OSError as error:  # one that fails or repeats put its folder there meanwhile
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST) or attempt == _ATTEMPTS - 1:
                raise


def _in_use(path: Path) -> bool:
    """Whether the process that makes a temporary folder lives; elsewhere: whether it may."""
    _, *made_by = path.name.split("@")
    if len(made_by) != 3 or not made_by[1].isdigit():
        return False
    host, pid, _ = made_by
    try:
        if host != socket.gethostname():
            return time.time() - path.stat().st_mtime < _ABANDONED
        os.kill(int(pid), 0)
    except (ProcessLookupError, FileNotFoundError):
        return False
    except PermissionError:  # somebody else's, alive
        return True
    return True


def _name() -> str:
    return uuid4().hex[:8]


def _described(error: Exception) -> dict[str, str]:
    return {
        "type": type(error).__name__,
        "message": str(error),
        "traceback": "".join(traceback.format_exception(error)),
    }


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    return str(value)
