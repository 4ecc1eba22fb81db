"""Named arrays with time first → `Session`: what npz, npy, csv, parquet and MATLAB share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import ReadError
from ..session import Session
from ..trials import runs
from ._clock import check_series
from ._series import time_series


def session_of(
    arrays: Mapping[str, NDArray],
    name: str,
    *,
    rate: float | None = None,
    start: float = 0.0,
    time: str | None = None,
    signal: str | Sequence[str] | None = None,
    trial: str | None = None,
    unsorted: str = "raise",
) -> Session:
    """Every array of the length of the clock becomes a series; the others are named in warnings."""
    arrays = dict(arrays)
    warnings: list[str] = []
    t = _clock(arrays, name, rate, start, time, signal)
    order, found = check_series(time or "time", t, unsorted)
    if order is None:
        raise ReadError(f"{name}: no samples with a time are left; {'; '.join(found)}")
    warnings += found
    in_order = len(order) == len(t) and bool((np.diff(order) == 1).all())
    keep = slice(None) if in_order else order  # a slice leaves a memory map on disk
    length, t = len(t), t[keep]
    trials = None if trial is None else _trials(_taken(arrays, trial, "trial")[keep], t)
    chosen = {k: v[keep] for k, v in arrays.items() if _fits(k, v, length, warnings)}
    series = _series(chosen, t, signal)
    metadata = {"warnings": warnings}
    return Session(series=series, trials=trials, name=name, metadata=metadata)


def _clock(arrays: dict[str, NDArray], name: str, rate, start, time, signal) -> NDArray:
    """Times of the samples; takes the clock out of the arrays."""
    if time is None and "time" in arrays and rate is None:
        time = "time"
    if time is not None:
        t = np.asarray(_taken(arrays, time, "time"))
        if t.ndim != 1 or t.dtype.kind not in "iuf":
            raise ReadError(f"time must be one number a sample, in seconds; {time!r} is {t.dtype}")
        return t.astype(float)
    if "rate" in arrays and arrays["rate"].size == 1 and rate is None:
        rate = float(arrays.pop("rate").ravel()[0])
    if rate is None:
        raise ReadError(
            f"{name} says no clock: give read(path, rate=...) in samples per second, or time=, the "
            "name of an array in seconds (where each row is a trial, also trial_samples=, a "
            f"pattern of the columns that are samples); it holds {few(sorted(arrays))}"
        )
    if not (np.isfinite(rate) and rate > 0):
        raise ReadError(f"rate must be a positive number of samples per second, got {rate}")
    return start + np.arange(_length(arrays, signal)) / rate


def few(names: Sequence[str], most: int = 12) -> str:
    """The first names, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return f"{list(names[:most])}{more}"


def _length(arrays: dict[str, NDArray], signal) -> int:
    """Number of samples where only the rate is known: of the signal, else of the longest array."""
    if signal is not None:
        first = signal if isinstance(signal, str) else next(iter(signal))
        if first not in arrays:
            raise ReadError(f"signal names no array {first!r}; there are {sorted(arrays)}")
        return len(arrays[first])
    return max((len(v) for v in arrays.values() if v.ndim), default=0)


def _taken(arrays: dict[str, NDArray], key: str, what: str) -> NDArray:
    if key not in arrays:
        raise ReadError(f"{what}={key!r} names no array; there are {sorted(arrays)}")
    return arrays.pop(key)


def _fits(key: str, value: NDArray, length: int, warnings: list[str]) -> bool:
    if value.ndim in (1, 2) and len(value) == length and value.dtype.kind in "biufU":
        return True
    warnings.append(f"{key}: shape {value.shape}, {value.dtype}, does not run along time; left out")
    return False


def _series(arrays: dict[str, NDArray], t: NDArray, signal) -> dict[str, Any]:
    if signal is not None and not isinstance(signal, str):
        missing = [k for k in signal if k not in arrays]
        if missing:
            raise ReadError(f"signal names no array {missing}; there are {sorted(arrays)}")
        columns = np.column_stack([arrays.pop(k) for k in signal])
        arrays = {"signal": columns, **arrays}
    elif signal is not None:
        if signal not in arrays:
            raise ReadError(f"signal names no array {signal!r}; there are {sorted(arrays)}")
        arrays = {("signal" if k == signal else k): v for k, v in arrays.items()}
    named = list(signal) if signal is not None and not isinstance(signal, str) else None
    return {k: time_series(t, v, named if k == "signal" else None) for k, v in arrays.items()}


def _trials(number: NDArray, t: NDArray) -> pd.DataFrame:
    """Trial table from a trial number a sample: a trial is a run of one number."""
    number = np.where(np.isfinite(number.astype(float)), number, -1).astype(np.int64)
    step = float(np.median(np.diff(t))) if len(t) > 1 else 0.0
    first, last = [], []
    for value in np.unique(number[number >= 0]):
        start, stop = runs(number == value)
        if len(start) > 1:
            raise ReadError(
                f"a trial must be one stretch of samples; trial {value} appears in {len(start)}"
            )
        first.append(start[0])
        last.append(stop[0] - 1)
    index = pd.Index(np.unique(number[number >= 0]), name="trial")
    table = pd.DataFrame({"start": t[first], "stop": t[last] + step}, index=index)
    return table.sort_values("start")
