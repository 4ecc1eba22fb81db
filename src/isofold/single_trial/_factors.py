"""Factor analysis of a covariance matrix, so that folds and draws cost no pass over the data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from ._tensor import Floats

MOST_STEPS = 500
TOLERANCE = 1e-7
LEAST = 1e-6
"""Private variance is at least this share of the total."""


@dataclass(frozen=True)
class Factors:
    """Covariance = loadings loadingsᵀ + diag(private); loadings are (channel, factor)."""

    loadings: Floats
    private: Floats

    @property
    def shared(self) -> Floats:
        return (self.loadings**2).sum(axis=1)

    @property
    def share(self) -> Floats:
        return self.shared / (self.shared + self.private)

    @property
    def covariance(self) -> Floats:
        return self.loadings @ self.loadings.T + np.diag(self.private)

    def latent(self, x: Floats) -> Floats:
        """E[z | x] = (I + Wᵀ Ψ⁻¹ W)⁻¹ Wᵀ Ψ⁻¹ x over the last axis; NaN where x is missing."""
        weighted = self.loadings / self.private[:, None]
        inner = np.eye(self.loadings.shape[1]) + self.loadings.T @ weighted
        return x @ np.linalg.solve(inner, weighted.T).T


def most_factors(n_channels: int) -> int:
    """Largest number of factors that as many channels determine: (c − k)² ≥ c + k (Ledermann).

    Two channels have one, for they are taken to share alike.

    >>> [most_factors(c) for c in (2, 3, 4, 5, 6, 10)]
    [1, 1, 1, 2, 3, 6]
    """
    if n_channels == 2:
        return 1
    return max(k for k in range(n_channels) if (n_channels - k) ** 2 >= n_channels + k)


def fit_factors(covariance: Floats, n_factors: int) -> Factors:
    """Maximum likelihood: loadings from eigenvectors given Ψ, then Ψ from what is left, repeated.

    Lawley & Maxwell, Factor Analysis as a Statistical Method (1971).
    """
    variance = np.diag(covariance).copy()
    if n_factors == 0:
        return Factors(np.zeros((len(variance), 0)), variance)
    if len(variance) == 2:
        r = covariance[0, 1] / np.sqrt(variance.prod())
        loadings = np.sqrt(np.abs(r) * variance) * np.array([1.0, np.sign(r)])
        return Factors(loadings[:, None], variance * max(1 - np.abs(r), LEAST))
    private = 1 / np.diag(np.linalg.pinv(covariance, hermitian=True))
    private = np.clip(private, LEAST * variance, variance) * (1 - n_factors / (2 * len(variance)))
    loadings = np.zeros((len(variance), n_factors))
    for _ in range(MOST_STEPS):
        root = np.sqrt(private)
        size, axes = np.linalg.eigh(covariance / np.outer(root, root))
        size, axes = size[::-1][:n_factors], axes[:, ::-1][:, :n_factors]
        loadings = root[:, None] * axes * np.sqrt(np.maximum(size - 1, 0))
        updated = np.maximum(variance - (loadings**2).sum(axis=1), LEAST * variance)
        change = np.max(np.abs(updated - private) / variance)
        private = updated
        if change < TOLERANCE:
            break
    return Factors(loadings, private)


def log_likelihood(covariance: Floats, factors: Factors) -> float:
    """Mean log-likelihood of samples with this covariance, in nats, less the constant."""
    factor = cho_factor(factors.covariance, lower=True)
    log_det = 2 * np.log(np.diag(factor[0])).sum()
    return float(-0.5 * (log_det + np.trace(cho_solve(factor, covariance))))
