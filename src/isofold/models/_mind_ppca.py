"""Probabilistic PCA in the leaves of MIND's forest: a Gaussian of few directions plus noise.

C = U (Λ − σ²I) Uᵀ + σ²I of the maximum likelihood (Tipping & Bishop 1999): U, Λ the first q
eigenvectors and eigenvalues of the covariance, σ² the mean of the others.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

LOG_2PI = float(np.log(2 * np.pi))

FLOOR = 1e-8
"""Smallest σ², and smallest eigenvalue that is not zero, as a share of the mean variance of all
transitions: states that repeat exactly would have a density without bound."""


@njit(cache=True, nogil=True)
def retained(values, d, share, floor):  # type: ignore[no-untyped-def]
    """q and σ² of falling eigenvalues: the first q above `share` of the variance, at most one
    fewer than there are eigenvalues that are not zero; `d` counts those not given, which are."""
    total = values.sum()
    rank = (values > floor).sum()
    q, kept = 0, 0.0
    while q < rank - 1 and kept <= share * total:
        kept += values[q]
        q += 1
    return q, max((total - kept) / (d - q), floor)


@njit(cache=True, nogil=True)
def mean_loss(y, share, floor):  # type: ignore[no-untyped-def]
    """Mean negative log-likelihood of rows under the PPCA that is fitted to them."""
    n, d = y.shape
    mean = np.zeros(d)
    for row in range(n):
        mean += y[row]
    centred = y - mean / n
    gram = centred @ centred.T if n < d else centred.T @ centred
    values = np.maximum(np.linalg.eigvalsh(gram)[::-1] / n, 0.0)
    q, noise = retained(values, d, share, floor)
    left = values[q:].sum()
    log_det = np.log(values[:q]).sum() + (d - q) * np.log(noise)
    return 0.5 * (d * LOG_2PI + log_det + q + left / noise)


@dataclass(frozen=True)
class PPCA:
    """log N(x; mean, C) with C⁻¹ = (I − W Wᵀ)/σ², W = U (1 − σ²/Λ)^½."""

    mean: NDArray[np.float64]
    weights: NDArray[np.float64]
    """W (dimension, q)."""
    noise: float
    """σ²."""
    log_det: float
    """log |C|."""

    @classmethod
    def fit(cls, y: NDArray[np.float64], share: float, floor: float) -> PPCA:
        """Maximum likelihood for rows of `y`."""
        n, d = y.shape
        mean = y.mean(axis=0)
        centred = y - mean
        few = n < d  # then the eigenvectors of the smaller Gram matrix lead to U
        values, vectors = np.linalg.eigh((centred @ centred.T if few else centred.T @ centred) / n)
        values = np.maximum(values[::-1], 0.0)
        q, noise = retained(values, d, share, floor)
        basis = vectors[:, ::-1][:, :q]
        if few:
            basis = centred.T @ basis / np.sqrt(n * values[:q])
        weights = basis * np.sqrt(np.maximum(1 - noise / values[:q], 0.0))
        log_det = float(np.log(values[:q]).sum() + (d - q) * np.log(noise))
        return cls(mean, weights, float(noise), log_det)

    def log_density(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """log N(x; mean, C) of every row."""
        offset = x - self.mean
        along = offset @ self.weights
        square = np.einsum("ij,ij->i", offset, offset) - np.einsum("ij,ij->i", along, along)
        return -0.5 * (x.shape[1] * LOG_2PI + self.log_det + square / self.noise)
