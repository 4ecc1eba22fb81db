"""Temperature chosen on held-out trials."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone

from ..errors import DataError
from ._fit import split_off
from ._information import nearer
from ._seeds import take_over

FACTORS = (0.1, 0.3, 1.0, 3.0)
"""Temperatures tried, as multiples of the one given."""


def choose_temperature(model: Any, X: Any, y: tuple, **options: Any) -> Any:
    """Fit with several temperatures and make `model` the one that orders held-out pairs best.

    Loss and information have other ceilings at every τ and cannot be compared. What is compared is
    the area under the ROC curve: how often the positive of a held-out reference lies nearer to it
    than a random negative. `temperatures_tried_` holds it for all.
    """
    if model.validation is None:
        raise DataError(
            "temperature_mode='validation' compares temperatures on held-out trials: give "
            "validation=0.2"
        )
    inputs = model._gathered(X, y, options.get("labels"), options.get("trials"))
    _, held_out = split_off([one.recording for one in inputs], model.validation)
    fits = []
    for temperature in _candidates(model.temperature):
        fit = clone(model).set_params(temperature=temperature, temperature_mode="constant")
        fits.append(fit.fit(X, *y, **options))
    shares = [_nearer(fit, held_out) for fit in fits]
    take_over(model, fits[int(np.argmax(shares))])
    model.temperatures_tried_ = pd.DataFrame(
        {
            "temperature": [fit.temperature for fit in fits],
            "nearer": shares,
            "bits": [float(fit.validation_["bits"].max()) for fit in fits],
        }
    )
    return model


def _candidates(given: Any) -> list[float]:
    """Those of a list, or multiples of a number."""
    if np.ndim(given):
        found = list(given)
    else:
        found = [factor * given for factor in FACTORS] if isinstance(given, (int, float)) else []
    good = all(isinstance(t, (int, float)) and 0 < t < np.inf for t in found)
    if not good or len(set(found)) < 2:
        raise DataError(
            "temperature_mode='validation' needs temperature as a list of two or more different "
            f"positive numbers, or as one number, of which {FACTORS} times are tried; got {given!r}"
        )
    return [float(t) for t in found]


def _nearer(fit: Any, held_out: list) -> float:
    """Mean over recordings."""
    return float(
        np.mean(
            [
                nearer(
                    fit._embed_with(n, recording)[0], recording, fit.settings_["objectives"],
                    fit.outside_trials,
                )
                for n, recording in enumerate(held_out)
            ]
        )
    )  # fmt: skip
