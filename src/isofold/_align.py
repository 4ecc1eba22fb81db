"""Windows around events, cut out of a recording without crossing a wall."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from ._rows import take
from .errors import DataError
from .trials import OUTSIDE, Ints

if TYPE_CHECKING:
    from .recording import Recording

Floats = NDArray[np.float64]


def align(
    recording: Recording,
    event: str | NDArray,
    window: tuple[float, float],
    rate: float | None = None,
    baseline: tuple[float, float] | None = None,
    censor: str | None = None,
    nan: str = "error",
) -> xr.DataArray:
    """Cut a window around every event: (trial, time, channel).

    The event takes the sample nearest to it and the window is counted from there, so that counts
    are never interpolated; time is relative to that sample, in seconds, start ≤ time < stop.

    Parameters
    ----------
    recording
        Its segments are walls: no window takes samples from another one.
    event
        A name in `recording.events`; a trial column of times in seconds, or "start" or "stop" of
        the trials; or times in seconds.
    window
        Start and stop in seconds from the event.
    rate
        Samples per second of the result; lower than the recording's, the samples between are
        skipped (not summed: bin wider for that).
    baseline
        Start and stop, in seconds from the event, of the part of the window whose mean is taken
        from each window and channel.
    censor
        "next trial": samples from the end of the window's own segment, or from the next event on,
        are NaN, so that no sample is used twice. Such NaN are no error.
    nan
        What to do with windows that leave their segment or hold NaN: "error", "exclude" them, or
        "keep" them with NaN.

    Returns
    -------
    xarray.DataArray
        Coordinates of trial: `trial` (its name, -1 outside), `event_time`, every trial column, and
        `overlap`: windows with a common number share samples and belong in one fold.

    Raises
    ------
    DataError
        An unknown event, an empty window, windows that leave their segment, or no window left.

    Examples
    --------
    >>> from isofold import Recording
    >>> recording = Recording(np.arange(10.0)[:, None], rate=1.0, events={"reward": [3.2, 6.0]})
    >>> windows = recording.align("reward", window=(-1, 2))
    >>> windows.sel(channel=0).values
    array([[2., 3., 4.],
           [5., 6., 7.]])
    """
    if nan not in ("error", "exclude", "keep"):
        raise DataError(f"nan must be 'error', 'exclude' or 'keep', got {nan!r}")
    if censor not in (None, "next trial"):
        raise DataError(f"censor must be None or 'next trial', got {censor!r}")
    offset = _offsets(recording, window, rate)
    times, trial = _events(recording, event)
    centre = _nearest_sample(recording, times)
    index, left = _own_samples(recording, centre, offset, censor is not None)
    values, holes = _read(recording, index)
    if nan == "error":
        _refuse(times, left, "leave their segment (their trial, or a stretch without a gap)")
        _refuse(times, holes, "hold NaN")
    keep = ~(left | holes) if nan == "exclude" else np.ones(len(times), dtype=bool)
    if not keep.any():
        raise DataError(
            f"no window is left around {_name(event)}: {len(times)} events, nan={nan!r}"
        )
    if baseline is not None:
        values -= _baseline(values, offset / recording.rate, baseline)
    names = recording.trial[centre] if trial is None else trial
    names = np.where(centre < 0, OUTSIDE, names) if trial is None else names
    return xr.DataArray(
        values[keep],
        dims=("trial", "time", "channel"),
        coords={
            "trial": names[keep],
            "time": offset / recording.rate,
            "channel": recording.channels.index.to_numpy(),
            "event_time": ("trial", times[keep]),
            "overlap": ("trial", _overlap(index[keep])),
            **_trial_columns(recording, names[keep]),
        },
        attrs={"recording": recording.name, "event": _name(event), "window": tuple(window)},
    )


def _offsets(recording: Recording, window: tuple[float, float], rate: float | None) -> Ints:
    """Samples of the window, counted from that of the event."""
    if len(window) != 2 or not np.isfinite(window).all() or not window[0] < window[1]:
        raise DataError(
            f"window must be (start, stop) in seconds with start < stop, got {window!r}"
        )
    step = 1.0 if rate is None else recording.rate / rate
    if step < 1 - 1e-9 or abs(step - round(step)) > 1e-6:
        raise DataError(
            f"rate must divide the recording's {recording.rate:g} Hz, got {rate!r}: samples are "
            "skipped, never interpolated; bin the session at another width instead"
        )
    first, last = (round(t * recording.rate) for t in window)
    if first == last:
        raise DataError(
            f"window {window!r} holds no sample at {recording.rate:g} Hz; make it longer"
        )
    return np.arange(first, last, round(step))


def _events(recording: Recording, event: str | NDArray) -> tuple[Floats, NDArray | None]:
    """Times in s, and the trial that each belongs to where the event is a trial column."""
    trials, names = recording.trials, None
    if not isinstance(event, str):
        times = np.asarray(event, dtype=float)
    elif event in recording.events:
        times = recording.events[event]
    elif trials is not None and event in ("start", "stop"):
        names = trials.index.to_numpy()
        times = recording.time[trials[event].to_numpy() - (event == "stop")]
    elif trials is not None and event in trials and trials[event].dtype.kind == "f":
        names, times = trials.index.to_numpy(), trials[event].to_numpy(dtype=float)
    else:
        columns = [] if trials is None else [c for c in trials if trials[c].dtype.kind == "f"]
        raise DataError(
            f"no event {event!r}; events: {sorted(recording.events)}, trial columns that may be "
            f"times: {columns}"
        )
    happened = ~np.isnan(times)
    if times.ndim != 1 or not happened.any():
        raise DataError(f"event {_name(event)} must be (event,) times in seconds, found none")
    return times[happened], None if names is None else names[happened]


def _nearest_sample(recording: Recording, times: Floats) -> Ints:
    """Sample nearest to each time; -1 where the recording has none within half a sample.

    An event on the border of two bins belongs to the later one, which begins with it.
    """
    clock = recording.time
    right = np.clip(np.searchsorted(clock, times), 1, max(len(clock) - 1, 1))
    before, after = times - clock[right - 1], clock[np.minimum(right, len(clock) - 1)] - times
    nearest = right - (before < after - 1e-6 / recording.rate)
    far = np.abs(clock[nearest] - times) * recording.rate > 0.5 + 1e-6
    return np.where(far, -1, nearest)


def _own_samples(
    recording: Recording, centre: Ints, offset: Ints, censor: bool
) -> tuple[Ints, NDArray[np.bool_]]:
    """Sample numbers (event, time), -1 for none, and which windows leave their segment."""
    edges = recording.segments[["start", "stop"]].to_numpy()
    first, last = edges[np.searchsorted(edges[:, 0], centre, side="right") - 1].T[:, :, None]
    index = centre[:, None] + offset
    own = (index >= first) & (index < last) & (centre[:, None] >= 0)
    allowed = own
    if censor:
        ordered = np.unique(centre)
        follows = np.append(ordered, recording.n_samples)[np.searchsorted(ordered, centre) + 1]
        later = index >= np.minimum(last, follows[:, None])
        own, allowed = own & ~later, own | (later & (centre[:, None] >= 0))
    return np.where(own, index, -1), ~allowed.all(axis=1)


def _read(recording: Recording, index: Ints) -> tuple[NDArray, NDArray[np.bool_]]:
    """Values (event, time, channel), NaN where there is no sample, and which windows hold NaN."""
    own = index >= 0
    rows = np.unique(index[own])
    dtype = np.result_type(recording.signal.dtype, np.float32)
    data = take(recording.signal, rows).astype(dtype, copy=False)
    values = np.full((*index.shape, recording.n_channels), np.nan, dtype)
    values[own] = data[np.searchsorted(rows, index[own])]
    holes = np.isnan(values).any(axis=2) & own
    return values, np.any(holes, axis=1)


def _refuse(times: Floats, bad: NDArray[np.bool_], what: str) -> None:
    if bad.any():
        raise DataError(
            f"{int(bad.sum())} of {len(times)} windows {what}, first the one around the event at "
            f"{times[bad][0]:.6g} s; shorten the window, or say nan='exclude' or nan='keep'"
        )


def _baseline(values: NDArray, time: Floats, baseline: tuple[float, float]) -> NDArray:
    chosen = (time >= baseline[0] - 1e-9) & (time < baseline[1] - 1e-9)
    if not chosen.any():
        raise DataError(
            f"baseline {baseline!r} holds no sample of the window, which has {time[0]:g} to "
            f"{time[-1]:g} s"
        )
    part = values[:, chosen]
    known = ~np.isnan(part)
    count = known.sum(axis=1, keepdims=True)
    total = np.where(known, part, 0).sum(axis=1, keepdims=True)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan).astype(values.dtype)


def _overlap(index: Ints) -> Ints:
    """Group of each window: windows whose stretches of samples touch, directly or by a chain."""
    own = index >= 0
    low = np.where(own, index, np.iinfo(np.int64).max).min(axis=1)
    high = np.where(own, index, -1).max(axis=1)
    order = np.argsort(low, kind="stable")
    begins = np.ones(len(index), dtype=np.int64)
    begins[1:] = low[order][1:] > np.maximum.accumulate(high[order])[:-1]
    group = np.empty(len(index), dtype=np.int64)
    group[order] = np.cumsum(begins) - 1
    return group


def _trial_columns(recording: Recording, names: NDArray) -> dict[Any, Any]:
    if recording.trials is None:
        return {}
    table = recording.trials.drop(columns=["start", "stop"]).reindex(names)
    taken = ("trial", "time", "channel", "event_time", "overlap")
    return {
        (f"trial_{c}" if c in taken else c): ("trial", column.to_numpy())
        for c, column in table.items()
    }


def _name(event: str | NDArray) -> str:
    return event if isinstance(event, str) else "times"
