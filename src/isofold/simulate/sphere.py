"""A point that wanders smoothly over a sphere."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from ..recording import Recording
from ._observe import check_count, check_options, check_positive, observe, trial_table


def sphere(
    seed: int = 0,
    *,
    n_samples: int = 4000,
    n_units: int | None = None,
    radius: float = 1.0,
    noise: float = 0.05,
    mixing: str = "none",
    observation: str = "gaussian",
    rate: float = 40.0,
    n_trials: int | None = None,
    turns: float = 0.5,
) -> Recording:
    """A smooth random walk on a sphere, as itself or as units see it.

    Truth (time, 3) x_{t+1} = R(ω_t) x_t, with R the rotation by the vector ω, whose three
    components are independent AR(1) processes with the memory of one turn. Each trial starts at
    random; every place of the sphere is as likely as any other.

    Parameters
    ----------
    seed
        Same seed, same recording.
    n_samples
        Samples in all trials together.
    n_units
        Number of units; None gives the three coordinates themselves.
    radius
        Of the sphere.
    noise
        Standard deviation added to the signal: in units of the coordinates for the bare signal, of
        the unit's own standard deviation for units, of the log rate for Poisson units.
    mixing
        "none" (each unit sees one coordinate), "linear" or "nonlinear".
    observation
        "gaussian" or "poisson" (counts).
    rate
        Samples per second.
    n_trials
        Trials of equal length; None for one stretch without trials.
    turns
        Mean speed, in great circles per second.

    Returns
    -------
    Recording
        With the labels `azimuth` (circular, rad, in [0, 2π)) and `elevation` (rad, from −π/2 to
        π/2) and `.truth`. Betti numbers (1, 0, 1), dimension 2.

    Raises
    ------
    DataError
        An option does not exist or contradicts another.

    Notes
    -----
    A walk needs many turns to have been everywhere: below about 20 the sphere has holes.

    Examples
    --------
    >>> recording = sphere(seed=0, n_samples=100, radius=2.0, noise=0.0)
    >>> bool(np.allclose(np.linalg.norm(recording.signal, axis=1), 2.0))
    True
    """
    check_count("n_samples", n_samples, at_least=2)
    check_options(n_units, mixing, observation, noise)
    check_positive(radius=radius, rate=rate, turns=turns)
    rng = np.random.default_rng(seed)
    trials, lengths = trial_table(n_samples, n_trials)
    walk = np.concatenate([_walk(int(n), turns / rate, rng) for n in lengths])
    truth = radius * walk
    signal = observe(
        truth, rng, n_units=n_units, mixing=mixing, observation=observation, noise=noise, rate=rate
    )
    return Recording(
        signal,
        rate,
        labels={
            "azimuth": np.mod(np.arctan2(walk[:, 1], walk[:, 0]), 2 * np.pi),
            "elevation": np.arcsin(np.clip(walk[:, 2], -1, 1)),
        },
        kinds={"azimuth": "circular"},
        trials=trials,
        truth=truth,
        name="sphere",
    )


def _walk(n: int, turns_per_sample: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """(n, 3) unit vectors of one trial."""
    # Only the part of ω across x moves it; the mean length of two Gaussians is √(π/2) of their sd.
    spread = 2 * np.pi * turns_per_sample / np.sqrt(np.pi / 2)
    memory = np.exp(-turns_per_sample)
    shock = spread * np.sqrt(1 - memory**2) * rng.standard_normal((n, 3))
    turn = spread * rng.standard_normal(3)
    place = rng.standard_normal(3)
    place /= np.linalg.norm(place)
    path = np.empty((n, 3))
    for i in range(n):
        path[i] = place
        turn = memory * turn + shock[i]
        place = Rotation.from_rotvec(turn).apply(place)
        place /= np.linalg.norm(place)
    return path
