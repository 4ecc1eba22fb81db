"""The interval of a mean whose values share folds, recordings and seeds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

FEWEST = 3
"""Repeats below which an interval says nothing."""
_DRAWS = 2000


def crossed_interval(
    values: NDArray[np.float64], factors: Sequence[NDArray[np.integer]]
) -> tuple[float, float] | None:
    """95 % interval of the mean; None where no factor has three levels.

    The levels of every factor (folds, say) are drawn anew, each by itself, and a value weighs as
    often as all of its levels are drawn (the pigeonhole bootstrap). The interval is the mean
    ± t s √(n / (n − 1)): s is the standard deviation of the draws, n the number of levels of the
    scarcest factor that has three, and t the quantile of Student's t with n − 1 degrees of freedom.
    With one factor it is Student's interval of the levels' means. Percentiles of the draws would
    not do: those of three folds hold the true mean in 3 of 4 studies, not in 19 of 20.

    Parameters
    ----------
    values
        (value,)
    factors
        Level 0, 1, … of every value; (value, 2) where a value compares two levels of one factor.

    Examples
    --------
    >>> interval = crossed_interval(np.array([1.0, 2.0, 3.0]), [np.array([0, 1, 2])])
    >>> [round(x) for x in interval]  # Student's t: [-0.48, 4.48]
    [0, 4]
    """
    from scipy.stats import t

    sizes = [len(np.unique(codes)) for codes in factors]
    if max(sizes, default=0) < FEWEST:
        return None
    n = min(size for size in sizes if size >= FEWEST)
    rng = np.random.default_rng(0)
    weights = np.ones((_DRAWS, len(values)))
    for codes in factors:
        n_levels = int(codes.max()) + 1
        drawn = rng.multinomial(n_levels, np.full(n_levels, 1 / n_levels), _DRAWS)
        for member in codes.reshape(len(codes), -1).T:
            weights *= drawn[:, member]
    total = weights.sum(axis=1)
    there = total > 0  # a level is not compared with itself: a draw of one level has no value
    means = (weights[there] @ values) / total[there]
    half = t.ppf(0.975, n - 1) * means.std() * np.sqrt(n / (n - 1))
    return float(values.mean() - half), float(values.mean() + half)
