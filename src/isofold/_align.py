"""Windows around events, cut out of a recording without crossing a wall."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from ._align_time import (
    Bools,
    Floats,
    between,
    censored,
    check_censor,
    check_nan,
    check_window,
    overlap,
    refuse,
    subtract_baseline,
    time_base,
)
from ._missing import interpolated
from ._rows import take
from .errors import DataError
from .trials import OUTSIDE, Ints

if TYPE_CHECKING:
    from .recording import Recording


def align(
    recording: Recording,
    event: str | NDArray,
    window: tuple[float, float],
    rate: float | None = None,
    baseline: tuple[float, float] | None = None,
    censor: str | NDArray | None = None,
    nan: str = "error",
    interpolate: bool = False,
    endpoint: bool | None = None,
) -> xr.DataArray:
    """Cut a window around every event: (trial, time, channel).

    The event takes the sample nearest to it and the window is counted from there, so that counts
    are never interpolated; time is relative to that sample, in seconds, start ≤ time < stop.
    With `interpolate`, x(e + τ) = x_a + (e + τ − t_a)(x_b − x_a)/(t_b − t_a) between the samples a
    and b beside it, with τ = start, start + 1/rate, … ≤ stop from the event e itself: a common
    clock for continuous signals. Nothing is extrapolated.

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
        Samples per second of the result. Any, where interpolated (filter before you lower it);
        else one that divides the recording's: the samples between are skipped (not summed: bin
        wider for that).
    baseline
        Start and stop, in seconds from the event, of the part of the window whose mean is taken
        from each window and channel.
    censor
        "next trial": samples from the end of the window's own segment, or from the next event on,
        are NaN, so that no sample is used twice. "neighbours": samples before the event before
        and after the event after, and outside the own segment, are NaN; the sample at the time of
        the neighbour is kept. Times: as "neighbours", with the nearest earlier and later of these.
        NaN of all of these are no error.
    nan
        What to do with windows that leave their segment or hold NaN: "error", "exclude" them, or
        "keep" them with NaN. "interpolate": gaps in the signal are first filled linearly from
        both of their ends inside their segment; what has no two ends stays NaN, as with "keep".
    interpolate
        Resample linearly, as above. Not for counts.
    endpoint
        Whether `stop` belongs to the window, if it is a whole number of steps away; default: only
        where interpolated.

    Returns
    -------
    xarray.DataArray
        Coordinates of trial: `trial` (its name, -1 outside), `event_time`, every trial column, and
        `overlap`: windows with a common number share samples and belong in one fold. The
        coordinate `valid` (trial, time, channel) is false where there is no value: censored,
        outside the segment, or NaN in the signal.

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
    check_nan(nan)
    check_censor(censor)
    window = check_window(window)
    if nan == "interpolate":
        bare = replace(recording, labels={}, kinds={})
        recording = replace(recording, signal=interpolated(bare).signal)
    times, trial = event_times(event, recording.events, recording.trials, _borders(recording))
    centre = _nearest_sample(recording, times)
    if interpolate:
        base = time_base(window, recording.rate if rate is None else rate, endpoint is not False)
        index, weight, left = _around(recording, times, centre, base, censor)
    else:
        offset = _offsets(recording, window, rate, bool(endpoint))
        base = offset / recording.rate
        own, left = _own_samples(recording, times, centre, offset, censor)
        index, weight = own[None], None
    values, holes = _read(recording, index, weight)
    if nan == "error":
        remedy = "shorten the window, or say nan='exclude' or nan='keep'"
        refuse(times, left, "leave their segment (their trial, or a stretch without a gap)", remedy)
        refuse(times, holes, "hold NaN", remedy + ", or fill them by nan='interpolate'")
    names = recording.trial[centre] if trial is None else trial
    names = np.where(centre < 0, OUTSIDE, names) if trial is None else names
    keep = ~(left | holes) if nan == "exclude" else np.ones(len(times), dtype=bool)
    return aligned_tensor(
        values if baseline is None else subtract_baseline(values, base, baseline),
        base,
        recording.channels.index.to_numpy(),
        keep,
        {"trial": names, "event_time": times, "overlap": np.concatenate(index, axis=1)},
        recording.trials,
        {"recording": recording.name, "event": _name(event), "window": window, "nan": nan},
    )


def aligned_tensor(
    values: NDArray,
    base: Floats,
    channels: NDArray,
    keep: Bools,
    rows: dict[str, NDArray],
    trials: pd.DataFrame | None,
    attrs: dict[str, Any],
) -> xr.DataArray:
    """What `align` gives, of the windows to keep; `rows["overlap"]` are samples, see `overlap`."""
    nan = attrs.pop("nan")
    if not keep.any():
        raise DataError(
            f"no window is left around {attrs['event']}: {len(keep)} events, nan={nan!r}"
        )
    values, names = values[keep], rows["trial"][keep]
    return xr.DataArray(
        values,
        dims=("trial", "time", "channel"),
        coords={
            "trial": names,
            "time": base,
            "channel": channels,
            "event_time": ("trial", rows["event_time"][keep]),
            "overlap": ("trial", overlap(rows["overlap"][keep])),
            "valid": (("trial", "time", "channel"), ~np.isnan(values)),
            **_trial_columns(trials, names),
        },
        attrs=attrs,
    )


