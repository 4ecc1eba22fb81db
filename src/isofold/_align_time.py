"""Windows in time as plain arrays: their clock, linear interpolation, censoring, baseline."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._grid import snap_ceil, snap_floor
from .errors import DataError
from .trials import Ints

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

NAN = ("error", "interpolate", "exclude", "keep")
CENSOR = ("next trial", "neighbours")
SAME = 1e-7
"""A time within this share of a sampling step of a sample lies on it."""


def check_window(window: Any) -> tuple[float, float]:
    """The window as two numbers, or a `DataError`."""
    good = np.ndim(window) == 1 and len(window) == 2 and np.isfinite(window).all()
    if not good or not window[0] < window[1]:
        raise DataError(
            f"window must be (start, stop) in seconds with start < stop, got {window!r}"
        )
    return float(window[0]), float(window[1])


def time_base(window: tuple[float, float], rate: float, endpoint: bool) -> Floats:
    """Times from the event, in steps of 1 / rate from the window's start on.

    The stop is one of them if `endpoint`, and if it is a whole number of steps away.

    >>> time_base((-0.5, 1.0), 2.0, endpoint=True), time_base((0, 1), 2.0, endpoint=False)
    (array([-0.5,  0. ,  0.5,  1. ]), array([0. , 0.5]))
    """
    start, stop = check_window(window)
    if not (np.isfinite(rate) and rate > 0):
        raise DataError(f"rate must be a positive number of samples per second, got {rate!r}")
    steps = np.array([(stop - start) * rate])
    n = int(snap_floor(steps)[0]) + 1 if endpoint else int(snap_ceil(steps)[0])
    first = start * rate
    first = round(first) if abs(first - round(first)) < 1e-9 else first  # an exact zero
    return np.asarray((first + np.arange(n)) / rate, dtype=float)


def between(t: Floats, wall: NDArray, x: Floats, step: float) -> tuple[Ints, Ints, Floats]:
    """Samples before and after each time, and the weight of the later one; -1 where there is none.

    Nothing is extrapolated, and the two samples lie inside the same walls.

    >>> between(np.array([0.0, 1.0, 2.0]), np.array([0, 0, 1]), np.array([0.25, 1.0, 1.5]), 1.0)
    (array([ 0,  1, -1]), array([ 1,  1, -1]), array([0.25, 0.  , 0.  ]))
    """
    if not len(t):
        none = np.full(x.shape, -1, dtype=np.int64)
        return none, none.copy(), np.zeros(x.shape)
    margin = SAME * step
    left = np.searchsorted(t, x + margin, side="right") - 1
    first = np.maximum(left, 0)
    exact = (left >= 0) & (np.abs(x - t[first]) <= margin)
    right = np.where(exact, left, np.minimum(left + 1, len(t) - 1))
    inside = exact | ((left >= 0) & (right > left) & (wall[first] == wall[right]))
    width = np.where(inside & ~exact, t[right] - t[first], 1.0)
    weight = np.where(inside & ~exact, (x - t[first]) / width, 0.0)
    return np.where(inside, left, -1), np.where(inside, right, -1), weight


def censored(times: Floats, base: Floats, censor: Any, half_open: bool = False) -> Bools:
    """Which samples (event, time) belong to a neighbour: before the event before it, or after the
    event after it.

    A sample at the time of a neighbour itself is kept, or goes if `half_open` ("next trial").
    """
    if censor is None:
        return np.zeros((len(times), len(base)), dtype=bool)
    own = isinstance(censor, str)
    stops = np.unique(times if own else np.asarray(censor, dtype=float))
    stops = np.concatenate([[-np.inf], stops[np.isfinite(stops)], [np.inf]])
    before = stops[np.searchsorted(stops, times, side="left") - 1] - times
    after = stops[np.searchsorted(stops, times, side="right")] - times
    if half_open:
        return base >= after[:, None] - 1e-9
    return (base > after[:, None] + 1e-9) | (base < before[:, None] - 1e-9)


def check_censor(censor: Any) -> None:
    """Raise `DataError` unless censor is None, one of `CENSOR`, or times."""
    if censor is None or (isinstance(censor, str) and censor in CENSOR):
        return
    times = None if isinstance(censor, str) else np.asarray(censor)
    if times is None or times.ndim != 1 or times.dtype.kind not in "iuf":
        raise DataError(
            f"censor must be None or 'next trial', 'neighbours', or (k,) times in seconds, "
            f"got {censor!r}"
        )


def check_nan(nan: Any) -> None:
    """Raise `DataError` unless nan is one of `NAN`."""
    if nan not in NAN:
        raise DataError(f"nan must be 'error', 'interpolate', 'exclude' or 'keep', got {nan!r}")


def subtract_baseline(values: NDArray, time: Floats, baseline: tuple[float, float]) -> NDArray:
    """Values (event, time, channel) less the mean of the known ones in [start, stop)."""
    start, stop = check_window(baseline)
    chosen = (time >= start - 1e-9) & (time < stop - 1e-9)
    if not chosen.any():
        raise DataError(
            f"baseline {baseline!r} holds no sample of the window, which has {time[0]:g} to "
            f"{time[-1]:g} s"
        )
    part = values[:, chosen]
    known = ~np.isnan(part)
    count = known.sum(axis=1, keepdims=True)
    total = np.where(known, part, 0).sum(axis=1, keepdims=True)
    mean = np.where(count > 0, total / np.maximum(count, 1), np.nan).astype(values.dtype)
    return values - mean


def overlap(index: Ints) -> Ints:
    """Group of each window: windows whose stretches of samples touch, directly or by a chain.

    `index` (event, k) are the samples that a window uses, -1 for none.
    """
    own = index >= 0
    low = np.where(own, index, np.iinfo(np.int64).max).min(axis=1)
    high = np.where(own, index, -1).max(axis=1)
    order = np.argsort(low, kind="stable")
    begins = np.ones(len(index), dtype=np.int64)
    begins[1:] = low[order][1:] > np.maximum.accumulate(high[order])[:-1]
    group = np.empty(len(index), dtype=np.int64)
    group[order] = np.cumsum(begins) - 1
    return group


def refuse(times: Floats, bad: Bools, what: str, remedy: str) -> None:
    """Raise `DataError` if any window is bad, naming how many and the first."""
    if bad.any():
        raise DataError(
            f"{int(bad.sum())} of {len(times)} windows {what}, first the one around the event at "
            f"{times[bad][0]:.6g} s; {remedy}"
        )
