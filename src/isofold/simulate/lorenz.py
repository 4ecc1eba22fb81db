"""The Lorenz attractor."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from ..recording import Recording
from ._observe import check_count, check_options, check_positive, observe, trial_table

SIGMA, RHO, BETA = 10.0, 28.0, 8.0 / 3.0

LONGEST_STEP = 0.01
"""Runge–Kutta step in Lorenz time; a larger `dt` is cut into steps no longer than this."""

TRANSIENT = 25.0
"""Lorenz time dropped before the first sample: by then a start at random is on the attractor."""

Advance = Callable[[NDArray, float, int], NDArray]


def lorenz(
    seed: int = 0,
    *,
    n_samples: int = 4000,
    n_units: int | None = None,
    noise: float = 0.0,
    mixing: str = "none",
    observation: str = "gaussian",
    rate: float = 100.0,
    dt: float = 0.01,
    n_trials: int | None = None,
    process_noise: float = 0.0,
    method: str = "rk4",
) -> Recording:
    """The Lorenz system, as itself or as units see it.

    x' = σ (y − x),  y' = x (ρ − z) − y,  z' = x y − β z  with σ = 10, ρ = 28, β = 8/3; a sample is
    the step of the one before plus `process_noise` · N(0, 1) in every coordinate.

    Parameters
    ----------
    seed
        Same seed, same recording.
    n_samples
        Samples in all trials together.
    n_units
        Number of units; None gives x, y, z themselves.
    noise
        Standard deviation added to the signal: in Lorenz units for the bare signal, of the unit's
        own standard deviation for units, of the log rate for Poisson units.
    mixing
        "none" (each unit sees one coordinate), "linear" or "nonlinear".
    observation
        "gaussian" or "poisson" (counts).
    rate
        Samples per second.
    dt
        Lorenz time between two samples; one turn of a wing takes about 0.75.
    n_trials
        Trials of equal length, each from its own start; None for one trajectory without trials.
    process_noise
        Standard deviation, in Lorenz units, of what is added to the state itself after the step to
        each sample. Measured against the drift over `dt` it decides whether plain contrastive
        learning can find the latent (González Laiz et al. 2025).
    method
        "rk4" (classical Runge–Kutta of fourth order) or "euler"; both in steps of at most 0.01.

    Returns
    -------
    Recording
        Without labels; `.truth` (time, 3) is the trajectory, with process noise, without `noise`.

    Raises
    ------
    DataError
        An option does not exist or contradicts another.

    Notes
    -----
    Without process noise its Kaplan–Yorke dimension is 2.062 and its correlation dimension 2.055 ±
    .004 (Sprott, *Chaos and Time-Series Analysis*, 2003). PCA on the bare signal is a rotation and
    so trivially perfect: compare methods on `mixing="nonlinear"` or on Poisson counts.

    References
    ----------
    González Laiz, Schmidt & Schneider, ICLR 2025 (arXiv 2410.14673): `process_noise`, "euler".

    Examples
    --------
    >>> recording = lorenz(seed=0, n_samples=300, n_units=20, mixing="nonlinear", n_trials=3)
    >>> recording.signal.shape, recording.truth.shape, len(recording.trials)
    ((300, 20), (300, 3), 3)
    """
    check_count("n_samples", n_samples, at_least=2)
    check_options(n_units, mixing, observation, noise)
    check_positive(rate=rate, dt=dt)
    if method not in METHODS:
        raise DataError(f"method must be one of {tuple(METHODS)}, got {method!r}")
    if not (np.isfinite(process_noise) and process_noise >= 0):
        raise DataError(
            f"process_noise is a standard deviation and must be 0 or more, got {process_noise!r}"
        )
    rng = np.random.default_rng(seed)
    trials, lengths = trial_table(n_samples, n_trials)
    start = rng.uniform([-10, -10, 15], [10, 10, 35], (len(lengths), 3))
    paths = _trajectories(start, int(lengths.max()), dt, METHODS[method], process_noise, rng)
    truth = np.concatenate([paths[:n, i] for i, n in enumerate(lengths)])
    signal = observe(
        truth, rng, n_units=n_units, mixing=mixing, observation=observation, noise=noise, rate=rate
    )
    return Recording(signal, rate, trials=trials, truth=truth, name="lorenz")


def _trajectories(
    start: NDArray,
    n: int,
    dt: float,
    advance: Advance,
    process_noise: float,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """(n, start, 3) samples `dt` apart, after a transient without noise."""
    substeps = int(np.ceil(dt / LONGEST_STEP))
    settle = int(np.ceil(TRANSIENT / LONGEST_STEP))
    state = advance(start, LONGEST_STEP, settle)
    path = np.empty((n, *start.shape))
    for i in range(n):
        path[i] = state
        state = advance(state, dt / substeps, substeps)
        if process_noise > 0:
            state = state + process_noise * rng.standard_normal(state.shape)
    return path


def _runge_kutta(state: NDArray, step: float, n_steps: int) -> NDArray:
    """`n_steps` classical Runge–Kutta steps of states (..., 3)."""
    for _ in range(n_steps):
        k1 = _velocity(state)
        k2 = _velocity(state + 0.5 * step * k1)
        k3 = _velocity(state + 0.5 * step * k2)
        k4 = _velocity(state + step * k3)
        state = state + step / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return state


def _euler(state: NDArray, step: float, n_steps: int) -> NDArray:
    for _ in range(n_steps):
        state = state + step * _velocity(state)
    return state


def _velocity(state: NDArray) -> NDArray:
    x, y, z = state[..., 0], state[..., 1], state[..., 2]
    return np.stack([SIGMA * (y - x), x * (RHO - z) - y, x * y - BETA * z], axis=-1)


METHODS: dict[str, Advance] = {"rk4": _runge_kutta, "euler": _euler}
