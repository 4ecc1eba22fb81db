"""Nearest training samples of new samples, the same whether samples come alone or in company."""

from __future__ import annotations

import numpy as np
from sklearn.neighbors import NearestNeighbors

from ..errors import DataError
from ..trials import Ints
from ._sample_model import Floats

METRICS = ("euclidean", "cosine", "correlation")
MARGIN = 8
"""So many more candidates than neighbours are measured exactly."""
CHUNK = 2_000_000


class Neighbors:
    """Exact search among training rows.

    Brute-force searches multiply matrices, so that the last bits of a distance depend on which
    other samples are asked for. Candidates found so are therefore measured once more, one by one.
    """

    def __init__(self, rows: Floats, metric: str = "euclidean"):
        self.rows, self.metric = measured(rows, metric), metric
        self._search = NearestNeighbors().fit(self.rows)

    def query(self, rows: Floats, k: int) -> tuple[Floats, Ints]:
        """Distances and numbers of the k nearest training rows, nearest first."""
        rows = measured(rows, self.metric)
        k = min(k, len(self.rows))
        n_candidates = min(k + MARGIN, len(self.rows))
        step = max(1, CHUNK // (n_candidates * rows.shape[1]))
        parts = [
            self._nearest(rows[i : i + step], k, n_candidates) for i in range(0, len(rows), step)
        ]
        distance, index = (np.concatenate(column) for column in zip(*parts, strict=True))
        return (distance if self.metric == "euclidean" else distance**2 / 2), index

    def _nearest(self, rows: Floats, k: int, n_candidates: int) -> tuple[Floats, Ints]:
        found = np.sort(self._search.kneighbors(rows, n_candidates, return_distance=False), axis=1)
        distance = np.sqrt(np.sum((rows[:, None] - self.rows[found]) ** 2, axis=2))
        order = np.argsort(distance, axis=1, kind="stable")[:, :k]
        return np.take_along_axis(distance, order, 1), np.take_along_axis(found, order, 1)


def measured(rows: Floats, metric: str) -> Floats:
    """Rows whose Euclidean distances are those of the metric, or √(2 ·) of the two angular ones."""
    if metric not in METRICS:
        raise DataError(f"metric must be one of {METRICS}, got {metric!r}")
    rows = np.ascontiguousarray(rows, np.float64)
    if metric == "euclidean":
        return rows
    rows = rows - rows.mean(axis=1, keepdims=True) if metric == "correlation" else rows
    norm = np.linalg.norm(rows, axis=1, keepdims=True)
    if not norm.all():
        raise DataError(
            f"metric {metric!r} has no value for samples that are "
            f"{'0 in all channels' if metric == 'cosine' else 'equal in all channels'}; "
            f"{int(np.sum(norm == 0))} of {len(rows)} are: smooth or add up counts, or take "
            "metric='euclidean'"
        )
    return rows / norm
