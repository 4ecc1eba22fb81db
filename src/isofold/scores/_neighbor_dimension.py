"""Dimension from nearest neighbours: two-NN, maximum likelihood, local PCA; participation ratio.

Each gives a value for every bootstrap draw of the blocks that the samples are in; neighbours are
not looked for again.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import DataError
from ..trials import Ints
from ._inputs import whole
from ._linear import Floats
from ._neighbors import neighbors
from ._time_series import TimeSeries

FUKUNAGA_OLSEN = 0.05
"""Share of the largest eigenvalue above which another counts as a dimension."""


@dataclass(frozen=True)
class Estimate:
    """Value, values of the bootstrap draws, parts and further numbers of an estimator."""

    value: float
    draws: Floats
    parts: pd.Series
    also: dict[str, float] = field(default_factory=dict)


def two_nn(
    series: TimeSeries, theiler: int, weights: Floats, seed: int, *, discard: float = 0.1
) -> Estimate:
    """−log(1 − F(μ)) = D log μ through the origin, without the share `discard` of largest μ."""
    if not 0 <= discard < 1:
        raise DataError(f"discard is a share from 0 to below 1, got {discard!r}")
    distance, _ = neighbors(series, 2, theiler)
    log_ratio = np.log(distance[:, 1] / distance[:, 0])
    order = np.argsort(log_ratio)
    sorted_ratio, block = log_ratio[order], series.block[order]

    def slope(weight: Floats) -> float:
        rank = np.cumsum(weight)
        total = rank[-1]
        keep = (rank <= (1 - discard) * total) & (rank < total)
        x, w = sorted_ratio[keep], weight[keep]
        y = -np.log1p(-rank[keep] / total)
        return float((w * x) @ y / ((w * x) @ x))

    value = slope(np.ones(len(block)))
    draws = np.array([slope(drawn[block]) for drawn in weights])
    return Estimate(value, draws, _by_sample(log_ratio))


def mle(
    series: TimeSeries, theiler: int, weights: Floats, seed: int, *, n_neighbors: int = 20
) -> Estimate:
    """1 / mean of log(T_k / T_j) over samples and j < k (MacKay & Ghahramani's average)."""
    whole("n_neighbors", n_neighbors, at_least=3)
    distance, _ = neighbors(series, n_neighbors, theiler)
    inverse = np.log(distance[:, -1:] / distance[:, :-1]).mean(axis=1)
    if not inverse.any():
        raise DataError("every sample has all its neighbours at one distance; add samples")
    mean = _block_means(inverse, series.block, weights)
    with np.errstate(divide="ignore"):
        parts = _by_sample(1 / inverse)
    return Estimate(float(1 / inverse.mean()), 1 / mean, parts)


def local_pca(
    series: TimeSeries,
    theiler: int,
    weights: Floats,
    seed: int,
    *,
    n_neighbors: int = 100,
    n_points: int = 2000,
    criterion: str = "fukunaga-olsen",
    alpha: float = FUKUNAGA_OLSEN,
) -> Estimate:
    """Mean over samples of how many directions their neighbours spread in."""
    whole("n_neighbors", n_neighbors, at_least=3)
    if criterion not in ("fukunaga-olsen", "participation-ratio"):
        raise DataError(
            f"criterion must be 'fukunaga-olsen' or 'participation-ratio', got {criterion!r}"
        )
    if not 0 < alpha < 1:
        raise DataError(f"alpha is a share between 0 and 1, got {alpha!r}")
    n = len(series.rows)
    chosen = np.random.default_rng([seed, 3]).permutation(n)[: whole("n_points", n_points)]
    chosen = np.sort(chosen)
    _, index = neighbors(series, n_neighbors, theiler, chosen)
    spectra = np.array([_spectrum(series.rows[near]) for near in index])
    if criterion == "fukunaga-olsen":
        values = (spectra > alpha * spectra[:, -1:]).sum(axis=1).astype(float)
    else:
        values = spectra.sum(axis=1) ** 2 / (spectra**2).sum(axis=1)
    draws = _block_means(values, series.block[chosen], weights)
    return Estimate(float(values.mean()), draws, _by_sample(values, chosen))


def participation_ratio(series: TimeSeries, theiler: int, weights: Floats, seed: int) -> Estimate:
    """(Σλ)² / Σλ² of the covariance of all samples."""
    rows = series.rows - series.rows.mean(axis=0)
    if rows.shape[1] > len(rows):  # as many numbers as there can be variances
        rows = rows @ np.linalg.svd(rows, full_matrices=False)[2].T
    count = np.bincount(series.block, minlength=series.n_blocks).astype(float)
    total, square = (
        np.stack([f(rows[series.block == b]) for b in range(series.n_blocks)])
        for f in (lambda x: x.sum(axis=0), lambda x: x.T @ x)
    )

    def ratio(weight: Floats) -> float:
        n = weight @ count
        mean = weight @ total / n
        covariance = np.einsum("b,bij->ij", weight, square) / n - np.outer(mean, mean)
        return float(np.trace(covariance) ** 2 / np.sum(covariance**2))

    variances = np.linalg.eigvalsh(rows.T @ rows / len(rows))[::-1]
    parts = pd.Series(variances, pd.RangeIndex(len(variances), name="component"))
    draws = np.array([ratio(drawn) for drawn in weights])
    return Estimate(ratio(np.ones(series.n_blocks)), draws, parts)


def _spectrum(points: Floats) -> Floats:
    """Variances of a neighbourhood, rising; of the smaller of the two Gram matrices."""
    centred = points - points.mean(axis=0)
    wide = centred.shape[1] > centred.shape[0]
    return np.linalg.eigvalsh(centred @ centred.T if wide else centred.T @ centred)


def _block_means(values: Floats, block: Ints, weights: Floats) -> Floats:
    n_blocks = weights.shape[1]
    total = np.bincount(block, values, n_blocks)
    count = np.bincount(block, minlength=n_blocks)
    return (weights @ total) / np.maximum(weights @ count, 1)


def _by_sample(values: Floats, samples: NDArray | None = None) -> pd.Series:
    index = np.arange(len(values)) if samples is None else samples
    return pd.Series(values, pd.Index(index, name="sample"))
