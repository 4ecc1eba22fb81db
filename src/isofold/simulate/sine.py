"""The sine simulation of CI-iVAE."""

from __future__ import annotations

import numpy as np

from ..recording import Recording
from ._latent_label import LabelPrior, simulated, uniform_label


def sine_prior(rng: np.random.Generator) -> LabelPrior:
    """p(u) and p(z|u)."""
    draw, grid = uniform_label(0, 2 * np.pi)
    return LabelPrior(
        draw=draw,
        grid=grid,
        mean=lambda labels: np.column_stack([labels["u"], 2 * np.sin(labels["u"])]),
        variance=lambda labels: np.column_stack(2 * [labels["u"] / (4 * np.pi)]),
    )


def sine(
    seed: int = 0,
    *,
    n_samples: int = 30_000,
    n_units: int | None = 100,
    rate: float = 40.0,
    noise: float | None = None,
    mixing: str = "nonlinear",
    observation: str = "gaussian",
    n_trials: int | None = None,
) -> Recording:
    """A sine wave of Gaussians that widen along a continuous label, in noisy units.

    u ~ U(0, 2π);  z | u ~ N((u, 2 sin u), u / 4π · I);  x | z ~ N(m(z), I), m a random RealNVP;
    Poisson units have rate exp(2 tanh m(z)) per bin.

    Keywords are those of `pivae_continuous`.

    Returns
    -------
    Recording
        With the continuous label `u` and z as `.truth` (time, 2).

    Raises
    ------
    DataError
        An option does not exist or contradicts another.

    Notes
    -----
    Labels tell more of z than the signal does (R² .91 against .86), which invites a posterior
    that collapses to the prior.
    Kim et al., *AISTATS* 2023 (arXiv 2202.04206).

    Examples
    --------
    >>> recording = sine(seed=0, n_samples=300)
    >>> recording.signal.shape, recording.truth.shape, recording.kinds
    ((300, 100), (300, 2), {'u': 'continuous'})
    """
    return simulated(
        sine_prior,
        "sine",
        seed=seed,
        n_samples=n_samples,
        n_units=n_units,
        rate=rate,
        noise=noise,
        mixing=mixing,
        observation=observation,
        n_trials=n_trials,
    ).recording
