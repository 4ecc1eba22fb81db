"""One run = one folder, written under a temporary name and renamed: it is whole, or not there.

runs/<key>/settings.json       what was run, on what; resolved settings
           model.isofold       the fitted model (baselines have none)
           embedding.zarr      the whole recording; coordinate `split` says train or test
           log.parquet         step, loss, …
           scores.parquet      one row a score and part
           attribution.parquet channels ranked by label, where the study asks for it
           timing.json         seconds of each stage
           done | error.json   error.json: type, message, traceback
"""

from __future__ import annotations

import json
import shutil
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np

DONE, ERROR, SETTINGS, TIMING = "done", "error.json", "settings.json", "timing.json"
ATTRIBUTION = "attribution.parquet"
MODEL, EMBEDDING, LOG, SCORES = "model.isofold", "embedding.zarr", "log.parquet", "scores.parquet"
_TEMPORARY = ".tmp-"


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
    like leave nothing behind and propagate.
    """
    folder = results / "runs" / f"{_TEMPORARY}{key}-{uuid4().hex[:8]}"
    folder.mkdir(parents=True)
    try:
        write_json(folder / SETTINGS, settings)
        try:
            yield folder
        except Exception as error:
            for path in folder.iterdir():
                if path.name not in (SETTINGS, TIMING):
                    _remove(path)
            write_json(folder / ERROR, _described(error))
        else:
            (folder / DONE).touch()
        target = run_path(results, key)
        if status(results, key) != "done":  # another process may have been faster
            _remove(target)
            folder.rename(target)
    finally:
        _remove(folder)


def sweep(results: Path) -> None:
    """Remove what interrupted runs left under temporary names."""
    for path in (results / "runs").glob(f"{_TEMPORARY}*"):
        _remove(path)


def write_json(path: Path, content: Any) -> None:
    """JSON with sorted keys, through a temporary name: equal content, equal bytes."""
    text = json.dumps(content, indent=2, sort_keys=True, default=_plain, ensure_ascii=False)
    write_text(path, text + "\n")


def write_text(path: Path, text: str) -> None:
    """Text through a temporary name."""
    temporary = path.with_name(f"{_TEMPORARY}{path.name}-{uuid4().hex[:8]}")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)


def read_json(path: Path) -> Any:
    """The content of a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


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
