"""The key of a run: equal code, input, settings, seed and fold give an equal key."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

_BLOCK = 1 << 20
_RENDERING = ("cli", "capsule", "report", "plot", "app")
"""Parts of the package that no score depends on."""
_READING = (
    *("claim_spec.py", "claim_rows.py", "claims.py", "sweep_spec.py", "sweeps.py"),
    *("_bootstrap.py", "_numbers.py", "single_trial_spec.py", "single_trials.py"),
    *("trial_answers.py", "session_facts.py"),
)
"""What `studies` only reads scores with."""
_CARRYING = (
    *("plan.py", "place.py", "manifest.py", "progress.py", "dry_run.py", "jobs.py", "run.py"),
    *("dask_executor.py", "dask_keeper.py", "cluster_spec.py", "results.py"),
    *("find.py", "parameters.py", "aind_metadata.py"),
)
"""What brings runs to processes and their results to a place; bytes do not depend on it."""


def run_key(code: str, fingerprint: str, settings: Mapping[str, Any]) -> str:
    """Sixteen hexadecimal digits over code version, input fingerprint and all settings.

    >>> run_key("0.1.0", "abc", {"seed": 0}) == run_key("0.1.0", "abc", {"seed": 0})
    True
    >>> run_key("0.1.0", "abc", {"seed": 0}) == run_key("0.1.0", "abc", {"seed": 1})
    False
    """
    text = json.dumps([code, fingerprint, settings], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@lru_cache(maxsize=1)
def code_version() -> str:
    """Version of isofold, and a hash of its sources as they are: an edit makes new runs."""
    from .. import __version__

    root = Path(__file__).parents[1]
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        relative = path.relative_to(root)
        if relative.parts[0] not in _RENDERING and relative.name not in (*_READING, *_CARRYING):
            _add(digest, relative.as_posix(), path)
    return f"{__version__}+{digest.hexdigest()[:12]}"


def input_fingerprint(path: str | Path) -> str:
    """SHA-256 of a file, or of all files of a folder with their names; the place is not in it."""
    path = Path(path)
    digest = hashlib.sha256()
    if path.is_file():
        _add(digest, "", path)
    else:
        for part in sorted(p for p in path.rglob("*") if p.is_file()):
            _add(digest, part.relative_to(path).as_posix(), part)
    return digest.hexdigest()


def text_fingerprint(text: str) -> str:
    """SHA-256 of what describes an input that is made, not read."""
    return hashlib.sha256(text.encode()).hexdigest()


def _add(digest: Any, name: str, path: Path) -> None:
    digest.update(f"{name}\0{path.stat().st_size}\0".encode())
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
