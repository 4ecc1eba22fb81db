"""Compiled counting of pairs by distance. Import it where it is used: it brings numba."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(cache=True)
def count_points(
    columns: NDArray[np.float64],
    clock: NDArray[np.int64],
    block: NDArray[np.int64],
    n_reference: int,
    theiler: int,
    edges: NDArray[np.float64],
    n_blocks: int,
) -> Any:
    """Histogram (block, block, edge) of squared distances, and how many pairs there were.

    `columns` (channel, time): a channel at a time keeps the inner loop free of branches. Pairs are
    those of the first `n_reference` points with each other and with all others.
    """
    n_channels, n = columns.shape
    counts = np.zeros((n_blocks, n_blocks, len(edges)), np.int64)
    pairs = np.zeros((n_blocks, n_blocks), np.int64)
    squared = np.empty(n)
    for p in range(n_reference):
        squared[p + 1 :] = 0.0
        for c in range(n_channels):
            for q in range(p + 1, n):
                step = columns[c, q] - columns[c, p]
                squared[q] += step * step
        _tally(squared, p, clock, block, theiler, edges, counts, pairs)
    return counts, pairs


@njit(cache=True)
def count_matrix(
    distances: NDArray[np.float64],
    clock: NDArray[np.int64],
    block: NDArray[np.int64],
    theiler: int,
    edges: NDArray[np.float64],
    n_blocks: int,
) -> Any:
    """The same from a symmetric matrix of distances."""
    counts = np.zeros((n_blocks, n_blocks, len(edges)), np.int64)
    pairs = np.zeros((n_blocks, n_blocks), np.int64)
    for p in range(len(distances)):
        _tally(distances[p] ** 2, p, clock, block, theiler, edges, counts, pairs)
    return counts, pairs


@njit(cache=True)
def _tally(
    squared: NDArray[np.float64],
    p: int,
    clock: NDArray[np.int64],
    block: NDArray[np.int64],
    theiler: int,
    edges: NDArray[np.float64],
    counts: NDArray[np.int64],
    pairs: NDArray[np.int64],
) -> None:
    for q in range(p + 1, len(squared)):
        # identical points say nothing of how the number of pairs grows with the radius
        if abs(clock[q] - clock[p]) < theiler or squared[q] == 0.0:
            continue
        pairs[block[p], block[q]] += 1
        if squared[q] > edges[-1]:
            continue
        low, high = 0, len(edges) - 1
        while low < high:
            middle = (low + high) // 2
            if squared[q] <= edges[middle]:
                high = middle
            else:
                low = middle + 1
        counts[block[p], block[q], low] += 1
