"""One tree of MIND: the states are cut until the next state is a simple Gaussian in every leaf."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ..trials import Ints
from ._mind_ppca import mean_loss


@dataclass(frozen=True)
class Tree:
    """Nodes in the order in which they were cut, the root first."""

    normal: NDArray[np.float64]
    """(node, dimension); a state x goes right if x·normal > threshold."""
    threshold: NDArray[np.float64]
    left: Ints
    """Number of the left child, the right one is the next; 0 for a leaf."""
    order: Ints
    """Transitions, so that those of a node are order[start:stop]."""
    start: Ints
    stop: Ints

    def leaf_of(self, x: NDArray[np.float64]) -> Ints:
        """The leaf that each state falls into."""
        return _route(x, self.normal, self.threshold, self.left)


def grow(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    draws: tuple[NDArray[np.float64], NDArray[np.float64]],
    min_leaf: int,
    share: float,
    floor: float,
) -> Tree:
    """A tree for transitions from rows of `x` to rows of `y`, with the draws of `draws_of`."""
    return Tree(*_grow(x, y, *draws, min_leaf, share, floor))


def draws_of(
    rng: np.random.Generator, n: int, d: int, n_directions: int, min_leaf: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Unit normals (node, direction, dimension) and where between two states to cut (node,
    direction), in [0, 1), for as many nodes as a tree can have: no leaf is below `min_leaf`."""
    nodes = max(2 * (n // min_leaf) - 1, 1)
    normals = rng.standard_normal((nodes, n_directions, d))
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
    return normals, rng.random((nodes, n_directions))


@njit(cache=True, nogil=True)
def _grow(x, y, normals, between, min_leaf, share, floor):  # type: ignore[no-untyped-def]
    n, most = len(x), len(normals)
    order = np.arange(n)
    start, stop = np.zeros(most, np.int64), np.full(most, n)
    left = np.zeros(most, np.int64)
    normal, threshold = np.zeros((most, x.shape[1])), np.zeros(most)
    loss = np.zeros(most)
    loss[0] = mean_loss(y, share, floor)
    node, count = 0, 1
    while node < count:
        a, b = start[node], stop[node]
        if b - a >= 2 * min_leaf:
            rows = order[a:b].copy()
            k, cut, by, at, below, above = _split(
                x, y, rows, normals[node], between[node], min_leaf, share, floor
            )
            if cut and (cut * below + (b - a - cut) * above) / (b - a) < loss[node]:
                normal[node], threshold[node], left[node] = normals[node, k], at, count
                order[a:b] = rows[by]
                start[count], stop[count], loss[count] = a, a + cut, below
                start[count + 1], stop[count + 1], loss[count + 1] = a + cut, b, above
                count += 2
        node += 1
    return (
        normal[:count].copy(),
        threshold[:count].copy(),
        left[:count].copy(),
        order,
        start[:count].copy(),
        stop[:count].copy(),
    )


@njit(cache=True, nogil=True)
def _split(x, y, rows, normals, between, min_leaf, share, floor):  # type: ignore[no-untyped-def]
    """The direction whose best cut has the smallest PPCA loss; a cut of 0 if there is none.

    Returns direction, rows below the cut, their order, threshold, and the losses on both sides.
    """
    n = len(rows)
    best = np.inf
    found = (0, 0, np.arange(n), 0.0, 0.0, 0.0)
    for k in range(len(normals)):
        projection = np.zeros(n)
        for row in range(n):
            for i in range(x.shape[1]):
                projection[row] += x[rows[row], i] * normals[k, i]
        by = np.argsort(projection, kind="mergesort")
        along, after = projection[by], y[rows[by]]
        cut = best_cut(along, after, min_leaf)
        if cut == 0:
            continue
        below = mean_loss(after[:cut], share, floor)
        above = mean_loss(after[cut:], share, floor)
        total = cut * below + (n - cut) * above
        if total < best:
            low, high = along[cut - 1], along[cut]
            at = low + between[k] * (high - low)
            best, found = total, (k, cut, by, at if at < high else low, below, above)
    return found


@njit(cache=True, nogil=True)
def best_cut(along, y, min_leaf):  # type: ignore[no-untyped-def]
    """How many rows to put below the cut so that |Σ y|²/n of both sides together is largest
    (spherical Gaussians of one variance), among all cuts between unequal projections; or 0."""
    n, d = y.shape
    total, below = np.zeros(d), np.zeros(d)
    for row in range(n):
        total += y[row]
    best, cut = -np.inf, 0
    for row in range(n - min_leaf):
        square, rest = 0.0, 0.0
        for i in range(d):
            below[i] += y[row, i]
            square += below[i] ** 2
            rest += (total[i] - below[i]) ** 2
        count = row + 1
        if count >= min_leaf and along[row] < along[row + 1]:
            gain = square / count + rest / (n - count)
            if gain > best:
                best, cut = gain, count
    return cut


@njit(cache=True, nogil=True)
def _route(x, normal, threshold, left):  # type: ignore[no-untyped-def]
    leaf = np.zeros(len(x), np.int64)
    for row in range(len(x)):
        node = 0
        while left[node]:
            along = 0.0
            for i in range(x.shape[1]):
                along += x[row, i] * normal[node, i]
            node = left[node] + (1 if along > threshold[node] else 0)
        leaf[row] = node
    return leaf
