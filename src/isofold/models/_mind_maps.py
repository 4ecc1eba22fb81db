"""Maps between signal and manifold: a point is rebuilt from its neighbours, and its image from
theirs with the same weights.

w ∝ (G + c I)⁻¹ 1, Σ w = 1, G_ab = (x − x_a)·(x − x_b), c = λ² tr(G)/k;  f(x) = Σ_a w_a y_a
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..trials import Ints
from ._mind_threads import in_threads

Array = NDArray[np.float64]

NEIGHBORS = (*range(1, 11), *range(15, 51, 5))
RIDGES = tuple(float(r) for r in 10.0 ** (np.arange(-10, 1) / 2))
"""λ; less than the smallest is lost in rounding, and as good as 0."""
FOLDS = 10
BLOCK = 1024
"""Points mapped at a time: neighbours × neighbours values each."""


@dataclass(frozen=True)
class LocalLinear:
    """f from points (landmark, in) to values (landmark, out)."""

    points: Array
    values: Array
    n_neighbors: int
    ridge: float

    def __call__(self, x: Array) -> Array:
        """Image of every row."""
        out = np.empty((len(x), self.values.shape[1]))
        if not len(x):
            return out
        near = nearest(self.points, x, self.n_neighbors)

        def block(first: int) -> None:
            rows = slice(first, first + BLOCK)
            w = weights(_gram(x[rows], self.points[near[rows]]), self.ridge)
            out[rows] = np.einsum("nk,nko->no", w, self.values[near[rows]])

        in_threads(block, range(0, len(x), BLOCK))
        return out


def fit_map(points: Array, values: Array, rng: np.random.Generator) -> LocalLinear:
    """The map whose number of neighbours and λ have the smallest squared error over folds."""
    fold = rng.permutation(len(points)) % min(FOLDS, len(points))
    fewest = len(points) - int(np.bincount(fold).max())
    counts = [k for k in NEIGHBORS if k <= fewest]
    near = np.empty((len(points), counts[-1]), np.int64)
    for f in np.unique(fold):
        others = np.flatnonzero(fold != f)
        near[fold == f] = others[nearest(points[others], points[fold == f], counts[-1])]

    def errors(first: int) -> Array:
        rows = slice(first, first + BLOCK)
        return _errors(points, values, near[rows], np.arange(len(points))[rows], counts)

    error = sum(in_threads(errors, range(0, len(points), BLOCK)))
    k, ridge = np.unravel_index(np.argmin(error), (len(counts), len(RIDGES)))
    return LocalLinear(points, values, counts[k], RIDGES[ridge])


def _errors(points: Array, values: Array, near: Ints, rows: Ints, counts: list[int]) -> Array:
    """Squared error of the rows for every number of neighbours and λ."""
    gram = _gram(points[rows], points[near])
    out = np.empty((len(counts), len(RIDGES)))
    for a, k in enumerate(counts):
        for b, ridge in enumerate(RIDGES):
            w = weights(gram[:, :k, :k], ridge)
            found = np.einsum("nk,nko->no", w, values[near[:, :k]])
            out[a, b] = np.sum((found - values[rows]) ** 2)
    return out


def weights(gram: Array, ridge: float) -> Array:
    """w of every Gram matrix (point, k, k)."""
    k = gram.shape[-1]
    trace = np.einsum("nkk->n", gram)
    c = np.where(trace > 0, ridge**2 * trace / k, 1.0)  # every neighbour is the point itself
    w = np.linalg.solve(gram + c[:, None, None] * np.eye(k), np.ones((k, 1)))[..., 0]
    return w / w.sum(axis=1, keepdims=True)


def _gram(x: Array, neighbors: Array) -> Array:
    offset = x[:, None] - neighbors
    return offset @ offset.swapaxes(1, 2)


def nearest(points: Array, x: Array, k: int) -> Ints:
    """Row numbers of the k nearest points, nearest first."""
    from sklearn.neighbors import NearestNeighbors

    return NearestNeighbors(n_neighbors=k).fit(points).kneighbors(x, return_distance=False)
