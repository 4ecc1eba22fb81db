"""The graph of nearest neighbours: its pieces, and shortest paths along it."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components, shortest_path
from sklearn.neighbors import NearestNeighbors

from ..trials import Ints
from ._linear import Floats

SMALLEST = 1e-150
"""Length of the edge between equal rows: not 0, also when squared."""


def neighbor_graph(rows: Floats, n_neighbors: int) -> csr_array:
    """Distance to each of the nearest other rows, (row, row); nothing else is stored."""
    search = NearestNeighbors(n_neighbors=n_neighbors).fit(rows)
    distance, index = search.kneighbors()
    distance = np.maximum(distance, SMALLEST)  # sparse sums drop an edge between equal rows
    start = np.arange(len(rows) + 1) * n_neighbors
    return csr_array((distance.ravel(), index.ravel(), start), shape=(len(rows), len(rows)))


def pieces(graph: csr_array) -> Ints:
    """Number of the connected piece of each row, 0 the largest."""
    _, label = connected_components(graph, directed=False)
    order = np.argsort(-np.bincount(label), kind="stable")
    return np.argsort(order)[label].astype(np.int64)


def joined(graph: csr_array, rows: Floats) -> csr_array:
    """The graph with its pieces joined: each by the shortest edge to the rest, until one is left.

    >>> rows = np.array([[0.0], [1.0], [5.0], [6.0]])
    >>> one = joined(neighbor_graph(rows, 1), rows)
    >>> float(geodesics(one)[0, 3])
    6.0
    """
    while (label := pieces(graph)).any():
        found = [_bridge(rows, label == piece) for piece in range(label.max() + 1)]
        start, stop, distance = (np.array(column) for column in zip(*found, strict=True))
        bridges = csr_array((distance, (start, stop)), shape=graph.shape)
        graph = graph.maximum(bridges)
    return graph


def _bridge(rows: Floats, mine: np.ndarray) -> tuple[int, int, float]:
    """Nearest pair of a row of the piece and a row outside it, and their distance."""
    inside, outside = np.flatnonzero(mine), np.flatnonzero(~mine)
    search = NearestNeighbors(n_neighbors=1).fit(rows[inside])
    distance, index = search.kneighbors(rows[outside])
    best = int(np.argmin(distance))
    return int(inside[index[best, 0]]), int(outside[best]), max(float(distance[best, 0]), SMALLEST)


def geodesics(graph: csr_array) -> Floats:
    """Length of the shortest path between all pairs, (row, row); inf between pieces."""
    return shortest_path(graph, method="D", directed=False)
