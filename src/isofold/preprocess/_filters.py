"""Zero-phase filters that keep to stretches without a gap and survive missing samples."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from .._grid import GAP, sampling_step

Floats = NDArray[np.float64]

CHUNK = 1 << 19
"""Samples that are worked on at once: 4 MB of float64."""

SETTLED = 6.0
"""A second-order Butterworth filter has forgotten its start to 1e-11 after this many periods of its
cutoff."""


def chunks(n: int, size: int = CHUNK) -> Iterator[slice]:
    """Slices that cover n samples in order."""
    for start in range(0, n, size):
        yield slice(start, min(start + size, n))


def stretches(t: NDArray) -> list[slice]:
    """Slices between gaps: distances of more than 1.5 sampling steps."""
    cuts = np.flatnonzero(np.diff(t) > GAP * sampling_step(t)) + 1
    edges = [0, *cuts.tolist(), len(t)]
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


def low_pass(x: NDArray, rate: float, cutoff: float, parts: list[slice] | None = None) -> Floats:
    """Second-order Butterworth low-pass run forward and backward; NaN stays where it was.

    Long signals are filtered in pieces that overlap until the filter has settled.
    """
    from scipy.signal import butter

    sos = butter(2, cutoff, fs=rate, output="sos")
    whole, hole = filled(np.asarray(x))
    out = np.empty(len(whole))
    margin = int(SETTLED * rate / cutoff) + 1
    for part in parts or [slice(0, len(whole))]:
        _by_pieces(sos, whole[part], out[part], margin)
    out[hole] = np.nan
    return out


def _by_pieces(sos: Floats, x: NDArray, out: Floats, margin: int) -> None:
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
    n = len(x) // size
    if size == 1:
        return np.asarray(x, np.float64)
    blocks = np.asarray(x[: n * size], np.float64).reshape(n, size)
    known = np.isfinite(blocks)
    count = known.sum(axis=1)
    total = np.where(known, blocks, 0.0).sum(axis=1)
    return np.divide(total, count, out=np.full(n, np.nan), where=count > 0)
