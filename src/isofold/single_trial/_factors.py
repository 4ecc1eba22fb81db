"""Factor analysis of a covariance matrix, so that folds and draws cost no pass over the data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve, eigh
from scipy.optimize import minimize

from ._tensor import Floats

LEAST = 0.005
"""Private variance is at least this share of the total."""
PENALTY = 0.01
"""Of −log ψ. Where only two channels share a factor, likelihood alone cannot tell how much of each
is shared, and would as soon give all of one channel and little of the other; this shares alike."""


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

    Two channels are given one, for they are taken to share alike.

    >>> [most_factors(c) for c in (2, 3, 4, 5, 6, 10)]
    [1, 1, 1, 2, 3, 6]
    """
    if n_channels == 2:
        return 1
    return max(k for k in range(n_channels) if (n_channels - k) ** 2 >= n_channels + k)


def fit_factors(covariance: Floats, n_factors: int, penalty: float = PENALTY) -> Factors:
    """Maximum likelihood but for a small penalty; loadings follow from Ψ, which alone is sought.

    Lawley & Maxwell, Factor Analysis as a Statistical Method (1971), chapter 4; Martin & McDonald,
    Psychometrika 40 (1975), for penalties.
    """
    variance = np.diag(covariance).copy()
    if n_factors == 0:
        return Factors(np.zeros((len(variance), 0)), variance)
    size = np.sqrt(variance)
    correlation = covariance / np.outer(size, size)
    alone = 1 / np.diag(np.linalg.pinv(correlation, hermitian=True))
    found = minimize(
        _misfit,
        np.clip((1 - n_factors / (2 * len(variance))) * alone, LEAST, 1),
        (correlation, n_factors, penalty),
        method="L-BFGS-B",
        jac=True,
        bounds=[(LEAST, 1)] * len(variance),
        options={"ftol": 1e-10},
    )
    loadings, _ = _loadings(found.x, correlation, n_factors)
    return Factors(size[:, None] * loadings, variance * found.x)


def _loadings(private: Floats, correlation: Floats, n_factors: int) -> tuple[Floats, Floats]:
    """Best loadings given Ψ, and the largest eigenvalues of Ψ^(−1/2) R Ψ^(−1/2)."""
    root, n = np.sqrt(private), len(private)
    size, axes = eigh(correlation / np.outer(root, root), subset_by_index=(n - n_factors, n - 1))
    size, axes = size[::-1], axes[:, ::-1]
    return root[:, None] * axes * np.sqrt(np.maximum(size - 1, 0)), size


def _misfit(
    private: Floats, correlation: Floats, n_factors: int, penalty: float
) -> tuple[float, Floats]:
    """Twice the negative log-likelihood a sample but for constants, penalised; its gradient."""
    loadings, size = _loadings(private, correlation, n_factors)
    size = np.maximum(size, 1.0)  # a factor of less than noise is none
    misfit = np.sum(1 / private + (1 - penalty) * np.log(private))
    residual = (loadings**2).sum(axis=1) + private - 1
    gradient = residual / private**2 - penalty / private
    return float(misfit + np.sum(np.log(size) - size + 1)), gradient


def log_likelihood(covariance: Floats, factors: Factors) -> float:
    """Mean log-likelihood of samples with this covariance, in nats, less the constant."""
    factor = cho_factor(factors.covariance, lower=True)
    log_det = 2 * np.log(np.diag(factor[0])).sum()
    return float(-0.5 * (log_det + np.trace(cho_solve(factor, covariance))))
