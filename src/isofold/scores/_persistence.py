"""Persistence diagrams of an embedding: landmarks, then Vietoris–Rips by ripser."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.spatial import cKDTree
from scipy.spatial.distance import cdist

from .._extras import require
from ..errors import DataError
from ..trials import Ints
from ._inputs import inside, is_embedding, rows_of, whole
from ._linear import Floats

DENSITY_NEIGHBORS = 15
"""The distance to so many neighbours tells how lonely a sample is."""


@dataclass(frozen=True)
class Cloud:
    """How an embedding becomes landmarks."""

    n_points: int
    outliers: float
    reduce: int | None
    coefficient: int

    def __post_init__(self) -> None:
        whole("n_points", self.n_points, at_least=10)
        whole("coefficient", self.coefficient, at_least=2)
        if any(self.coefficient % k == 0 for k in range(2, int(self.coefficient**0.5) + 1)):
            raise DataError(
                f"coefficient must be a prime, for homology over a field, got {self.coefficient}"
            )
        if not 0 <= self.outliers < 1:
            raise DataError(f"outliers is a share from 0 to below 1, got {self.outliers!r}")
        if self.reduce is not None:
            whole("reduce", self.reduce)

    def rows(self, z: Any) -> Floats:
        """(time, column) inside trials, reduced by PCA if asked for."""
        rows = rows_of(z, "embedding")
        if is_embedding(z) and "trial" in z.coords:
            rows = rows[inside(np.asarray(z.coords["trial"].values))]
        if len(rows) < 10:
            raise DataError(f"topology needs at least 10 samples in trials, got {len(rows)}")
        centred = rows - rows.mean(axis=0)
        if not centred.any():
            raise DataError("topology needs samples that differ; all samples are the same point")
        if self.reduce is None:
            return centred
        if self.reduce > rows.shape[1]:
            raise DataError(f"reduce={self.reduce} is more than the {rows.shape[1]} columns")
        return centred @ np.linalg.eigh(centred.T @ centred)[1][:, ::-1][:, : self.reduce]

    def landmarks(self, rows: Floats, rng: np.random.Generator) -> Ints:
        """Samples far from each other, without the share `outliers` that have few others near."""
        return landmarks(rows, self.n_points, self.outliers, rng)


def landmarks(rows: Floats, n_points: int, outliers: float, rng: np.random.Generator) -> Ints:
    """Greedy permutation: the first at random, each next the farthest from those before.

    Farthest points are first of all outliers, so the samples that lie loneliest (by the distance to
    their `DENSITY_NEIGHBORS`-th neighbour) are left out before.
    """
    kept = np.arange(len(rows))
    if outliers > 0:
        k = min(DENSITY_NEIGHBORS, len(rows) - 1)
        lonely = cKDTree(rows).query(rows, [k + 1])[0][:, 0]
        kept = np.sort(np.argsort(lonely, kind="stable")[: max(int((1 - outliers) * len(rows)), 2)])
    points = rows[kept]
    chosen = np.empty(min(n_points, len(points)), np.int64)
    chosen[0] = rng.integers(len(points))
    nearest = np.full(len(points), np.inf)
    for i in range(1, len(chosen)):
        step = points - points[chosen[i - 1]]
        nearest = np.minimum(nearest, np.einsum("ij,ij->i", step, step))
        chosen[i] = np.argmax(nearest)
    return kept[chosen]


def persistence(
    points: Floats, max_dimension: int, coefficient: int, cocycles: bool = False
) -> tuple[Floats, dict[str, Any]]:
    """Distances between the points, and what ripser finds in them (diagrams, cocycles)."""
    ripser = require("ripser", "topology", "persistent homology").ripser
    distances = cdist(points, points)
    found = ripser(
        distances,
        maxdim=max_dimension,
        coeff=coefficient,
        distance_matrix=True,
        do_cocycles=cocycles,
    )
    return distances, found


def lifespans(diagram: Floats) -> Floats:
    """Death minus birth; infinite for what never dies."""
    return diagram[:, 1] - diagram[:, 0]