def _offsets(
    recording: Recording, window: tuple[float, float], rate: float | None, endpoint: bool
) -> Ints:
    """Samples of the window, counted from that of the event."""
    step = 1.0 if rate is None else recording.rate / rate
    if step < 1 - 1e-9 or abs(step - round(step)) > 1e-6:
        raise DataError(
            f"rate must divide the recording's {recording.rate:g} Hz, got {rate!r}: samples are "
            "skipped, never interpolated; bin the session at another width instead, or say "
            "interpolate=True if the signal is continuous"
        )
    first, last = (round(t * recording.rate) for t in window)
    if first == last and not endpoint:
        raise DataError(
            f"window {window!r} holds no sample at {recording.rate:g} Hz; make it longer"
        )
    return np.arange(first, last + endpoint, round(step))


def _borders(recording: Recording) -> dict[str, Floats]:
    """Clock times of the first and last sample of every trial."""
    if recording.trials is None:
        return {}
    table, clock = recording.trials, recording.time
    return {"start": clock[table["start"].to_numpy()], "stop": clock[table["stop"].to_numpy() - 1]}


def event_times(
    event: str | NDArray,
    events: Any,
    trials: pd.DataFrame | None,
    borders: dict[str, Floats],
) -> tuple[Floats, NDArray | None]:
    """Times in s, and the trial that each belongs to where the event is a trial column."""
    names = None
    if not isinstance(event, str):
        times = np.asarray(event, dtype=float)
    elif event in events:
        times = events[event]
    elif trials is not None and event in borders:
        names, times = trials.index.to_numpy(), borders[event]
    elif trials is not None and event in trials and trials[event].dtype.kind == "f":
        names, times = trials.index.to_numpy(), trials[event].to_numpy(dtype=float)
    else:
        columns = [] if trials is None else [c for c in trials if trials[c].dtype.kind == "f"]
        raise DataError(
            f"no event {event!r}; events: {sorted(events)}, trial columns that may be "
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
    recording: Recording, times: Floats, centre: Ints, offset: Ints, censor: str | NDArray | None
) -> tuple[Ints, Bools]:
    """Sample numbers (event, time), -1 for none, and which windows leave their segment."""
    edges = recording.segments[["start", "stop"]].to_numpy()
    first, last = edges[np.searchsorted(edges[:, 0], centre, side="right") - 1].T[:, :, None]
    index = centre[:, None] + offset
    known = centre[:, None] >= 0
    own = (index >= first) & (index < last) & known
    allowed = own
    if isinstance(censor, str) and censor == "next trial":
        ordered = np.unique(centre)
        follows = np.append(ordered, recording.n_samples)[np.searchsorted(ordered, centre) + 1]
        later = index >= np.minimum(last, follows[:, None])
        own, allowed = own & ~later, own | (later & known)
    elif censor is not None:
        own &= ~censored(times, offset / recording.rate, censor)
        allowed = np.broadcast_to(known, own.shape)
    return np.where(own, index, -1), ~allowed.all(axis=1)


def _around(
    recording: Recording, times: Floats, centre: Ints, base: Floats, censor: str | NDArray | None
) -> tuple[Ints, Floats, Bools]:
    """Samples (2, event, time) before and after each time, -1 for none, the weight of the later
    one, and which windows leave their segment."""
    clock = recording.time
    length = (recording.segments["stop"] - recording.segments["start"]).to_numpy()
    segment = np.repeat(np.arange(len(length)), length)
    x = times[:, None] + base
    left, right, weight = between(clock, segment, x, 1 / recording.rate)
    known = centre[:, None] >= 0
    own = (left >= 0) & known & (segment[left] == segment[centre][:, None])
    allowed = own
    if censor is not None:
        end = clock[np.cumsum(length) - 1][segment[centre]][:, None]
        half_open = isinstance(censor, str) and censor == "next trial"
        allowed = known & (own | (x > end) | (not half_open))
        own = own & ~censored(times, base, censor, half_open)
    index = np.where(own, np.stack([left, right]), -1)
    return index, np.where(own, weight, 0.0), ~allowed.all(axis=1)


def _read(recording: Recording, index: Ints, weight: Floats | None) -> tuple[NDArray, Bools]:
    """Values (event, time, channel), NaN where there is no sample, and which windows hold NaN.

    `index` is (1, event, time), or (2, event, time) with the weight of the second.
    """
    own = index[0] >= 0
    rows = np.unique(index[:, own])
    dtype = np.result_type(recording.signal.dtype, np.float32)
    data = take(recording.signal, rows).astype(dtype, copy=False)
    values = np.full((*own.shape, recording.n_channels), np.nan, dtype)
    values[own] = weighted(data, np.searchsorted(rows, index[:, own]), weight, own)
    holes = np.isnan(values).any(axis=2) & own
    return values, np.any(holes, axis=1)


def weighted(data: NDArray, index: Ints, weight: Floats | None, own: Bools) -> NDArray:
    """Rows of `data` by number, or weighted means of two; a weight of 0 needs no second value."""
    first = data[index[0]]
    if weight is None:
        return first
    w = weight[own][:, None]
    with np.errstate(invalid="ignore"):  # infinite less infinite
        return np.where(w > 0, first + w * (data[index[1]] - first), first)


def _trial_columns(trials: pd.DataFrame | None, names: NDArray) -> dict[Any, Any]:
    if trials is None:
        return {}
    table = trials.drop(columns=["start", "stop"]).reindex(names)
    taken = ("trial", "time", "channel", "event_time", "overlap", "valid")
    return {
        (f"trial_{c}" if c in taken else c): ("trial", column.to_numpy())
        for c, column in table.items()
    }


def _name(event: str | NDArray) -> str:
    return event if isinstance(event, str) else "times"
