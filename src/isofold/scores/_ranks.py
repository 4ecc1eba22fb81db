"""Who is near whom: ranks of all rows around each row, and neighbours that are out of place."""

from __future__ import annotations

import numpy as np
from scipy.spatial.distance import cdist
from sklearn.neighbors import NearestNeighbors

from ..errors import DataError
from ..trials import Ints
from ._linear import Floats


def thinned(n_rows: int, most: int) -> Ints:
    """Row numbers, at most so many, evenly spaced.

    >>> thinned(10, 4)
    array([0, 3, 6, 9])
    """
    return np.linspace(0, n_rows - 1, min(n_rows, most)).round().astype(np.int64)


def ranks(rows: Floats) -> Ints:
    """(i, j) → 1 + how many other rows are nearer to row i than row j; 0 for the row itself.

    Equal distances have equal ranks: bins of counts repeat, and no order among them is false.

    >>> ranks(np.array([[0.0], [1.0], [3.0], [3.0]]))
    array([[0, 1, 2, 2], [1, 0, 2, 2], [3, 2, 0, 1], [3, 2, 1, 0]])
    """
    distance = cdist(rows, rows, "sqeuclidean")
    np.fill_diagonal(distance, -1)
    order = np.argsort(distance, axis=1, kind="stable")
    farther = np.diff(np.take_along_axis(distance, order, axis=1), axis=1, prepend=-2) > 0
    place = np.maximum.accumulate(np.where(farther, np.arange(len(rows)), 0), axis=1)
    rank = np.empty_like(order)
    np.put_along_axis(rank, order, place, axis=1)
    return rank


def nearest(rows: Floats, n_neighbors: int) -> Ints:
    """The nearest other rows of each row; a random choice among those that are equally near.

    Without it rows that all are equal would all take the first of them for their neighbours.
    """
    spread = 1e-9 * (float(rows.std(axis=0).max()) or 1.0)
    apart = rows + spread * np.random.default_rng(0).standard_normal(rows.shape)
    search = NearestNeighbors(n_neighbors=n_neighbors).fit(apart)
    return search.kneighbors(return_distance=False)


def trust(rank: Ints, neighbors: Ints) -> Floats:
    """1 − 2/(k(2n − 3k − 1)) Σ_j max(0, rank_ij − k) for each row i, j its k neighbours elsewhere.

    The mean over rows is the trustworthiness of Venna & Kaski.
    """
    n, k = neighbors.shape
    late = np.take_along_axis(rank, neighbors, axis=1) - k
    return 1 - 2 / (k * (2 * n - 3 * k - 1)) * np.maximum(late, 0).sum(axis=1)


def require_room(n_rows: int, n_neighbors: int) -> None:
    """Refuse so many neighbours that nobody could be out of place."""
    if not 1 <= n_neighbors < n_rows / 2:
        raise DataError(
            f"n_neighbors must be 1 or more and less than half of the {n_rows} samples, "
            f"got {n_neighbors}"
        )
