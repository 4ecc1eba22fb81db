"""Bootstrap over animals, then over the trials of each."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ..errors import DataError
from ..trials import Ints
from ._resample import N_DRAWS, check_draws, drawn_weights, weighted_means
from ._tensor import Floats


def hierarchical_bootstrap(
    values: Any, animals: Any = None, *, n_draws: int = N_DRAWS, seed: int = 0
) -> Floats:
    """Draws of the mean over animals of their mean over trials: (draw,) or (draw, …).

    A draw takes as many animals as there are, with replacement, and of each as many trials as it
    has, with replacement. Every animal counts once, however many trials it has.

    Parameters
    ----------
    values
        (trial,) or (trial, …). NaN is left out; the other trials of the draw take its weight.
    animals
        (trial,) animal of each; None draws trials alone.
    n_draws, seed
        How many draws.

    Raises
    ------
    DataError
        Lengths differ, an animal is missing, or there is no trial.

    Notes
    -----
    For an interval of a mean use `condition_average` or `compare`, which widen percentiles for few
    animals: of three animals, plain percentiles hold the true mean in 3 of 4 studies, not in 19 of
    20. Saravanan, Berman & Sober, Neurons, Behavior, Data Analysis and Theory 3 (2020).

    Examples
    --------
    >>> draws = hierarchical_bootstrap([1.0, 1.0, 5.0], ["a", "a", "b"], n_draws=100)
    >>> draws.shape, sorted(set(draws.tolist()))
    ((100,), [1.0, 3.0, 5.0])
    """
    check_draws(n_draws, "n_draws")
    data = np.asarray(values, dtype=float)
    if data.ndim == 0 or not len(data):
        raise DataError(f"values must be (trial, ...) with at least one trial, got {data.shape}")
    codes = animal_codes(animals, len(data))
    flat = data.reshape(len(data), -1)
    weights = drawn_weights(codes, len(data), n_draws, np.random.default_rng(seed))
    return weighted_means(weights, flat, ~np.isnan(flat)).reshape(n_draws, *data.shape[1:])


def animal_codes(animals: Any, n_trials: int, what: str = "animals") -> Ints | None:
    """Number of the animal of each trial, or None."""
    if animals is None:
        return None
    names = np.asarray(animals)
    if names.shape != (n_trials,):
        raise DataError(
            f"{what} must hold one name for each of the {n_trials} trials, got shape {names.shape}"
        )
    codes = pd.factorize(names)[0]
    if np.any(codes < 0):
        raise DataError(
            f"{what} must be known for every trial; it is missing in trial {np.argmin(codes)}"
        )
    return codes.astype(np.int64)
