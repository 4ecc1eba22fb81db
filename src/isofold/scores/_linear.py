"""Least squares and R², pooled over trials so that trials can be resampled."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..trials import Ints

Floats = NDArray[np.float64]
N_BOOTSTRAP = 1000
ROUNDING = 3e-7
"""Size, relative to the inputs, below which a direction is rounding of single precision."""


class LeastSquares:
    """Ordinary least squares with intercept from fixed inputs to any targets, factorised once."""

    def __init__(self, inputs: Floats):
        self._mean = inputs.mean(axis=0)
        u, size, v = np.linalg.svd(inputs - self._mean, full_matrices=False)
        # A column that varies by the rounding of single precision alone says nothing: a collapsed
        # embedding would get a slope of 1e7, and an R² of -1e10 on other samples.
        least = max(1e-10 * size.max(initial=0), ROUNDING * float(np.linalg.norm(inputs)))
        self._inverse = (v.T * np.where(size > least, 1 / np.maximum(size, 1e-300), 0)) @ u.T

    def coefficients(self, targets: Floats) -> tuple[Floats, Floats]:
        """(matrix, shift) of the map inputs @ matrix + shift to the targets."""
        mean = targets.mean(axis=0)
        matrix = self._inverse @ (targets - mean)
        return matrix, mean - self._mean @ matrix

    def predict(self, targets: Floats, inputs: Floats) -> Floats:
        """Fit to the targets of the fixed inputs, then predict those of other inputs."""
        mean = targets.mean(axis=0)
        return (inputs - self._mean) @ (self._inverse @ (targets - mean)) + mean


def r2_columns(truth: Floats, predicted: Floats) -> Floats:
    """1 - Σ(y - ŷ)² / Σ(y - ȳ)² of each column; a constant column gives 1 if exact, else 0."""
    error = np.sum((truth - predicted) ** 2, axis=0)
    total = np.sum((truth - truth.mean(axis=0)) ** 2, axis=0)
    return _ratio(error, total)


def r2(truth: Floats, predicted: Floats) -> float:
    """Uniform mean of `r2_columns`."""
    return float(r2_columns(truth, predicted).mean())


def _ratio(error: Floats, total: Floats) -> Floats:
    varies = total > 0
    return np.where(varies, 1 - error / np.where(varies, total, 1), np.where(error > 0, 0.0, 1.0))


@dataclass(frozen=True)
class Sums:
    """What R² is made of, per trial: counts, squared errors, sums and squares of the truth."""

    n: Floats
    error: Floats
    total: Floats
    square: Floats

    @classmethod
    def of(cls, truth: Floats, predicted: Floats, codes: Ints) -> Sums:
        centred = truth - truth.mean(axis=0)
        count = np.bincount(codes).astype(float)

        def by_trial(x: Floats) -> Floats:
            return np.stack([np.bincount(codes, column) for column in x.T], axis=1).astype(float)

        return cls(
            count, by_trial((truth - predicted) ** 2), by_trial(centred), by_trial(centred**2)
        )

    def r2(self, weights: Floats) -> Floats:
        """R² with every trial counted `weights[draw, trial]` times."""
        error, total, square = (weights @ x for x in (self.error, self.total, self.square))
        scatter = square - total**2 / np.maximum(weights @ self.n, 1)[:, None]
        return _ratio(error, np.maximum(scatter, 0)).mean(axis=1)

    def parts(self) -> Floats:
        """Per trial 1 - mean squared error / variance of all; weighted by samples they give R²."""
        variance = np.maximum(self.square.sum(0) - self.total.sum(0) ** 2 / self.n.sum(), 0)
        return _ratio(self.error / self.n[:, None], variance[None] / self.n.sum()).mean(axis=1)


def resampled(n_units: int, seed: int, n_draws: int = N_BOOTSTRAP) -> Floats:
    """How often each unit is in each bootstrap draw, (draw, unit)."""
    rng = np.random.default_rng([seed, 1])
    return rng.multinomial(n_units, np.full(n_units, 1 / n_units), size=n_draws).astype(float)


def percentiles(draws: Floats) -> tuple[float, float]:
    """Middle 95 %."""
    low, high = np.nanquantile(draws, [0.025, 0.975])
    return float(low), float(high)
