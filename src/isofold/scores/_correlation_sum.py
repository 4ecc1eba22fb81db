"""The correlation sum: how many pairs of samples lie within a radius, at many radii at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from ..trials import Ints
from ._linear import Floats
from ._time_series import TimeSeries

OCTAVES = 20
PER_OCTAVE = 4
WIDEST = 0.3
"""Share of pairs within the largest radius: beyond it every cloud of points looks round."""

N_PILOT = 20_000


@dataclass(frozen=True)
class PairCounts:
    """Pairs of samples within each radius, by the blocks that the two samples are in.

    Parameters
    ----------
    radii
        (radius,), rising.
    within
        (block, block, radius): pairs no further apart than the radius.
    pairs
        (block, block): all pairs.
    """

    radii: Floats
    within: Ints
    pairs: Ints

    def total(self) -> tuple[Floats, float]:
        """Pairs within each radius, and all pairs."""
        return self.within.sum(axis=(0, 1)).astype(float), float(self.pairs.sum())

    def drawn(self, weights: Floats) -> tuple[Floats, Floats]:
        """The same for every bootstrap draw: a block that is drawn w times counts w times, so
        the pairs of two blocks count w·w' times. `weights` is (draw, block)."""
        within = np.einsum("da,abr,db->dr", weights, self.within, weights, optimize=True)
        return within, np.einsum("da,ab,db->d", weights, self.pairs, weights, optimize=True)


def pair_counts(series: TimeSeries, theiler: int, max_pairs: int, seed: int) -> PairCounts:
    """Counts of the pairs (i, j) with |t_i − t_j| ≥ theiler or in different segments.

    Where there are more than `max_pairs`, those of as many random samples with all others.
    """
    from ._pair_kernel import count_points

    rng = np.random.default_rng([seed, 2])
    radii = radii_below(_pilot(series.rows, rng))
    n = len(series.rows)
    n_reference = _references(n, max_pairs)
    order = np.arange(n) if n_reference == n else rng.permutation(n)
    counts, pairs = count_points(
        np.ascontiguousarray(series.rows[order].T),
        series.clock(theiler)[order],
        series.block[order],
        n_reference,
        theiler,
        radii**2,
        series.n_blocks,
    )
    return PairCounts(radii, np.cumsum(counts, axis=2), pairs)


def pair_counts_of_matrix(
    distances: Floats, clock: Ints, block: Ints, n_blocks: int, theiler: int
) -> PairCounts:
    """The same from a symmetric matrix of distances between samples at these clock times."""
    from ._pair_kernel import count_matrix

    above = distances[np.triu_indices(len(distances), 1)]
    radii = radii_below(above[above > 0])
    counts, pairs = count_matrix(distances, clock, block, theiler, radii**2, n_blocks)
    return PairCounts(radii, np.cumsum(counts, axis=2), pairs)


def radii_below(distances: NDArray) -> Floats:
    """Radii a quarter of an octave apart, up to that which holds `WIDEST` of the distances."""
    if not len(distances):
        raise DataError("a dimension needs samples that differ; all samples are the same point")
    steps = np.arange(-OCTAVES * PER_OCTAVE, 1) / PER_OCTAVE
    return np.quantile(distances, WIDEST) * 2.0**steps


def _pilot(rows: Floats, rng: np.random.Generator) -> Floats:
    first, second = rng.integers(len(rows), size=(2, N_PILOT))
    apart = np.linalg.norm(rows[first] - rows[second], axis=1)
    return apart[apart > 0]


def _references(n: int, max_pairs: int) -> int:
    """The most m with m·n − m(m + 1)/2 ≤ max_pairs; at least 2."""
    if n * (n - 1) // 2 <= max_pairs:
        return n
    half = n - 0.5
    return max(2, int(half - np.sqrt(max(half**2 - 2 * max_pairs, 0.0))))
