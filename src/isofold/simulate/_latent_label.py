"""Data sets whose latent is Gaussian given a label: one description for simulator and ceilings.

    u ~ p(u),   z | u ~ N(mean(u), diag variance(u)),   m = lift(z)
    gaussian:  x ~ N(m, noise²)
    poisson:   x ~ Poisson(exp(gain · tanh m))        counts per bin

Samples are independent of each other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..recording import Recording
from . import _lift
from ._lift import Floats, Lift
from ._observe import check_count, check_options, check_positive, trial_table

Labels = dict[str, NDArray]

N_GRID_LABELS = 2000
"""Labels that stand for a continuous p(u): enough that p(z) is smooth on the scale of p(z|u)."""


@dataclass(frozen=True)
class LabelPrior:
    """p(u) and p(z|u).

    `draw(rng, n)` gives n labels, `grid` equally likely labels that stand for p(u); `mean` and
    `variance` take labels to (label, 2). `gain` is that of Poisson units.
    """

    draw: Callable[[np.random.Generator, int], Labels]
    grid: Labels
    mean: Callable[[Labels], Floats]
    variance: Callable[[Labels], Floats]
    gain: float = 2.0

    def moments(self) -> tuple[Floats, Floats]:
        """Mean and standard deviation of z over all labels."""
        mean, variance = self.mean(self.grid), self.variance(self.grid)
        return mean.mean(axis=0), np.sqrt(variance.mean(axis=0) + mean.var(axis=0))


Describe = Callable[[np.random.Generator], LabelPrior]
"""Prior of a seed; only priors with parameters of their own draw from the generator."""


@dataclass(frozen=True)
class LatentLabel:
    """A simulated recording with all that generated it; `lift` is None for the bare latent."""

    recording: Recording
    prior: LabelPrior
    lift: Lift | None
    observation: str
    noise: float


def uniform_label(low: float, high: float, name: str = "u") -> tuple[Callable, Labels]:
    """`draw` and `grid` of one label that is uniform in (low, high)."""
    middle = (np.arange(N_GRID_LABELS) + 0.5) / N_GRID_LABELS
    return (
        lambda rng, n: {name: rng.uniform(low, high, n)},
        {name: low + (high - low) * middle},
    )


def simulated(
    describe: Describe,
    name: str,
    *,
    seed: int,
    n_samples: int,
    n_units: int | None,
    rate: float,
    noise: float | None,
    mixing: str,
    observation: str,
    n_trials: int | None,
) -> LatentLabel:
    """The data set of one seed.

    Prior, lift, labels, latent and observation draw from generators of their own, so that a
    shorter recording is the head of a longer one and `mixing` leaves the latent as it is.
    """
    check_count("n_samples", n_samples, at_least=2)
    if noise is None:
        noise = 1.0 if observation == "gaussian" and n_units is not None else 0.0
    check_options(n_units or 1, mixing, observation, noise)
    check_positive(rate=rate)
    trials, _ = trial_table(n_samples, n_trials)
    streams = np.random.default_rng(seed).spawn(6)
    of_prior, of_lift, of_labels, of_latent, of_noise, of_counts = streams
    prior = describe(of_prior)
    lift = None if n_units is None else _lift_of(prior, of_lift, n_units, mixing)
    labels = prior.draw(of_labels, n_samples)
    shape = (n_samples, 2)
    z = prior.mean(labels) + np.sqrt(prior.variance(labels)) * of_latent.standard_normal(shape)
    if lift is None:
        signal = z + noise * of_noise.standard_normal(shape)
    else:
        signal = _observed(lift(z), of_noise, of_counts, observation, prior.gain, noise)
    recording = Recording(signal, rate, labels=labels, trials=trials, truth=z, name=name)
    return LatentLabel(recording, prior, lift, observation, noise)


def _lift_of(prior: LabelPrior, rng: np.random.Generator, n_units: int, mixing: str) -> Lift:
    check_count("n_units", n_units)
    if mixing == "nonlinear":
        return _lift.real_nvp(rng, n_units)
    make = _lift.linear if mixing == "linear" else _lift.coordinates
    return make(rng, n_units, *prior.moments())


def _observed(
    m: Floats,
    of_noise: np.random.Generator,
    of_counts: np.random.Generator,
    observation: str,
    gain: float,
    noise: float,
) -> NDArray:
    added = noise * of_noise.standard_normal(m.shape)
    if observation == "gaussian":
        return m + added
    return of_counts.poisson(np.exp(gain * np.tanh(m) + added)).astype(np.float32)
