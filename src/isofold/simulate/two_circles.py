"""The two-circles simulation of CI-iVAE."""

from __future__ import annotations

import numpy as np

from ..recording import Recording
from ._latent_label import LabelPrior, Labels, simulated, uniform_label
from ._lift import Floats


def two_circles_prior(rng: np.random.Generator) -> LabelPrior:
    """p(angle, circle) and p(z | angle, circle)."""
    _, grid = uniform_label(-np.pi, np.pi, "angle")

    def draw(rng: np.random.Generator, n: int) -> Labels:
        first, second = rng.random((n, 2)).T
        return {"angle": np.pi * (2 * first - 1), "circle": np.where(second < 0.5, 1, 2)}

    def mean(labels: Labels) -> Floats:
        angle = labels["angle"]
        return labels["circle"][:, None] * np.column_stack([np.cos(angle), np.sin(angle)])

    def variance(labels: Labels) -> Floats:
        return np.column_stack(2 * [(np.pi - np.abs(labels["angle"])) / (10 * np.pi)])

    angles = grid["angle"]
    return LabelPrior(
        draw=draw,
        grid={"angle": np.tile(angles, 2), "circle": np.repeat([1, 2], len(angles))},
        mean=mean,
        variance=variance,
    )


def two_circles(
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
    """Two circles of Gaussians along an angle, one inside the other, in noisy units.

    angle ~ U(−π, π), circle ∈ {1, 2};  x | z ~ N(m(z), I), m a random RealNVP;
    z | angle, circle ~ N(circle · (cos angle, sin angle), (π − |angle|) / 10π · I);
    Poisson units have rate exp(2 tanh m(z)) per bin.

    Keywords are those of `pivae_continuous`.

    Returns
    -------
    Recording
        With the labels `angle` (continuous, rad) and `circle` (discrete), and z as `.truth`
        (time, 2).

    Raises
    ------
    DataError
        An option does not exist or contradicts another.

    Notes
    -----
    The variance falls to 0 at the ends of the range, so `angle` is a continuous label, not a
    circular one. Without labels less of z can be known (R² .65 against .96): see `ceilings`.
    Kim et al., *AISTATS* 2023 (arXiv 2202.04206).

    Examples
    --------
    >>> recording = two_circles(seed=0, n_samples=300)
    >>> recording.signal.shape, recording.truth.shape, recording.kinds
    ((300, 100), (300, 2), {'angle': 'continuous', 'circle': 'discrete'})
    """
    return simulated(
        two_circles_prior,
        "two_circles",
        seed=seed,
        n_samples=n_samples,
        n_units=n_units,
        rate=rate,
        noise=noise,
        mixing=mixing,
        observation=observation,
        n_trials=n_trials,
    ).recording
