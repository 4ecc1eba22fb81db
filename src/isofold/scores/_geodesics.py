"""Distances along a cloud of points: shortest paths over its neighbour graph."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components, shortest_path
from scipy.spatial import cKDTree

from ..errors import DataError
from ..trials import Ints
from ._linear import Floats

SMALLEST_PART = 0.9
"""Share of the points that the largest connected part of the graph must hold."""


def geodesics(points: Floats, n_neighbors: int) -> tuple[Floats, Ints]:
    """Shortest paths (point, point) over the symmetric k-nearest-neighbour graph of the points.

    Of the largest connected part; which points these are comes second.

    Raises
    ------
    DataError
        The graph falls into parts of which none holds most points.
    """
    n = len(points)
    far, who = cKDTree(points).query(points, min(n_neighbors + 1, n))
    # identical points are one point of the graph: scipy.sparse takes a 0 for no edge
    weight = np.maximum(far[:, 1:], np.finfo(float).tiny)
    row = np.repeat(np.arange(n), weight.shape[1])
    graph = csr_matrix((weight.ravel(), (row, who[:, 1:].ravel())), (n, n))
    graph = graph.maximum(graph.T)
    _, part = connected_components(graph, directed=False)
    largest = np.flatnonzero(part == np.argmax(np.bincount(part)))
    if len(largest) < SMALLEST_PART * n:
        raise DataError(
            f"the graph of {n_neighbors} neighbours falls apart: its largest part holds "
            f"{len(largest)} of {n} points; raise n_neighbors"
        )
    return shortest_path(graph[largest][:, largest], method="D", directed=False), largest
