"""A table with one trial a row and one sample a column → `Session`."""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import ReadError
from ..session import Session
from ._named_arrays import few
from ._series import time_series

APART = 1.0
"""Seconds between two trials on the clock that is made for them, at least."""


def trial_session(
    table: pd.DataFrame,
    path: Path,
    *,
    trial_samples: str,
    rate: float | None = None,
    start: float = 0.0,
    event: str = "event",
) -> Session:
    """Trials laid end to end with gaps between them, on a clock that is made up.

    `trial_samples` is a pattern of the columns that are samples, in the order of the file
    ("photometry.*"); `start` is the time of the first of them from the event that trials are
    aligned to, in seconds; `event` is what it is to be called. The other columns are columns of the
    trial table.
    """
    names = [str(c) for c in table.columns]
    samples = [c for c in names if fnmatchcase(c, trial_samples)]
    if len(samples) < 2:
        raise ReadError(
            f"{path.name}: trial_samples={trial_samples!r} fits {len(samples)} columns, and a "
            f"trial has at least 2 samples; columns: {few(names)}"
        )
    if rate is None or not (np.isfinite(rate) and rate > 0):
        raise ReadError(
            f"{path.name}: a table of trials says no clock: give rate= in samples per second "
            f"(got {rate}) and start= in seconds from the event"
        )
    wrong = [c for c in samples if not pd.api.types.is_numeric_dtype(table[c])]
    if wrong:
        raise ReadError(f"{path.name}: samples must be numbers; column {wrong[0]!r} holds text")
    values = table[samples].to_numpy(dtype=float)
    n_trials, n_samples = values.shape
    begin = np.arange(n_trials) * np.ceil(n_samples / rate + max(APART, 20 / rate))
    t = (begin[:, None] + np.arange(n_samples) / rate).ravel()
    found: list[str] = []
    trials = pd.DataFrame({"start": begin, "stop": begin + n_samples / rate, event: begin - start})
    for name in names:
        if name not in samples:
            column = f"{name}_" if name in trials else name
            trials[column] = _condition(name, table[name], found)
    trials.index.name = "trial"
    lost = int(np.isnan(values).any(axis=1).sum())
    found += [f"signal: {lost} of {n_trials} trials hold NaN"] if lost else []
    step = {"step": "read", "file": path.name, "format": "table of trials", "rate": rate}
    step |= {"clock": "made up: trials end to end with gaps", "start": start, "event": event}
    return Session(
        series={"signal": time_series(t, values.ravel())},
        events={event: begin - start},
        trials=trials,
        name=path.stem,
        metadata={"warnings": found},
        provenance=(step,),
    )


def _condition(name: str, column: pd.Series, found: list[str]) -> NDArray:
    """A column of the trial table: numbers (infinite ones are missing), or text."""
    if not pd.api.types.is_numeric_dtype(column):
        return column.astype(object).where(column.notna(), "").astype(str).to_numpy(str)
    values: NDArray[Any] = column.to_numpy()
    if values.dtype.kind == "f" and np.isinf(values).any():
        row = int(np.flatnonzero(np.isinf(values))[0])
        found.append(f"{name}: {np.isinf(values).sum()} infinite values taken as NaN, row {row}")
        values = np.where(np.isinf(values), np.nan, values)
    return values
