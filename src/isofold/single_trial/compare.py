"""Compare two methods on the same trials, over animals."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import DataError
from ..scores import Score
from ..trials import Ints
from ._resample import (
    LEVEL,
    N_DRAWS,
    check_draws,
    check_level,
    drawn_weights,
    even_weights,
    interval,
    weighted_means,
)
from ._tensor import Floats
from .hierarchical_bootstrap import animal_codes

N_FLIPS = 10_000
MOST_EXACT = 13
"""Units up to which all 2ⁿ sign flips are tried."""


@dataclass(frozen=True, eq=False)
class Comparison:
    """A paired difference a − b, its interval and p-value.

    Parameters
    ----------
    difference
        Mean over trials, or over animals of their means over trials.
    interval
        Bootstrap over trials, or animals and then their trials.
    p
        Two-sided, by flipping signs of whole units (`over`).
    smallest_p
        What p cannot fall below with so few units: with five animals .0625.
    over
        What is flipped: "animals" or "trials".
    n_trials, n_animals
        Pairs that take part; animals, 0 where none were given.
    parts
        Difference of each animal, or of each trial where there are no animals.
    """

    difference: float
    interval: tuple[float, float]
    p: float
    smallest_p: float
    over: str
    n_trials: int
    n_animals: int
    parts: pd.Series

    def __str__(self) -> str:
        low, high = self.interval
        return (
            f"{self.difference:+.3g} (95 % {low:+.3g} to {high:+.3g}), p = {self.p:.2g} over "
            f"{self.n_animals or self.n_trials} {self.over}"
        )


def compare(
    a: Any,
    b: Any,
    animals: Any = None,
    *,
    over: str | None = None,
    n_draws: int = N_DRAWS,
    level: float = LEVEL,
    seed: int = 0,
) -> Comparison:
    """Whether method a scores higher than b on the same trials.

    The difference is that of each trial, averaged over the trials of each animal, then over
    animals. Interval: bootstrap over animals and then their trials, widened for few animals.
    p: under the null the difference of an animal is as likely of either sign; all 2ⁿ signs are
    tried for up to 13 units, else 10,000 of them.

    Parameters
    ----------
    a, b
        (trial,) scores of the same trials, or two `Score`s whose parts are by trial (as of
        `decode_trials`). Pairs with NaN are left out.
    animals
        (trial,) animal of each; of two `Score`s with groups it is the group. None: one animal.
    over
        "animals" (default where there are any): do others of the kind show it? "trials": do other
        trials of these very animals?
    n_draws, level, seed
        Of the interval.

    Raises
    ------
    DataError
        Unequal lengths or trials, or no pair.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> animals, a = np.repeat(list("abcdef"), 50), rng.normal(size=300)
    >>> result = compare(a + 0.5 + 0.1 * rng.normal(size=300), a, animals)
    >>> result.interval[0] < 0.5 < result.interval[1], result.p, result.smallest_p
    (True, 0.03125, 0.03125)
    """
    check_draws(n_draws, "n_draws")
    check_level(level)
    x, y, animals = _paired(a, b, animals)
    codes = animal_codes(animals, len(x))
    keep = ~np.isnan(x - y)
    if not keep.any():
        raise DataError("no trial has a score of both methods")
    difference = (x - y)[keep]
    owner = None if codes is None else np.unique(codes[keep], return_inverse=True)[1]
    over = over or ("trials" if owner is None else "animals")
    if over not in ("animals", "trials") or (over == "animals" and owner is None):
        raise DataError(
            f"over must be 'trials', or 'animals' where animals are given, got {over!r}"
        )
    rng = np.random.default_rng(seed)
    weights = even_weights(owner, len(difference))
    mean = np.array([weights @ difference])
    draws = weighted_means(
        drawn_weights(owner, len(difference), n_draws, rng),
        difference[:, None],
        np.ones((len(difference), 1), bool),
    )
    units = len(difference) if owner is None else int(owner.max()) + 1
    low, high = interval(mean, draws, units, level)
    flipped = weights * difference
    if over == "animals":
        flipped = np.array([flipped[owner == k].sum() for k in range(units)])
    p, smallest = _sign_flips(flipped, rng)
    return Comparison(
        float(mean[0]),
        (float(low[0]), float(high[0])),
        p,
        smallest,
        over,
        len(difference),
        0 if owner is None else units,
        _by_unit(difference, owner, animals, keep),
    )


def _paired(a: Any, b: Any, animals: Any) -> tuple[Floats, Floats, Any]:
    if isinstance(a, Score) and isinstance(b, Score):
        left, right = _of_trials(a), _of_trials(b)
        if set(left.index) != set(right.index):
            raise DataError("two scores to compare must be of the same trials; their parts differ")
        right = right.loc[left.index]
        if animals is None and "group" in left.index.names:
            animals = left.index.get_level_values("group").to_numpy()
        return left.to_numpy(float), right.to_numpy(float), animals
    x, y = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    if x.ndim != 1 or x.shape != y.shape:
        raise DataError(
            "a and b must be (trial,) scores of the same trials, got shapes "
            f"{x.shape} and {y.shape}"
        )
    return x, y, animals


def _of_trials(score: Score) -> pd.Series:
    """Parts by (group,) trial, whatever fold they were in."""
    names = list(score.parts.index.names)
    if "trial" not in names or score.parts.index.has_duplicates:
        raise DataError(f"a score to compare must have one part a trial; its parts are by {names}")
    extra = [n for n in names if n not in ("group", "trial")]
    return score.parts.droplevel(extra) if extra else score.parts


def _sign_flips(parts: Floats, rng: np.random.Generator) -> tuple[float, float]:
    """Two-sided p of the sum of the parts, and the smallest there can be."""
    n = len(parts)
    size = np.abs(parts.sum()) * (1 - 1e-12)
    if n <= MOST_EXACT:
        signs = np.array(list(product((1, -1), repeat=n)))
        return float(np.mean(np.abs(signs @ parts) >= size)), min(1.0, 2.0 ** (1 - n))
    hits = 0
    for _ in range(10):  # in parts, to bound memory
        signs = rng.choice([-1.0, 1.0], size=(N_FLIPS // 10, n))
        hits += int(np.sum(np.abs(signs @ parts) >= size))
    return (1 + hits) / (1 + N_FLIPS), 1 / (1 + N_FLIPS)


def _by_unit(
    difference: Floats, owner: Ints | None, animals: Any, keep: NDArray[np.bool_]
) -> pd.Series:
    if owner is None:
        index = pd.Index(np.flatnonzero(keep), name="trial")
        return pd.Series(difference, index=index, name="difference")
    parts = pd.Series(difference).groupby(np.asarray(animals)[keep], sort=False).mean()
    return parts.rename_axis("animal").rename("difference")
