"""MIND's distances: how improbable it is to get from one landmark to another.

lp(i, j) = median over trees of log N(x_j; leaf of x_i), normalised over j;
local distance √−lp(i, j); geodesic distance: the shortest path of those, mean of both ways.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import shortest_path
from scipy.special import logsumexp

from ..trials import Ints
from ._mind_ppca import FLOOR, PPCA
from ._mind_threads import in_threads
from ._mind_tree import draws_of, grow

BLOCK = 2**21
"""Values of the forest (trees × rows × landmarks) that are sorted at a time."""

NEAREST = 1e-7
"""Smallest local distance between two landmarks: scipy's graphs take less than 1e-8 as no way."""


@dataclass(frozen=True)
class Forest:
    """How a forest is grown."""

    n_trees: int
    n_directions: int
    min_leaf: int
    leaf_variance: float

    def log_densities(
        self,
        x: NDArray[np.float64],
        y: NDArray[np.float64],
        landmarks: NDArray[np.float64],
        seed: np.random.SeedSequence,
    ) -> NDArray[np.float64]:
        """Median over trees of log p(landmark j follows landmark i), (landmark, landmark).

        Each tree has a seed of its own and learns from all transitions x → y. Of a tree, only the
        leaves that hold a landmark are kept, each as its row of densities of all landmarks: memory
        is trees · leaves · landmarks · 8 bytes.
        """
        floor = FLOOR * float(y.var(axis=0).mean())

        def one(child: np.random.SeedSequence) -> tuple[Ints, NDArray[np.float64]]:
            rng = np.random.default_rng(child)
            draws = draws_of(rng, len(x), x.shape[1], self.n_directions, self.min_leaf)
            tree = grow(x, y, draws, self.min_leaf, self.leaf_variance, floor)
            used, row = np.unique(tree.leaf_of(landmarks), return_inverse=True)
            table = np.empty((len(used), len(landmarks)))
            for leaf, out in zip(used, table, strict=True):
                rows = tree.order[tree.start[leaf] : tree.stop[leaf]]
                out[:] = PPCA.fit(y[rows], self.leaf_variance, floor).log_density(landmarks)
            return row, table

        return _median(in_threads(one, seed.spawn(self.n_trees)))


def _median(trees: list[tuple[Ints, NDArray[np.float64]]]) -> NDArray[np.float64]:
    """Median over trees of table[row], by blocks of rows: trees × M × M is never there at once."""
    n, m = len(trees), trees[0][1].shape[1]
    out = np.empty((len(trees[0][0]), m))
    step = max(BLOCK // (n * m), 1)

    def block(first: int) -> None:
        values = np.empty((len(out[first : first + step]), m, n))
        for k, (row, table) in enumerate(trees):
            values[:, :, k] = table[row[first : first + step]]
        values.sort(axis=-1)  # faster than a partition of so few
        out[first : first + step] = (values[:, :, (n - 1) // 2] + values[:, :, n // 2]) / 2

    in_threads(block, range(0, len(out), step))
    return out


def density_ratio(log_density: NDArray[np.float64]) -> float:
    """How many pairs are within e¹⁰ of the largest density, over how many within e¹⁰ … e²⁰.

    Above about 1.5 the forest says the same of most pairs, and the embedding is seldom good.
    """
    below = log_density.max() - log_density
    near, far = np.sum(below <= 10), np.sum((below > 10) & (below <= 20))
    return float(near / far) if far else float("inf")


def geodesics(log_density: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Distances between landmarks in units of the largest local one, and which landmarks stay:
    one at distance 0 from an earlier one does not."""
    log_p = log_density - logsumexp(log_density, axis=1, keepdims=True)
    np.fill_diagonal(log_p, 0)
    local = np.sqrt(np.maximum(-log_p, 0))
    local = np.maximum(local / max(local.max(), NEAREST), NEAREST)
    np.fill_diagonal(local, 0)
    path = shortest_path(local, method="FW", overwrite=True)
    distance = (path + path.T) / 2
    close = np.tril(distance < 10 * NEAREST, -1)
    keep = ~close.any(axis=1)
    return distance[np.ix_(keep, keep)], keep
