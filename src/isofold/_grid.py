"""A grid of bins in stretches without a gap, and values put on it. NumPy only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .errors import DataError
from .trials import Ints, runs

Floats = NDArray[np.float64]

SNAP = 1e-6
"""A time within this share of a bin from an edge lies on the edge: 0.1 + 0.2 is not 0.3."""

GAP = 1.5
"""Samples further apart than this many sampling steps have a gap between them."""

LABEL_GAP = 10.0
"""A label is interpolated between samples at most this many of its sampling steps apart."""


def snap_floor(x: Floats) -> Ints:
    """Floor, with what lies a rounding error below an integer taken as that integer.

    >>> snap_floor(np.array([2.9999999, 2.9, 3.0]))
    array([3, 2, 3])
    """
    near = np.rint(x)
    return np.where(np.abs(x - near) < SNAP, near, np.floor(x)).astype(np.int64)


def snap_ceil(x: Floats) -> Ints:
    """Ceiling, with the same care as `snap_floor`."""
    return -snap_floor(-np.asarray(x))


def sampling_step(t: Floats) -> float:
    """Median distance between samples in seconds; infinite for fewer than two."""
    return float(np.median(np.diff(t))) if len(t) > 1 else np.inf


@dataclass(frozen=True)
class Grid:
    """Bins of one width in stretches: bin k of a stretch covers [time0 + k w, time0 + (k + 1) w).

    >>> Grid(np.array([0.0, 5.0]), np.array([2, 1]), 0.5).centres
    array([0.25, 0.75, 5.25])
    """

    time0: Floats
    n: Ints
    width: float

    @classmethod
    def over(cls, start: Floats, stop: Floats, width: float) -> Grid:
        """Whole bins inside each of the (sorted, disjoint) intervals."""
        n = np.maximum(snap_floor((stop - start) / width), 0)
        return cls(start[n > 0], n[n > 0], width)

    @property
    def offset(self) -> Ints:
        """First row of every stretch, and the number of rows."""
        return np.concatenate([[0], np.cumsum(self.n)]).astype(np.int64)

    def __len__(self) -> int:
        return int(self.n.sum())

    @property
    def centres(self) -> Floats:
        inside = np.arange(len(self)) - np.repeat(self.offset[:-1], self.n)
        return np.repeat(self.time0, self.n) + (inside + 0.5) * self.width

    def row(self, t: Floats) -> Ints:
        """Row of the bin that holds each time; -1 where there is none."""
        t = np.asarray(t, dtype=float)
        if not len(self.time0):
            return np.full(len(t), -1)
        stretch = np.searchsorted(self.time0 - SNAP * self.width, t, side="right") - 1
        k = snap_floor((t - self.time0[stretch]) / self.width)
        inside = (stretch >= 0) & (k >= 0) & (k < self.n[stretch])
        return np.where(inside, self.offset[stretch] + k, -1)

    def rows(self, start: Floats, stop: Floats) -> tuple[Ints, Ints]:
        """Half-open rows of the bins whose centre lies in [start, stop)."""
        return self._first_row(np.asarray(start)), self._first_row(np.asarray(stop))

    def _first_row(self, t: Floats) -> Ints:
        """First row whose centre is not before each time."""
        t = np.asarray(t, dtype=float)
        if not len(self.time0):
            return np.zeros(len(t), np.int64)
        stretch = np.maximum(np.searchsorted(self.time0, t, side="right") - 1, 0)
        k = snap_ceil((t - self.time0[stretch]) / self.width - 0.5)
        return self.offset[stretch] + np.clip(k, 0, self.n[stretch])

    def keep(self, mask: NDArray[np.bool_]) -> Grid:
        """The grid without some rows; every row taken out ends a stretch."""
        starts, lengths = [], []
        for time0, first, last in zip(self.time0, self.offset[:-1], self.offset[1:], strict=True):
            a, b = runs(mask[first:last])
            starts.append(time0 + a * self.width)
            lengths.append(b - a)
        return Grid(_joined(starts, float), _joined(lengths, np.int64), self.width)


def _joined(parts: list[NDArray], dtype) -> NDArray:
    return np.concatenate(parts).astype(dtype) if parts else np.empty(0, dtype)


def own_grid(t: Floats, name: str) -> Grid:
    """The grid that a regularly sampled series is already on: one sample a bin, at its centre.

    >>> grid = own_grid(np.array([0.0, 0.1, 0.2, 5.0, 5.1]), "x")
    >>> grid.n, round(grid.width, 6)
    (array([3, 2]), 0.1)
    """
    if len(t) < 2:
        raise DataError(f"series {name!r} has {len(t)} samples; a grid needs at least 2")
    step = sampling_step(t)
    cuts = np.flatnonzero(np.diff(t) > GAP * step) + 1
    first, last = np.concatenate([[0], cuts]), np.concatenate([cuts, [len(t)]])
    steps = (last - first - 1).sum()
    width = float((t[last - 1] - t[first]).sum() / steps) if steps else step
    width = round(width, 9) if abs(width - round(width, 9)) < SNAP * width else width
    inside = np.arange(len(t)) - np.repeat(first, last - first)
    late = np.abs(t - np.repeat(t[first], last - first) - inside * width)
    if not step > 0 or late.max() > 0.5 * step:
        at = t[np.argmax(late)] if step > 0 else t[0]
        raise DataError(
            f"width=None keeps a regular grid, but series {name!r} is sampled irregularly (median "
            f"step {step:g} s, half a step off near {at:g} s); say width= in seconds"
        )
    return Grid(t[first] - width / 2, last - first, width)


def counts(grid: Grid, times: Floats) -> Ints:
    """Events in every bin [edge, next edge).

    >>> counts(Grid(np.array([0.0]), np.array([3]), 0.1), np.array([0.05, 0.1, 0.1 + 0.2]))
    array([1, 1, 0])
    """
    row = grid.row(times)
    return np.bincount(row[row >= 0], minlength=len(grid))


def means(grid: Grid, t: Floats, values: NDArray) -> tuple[NDArray, NDArray[np.bool_]]:
    """Mean of the samples (time, k) in every bin, and which bins have a value.

    A bin narrower than the sampling step may hold no sample: it is interpolated linearly at its
    centre, unless there is a gap around it.
    """
    row = grid.row(t)
    used = row >= 0
    n = np.bincount(row[used], minlength=len(grid))
    sums = [np.bincount(row[used], column[used], len(grid)) for column in values.T]
    with np.errstate(invalid="ignore"):
        out = np.stack(sums, axis=1) / np.maximum(n, 1)[:, None]
    empty = np.flatnonzero(n == 0)
    left, right, weight = _neighbours(t, grid.centres[empty])
    reached = (left >= 0) & (right < len(t))
    reached[reached] = t[right[reached]] - t[left[reached]] <= GAP * sampling_step(t)
    i, j, w = left[reached], right[reached], weight[reached, None]
    out[empty[reached]] = values[i] * (1 - w) + values[j] * w
    present = n > 0
    present[empty[reached]] = True
    return out.astype(np.result_type(values.dtype, np.float32)), present


def _neighbours(t: Floats, at: Floats) -> tuple[Ints, Ints, Floats]:
    """Samples left (-1: none) and right (len(t): none) of each time, and how far towards right."""
    right = np.searchsorted(t, at, side="left").astype(np.int64)
    exact = right < len(t)
    exact[exact] = t[right[exact]] == at[exact]
    left = np.where(exact, right, right - 1)
    weight = np.zeros(len(at))
    inner = (left >= 0) & (right < len(t)) & (left != right)
    i, j = left[inner], right[inner]
    weight[inner] = (at[inner] - t[i]) / (t[j] - t[i])
    return left, right, weight


def label_at(
    at: Floats, t: Floats, values: NDArray, kind: str, support: tuple[Floats, Floats]
) -> NDArray:
    """Values of a label (time,) or (time, k) at other times, missing ones marked.

    Linear for "continuous", nearest for "discrete", through sine and cosine for "circular".
    Missing (NaN, -1 or "") is a time outside the support or in a gap of the label. Where a support
    begins between two samples (after `Session.restrict`) the nearest sample inside it is held for
    up to a step.
    """
    left, right, weight, found = _sources(at, t, support)
    i, j = np.where(found, left, 0), np.where(found, right, 0)
    if kind == "discrete":
        picked = values[np.where(weight <= 0.5, i, j)] if len(t) else values[:0]
        return _marked(picked, found, len(at), values)
    w = weight.reshape(-1, *[1] * (values.ndim - 1))
    out = np.full((len(at), *values.shape[1:]), np.nan)
    if not len(t):
        return out
    if kind == "circular":
        sine = np.sin(values[i]) * (1 - w) + np.sin(values[j]) * w
        cosine = np.cos(values[i]) * (1 - w) + np.cos(values[j]) * w
        mixed = np.arctan2(sine, cosine)
        mixed = np.mod(mixed, 2 * np.pi) if np.nanmin(values) >= 0 else mixed
    else:
        mixed, apart = values[i].astype(float), i != j  # 0 * NaN would spoil an exact hit
        mixed[apart] = values[i[apart]] * (1 - w[apart]) + values[j[apart]] * w[apart]
    out[found] = mixed[found]
    return out


def _sources(at: Floats, t: Floats, support: tuple[Floats, Floats]):
    """Two samples and a weight for each time, and whether there are any to take."""
    left, right, weight = _neighbours(t, at)
    step, n = sampling_step(t), len(t)
    begin, end = support
    slack = SNAP * step if np.isfinite(step) else 0.0  # rounding puts a centre past its own sample
    piece = np.searchsorted(begin, at + slack, side="right") - 1
    inside = (piece >= 0) & (at <= end[piece] + slack) if len(begin) else np.zeros(len(at), bool)
    i, j = np.clip(left, 0, n - 1), np.clip(right, 0, n - 1)
    if n == 0:
        return left, right, weight, np.zeros(len(at), bool)
    both = inside & (left >= 0) & (right < n) & (t[j] - t[i] <= LABEL_GAP * step)
    piece = np.clip(piece, 0, None)
    has_left = (left >= 0) & (t[i] >= begin[piece])
    has_right = (right < n) & (t[j] <= end[piece])
    hold_left = inside & ~both & has_left & ~has_right & (at - t[i] <= GAP * step)
    hold_right = inside & ~both & has_right & ~has_left & (t[j] - at <= GAP * step)
    left, right = np.where(hold_right, j, i), np.where(hold_left, i, j)
    weight = np.where(both, weight, 0.0)
    return left, right, weight, both | hold_left | hold_right


def _marked(picked: NDArray, found: NDArray[np.bool_], n: int, like: NDArray) -> NDArray:
    if found.all() and len(picked) == n:
        return picked
    if like.dtype.kind in "US":
        out = np.full((n, *like.shape[1:]), "", dtype=like.dtype)
    else:  # a boolean with missing values has three: 0, 1 and -1
        signed = np.int64 if like.dtype.kind in "bui" else like.dtype
        out = np.full((n, *like.shape[1:]), -1, dtype=signed)
    if len(picked):
        out[found] = picked[found]
    return out
