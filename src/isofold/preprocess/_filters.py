"""Zero-phase filters that keep to stretches without a gap and survive missing samples."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from .._grid import GAP, LABEL_GAP

Floats = NDArray[np.float64]

CHUNK = 1 << 19
"""Samples that are worked on at once: 4 MB of float64."""

MOST_STEPS = 1_000_000

SETTLED = 6.0
"""A second-order Butterworth filter has forgotten its start to 1e-11 after this many periods of its
cutoff."""


def chunks(n: int, size: int = CHUNK) -> Iterator[slice]:
    """Slices that cover n samples in order."""
    for start in range(0, n, size):
        yield slice(start, min(start + size, n))


def clock_of(t: NDArray) -> tuple[float, float]:
    """Sampling step in seconds, and the distance beyond which two samples have a gap between them.

    The median step, and 1.5 of it. On an irregular clock, as some files have, a gap is ten medians,
    and the step is the mean of those that are no gap. A million steps stand for those of a long
    recording.
    """
    if len(t) < 2:
        return float("inf"), float("inf")
    at = np.linspace(0, len(t) - 2, min(len(t) - 1, MOST_STEPS)).astype(np.int64)
    steps = t[at + 1] - t[at]
    median = float(np.median(steps))
    low, high = np.quantile(steps, [0.1, 0.9])
    if 0.75 * median <= low and high <= 1.25 * median:
        return median, GAP * median
    longest = LABEL_GAP * median
    return float(steps[steps <= longest].mean()), longest


def stretches(t: NDArray) -> list[slice]:
    """Slices between gaps."""
    longest = clock_of(t)[1]
    edges = [0]
    for part in chunks(max(len(t) - 1, 0)):
        late = np.diff(t[part.start : part.stop + 1]) > longest
        edges += (np.flatnonzero(late) + part.start + 1).tolist()
    edges.append(len(t))
    return [slice(a, b) for a, b in pairwise(edges)]


def filled(x: NDArray) -> tuple[NDArray, NDArray[np.bool_]]:
    """Missing samples replaced by a line between their neighbours (the ends: the nearest sample),
    and where they were. Without any valid sample all is 0.

    >>> filled(np.array([np.nan, 1.0, np.nan, 3.0]))
    (array([1., 1., 2., 3.]), array([ True, False,  True, False]))
    """
    hole = ~np.isfinite(x)
    if not hole.any():
        return x, hole
    known = np.flatnonzero(~hole)
    out = np.where(hole, 0.0, x)
    if len(known):
        out[hole] = np.interp(np.flatnonzero(hole), known, x[known])
    return out, hole


def low_pass(x: NDArray, rate: float, cutoff: float, parts: list[slice] | None = None) -> NDArray:
    """Second-order Butterworth low-pass run forward and backward; NaN stays where it was.

    Computed in float64, kept in float32 if the signal is. Long signals are filtered in pieces that
    overlap until the filter has settled.
    """
    from scipy.signal import butter

    sos = butter(2, cutoff, fs=rate, output="sos")
    whole, hole = filled(np.asarray(x))
    out = np.empty(len(whole), np.float32 if whole.dtype == np.float32 else np.float64)
    margin = int(SETTLED * rate / cutoff) + 1
    for part in parts or [slice(0, len(whole))]:
        _by_pieces(sos, whole[part], out[part], margin)
    out[hole] = np.nan
    return out


def _by_pieces(sos: Floats, x: NDArray, out: NDArray, margin: int) -> None:
    if len(x) <= max(2 * CHUNK, 4 * margin):
        out[:] = _forward_backward(sos, x)
        return
    for piece in chunks(len(x), max(CHUNK, 2 * margin)):
        start = max(piece.start - margin, 0)
        stop = min(piece.stop + margin, len(x))
        smooth = _forward_backward(sos, x[start:stop])
        out[piece] = smooth[piece.start - start : piece.stop - start]


def _forward_backward(sos: Floats, x: NDArray) -> Floats:
    from scipy.signal import sosfiltfilt

    usual = 3 * (2 * len(sos) + 1 - min((sos[:, 2] == 0).sum(), (sos[:, 5] == 0).sum()))
    return sosfiltfilt(sos, np.asarray(x, np.float64), padlen=int(min(usual, len(x) - 1)))


def block_means(x: NDArray, size: int) -> Floats:
    """Mean of each whole block of `size` samples; missing ones are left out, NaN if all are."""
    if size == 1:
        return np.asarray(x, np.float64)
    out = np.full(len(x) // size, np.nan)
    for part in chunks(len(out), max(CHUNK // size, 1)):
        blocks = np.asarray(x[part.start * size : part.stop * size], np.float64).reshape(-1, size)
        known = np.isfinite(blocks)
        count = known.sum(axis=1)
        total = np.where(known, blocks, 0.0).sum(axis=1)
        np.divide(total, count, out=out[part], where=count > 0)
    return out
