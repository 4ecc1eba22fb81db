"""Responses: one row of numbers a trial."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ..errors import DataError
from ._tensor import Floats, as_tensor, in_window, times, trial_frame

_SIGNS = {"positive": 1.0, "negative": -1.0}


def responses(
    tensor: Any,
    window: tuple[float, float] | None = None,
    *,
    sign: str = "positive",
    fraction: float = 0.5,
) -> pd.DataFrame:
    """Mean, peak, latency, onset and area of every trial and channel in a window.

    Parameters
    ----------
    tensor
        (trial, time, channel), a baseline already subtracted (`align(baseline=...)`). Missing
        samples (NaN) are left out, and `share` says how many are there: compare no areas of trials
        of unequal share.
    window
        Start and stop in seconds, start ≤ time < stop; None is all.
    sign
        "positive": the peak is the largest value; "negative": the smallest; "either": the one
        farthest from 0.
    fraction
        Share of the peak that ends the wait for the onset.

    Returns
    -------
    pandas.DataFrame
        One row a trial and channel: the columns of the trial; `mean`; `peak`, in the units of the
        signal; `latency`, the time of the peak in s; `onset`, when the trace first reaches
        `fraction` of the peak, interpolated, in s; `area`, trapezoid rule, units × s; `share`.

    Raises
    ------
    DataError
        An empty window or an unknown option.

    Examples
    --------
    >>> import xarray as xr
    >>> bump = xr.DataArray([[0.0, 0.0, 2.0, 1.0]], dims=("trial", "time"),
    ...                     coords={"time": [0.0, 0.5, 1.0, 1.5]})
    >>> responses(bump)[["mean", "peak", "latency", "onset", "area", "share"]].iloc[0].tolist()
    [0.75, 2.0, 1.0, 0.75, 1.25, 1.0]
    """
    if sign not in (*_SIGNS, "either"):
        raise DataError(f"sign must be 'positive', 'negative' or 'either', got {sign!r}")
    if not 0 < fraction <= 1:
        raise DataError(f"fraction must lie above 0 and up to 1, got {fraction!r}")
    data = in_window(as_tensor(tensor), window)
    t, last = times(data), str(data.dims[2])
    frames = []
    for number, name in enumerate(data[last].values):
        frame = trial_frame(data)
        frame.insert(0, last, name)
        frames.append(frame.assign(**_numbers(data.values[:, :, number], t, sign, fraction)))
    return pd.concat(frames).reset_index()


def _numbers(x: Floats, t: Floats, sign: str, fraction: float) -> dict[str, Floats]:
    """Of one channel, (trial, time)."""
    known = ~np.isnan(x)
    n = known.sum(axis=1)
    some, rows = n > 0, np.arange(len(x))
    height = np.abs(x) if sign == "either" else _SIGNS[sign] * x
    at = np.argmax(np.where(known, height, -np.inf), axis=1)
    peak = np.where(some, x[rows, at], np.nan)
    both = known[:, 1:] & known[:, :-1]
    pieces = np.where(both, (x[:, 1:] + x[:, :-1]) / 2, 0.0) * np.diff(t)
    return {
        "mean": np.where(some, np.where(known, x, 0).sum(axis=1) / np.maximum(n, 1), np.nan),
        "peak": peak,
        "latency": np.where(some, t[at], np.nan),
        "onset": np.array([_onset(x[i], t, at[i], fraction) if some[i] else np.nan for i in rows]),
        "area": np.where(both.any(axis=1), pieces.sum(axis=1), np.nan),
        "share": n / x.shape[1],
    }


def _onset(x: Floats, t: Floats, at: int, fraction: float) -> float:
    """When x first reaches a share of x[at] on its way there."""
    known = np.flatnonzero(~np.isnan(x[: at + 1]))
    share = x[known] / x[at] if x[at] else np.ones(len(known))
    first = int(np.argmax(share >= fraction))
    if first == 0:
        return float(t[known[0]])
    a, b = known[first - 1], known[first]
    part = (fraction - share[first - 1]) / (share[first] - share[first - 1])
    return float(t[a] + part * (t[b] - t[a]))
