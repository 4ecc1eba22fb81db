"""The discrete-label simulation of pi-VAE."""

from __future__ import annotations

import numpy as np

from ..recording import Recording
from ._latent_label import LabelPrior, simulated

N_CLASSES = 5


def pivae_discrete_prior(rng: np.random.Generator) -> LabelPrior:
    """p(u) and p(z|u)."""
    mean = rng.uniform(-5, 5, (2, N_CLASSES)).T
    variance = rng.uniform(0.5, 3, (2, N_CLASSES)).T
    return LabelPrior(
        draw=lambda rng, n: {"u": np.arange(n) % N_CLASSES},
        grid={"u": np.arange(N_CLASSES)},
        mean=lambda labels: mean[labels["u"]],
        variance=lambda labels: variance[labels["u"]],
    )


def pivae_discrete(
    seed: int = 0,
    *,
    n_samples: int = 10_000,
    n_units: int | None = 100,
    rate: float = 40.0,
    noise: float | None = None,
    mixing: str = "nonlinear",
    observation: str = "poisson",
    n_trials: int | None = None,
) -> Recording:
    """Five Gaussian clusters, one a class, seen by Poisson units.

    u = 0, 1, 2, 3, 4, 0, …;  z | u ~ N(μ_u, diag v_u) with μ ~ U(−5, 5), v ~ U(0.5, 3) of the seed;
    x | z ~ Poisson(exp(2 tanh m(z))) per bin, m a random RealNVP.

    Keywords are those of `pivae_continuous`.

    Returns
    -------
    Recording
        With the discrete label `u` and z as `.truth` (time, 2).

    Raises
    ------
    DataError
        An option does not exist or contradicts another.

    Notes
    -----
    Where classes happen to overlap depends on the seed: average over several, beside `ceilings`.
    Five classes are the fewest that identify two latents. Zhou & Wei, *NeurIPS* 2020
    (arXiv 2011.04798).

    Examples
    --------
    >>> recording = pivae_discrete(seed=0, n_samples=300)
    >>> recording.signal.shape, recording.truth.shape, recording.kinds
    ((300, 100), (300, 2), {'u': 'discrete'})
    """
    return simulated(
        pivae_discrete_prior,
        "pivae_discrete",
        seed=seed,
        n_samples=n_samples,
        n_units=n_units,
        rate=rate,
        noise=noise,
        mixing=mixing,
        observation=observation,
        n_trials=n_trials,
    ).recording
