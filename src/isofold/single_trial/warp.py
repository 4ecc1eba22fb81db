"""Warp: trials of unequal duration laid over one another between two of their events."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from .._align import _around, _borders, _nearest_sample, _read, aligned_tensor, event_times
from .._align_time import between
from ..errors import DataError
from ..recording import Recording
from ..trials import OUTSIDE
from ._tensor import Floats, as_tensor, column, times

FEWEST = 2


def warp(
    data: Recording | xr.DataArray, from_event: Any, to_event: Any, n: int = 100
) -> xr.DataArray:
    """Linear time-warping: x at e₁ + φ (e₂ − e₁), φ = 0, 1/(n − 1), …, 1: (trial, time, channel).

    Linear interpolation between the samples beside each time, not across the border of a segment.

    Parameters
    ----------
    data
        A `Recording`, or a tensor (trial, time, channel) as `align` gives it.
    from_event, to_event
        Of a recording: a name in its events, a trial column of times, "start" or "stop" of the
        trials, or times. Two trial columns are paired by trial; else each first event goes with
        the next second event, unless another first event comes before it.
        Of a tensor: a trial column of clock times, or a number or one a trial, in seconds from the
        event of the tensor.
    n
        Samples of the result.

    Returns
    -------
    xarray.DataArray
        As `align` gives it; `time` is φ, and `duration` (trial) is e₂ − e₁ in s. NaN, and `valid`
        false, where there is no sample beside a time. Trials without both events are left out.

    Raises
    ------
    DataError
        An event is unknown, no trial has both, or the second is not after the first.

    Notes
    -----
    Not for counts: smooth them first. Warping makes slow and fast trials look alike; what is locked
    to one event only is smeared.

    Examples
    --------
    >>> import pandas as pd
    >>> trials = pd.DataFrame({"start": [0, 10], "stop": [10, 20], "cue": [2.0, 11.0],
    ...                        "choice": [6.0, 19.0]})
    >>> recording = Recording(np.arange(20.0)[:, None], rate=1.0, trials=trials)
    >>> warp(recording, "cue", "choice", n=3).values[:, :, 0]
    array([[ 2.,  4.,  6.],
           [11., 15., 19.]])
    """
    if not (isinstance(n, (int, np.integer)) and n >= FEWEST):
        raise DataError(f"n must be a whole number of at least {FEWEST}, got {n!r}")
    phase = np.linspace(0, 1, int(n))
    if isinstance(data, Recording):
        return _of_recording(data, from_event, to_event, phase)
    return _of_tensor(as_tensor(data), from_event, to_event, phase)


def _of_recording(
    recording: Recording, from_event: Any, to_event: Any, phase: Floats
) -> xr.DataArray:
    lookup = (recording.events, recording.trials, _borders(recording))
    first, trial = event_times(from_event, *lookup)
    second, other = event_times(to_event, *lookup)
    if trial is not None and other is not None:
        both = pd.Series(first, trial).to_frame("first").join(pd.Series(second, other, name="to"))
        both = both.dropna()
        first, second = both["first"].to_numpy(), both["to"].to_numpy()
        trial = both.index.to_numpy()
    else:
        begins, match = _next(first, second)
        first, second = first[begins], match
        trial = None if trial is None else trial[begins]
    _require_order(first, second)
    centre = _nearest_sample(recording, first)
    x = first[:, None] + phase * (second - first)[:, None]
    index, weight, _ = _around(recording, np.zeros(len(x)), centre, x, None)
    values, _ = _read(recording, index, weight)
    names = recording.trial[centre] if trial is None else trial
    names = np.where(centre < 0, OUTSIDE, names) if trial is None else names
    tensor = aligned_tensor(
        values,
        phase,
        recording.channels.index.to_numpy(),
        np.ones(len(first), dtype=bool),
        {"trial": names, "event_time": first, "overlap": np.concatenate(index, axis=1)},
        recording.trials,
        {"recording": recording.name, "event": _said(from_event), "to": _said(to_event), "nan": ""},
    )
    return tensor.assign_coords(duration=("trial", second - first))


def _of_tensor(tensor: xr.DataArray, from_event: Any, to_event: Any, phase: Floats) -> xr.DataArray:
    first, second = _relative(tensor, from_event), _relative(tensor, to_event)
    rows = np.flatnonzero(~np.isnan(first + second))
    _require_order(first[rows], second[rows])
    t, kept = times(tensor), tensor.isel(trial=rows)
    step = float(np.median(np.diff(t))) if len(t) > 1 else 1.0
    x = first[rows, None] + phase * (second - first)[rows, None]
    left, right, weight = between(t, np.zeros(len(t)), x, step)
    a = np.take_along_axis(kept.values, np.maximum(left, 0)[:, :, None], axis=1)
    b = np.take_along_axis(kept.values, np.maximum(right, 0)[:, :, None], axis=1)
    w = weight[:, :, None]
    values = np.where(w > 0, a + w * (b - a), a)
    values = np.where((left >= 0)[:, :, None], values, np.nan)
    coords = {c: v for c, v in kept.coords.items() if "time" not in v.dims}
    last = str(tensor.dims[2])
    return xr.DataArray(
        values,
        dims=tensor.dims,
        coords=coords
        | {"time": phase, "duration": ("trial", (second - first)[rows])}
        | {"valid": (("trial", "time", last), ~np.isnan(values))},
        attrs=tensor.attrs | {"event": _said(from_event), "to": _said(to_event)},
    )


def _relative(tensor: xr.DataArray, event: Any) -> Floats:
    """Seconds of an event of each trial from the tensor's own."""
    if isinstance(event, str):
        values = np.asarray(column(tensor, event, "event"), dtype=float)
        return values - column(tensor, "event_time", "the clock time of")
    if np.ndim(event) == 0:
        return np.full(tensor.sizes["trial"], float(event))
    return np.asarray(column(tensor, np.asarray(event, dtype=float), "event"))


def _next(first: Floats, second: Floats) -> tuple[NDArray[np.bool_], Floats]:
    """Which first events have a second one before the next first one, and when that is."""
    ordered = np.append(np.sort(second), np.inf)
    match = ordered[np.searchsorted(ordered, first, side="right")]
    starts = np.append(np.unique(first), np.inf)
    after = starts[np.searchsorted(starts, first, side="right")]
    found = np.isfinite(match) & (match <= after)
    return found, match[found]


def _require_order(first: Floats, second: Floats) -> None:
    if not len(first):
        raise DataError("no trial has both events to warp between")
    bad = second <= first
    if bad.any():
        raise DataError(
            f"the second event must come after the first; {int(bad.sum())} of {len(first)} trials "
            f"have it before, first the one with events at {first[bad][0]:.6g} and "
            f"{second[bad][0]:.6g} s; swap the events, or leave these trials out"
        )


def _said(event: Any) -> str:
    return event if isinstance(event, str) else "times"
