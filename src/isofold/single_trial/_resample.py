"""Resampling of trials, or of animals and then their trials, and the intervals it gives."""

from __future__ import annotations

import numpy as np
from scipy.stats import norm, t

from ..errors import DataError
from ..trials import Ints
from ._tensor import Bools, Floats

N_DRAWS = 1000
LEVEL = 0.95


def even_weights(animals: Ints | None, n_trials: int) -> Floats:
    """Weight of each trial (sum 1): all alike, or every animal alike and its trials alike."""
    if animals is None:
        return np.full(n_trials, 1 / n_trials)
    count = np.bincount(animals)
    return 1 / (count[animals] * np.sum(count > 0))


def drawn_weights(
    animals: Ints | None, n_trials: int, n_draws: int, rng: np.random.Generator
) -> Floats:
    """Weights (draw, trial) of bootstrap draws of trials, or of animals and then their trials.

    An animal drawn twice has its trials drawn anew each time.
    """
    if animals is None:
        return rng.multinomial(n_trials, np.full(n_trials, 1 / n_trials), n_draws) / n_trials
    names = np.unique(animals)
    copies = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), n_draws)
    weights = np.zeros((n_draws, n_trials))
    for number, name in enumerate(names):
        rows = np.flatnonzero(animals == name)
        n = len(rows)
        drawn = rng.multinomial(copies[:, number] * n, np.full(n, 1 / n))
        weights[:, rows] = drawn / (n * len(names))
    return weights


def weighted_means(weights: Floats, values: Floats, known: Bools) -> Floats:
    """Means (draw, feature) over trials of values (trial, feature); weights of missing ones go to
    the rest. NaN where a draw has no value."""
    total = weights @ known
    top = weights @ np.where(known, values, 0.0)
    return np.where(total > 0, top / np.where(total > 0, total, 1.0), np.nan)


def interval(mean: Floats, draws: Floats, n_units: int, level: float) -> tuple[Floats, Floats]:
    """Bootstrap percentiles about the mean, widened for few units (trials, or animals).

    Percentiles are too narrow by √((n − 1)/n), and as if the spread were known: their distances
    from the mean are multiplied by √(n/(n − 1)) t(n − 1)/z. NaN for a single unit.

    >>> rng = np.random.default_rng(0)
    >>> low, high = interval(np.zeros(1), rng.normal(size=(5000, 1)), 5, 0.95)
    >>> round(float(high[0]), 1)  # 1.96 × 1.118 × 2.776 / 1.96
    3.1
    """
    nothing = np.full(np.shape(mean), np.nan)
    if n_units < 2:
        return nothing, nothing.copy()
    tail = (1 - level) / 2
    filled = np.where(np.isnan(draws), mean, draws)
    low, high = np.quantile(filled, [tail, 1 - tail], axis=0)
    wider = np.sqrt(n_units / (n_units - 1)) * t.ppf(tail, n_units - 1) / norm.ppf(tail)
    return mean - wider * (mean - low), mean + wider * (high - mean)


def check_level(level: float) -> None:
    if not 0 < level < 1:
        raise DataError(f"level must lie between 0 and 1, got {level!r}")


def check_draws(n: int, name: str, least: int = 1) -> None:
    if not (isinstance(n, (int, np.integer)) and n >= least):
        raise DataError(f"{name} must be a whole number of at least {least}, got {n!r}")
