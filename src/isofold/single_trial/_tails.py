"""How large the largest of many correlated Gaussian deviations is by chance."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls
from scipy.special import ndtr, ndtri, stdtr, stdtrit
from scipy.stats import false_discovery_control

from ..trials import Ints
from ._tensor import Floats

RARE = 1e-5
"""Chance on either side that a good value is taken out of the usual mean and spread."""
MAD = 1.4826
MAD_DEGREES = 0.37
"""Degrees of freedom of a median absolute deviation, of each value."""
CLIP = 4.0
"""Scores beyond do not tell how samples go together."""
LEAST_DRAWS, MOST_DRAWS = 4000, 10_000
_PRODUCTS = 5e9
"""Multiplications that draws may cost beyond the least."""
_FEATURES = 2**12


def deleted_scores(values: Floats) -> tuple[Floats, Floats]:
    """Deviation of each trial (trial, feature) from the others, as normal scores; and their mean.

    The others are those not far from the median, in median absolute deviations, without the trial
    itself: then (x − mean) / (sd √(1 + 1/n)) has Student's t distribution with n − 1 degrees of
    freedom, which is turned into a standard normal. What is far depends on the number of trials:
    taking out good values would make the spread too small. NaN where fewer than three others are
    known.
    """
    known = ~np.isnan(values)
    middle = _median(values)
    apart = np.abs(values - middle)
    far = -stdtrit(MAD_DEGREES * np.maximum(known.sum(axis=0), 3), RARE)
    good = known & (apart <= far * MAD * _median(apart) + 1e-300)
    centred = np.where(good, values - middle, 0.0)
    n = good.sum(axis=0) - good
    mean = (centred.sum(axis=0) - centred) / np.maximum(n, 1)
    square = (centred**2).sum(axis=0) - centred**2
    variance = (square - n * mean**2) / np.maximum(n - 1, 1)
    mean += middle
    usable = known & (n >= 3) & (variance > 1e-12 * np.maximum(mean**2, 1e-300))
    spread = np.sqrt(np.where(usable, variance, 1.0) * (1 + 1 / np.maximum(n, 1)))
    t = np.where(usable, values - mean, 0.0) / spread
    tail = np.maximum(stdtr(np.maximum(n - 1, 1), -np.abs(t)), 1e-300)
    return np.where(usable, -np.sign(t) * ndtri(tail), np.nan), np.where(n > 0, mean, np.nan)


def _median(values: Floats) -> Floats:
    """Median over trials of the known values; 0 where there are none."""
    n = (~np.isnan(values)).sum(axis=0)
    ordered = np.sort(values, axis=0)  # NaN last
    column = np.arange(values.shape[1])
    low, high = ordered[np.maximum((n - 1) // 2, 0), column], ordered[n // 2 % len(values), column]
    high = np.where(n == len(values), ordered[len(values) // 2, column], high)
    return np.where(n > 0, (low + high) / 2, 0.0)


class LargestOf:
    """Distribution of the largest |score| of a trial, for scores correlated as those given.

    Draws of N(0, R), with R the correlation of the scores, are g Z / √n with g ~ N(0, I) over
    trials. Their maximum u gives a and b in −log P(max ≤ u) = −a log(1 − 2Φ(−u)) + b e^(−u²/2):
    the first is the form for a independent values, the second for smooth time courses. It is used
    beyond the draws.
    """

    def __init__(self, scores: Floats, rng: np.random.Generator):
        held = np.clip(np.where(np.isnan(scores), 0.0, scores), -CLIP, CLIP)
        size = np.sqrt((held**2).sum(axis=0))
        held = held[:, size > 0] / size[size > 0]
        n_draws = int(np.clip(_PRODUCTS / max(held.size, 1), LEAST_DRAWS, MOST_DRAWS))
        largest = np.zeros(n_draws)
        draws = rng.normal(size=(n_draws, len(held)))
        for first in range(0, held.shape[1], _FEATURES):
            part = np.abs(draws @ held[:, first : first + _FEATURES])
            largest = np.maximum(largest, part.max(axis=1))
        shares = 1 - np.geomspace(0.1, 40 / n_draws, 30)
        u, rate = np.quantile(largest, shares), -np.log(shares)
        self.weights, _ = nnls(_forms(u) / rate[:, None], np.ones(len(u)))

    def p(self, u: Floats) -> Floats:
        """Chance that the largest is at least u."""
        return -np.expm1(-(_forms(u) @ self.weights))


def _forms(u: Floats) -> Floats:
    single = -np.log1p(-np.minimum(2 * ndtr(-u), 1 - 1e-12))
    return np.stack([single, np.exp(-(u**2) / 2)], axis=-1)


def adjusted(p: Floats, control: str) -> Floats:
    """p for all trials together: "family" (Šidák) or "fdr" (Benjamini and Hochberg)."""
    known = ~np.isnan(p)
    out = np.full(len(p), np.nan)
    if control == "family":
        out[known] = -np.expm1(known.sum() * np.log1p(-np.minimum(p[known], 1 - 1e-16)))
    else:
        out[known] = false_discovery_control(p[known]) if known.any() else p[known]
    return out


def largest(scores: Floats) -> tuple[Floats, NDArray[np.int64]]:
    """Largest |score| of each trial (NaN if it has none), and where it is."""
    size = np.where(np.isnan(scores), -1.0, np.abs(scores))
    at: Ints = np.argmax(size, axis=1).astype(np.int64)
    top = size[np.arange(len(size)), at]
    return np.where(top < 0, np.nan, top), at
