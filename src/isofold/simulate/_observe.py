"""How simulated units see a latent: one observation model for all simulators.

    drive = standardised f(latent) + noise · N(0, 1)          (time, unit)
    gaussian:  signal = drive
    poisson:   counts ~ Poisson(r · exp(drive) / ⟨exp(drive)⟩ / rate)

f is a unit's own latent dimension ("none"), a random direction ("linear"), or a random layer of
tanh features ("nonlinear"); r is log-normal around `BASE_RATE`.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import DataError
from ..trials import Ints

MIXINGS = ("none", "linear", "nonlinear")
OBSERVATIONS = ("gaussian", "poisson")

BASE_RATE = 10.0
"""Median over units of the mean firing rate, Hz."""

FEATURES_PER_UNIT = 2
"""Random tanh features behind each unit: enough that units differ in shape, not only in sign."""


def check_options(n_units: int | None, mixing: str, observation: str, noise: float) -> None:
    """Refuse options that do not exist or contradict each other."""
    if mixing not in MIXINGS:
        raise DataError(f"mixing must be one of {MIXINGS}, got {mixing!r}")
    if observation not in OBSERVATIONS:
        raise DataError(f"observation must be one of {OBSERVATIONS}, got {observation!r}")
    if not (np.isfinite(noise) and noise >= 0):
        raise DataError(f"noise is a standard deviation and must be 0 or more, got {noise!r}")
    if n_units is None and (mixing != "none" or observation != "gaussian"):
        raise DataError(
            f"n_units=None gives the bare signal; mixing={mixing!r} with "
            f"observation={observation!r} needs n_units, say n_units=50"
        )
    if n_units is not None:
        check_count("n_units", n_units)


def check_count(name: str, value: object, at_least: int = 1) -> None:
    """Refuse what is not a whole number of at least `at_least`."""
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not whole or int(value) < at_least:  # type: ignore[call-overload]
        raise DataError(f"{name} must be a whole number of at least {at_least}, got {value!r}")


def check_positive(**values: float) -> None:
    """Refuse what is not a finite number above 0."""
    for name, value in values.items():
        if not (np.isfinite(value) and value > 0):
            raise DataError(f"{name} must be a positive number, got {value!r}")


def observe(
    latent: NDArray[np.float64],
    rng: np.random.Generator,
    *,
    n_units: int | None,
    mixing: str,
    observation: str,
    noise: float,
    rate: float,
    keep_shape: bool = False,
) -> NDArray:
    """Signal (time, channel) of units that see a latent (time, k); n_units=None: the latent.

    With `keep_shape` the latent is brought to one size as a whole, not each of its dimensions.
    """
    if n_units is None:
        return latent + noise * rng.standard_normal(latent.shape)
    seen = _standardised(latent)
    if keep_shape:
        seen = seen * latent.std(axis=0) / np.sqrt(np.mean(latent.var(axis=0)))
    drive = _standardised(_mixed(seen, rng, n_units, mixing))
    drive = drive + noise * rng.standard_normal(drive.shape)
    if observation == "gaussian":
        return drive
    base = BASE_RATE * np.exp(0.5 * rng.standard_normal(n_units))
    gain = np.exp(drive)
    return rng.poisson(base * gain / gain.mean(axis=0) / rate).astype(np.float32)


def _mixed(z: NDArray, rng: np.random.Generator, n_units: int, mixing: str) -> NDArray:
    k = z.shape[1]
    if mixing == "none":
        return z[:, np.arange(n_units) % k] * rng.choice([-1.0, 1.0], n_units)
    if mixing == "linear":
        return z @ rng.standard_normal((k, n_units))
    n_features = FEATURES_PER_UNIT * n_units
    features = np.tanh(z @ rng.standard_normal((k, n_features)) + rng.standard_normal(n_features))
    return features @ rng.standard_normal((n_features, n_units))


def _standardised(x: NDArray) -> NDArray:
    spread = x.std(axis=0)
    return (x - x.mean(axis=0)) / np.where(spread > 0, spread, 1.0)


def trial_table(n_samples: int, n_trials: int | None) -> tuple[pd.DataFrame | None, Ints]:
    """Trials of equal length (to one sample) that fill the recording, and their lengths."""
    if n_trials is None:
        return None, np.array([n_samples])
    check_count("n_trials", n_trials)
    if n_trials > n_samples:
        raise DataError(f"n_trials={n_trials} is more than n_samples={n_samples}; use fewer trials")
    edges = np.linspace(0, n_samples, n_trials + 1).astype(np.int64)
    return pd.DataFrame({"start": edges[:-1], "stop": edges[1:]}), np.diff(edges)
