"""The nearest of many labels, exactly: labels are centred and compared in double precision."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from ..trials import Ints

MANY_COLUMNS = 10
"""Beyond this a KD-tree visits nearly every point, and one matrix product is faster."""

BLOCK = 2**22
"""Distances that are in memory at once."""


class Index(Protocol):
    def query(self, x: NDArray[np.float64], k: int) -> tuple[NDArray[np.float64], Ints]:
        """Distances and numbers of the k nearest points: (query,) if k is 1, else (query, k)."""


def index_of(points: NDArray[np.float64]) -> Index:
    """A KD-tree, or all distances where the points have many columns."""
    return cKDTree(points) if points.shape[1] <= MANY_COLUMNS else AllDistances(points)


class AllDistances:
    """Every query against every point, by matrix products over blocks of queries."""

    def __init__(self, points: NDArray[np.float64]):
        self._points = points
        self._square = (points**2).sum(axis=1)

    def query(self, x: NDArray[np.float64], k: int = 1) -> tuple[NDArray[np.float64], Ints]:
        step = max(BLOCK // len(self._points), 1)
        parts = [self._block(x[at : at + step], k) for at in range(0, max(len(x), 1), step)]
        distance, index = (np.concatenate(part) for part in zip(*parts, strict=True))
        return (distance[:, 0], index[:, 0]) if k == 1 else (distance, index)

    def _block(self, x: NDArray[np.float64], k: int) -> tuple[NDArray[np.float64], Ints]:
        square = self._square - 2 * x @ self._points.T + (x**2).sum(axis=1, keepdims=True)
        if k == 1:
            near = square.argmin(axis=1)[:, None]
        else:
            near = np.argpartition(square, k - 1, axis=1)[:, :k]
            order = np.take_along_axis(square, near, axis=1).argsort(axis=1, kind="stable")
            near = np.take_along_axis(near, order, axis=1)
        return np.sqrt(np.take_along_axis(square, near, axis=1).clip(0)), near


class Nearest:
    """The sample with the label nearest to each query; the first of equals in one dimension."""

    def __init__(self, labels: NDArray[np.float64]):
        # Centred, in double precision: large offsets must not cost resolution.
        self._mean = labels.mean(axis=0)
        points = labels - self._mean
        self._index = None
        if labels.shape[1] > 1:
            self._index = index_of(points)
        else:
            self._values, self._first = np.unique(points[:, 0], return_index=True)

    def __call__(self, query: NDArray[np.float64]) -> Ints:
        query = query - self._mean
        if self._index is not None:
            _, found = self._index.query(query.reshape(-1, query.shape[-1]), k=1)
            return np.asarray(found).reshape(query.shape[:-1])
        value = query[..., 0]
        right = np.searchsorted(self._values, value).clip(1, max(len(self._values) - 1, 1))
        right = np.minimum(right, len(self._values) - 1)
        left = np.maximum(right - 1, 0)
        nearer = value - self._values[left] <= self._values[right] - value
        return self._first[np.where(nearer, left, right)]
