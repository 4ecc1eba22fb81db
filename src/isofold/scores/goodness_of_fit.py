"""Goodness of fit: what a model itself says about data it has not seen, beside chance."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ..errors import DataError
from ._linear import percentiles, resampled
from .score import Score


def goodness_of_fit(model: Any, recording: Any, seed: int = 0) -> Score:
    """Mean over evaluation batches (or trials) of a fitted model's own score, in its own unit.

    For contrastive models (log(batch · sessions) − InfoNCE)·log₂e bits, 0 for a collapsed
    embedding; for others what the unit says. Never compare across units, and bits only at equal
    temperature, batch size and dimension.

    The model offers `goodness_parts(recording, seed) -> (values, unit, chance)`: one value a batch
    or trial (an array, or a Series whose index names them), the unit, and draws of chance.

    Parameters
    ----------
    model
        Fitted.
    recording
        Trials that the fit has not seen, with the labels that it was given.
    seed
        Fixes the evaluation batches.

    Raises
    ------
    TypeError
        The model has no `goodness_parts`.
    DataError
        It gave no finite value.

    Examples
    --------
    >>> class Model:
    ...     def goodness_parts(self, recording, seed):
    ...         return np.array([1.0, 1.2]), "bits", np.array([0.0, 0.1])
    >>> score = goodness_of_fit(Model(), recording=None)
    >>> round(score.value, 6), score.unit
    (1.1, 'bits')
    """
    if not callable(getattr(model, "goodness_parts", None)):
        raise TypeError(
            "goodness of fit needs a model with goodness_parts(recording, seed); "
            f"{type(model).__name__} has none, use model.score or iso.scores.decode"
        )
    values, unit, chance = model.goodness_parts(recording, seed)
    parts = pd.Series(values, dtype=float, name=unit)
    if parts.index.name is None:
        parts.index.name = "batch"
    if not len(parts) or not np.isfinite(parts).all():
        raise DataError(
            f"goodness_parts of {type(model).__name__} must give finite values, got "
            f"{int(np.isfinite(parts).sum())} finite of {len(parts)}"
        )
    means = resampled(len(parts), seed) @ parts.to_numpy() / len(parts)
    return Score(
        value=float(parts.mean()),
        unit=unit,
        parts=parts,
        interval=percentiles(means) if len(parts) > 1 else (float("nan"), float("nan")),
        chance=np.asarray(chance, dtype=float).ravel(),
        settings={
            "model": type(model).__name__,
            "seed": seed,
            "interval_over": str(parts.index.name),
        },
    )
