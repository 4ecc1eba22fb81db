"""A point that runs over a torus: two angles at once, as grid cells of one module see it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from ..recording import Recording
from ._angle import running_angle
from ._observe import check_count, check_options, check_positive, observe, trial_table

GOLDEN = (1 + 5**0.5) / 2
"""Turns round the tube for each turn round the ring: no ratio is further from closing on itself."""


def torus(
    seed: int = 0,
    *,
    n_samples: int = 4000,
    n_units: int | None = None,
    radius: float = 1.0,
    tube: float = 0.5,
    flat: bool = False,
    noise: float = 0.05,
    mixing: str = "none",
    observation: str = "gaussian",
    rate: float = 40.0,
    n_trials: int | None = None,
    turns: float = 0.5,
) -> Recording:
    """A torus, run over at uneven speed, as itself or as units see it.

    Truth (time, 3) = ((R + r cos φ) cos θ, (R + r cos φ) sin θ, r sin φ) with the ring's radius R
    and the tube's r; `flat=True`: (time, 4) = (R cos θ, R sin θ, r cos φ, r sin φ). Both angles
    start at random in each trial; θ advances as in `circle`, φ faster by the golden ratio.

    Parameters
    ----------
    seed
        Same seed, same recording.
    n_samples
        Samples in all trials together.
    n_units
        Number of units; None gives the coordinates themselves.
    radius, tube
        Radius of the ring (from the centre to the middle of the tube), and of the tube.
    flat
        The flat torus in four dimensions, everywhere alike, instead of the one in three, whose
        outer side is longer than its inner.
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
        Mean number of turns round the ring per second.

    Returns
    -------
    Recording
        With the circular labels `toroidal` (θ, round the ring) and `poloidal` (φ, round the tube),
        both in rad, in [0, 2π), and `.truth`. Betti numbers (1, 2, 1), dimension 2.

    Raises
    ------
    DataError
        An option does not exist or contradicts another, or the tube is as wide as the ring.

    Notes
    -----
    Not evenly spread over the surface of the torus in three dimensions: the angles are even.

    Examples
    --------
    >>> recording = torus(seed=0, n_samples=100, noise=0.0)
    >>> x, y, z = recording.signal.T
    >>> bool(np.allclose((np.hypot(x, y) - 1) ** 2 + z**2, 0.25))
    True
    """
    check_count("n_samples", n_samples, at_least=2)
    check_options(n_units, mixing, observation, noise)
    check_positive(radius=radius, tube=tube, rate=rate, turns=turns)
    if not flat and tube >= radius:
        raise DataError(
            f"the tube of a torus must be thinner than its ring, got tube={tube}, radius={radius}; "
            "make it thinner or use flat=True"
        )
    rng = np.random.default_rng(seed)
    trials, lengths = trial_table(n_samples, n_trials)
    around, across = (
        np.concatenate([running_angle(int(n), speed / rate, rng) for n in lengths])
        for speed in (turns, turns * GOLDEN)
    )
    truth = _surface(around, across, radius, tube, flat)
    signal = observe(
        truth, rng, n_units=n_units, mixing=mixing, observation=observation, noise=noise, rate=rate
    )
    return Recording(
        signal,
        rate,
        labels={"toroidal": np.mod(around, 2 * np.pi), "poloidal": np.mod(across, 2 * np.pi)},
        kinds={"toroidal": "circular", "poloidal": "circular"},
        trials=trials,
        truth=truth,
        name="torus",
    )


def _surface(
    around: NDArray, across: NDArray, radius: float, tube: float, flat: bool
) -> NDArray[np.float64]:
    if flat:
        ring = radius * np.column_stack([np.cos(around), np.sin(around)])
        return np.hstack([ring, tube * np.column_stack([np.cos(across), np.sin(across)])])
    reach = radius + tube * np.cos(across)
    return np.column_stack([reach * np.cos(around), reach * np.sin(around), tube * np.sin(across)])
