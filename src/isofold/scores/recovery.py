"""Recovery: how much of a known latent an embedding holds, up to a linear map."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ._halves import Fitter, Judge, Pair, held_out
from ._linear import Floats, LeastSquares, r2
from .score import Score


def recovery(
    z: Any,
    truth: Any,
    groups: Any = None,
    *,
    in_sample: bool = False,
    n_chance: int = 100,
    seed: int = 0,
) -> Score:
    """R² of the linear map from embedding to truth (backward), on held-out trials.

    R² = 1 − Σ(y − ŷ)²/Σ(y − ȳ)², uniform mean over the columns of `truth` (time, k), of least
    squares with intercept fitted on odd trials and scored on even trials, and back.
    `also["forward"]` is the same from truth to embedding: low forward beside high backward says
    that the embedding holds more than the truth.

    Parameters
    ----------
    z
        (time, latent).
    truth
        (time,) or (time, k), for example `recording.truth`.
    groups
        Trial of each sample. Default: the `trial` coordinate, else ten contiguous blocks.
    in_sample
        Fit and score on all samples.

    Raises
    ------
    DataError
        Lengths differ, values are missing, or there is only one trial.

    Notes
    -----
    A truth that is a curved function of the embedding scores below 1: use `decode` with "knn".
    With labels in training see `beyond_labels`.

    Examples
    --------
    >>> import numpy as np
    >>> truth = np.random.default_rng(0).normal(size=(300, 2))
    >>> z = truth @ np.array([[1.0, 2.0, 0.0], [0.0, 1.0, 3.0]]) + 5
    >>> score = recovery(z, truth, n_chance=0)
    >>> round(score.value, 6), round(score.also["forward"], 6)
    (1.0, 1.0)
    """
    pair = Pair.of(z, truth, groups, in_sample)
    backward = held_out(pair, linear, "R²", n_chance, seed)
    swapped = replace(pair, rows=pair.truth, truth=pair.rows)
    return replace(backward, also={"forward": value_only(swapped)})


def linear(rows: Floats) -> Fitter:
    line = LeastSquares(rows)

    def fit(truth: Floats) -> Judge:
        return lambda inputs, known: r2(known, line.predict(truth, inputs))

    return fit


def value_only(pair: Pair) -> float:
    """Mean over folds of the R² of `linear`."""
    values = [
        linear(pair.rows[fit])(pair.truth[fit])(pair.rows[score], pair.truth[score])
        for fit, score in pair.folds
    ]
    return sum(values) / len(values)
