"""Linear CKA: one number for how alike two spaces are up to rotation and scale."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from ..errors import DataError
from ._halves import Pair
from ._linear import Floats
from .chance import surrogate
from .score import Score


def cka(
    a: Any,
    b: Any,
    groups: Any = None,
    *,
    debiased: bool = False,
    n_chance: int = 100,
    seed: int = 0,
) -> Score:
    """‖BᵀA‖² / (‖AᵀA‖ ‖BᵀB‖), columns centred, Frobenius norms: centred kernel alignment.

    Symmetric; from 0 to 1 (equal up to rotation, reflection and one scale). Weighs directions by
    their variance: a large shared latent hides small ones that differ. Nothing is fitted.

    Parameters
    ----------
    a, b
        Two embeddings (or a signal) of the same samples, of any widths.
    groups
        Trial of each sample; default that of `a`.
    debiased
        The unbiased estimate of Song et al.: 0 on average for independent samples, where the plain
        one rises with dimension; can be below 0.
    n_chance, seed
        Draws of the null: rows of `b` move as in `scores.surrogate`.

    Returns
    -------
    Score
        `parts` has one value; `interval` leaves trials out (jackknife).

    Raises
    ------
    DataError
        Lengths differ, values are missing, or there are fewer than four samples.

    Notes
    -----
    Not for the question whether single latents agree (`mcc`), nor for maps that stretch directions
    (`cca`). Source: Kornblith et al., ICML 2019; Song et al., JMLR 13, 1393 (2012).

    Examples
    --------
    >>> z = np.random.default_rng(0).normal(size=(300, 3))
    >>> round(float(cka(z, 5 * z[:, ::-1] + 1, n_chance=0)), 6)
    1.0
    """
    pair = Pair.of(a, b, groups, in_sample=True, name="other embedding")
    if len(pair.rows) < 4:
        raise DataError(f"CKA needs at least 4 samples, got {len(pair.rows)}")
    shared = _unbiased if debiased else _plain
    value = _aligned(shared, pair.rows, pair.truth)
    rng = np.random.default_rng(seed)
    draws = [
        _aligned(shared, pair.rows, pair.truth[surrogate(pair.trials, rng)])
        for _ in range(n_chance)
    ]
    unit = "CKA (debiased)" if debiased else "CKA"
    return Score(
        value=value,
        unit=unit,
        parts=pd.Series([value], index=pd.RangeIndex(1, name="fold"), name=unit),
        interval=_interval(value, pair, shared),
        chance=np.asarray(draws, float),
        split=pair.split,
        settings={
            "debiased": debiased,
            "n_chance": n_chance,
            "seed": seed,
            "interval_over": "trials (jackknife)",
        },
    )


Shared = Callable[[Floats, Floats], float]


def _aligned(shared: Shared, a: Floats, b: Floats) -> float:
    """shared(a, b) as a cosine; 0 where one of the two does not vary."""
    a, b = a - a.mean(axis=0), b - b.mean(axis=0)
    size = shared(a, a) * shared(b, b)
    return float(shared(a, b) / np.sqrt(size)) if size > 0 else 0.0


def _plain(a: Floats, b: Floats) -> float:
    return float(np.sum((b.T @ a) ** 2))


def _unbiased(a: Floats, b: Floats) -> float:
    """Unbiased HSIC of the kernels AAᵀ and BBᵀ without their diagonals, never formed."""
    n = len(a)
    own_a, own_b = np.sum(a**2, axis=1), np.sum(b**2, axis=1)
    row_a, row_b = a @ a.sum(axis=0) - own_a, b @ b.sum(axis=0) - own_b
    trace = np.sum((b.T @ a) ** 2) - own_a @ own_b
    total = row_a.sum() * row_b.sum() / ((n - 1) * (n - 2))
    return float((trace + total - 2 / (n - 2) * (row_a @ row_b)) / (n * (n - 3)))


def _interval(value: float, pair: Pair, shared: Shared) -> tuple[float, float]:
    """Jackknife over trials: drawn twice, a sample would be like itself in both spaces."""
    codes, names = pd.factorize(pair.trials)
    n = len(names)
    if n < 3:
        return (float("nan"), float("nan"))
    left = [_aligned(shared, pair.rows[codes != k], pair.truth[codes != k]) for k in range(n)]
    spread = 1.96 * float(np.sqrt((n - 1) * np.var(left)))
    return value - spread, value + spread
