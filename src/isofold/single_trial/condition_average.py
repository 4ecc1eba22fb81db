"""Average: the mean trial of each condition, and how sure it is."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from ..errors import DataError
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
from ._tensor import Floats, as_tensor, column, conditions
from .hierarchical_bootstrap import animal_codes

_FEATURES = 2**13
"""Samples that are resampled at a time, to bound memory."""


def condition_average(
    tensor: Any,
    by: Any = None,
    *,
    animal: Any = None,
    n_bootstrap: int = N_DRAWS,
    level: float = LEVEL,
    seed: int = 0,
) -> xr.Dataset:
    """Mean, standard error and bootstrap interval of every condition at every time.

    Without `animal`: mean over trials, SEM = sd / √n. With it: mean over animals of each animal's
    mean, SEM = sd of those means / √(number of animals), and the interval draws animals, then
    their trials. Intervals are percentiles about the mean, widened for few units.

    Parameters
    ----------
    tensor
        (trial, time, channel). Missing samples (NaN) are left out of means and of `n`.
    by
        Column of the trials, or one value a trial; None averages all. Trials without a value are
        left out.
    animal
        Column of the animal of each trial, or one value a trial.
    n_bootstrap, seed
        Draws of the interval; 0 gives none (NaN).
    level
        What share of such intervals hold the true mean.

    Returns
    -------
    xarray.Dataset
        `mean`, `sem`, `low`, `high` and `n` (trials) over (condition, time, channel); `n_animals`
        over condition.

    Raises
    ------
    DataError
        No such column, or a setting out of range.

    Notes
    -----
    With `animal`, intervals are on the safe side: trials that differ count twice, in the means of
    the animals and in the trials drawn.

    Examples
    --------
    >>> x = np.arange(12.0).reshape(4, 3, 1)
    >>> average = condition_average(x, by=["go", "go", "stop", "stop"])
    >>> average["mean"].sel(condition="go").values.ravel()
    array([1.5, 2.5, 3.5])
    """
    data = as_tensor(tensor)
    check_level(level)
    check_draws(n_bootstrap, "n_bootstrap", least=0)
    codes, names = conditions(data, by)
    owner = None
    if animal is not None:
        animals = column(data, animal, "animal")
        owner = animal_codes(animals, len(codes), "animal")
    parts = []
    for number in range(len(names)):
        rows = np.flatnonzero(codes == number)
        mine = None if owner is None else np.unique(owner[rows], return_inverse=True)[1]
        rng = np.random.default_rng([seed, number])
        parts.append(_average(data.values[rows], mine, n_bootstrap, level, rng))
    dims = ("condition", *data.dims[1:])
    found = {
        k: (dims, np.stack([p[k] for p in parts])) for k in ("mean", "sem", "low", "high", "n")
    }
    n_animals = [p["n_animals"] for p in parts]
    coords = {"condition": names, **{d: data[d].values for d in data.dims[1:]}}
    attrs = {"by": by if isinstance(by, str) else "", "level": level, "n_bootstrap": n_bootstrap}
    whole = xr.Dataset(found, coords=coords, attrs=attrs)
    return whole if animal is None else whole.assign(n_animals=("condition", n_animals))


def _average(
    values: Floats, owner: Ints | None, n_draws: int, level: float, rng: np.random.Generator
) -> dict[str, Any]:
    """Of one condition, (trial, time, channel)."""
    if not len(values):
        raise DataError("a condition must have at least one trial")
    shape, flat = values.shape[1:], values.reshape(len(values), -1)
    known = ~np.isnan(flat)
    units = len(values) if owner is None else int(owner.max()) + 1
    mean = weighted_means(even_weights(owner, len(flat))[None], flat, known)[0]
    low, high = np.full_like(mean, np.nan), np.full_like(mean, np.nan)
    weights = drawn_weights(owner, len(flat), n_draws, rng) if n_draws and units > 1 else None
    for first in range(0, flat.shape[1] if weights is not None else 0, _FEATURES):
        part = slice(first, first + _FEATURES)
        draws = weighted_means(weights, flat[:, part], known[:, part])  # type: ignore[arg-type]
        low[part], high[part] = interval(mean[part], draws, units, level)
    parts = {"mean": mean, "sem": _sem(flat, owner), "low": low, "high": high, "n": known.sum(0)}
    return {k: v.reshape(shape) for k, v in parts.items()} | {"n_animals": units}


def _sem(flat: Floats, owner: Ints | None) -> Floats:
    """Standard deviation of trials, or of the means of animals, over the root of their number."""
    units = flat
    if owner is not None:
        means = [flat[owner == a] for a in range(owner.max() + 1)]
        units = np.concatenate(
            [weighted_means(np.full((1, len(m)), 1.0), m, ~np.isnan(m)) for m in means]
        )
    known = ~np.isnan(units)
    n = known.sum(axis=0)
    centred = np.where(known, units - np.where(known, units, 0).sum(0) / np.maximum(n, 1), 0)
    spread = np.sqrt((centred**2).sum(axis=0) / np.maximum(n - 1, 1))
    return np.where(n > 1, spread / np.sqrt(np.maximum(n, 1)), np.nan)
