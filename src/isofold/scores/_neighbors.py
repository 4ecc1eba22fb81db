"""Nearest neighbours that are not near in time."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from ..errors import DataError
from ..trials import Ints
from ._linear import Floats
from ._time_series import TimeSeries


def neighbors(
    series: TimeSeries, k: int, theiler: int, queries: Ints | None = None
) -> tuple[Floats, Ints]:
    """Distances and sample numbers (query, k) of the k nearest samples, nearest first.

    Left out are samples less than `theiler` away in the same segment (the query itself always),
    and identical ones, whose distance of 0 has no logarithm.

    Raises
    ------
    DataError
        A sample has fewer than k such neighbours.
    """
    rows, clock = series.rows, series.clock(theiler)
    queries = np.arange(len(rows)) if queries is None else queries
    tree = cKDTree(rows)
    distance = np.empty((len(queries), k))
    index = np.empty((len(queries), k), np.int64)
    left, reach = np.arange(len(queries)), k + 1
    while len(left):
        reach = min(2 * reach, len(rows))
        far, who = tree.query(rows[queries[left]], reach)
        apart = np.abs(clock[who] - clock[queries[left], None]) >= max(theiler, 1)
        valid = apart & (far > 0)
        done = valid.sum(axis=1) >= k
        first = np.argsort(~valid[done], axis=1, kind="stable")[:, :k]
        distance[left[done]] = np.take_along_axis(far[done], first, axis=1)
        index[left[done]] = np.take_along_axis(who[done], first, axis=1)
        left = left[~done]
        if len(left) and reach == len(rows):
            raise DataError(
                f"every sample needs {k} neighbours that are another point and at least "
                f"{theiler} samples away in time; sample {queries[left[0]]} has too few; give "
                "more samples, fewer neighbours or a shorter theiler window"
            )
    return distance, index
