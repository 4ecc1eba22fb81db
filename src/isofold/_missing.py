"""Missing values: where they are, what says so, and filling short gaps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from . import trials as walls_
from ._rows import blocks
from .errors import DataError, MissingValuesError

if TYPE_CHECKING:
    from .recording import Recording

Bools = NDArray[np.bool_]
Fill = Callable[[NDArray, NDArray, NDArray], NDArray]


def missing(recording: Recording) -> Bools:
    """Samples (time,) where signal or a label is not finite, or a label is -1 (discrete) or "".

    >>> from isofold import Recording
    >>> signal = np.array([[0.0], [np.nan], [1.0]])
    >>> missing(Recording(signal, rate=1.0, labels={"choice": np.array([-1, 0, 1])}))
    array([ True,  True, False])
    """
    mask = _missing_signal(recording)
    for name in recording.labels:
        mask |= missing_label(recording, name)
    return mask


def missing_label(recording: Recording, name: str) -> Bools:
    """Samples (time,) at which one label, or a trial column, has no value."""
    holes = _holes(recording.label(name), recording.kind(name))
    return np.any(holes.reshape(len(holes), -1), axis=1)


def require_complete(
    recording: Recording, labels: Sequence[str] = (), used: Bools | None = None
) -> None:
    """Raise `MissingValuesError` if signal or a named label lacks a value in the `used` samples
    (default: those inside trials), naming channel or label and the first time."""
    used = recording.trial != walls_.OUTSIDE if used is None else used
    found = _missing_signal(recording) & used
    if found.any():
        first = int(np.argmax(found))
        channel = int(np.argmin(np.isfinite(np.asarray(recording.signal[first]))))
        raise _lacking(recording, f"channel {recording.channels.index[channel]!r}", found)
    for name in labels:
        found = missing_label(recording, name) & used
        if found.any():
            raise _lacking(recording, f"label {name!r}", found)


def _lacking(recording: Recording, what: str, found: Bools) -> MissingValuesError:
    first, n = int(np.argmax(found)), int(found.sum())
    return MissingValuesError(
        f"every value that is used must be finite and known; {what} of recording "
        f"{recording.name!r} lacks {n} sample{'s' * (n > 1)}, the first at "
        f"{recording.time[first]:.3f} s (sample {first}); resolve with recording.fill('drop') or "
        "recording.fill('interpolate', max_gap=...)"
    )


def _missing_signal(recording: Recording) -> Bools:
    signal = recording.signal
    mask = np.zeros(recording.n_samples, dtype=bool)
    if signal.dtype.kind == "f":
        for start, stop in blocks(signal):
            mask[start:stop] = ~np.isfinite(np.asarray(signal[start:stop])).all(axis=1)
    return mask


def _holes(values: NDArray, kind: str) -> Bools:
    if values.dtype.kind == "f":
        return ~np.isfinite(values)
    if values.dtype.kind == "U":
        return values == ""
    if values.dtype.kind in "iu" and kind == "discrete":
        return values == -1
    return np.zeros(values.shape, dtype=bool)


# -- filling ------------------------------------------------------------------------------------


def interpolated(recording: Recording, max_gap: float | None = None) -> Recording:
    """Fill gaps of up to `max_gap` seconds (None: any length) from both of their ends.

    Linear for signal and continuous labels, through sine and cosine for circular ones, nearest for
    discrete ones. A gap that touches the end of a segment stays. A signal without gaps is passed
    on as it is; one with gaps is read into memory.
    """
    if max_gap is not None and not max_gap >= 0:
        raise DataError(f"max_gap is a time in seconds and must be 0 or more, got {max_gap!r}")
    longest = np.inf if max_gap is None else max_gap * recording.rate * (1 + 1e-9)
    segments = recording.segments[["start", "stop"]].to_numpy()

    def filled(values: NDArray, kind: str) -> NDArray:
        return _filled(values, _holes(values, kind), segments, longest, _FILLS[kind])

    signal = recording.signal
    if _missing_signal(recording).any():
        signal = filled(np.asarray(signal), "continuous")
    labels = {name: filled(v, recording.kinds[name]) for name, v in recording.labels.items()}
    return replace(recording, signal=signal, labels=labels)


def _filled(
    values: NDArray, holes: Bools, segments: NDArray, longest: float, fill: Fill
) -> NDArray:
    """Copy of (time,) or (time, k) values in which every short gap inside a segment is filled."""
    out = values.copy()
    columns, gaps = out.reshape(len(out), -1), holes.reshape(len(out), -1)
    for column in np.flatnonzero(gaps.any(axis=0)):
        x, hole = columns[:, column], gaps[:, column]
        for first, last in segments:
            _fill_segment(x[first:last], hole[first:last], longest, fill)
    return out


def _fill_segment(x: NDArray, hole: Bools, longest: float, fill: Fill) -> None:
    start, stop = walls_.runs(hole)
    inner = (start > 0) & (stop < len(x)) & (stop - start <= longest)
    at = walls_.expand(start[inner], stop[inner])
    if len(at):
        known = np.flatnonzero(~hole)
        x[at] = fill(at, known, x[known])


def _linear(at: NDArray, known: NDArray, values: NDArray) -> NDArray:
    return np.interp(at, known, values)


def _circular(at: NDArray, known: NDArray, values: NDArray) -> NDArray:
    angle = np.arctan2(_linear(at, known, np.sin(values)), _linear(at, known, np.cos(values)))
    return np.mod(angle, 2 * np.pi) if values.min() >= 0 else angle  # keep the label's own range


def _nearest(at: NDArray, known: NDArray, values: NDArray) -> NDArray:
    right = np.searchsorted(known, at)
    left = right - 1
    return values[np.where(at - known[left] <= known[right] - at, left, right)]


_FILLS: dict[str, Fill] = {"continuous": _linear, "circular": _circular, "discrete": _nearest}
