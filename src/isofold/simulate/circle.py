"""A point that runs round a circle or an ellipse."""

from __future__ import annotations

import numpy as np

from ..recording import Recording
from ._angle import running_angle
from ._observe import check_count, check_options, check_positive, observe, trial_table


def circle(
    seed: int = 0,
    *,
    n_samples: int = 4000,
    n_units: int | None = None,
    radius: float = 1.0,
    ellipse: float = 1.0,
    noise: float = 0.05,
    mixing: str = "none",
    observation: str = "gaussian",
    rate: float = 40.0,
    n_trials: int | None = None,
    turns: float = 0.5,
) -> Recording:
    """A circle or ellipse, run through at uneven speed, as itself or as units see it.

    Truth (time, 2) = radius · (cos θ, ellipse · sin θ); θ starts at random in each trial and
    advances 2π · `turns` rad/s times a log-normal speed.

    Parameters
    ----------
    seed
        Same seed, same recording.
    n_samples
        Samples in all trials together.
    n_units
        Number of units; None gives the two coordinates themselves.
    radius, ellipse
        Half axis along x, and the ratio of the other half axis to it.
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
        Mean number of turns per second.

    Returns
    -------
    Recording
        With the circular label `angle` (rad, in [0, 2π)) and `.truth`.

    Raises
    ------
    DataError
        An option does not exist or contradicts another.

    Notes
    -----
    The bare circle is linear: PCA finds it. Compare methods on `mixing="nonlinear"`.

    Examples
    --------
    >>> recording = circle(seed=0, n_samples=100, radius=2.0, noise=0.0)
    >>> bool(np.allclose(np.hypot(*recording.signal.T), 2.0))
    True
    """
    check_count("n_samples", n_samples, at_least=2)
    check_options(n_units, mixing, observation, noise)
    check_positive(radius=radius, ellipse=ellipse, rate=rate, turns=turns)
    rng = np.random.default_rng(seed)
    trials, lengths = trial_table(n_samples, n_trials)
    angle = np.concatenate([running_angle(int(n), turns / rate, rng) for n in lengths])
    truth = radius * np.column_stack([np.cos(angle), ellipse * np.sin(angle)])
    signal = observe(
        truth, rng, n_units=n_units, mixing=mixing, observation=observation, noise=noise, rate=rate,
        keep_shape=ellipse != 1,
    )  # fmt: skip
    return Recording(
        signal,
        rate,
        labels={"angle": np.mod(angle, 2 * np.pi)},
        kinds={"angle": "circular"},
        trials=trials,
        truth=truth,
        name="circle",
    )
