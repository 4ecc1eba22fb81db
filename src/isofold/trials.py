"""Trials and segments as pure functions on half-open (start, stop) arrays in samples.

A *trial* is a row of the experimenter's table. A *segment* is a stretch of samples without a gap
inside one trial; it alone is the wall that windows, positive pairs and differences never cross.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .errors import DataError

Ints = NDArray[np.int64]

OUTSIDE = -1
"""Trial number of samples that belong to no trial."""


def check_intervals(
    start: Ints, stop: Ints, n_samples: int, names: list[object], what: str = "trial"
) -> None:
    """Raise `DataError` unless intervals are non-empty, sorted, disjoint and inside the signal."""
    for row in np.flatnonzero(stop <= start):
        raise DataError(
            f"a {what} must stop after it starts; {what} {names[row]!r} has start={start[row]}, "
            f"stop={stop[row]} (half-open, in samples)"
        )
    for row in np.flatnonzero((start < 0) | (stop > n_samples)):
        raise DataError(
            f"{what}s must lie inside the signal of {n_samples} samples; {what} {names[row]!r} has "
            f"start={start[row]}, stop={stop[row]}"
        )
    for row in np.flatnonzero(start[1:] < stop[:-1]):
        raise DataError(
            f"{what}s must be sorted and must not overlap; "
            f"{what} {names[row]!r} [{start[row]}, {stop[row]}) and "
            f"{what} {names[row + 1]!r} [{start[row + 1]}, {stop[row + 1]}); "
            "sort the table, shorten one of the two or drop it"
        )


def walls(start: Ints, stop: Ints, n_samples: int) -> tuple[Ints, Ints, Ints]:
    """Cut [0, n_samples) at every trial border.

    Returns start, stop and the position of the trial in the table (`OUTSIDE` between trials).

    >>> walls(np.array([2, 6]), np.array([5, 8]), 9)
    (array([0, 2, 5, 6, 8]), array([2, 5, 6, 8, 9]), array([-1,  0, -1,  1, -1]))
    """
    edges = np.unique(np.concatenate([[0, n_samples], start, stop])).astype(np.int64)
    left, right = edges[:-1], edges[1:]
    trial = np.searchsorted(start, left, side="right") - 1
    inside = trial >= 0
    inside[inside] = left[inside] < stop[trial[inside]]
    return left, right, np.where(inside, trial, OUTSIDE).astype(np.int64)


def runs(mask: NDArray[np.bool_]) -> tuple[Ints, Ints]:
    """Start and stop of every run of True.

    >>> runs(np.array([True, True, False, True]))
    (array([0, 3]), array([2, 4]))
    """
    step = np.diff(np.concatenate([[0], np.asarray(mask, dtype=np.int8), [0]]))
    return np.flatnonzero(step == 1), np.flatnonzero(step == -1)


def joined(start: Ints, stop: Ints) -> tuple[Ints, Ints]:
    """Sorted, disjoint intervals with those that touch made one, and empty ones left out.

    >>> joined(np.array([0, 5, 9, 9]), np.array([5, 7, 9, 12]))
    (array([0, 9]), array([ 7, 12]))
    """
    some = stop > start
    start, stop = start[some], stop[some]
    if not len(start):
        return start, stop
    apart = start[1:] > stop[:-1]
    return start[np.append(True, apart)], stop[np.append(apart, True)]


def expand(start: Ints, stop: Ints) -> Ints:
    """All sample numbers in the intervals, in order.

    >>> expand(np.array([0, 5]), np.array([2, 7]))
    array([0, 1, 5, 6])
    """
    length = np.asarray(stop) - np.asarray(start)
    first = np.repeat(np.asarray(start) - np.concatenate([[0], np.cumsum(length)[:-1]]), length)
    return (first + np.arange(length.sum())).astype(np.int64)


def spread(values: NDArray, start: Ints, stop: Ints, n_samples: int, fill: object) -> NDArray:
    """One value a sample from one value an interval; `fill` where no interval reaches."""
    out = np.full(n_samples, fill, dtype=np.result_type(values, np.asarray(fill)))
    out[expand(start, stop)] = np.repeat(values, stop - start)
    return out


def cut(start: Ints, stop: Ints, keep_start: Ints, keep_stop: Ints) -> tuple[Ints, Ints, Ints]:
    """Pieces of the intervals that lie in the kept (sorted, disjoint) intervals.

    Returns start, stop of each piece and the number of the interval that it is a piece of.
    """
    owner, left, right = [], [], []
    for row, (a, b) in enumerate(zip(start, stop, strict=True)):
        first = np.searchsorted(keep_stop, a, side="right")
        last = np.searchsorted(keep_start, b, side="left")
        for keep in range(first, last):
            owner.append(row)
            left.append(max(a, keep_start[keep]))
            right.append(min(b, keep_stop[keep]))
    return tuple(np.asarray(x, dtype=np.int64) for x in (left, right, owner))  # type: ignore[return-value]


def choose(
    n: int,
    share: float,
    how: str,
    rng: np.random.Generator,
    strata: NDArray | None = None,
) -> Ints:
    """Which of n trials to hold out: the last, every k-th, or at random (within strata)."""
    if how not in ("last", "interleaved", "random"):
        raise DataError(f"how must be 'last', 'interleaved' or 'random', got {how!r}")
    if not 0 < share < 1:
        raise DataError(f"the share of held-out trials must lie between 0 and 1, got {share}")
    groups = (
        [np.arange(n)]
        if strata is None
        else [np.flatnonzero(strata == s) for s in np.unique(strata)]
    )
    picked = [group[_choose_in(len(group), share, how, rng)] for group in groups]
    return np.sort(np.concatenate(picked))


def _choose_in(n: int, share: float, how: str, rng: np.random.Generator) -> Ints:
    count = min(max(round(share * n), 1), n - 1) if n > 1 else 0
    if how == "last":
        return np.arange(n - count, n)
    if how == "interleaved":
        return np.floor((np.arange(count) + 0.5) * n / max(count, 1)).astype(np.int64)
    return np.sort(rng.permutation(n)[:count])


def fold_of(n: int, k: int, how: str, group: NDArray | None = None) -> Ints:
    """Fold number of each of n trials: contiguous blocks, or dealt in turn.

    With the group of each trial, whole groups are dealt: as many folds as groups leave one out.
    """
    if group is not None:
        names, number = np.unique(group, return_inverse=True)
        if len(names) < k:
            raise DataError(
                f"folds by group need at least {k} groups for k={k}; found {len(names)}: "
                f"{', '.join(str(g) for g in names[:10])}"
            )
        return fold_of(len(names), k, how)[number]
    if how not in ("blocks", "interleaved"):
        raise DataError(f"how must be 'blocks' or 'interleaved', got {how!r}")
    if not 2 <= k <= n:
        raise DataError(f"folds need 2 <= k <= number of trials; got k={k} for {n} trials")
    order = np.arange(n)
    return order * k // n if how == "blocks" else order % k
