"""Factor analysis of a covariance matrix, so that folds and draws cost no pass over the data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import minimize

from ._tensor import Floats

LEAST = 0.005
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
    """Maximum likelihood: the loadings are given by Ψ and eigenvectors, so that Ψ alone is sought.

    Lawley & Maxwell, Factor Analysis as a Statistical Method (1971), chapter 4.
    """
    variance = np.diag(covariance).copy()
    if n_factors == 0:
        return Factors(np.zeros((len(variance), 0)), variance)
    size = np.sqrt(variance)
    correlation = covariance / np.outer(size, size)
    if len(variance) == 2:
        r = correlation[0, 1]
        loadings = np.sqrt(np.abs(r)) * size * np.array([1.0, np.sign(r)])
        return Factors(loadings[:, None], variance * max(1 - np.abs(r), LEAST))
    start = (1 - n_factors / (2 * len(variance))) / np.diag(
        np.linalg.pinv(correlation, hermitian=True)
    )
    found = minimize(
        _misfit,
        np.clip(start, LEAST, 1),
        (correlation, n_factors),
        method="L-BFGS-B",
        jac=True,
        bounds=[(LEAST, 1)] * len(variance),
    )
    loadings, _ = _loadings(found.x, correlation, n_factors)
    return Factors(size[:, None] * loadings, variance * found.x)


def _loadings(private: Floats, correlation: Floats, n_factors: int) -> tuple[Floats, Floats]:
    """Best loadings given Ψ, and the eigenvalues that they leave."""
    root = np.sqrt(private)
    size, axes = np.linalg.eigh(correlation / np.outer(root, root))
    size, axes = size[::-1], axes[:, ::-1]
    kept = np.sqrt(np.maximum(size[:n_factors] - 1, 0))
    return root[:, None] * axes[:, :n_factors] * kept, size[n_factors:]


def _misfit(private: Floats, correlation: Floats, n_factors: int) -> tuple[float, Floats]:
    """Negative log-likelihood but for constants, and its gradient."""
    loadings, left = _loadings(private, correlation, n_factors)
    left = np.maximum(left, 1e-12)
    residual = (loadings**2).sum(axis=1) + private - np.diag(correlation)
    return float(np.sum(left - np.log(left) - 1)), residual / private**2


def log_likelihood(covariance: Floats, factors: Factors) -> float:
    """Mean log-likelihood of samples with this covariance, in nats, less the constant."""
    factor = cho_factor(factors.covariance, lower=True)
    log_det = 2 * np.log(np.diag(factor[0])).sum()
    return float(-0.5 * (log_det + np.trace(cho_solve(factor, covariance))))
