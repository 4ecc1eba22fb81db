"""Selected trials as files that other programs read."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pandas as pd

from ..session import Session

MOST_TRIALS = 5000


def as_csv(table: pd.DataFrame) -> str:
    """One row a trial; times in seconds."""
    return table.to_csv(index=False)


def as_nwb(table: pd.DataFrame, name: str) -> bytes:
    """An NWB file that holds the trials as its table of trials.

    Its columns `start` and `stop` become `start_time` and `stop_time` in seconds on the clock of
    the recording; `isofold.read` and pynwb read it.
    """
    session = Session(trials=table.reset_index(drop=True), name=name or "selected trials")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trials.nwb"
        session.to_nwb(path)
        return path.read_bytes()
