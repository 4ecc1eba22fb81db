"""Runs as their folders have them, with the times at which they happened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ..studies import run_folder
from ..studies.run_folder import read_json, run_path

_EVALUATION = ("score", "attribution")
"""Stages of a run that ask of a model what it learned."""


@dataclass(frozen=True)
class Run:
    """One run, as its folder has it."""

    key: str
    settings: Mapping[str, Any]
    start: datetime
    trained: datetime
    end: datetime
    error: str

    @property
    def name(self) -> str:
        """Of its processes; the key tells runs apart."""
        s = self.settings
        which = f"{s['recording']} {s['method']} seed {s['seed']} fold {s['fold']}"
        control = "" if s["control"] == "none" else f" {s['control']}"
        return f"{which}{control} {self.key}"


def read_run(out: Path, key: str) -> Run:
    """A run that is done or failed; it ended when its last file was written."""
    folder = run_path(out, key)
    error = read_json(folder / run_folder.ERROR) if (folder / run_folder.ERROR).exists() else {}
    timing = folder / run_folder.TIMING
    seconds = read_json(timing) if timing.exists() else {}
    last = timing if timing.exists() else folder / run_folder.SETTINGS
    end = datetime.fromtimestamp(last.stat().st_mtime, UTC)
    evaluated = end - timedelta(seconds=sum(seconds.get(name, 0.0) for name in _EVALUATION))
    start = end - timedelta(seconds=sum(seconds.values()))
    said = f"{error['type']}: {error['message']}" if error else ""
    return Run(key, read_json(folder / run_folder.SETTINGS), start, evaluated, end, said)
