"""Intervals in seconds as (start, stop) arrays: union, masks, what lies inside."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ._grid import GAP, sampling_step
from .trials import runs


def interval_set(start: NDArray, stop: NDArray) -> Any:
    """pynapple `IntervalSet` of sorted intervals that do not touch (see `merged`)."""
    import pynapple as nap

    if len(start) and start[0] == stop[-1]:  # a single instant: pynapple drops empty intervals
        stop = stop + 1e-6
    return nap.IntervalSet(start, stop)


def merged(start: NDArray, stop: NDArray) -> tuple[NDArray, NDArray]:
    """Union of intervals: sorted, and touching ones joined (pynapple would cut 1 µs off them).

    >>> merged(np.array([2.0, 0.0, 1.0]), np.array([3.0, 1.0, 1.5]))
    (array([0., 2.]), array([1.5, 3. ]))
    """
    valid = np.isfinite(start) & np.isfinite(stop) & (stop > start)
    order = np.argsort(start[valid], kind="stable")
    start, stop = start[valid][order], np.maximum.accumulate(stop[valid][order])
    new = np.concatenate([[True], start[1:] > stop[:-1] + 2e-6])[: len(start)]
    last = np.flatnonzero(np.append(new[1:], True)) if len(start) else np.empty(0, int)
    return start[new], stop[last]


def mask_intervals(t: NDArray, mask: NDArray) -> tuple[NDArray, NDArray]:
    """Runs of true samples, each sample reaching half-way to its neighbours but not over a gap."""
    if not len(t):
        return t, t
    half = np.minimum(np.diff(t), GAP * sampling_step(t)) / 2
    left, right = t - np.append(half[:1], half), t + np.append(half, half[-1:])
    left[0], right[-1] = t[0], t[-1]
    first, last = runs(mask)
    breaks = np.flatnonzero(mask[1:] & mask[:-1] & (left[1:] > right[:-1] + 1e-9)) + 1
    starts = np.sort(np.concatenate([first, breaks]))
    stops = np.sort(np.concatenate([last, breaks]))
    return left[starts], right[stops - 1]


def inside(t: NDArray, start: NDArray, stop: NDArray) -> NDArray[np.bool_]:
    at = np.searchsorted(start, t, side="right") - 1
    return (at >= 0) & (t <= stop[at])


def overlapping(table: pd.DataFrame, start: NDArray, stop: NDArray) -> pd.DataFrame:
    a, b = table["start"].to_numpy(float), table["stop"].to_numpy(float)
    first = np.searchsorted(stop, a, side="right")
    return table[(first < len(start)) & (start[np.minimum(first, len(start) - 1)] < b)]
