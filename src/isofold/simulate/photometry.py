"""Fiber photometry with known bleaching, motion, transients and responses to trials."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import DataError
from ..recording import Recording
from ._observe import check_count, check_positive

if TYPE_CHECKING:
    from ..session import Session

CONDITIONS = {"CS+": 1.0, "CS-": 0.2}
"""Mean response to the cue of each kind of trial, in units of `response`."""

DECAY = 0.8
RISE = 0.15
"""Time constants of a transient, s."""

MOTION_BAND = 0.05
"""Hz; faster movements leave jerks, slower ones drift."""

CONTROL_GAIN = 0.7
"""Motion in the control over motion in the signal: a regression slope of 1 / 0.7 is right."""


def photometry(
    seed: int = 0,
    *,
    duration: float = 1800.0,
    rate: float = 20.0,
    n_fibers: int = 2,
    noise: float = 0.005,
    bleaching: float = 0.4,
    brightening: float = 0.05,
    motion: float = 0.01,
    transients: float = 0.05,
    response: float = 0.05,
    variability: float = 0.5,
    interval: float = 12.0,
) -> Recording:
    """Signal and control of fibers in an animal that does a task.

        signal  = F₀(t) (1 + activity + motion) + noise
        control = C₀(t) (1 + 0.7 · motion) + noise

    Activity is the sum of transients at random times and of a response to the cue of each trial,
    rising in 0.15 s and falling with 0.8 s. F₀ and C₀ are two exponentials, slow and fast, times a
    brightening. Motion is a slow drift and jerks, shared by signal and control of a fiber.

    Parameters
    ----------
    seed
        Same seed, same recording.
    duration
        Seconds.
    rate
        Samples per second.
    n_fibers
        Fibers; each has a signal and a control channel.
    noise
        Standard deviation of noise of a sample, as a share of F₀.
    bleaching, brightening
        Share of F₀ that is bleached away, and share by which it brightens.
    motion
        Standard deviation of motion, ΔF/F.
    transients
        Mean rate of transients that no cue calls, per second; their sizes are exponential with the
        mean `response`.
    response
        Mean size of the response to a CS+, ΔF/F; to a CS−, a fifth of it.
    variability
        Standard deviation over trials of the response's size, relative to its mean.
    interval
        Mean time between cues, s.

    Returns
    -------
    Recording
        Channels `Fiber_0 signal`, `Fiber_0 control`, … in counts; `.truth` (time, fiber) is the
        true dF/F, activity alone. Trials run from 2 s before the cue to 6 s after it, with the
        columns `condition` ("CS+", "CS-") and `amplitude`, the true size of that trial's response
        in ΔF/F, shared by all fibers. Event `cue`. `channels` has the columns fiber and kind.

    Raises
    ------
    DataError
        A number is out of its range.

    Notes
    -----
    Kinder than a brain: noise is white, motion reaches control and signal in one proportion, and
    the control sees no activity at all.

    Examples
    --------
    >>> recording = photometry(seed=0, duration=300.0)
    >>> recording.n_channels, recording.truth.shape
    (4, (6000, 2))
    """
    _check(
        n_fibers, bleaching,
        {"noise": noise, "brightening": brightening, "motion": motion, "transients": transients,
         "response": response, "variability": variability},
        duration=duration, rate=rate, interval=interval,
    )  # fmt: skip
    rng = np.random.default_rng(seed)
    n = int(duration * rate)
    t = np.arange(n) / rate
    trials = _trials(rng, duration, interval, response, variability)
    signal, truth = np.empty((n, 2 * n_fibers), np.float32), np.empty((n, n_fibers), np.float32)
    for k in range(n_fibers):
        activity = _activity(rng, t, rate, trials, transients, response)
        moved = motion * _motion(rng, n, rate)
        f0, c0 = (_fluorescence(rng, t, bleaching, brightening) for _ in range(2))
        signal[:, 2 * k] = f0 * (1 + activity + moved + noise * rng.standard_normal(n))
        signal[:, 2 * k + 1] = c0 * (1 + CONTROL_GAIN * moved + noise * rng.standard_normal(n))
        truth[:, k] = activity
    return Recording(
        signal,
        rate,
        trials=_in_samples(trials, rate),
        events={"cue": trials["cue"].to_numpy()},
        channels=_channel_table(n_fibers),
        truth=truth,
        name="photometry",
        subject="simulated mouse",
    )


def photometry_session(seed: int = 0, **options) -> Session:
    """The same as raw series, for the cleaning step: "470" and "415", time × fiber, and `truth`.

    Takes the options of `photometry`. The truth is the series `truth`, dF/F of activity alone.

    >>> session = photometry_session(seed=0, duration=60.0)
    >>> list(session.series), list(session.series["470"].columns)
    (['470', '415', 'truth'], ['Fiber_0', 'Fiber_1'])
    """
    import pynapple as nap

    from ..session import Session

    recording = photometry(seed, **options)
    fibers = list(dict.fromkeys(recording.channels["fiber"]))
    t, x = recording.time, np.asarray(recording.signal)
    data = {"470": x[:, 0::2], "415": x[:, 1::2], "truth": recording.truth}
    assert recording.trials is not None
    seconds = {c: recording.trials[c] / recording.rate for c in ("start", "stop")}
    return Session(
        series={k: nap.TsdFrame(t=t, d=v, columns=fibers) for k, v in data.items()},
        events=recording.events,
        trials=recording.trials.assign(**seconds, cue=recording.events["cue"]),
        name=recording.name,
        subject=recording.subject,
        provenance=({"step": "simulate", "name": "photometry", "seed": seed, **options},),
    )


def _check(n_fibers: int, bleaching: float, shares: dict[str, float], **positive: float) -> None:
    check_count("n_fibers", n_fibers)
    check_positive(**positive)
    for name, value in shares.items():
        if not (np.isfinite(value) and value >= 0):
            raise DataError(f"{name} must be 0 or more, got {value!r}")
    if not 0 <= bleaching < 1:
        raise DataError(f"bleaching is a share and must be in [0, 1), got {bleaching!r}")


def _trials(
    rng: np.random.Generator, duration: float, interval: float, response: float, variability: float
) -> pd.DataFrame:
    """Cues at random intervals of at least 8.5 s, so that trials do not touch."""
    most = int(duration / 8.5) + 1
    cue = 10.0 + np.cumsum(8.5 + rng.exponential(max(interval - 8.5, 0.1), most))
    cue = np.round(cue[cue < duration - 7], 3)
    kind = rng.permutation(np.resize(list(CONDITIONS), len(cue)))
    mean = response * np.array([CONDITIONS[k] for k in kind])
    spread = 1 + variability * rng.standard_normal(len(cue))
    return pd.DataFrame({"cue": cue, "condition": kind, "amplitude": mean * np.maximum(spread, 0)})


def _activity(
    rng: np.random.Generator,
    t: NDArray,
    rate: float,
    trials: pd.DataFrame,
    transients: float,
    response: float,
) -> NDArray[np.float64]:
    """Every event as e^(−u/0.8) − e^(−u/0.15) since its time, brought to a peak of 1."""
    when = rng.uniform(0, len(t) / rate, rng.poisson(transients * len(t) / rate))
    when = np.concatenate([when, trials["cue"].to_numpy()])
    size = np.concatenate(
        [rng.exponential(response, len(when) - len(trials)), trials["amplitude"].to_numpy()]
    )
    peak_time = np.log(DECAY / RISE) / (1 / RISE - 1 / DECAY)
    peak = np.exp(-peak_time / DECAY) - np.exp(-peak_time / RISE)
    out = np.zeros(len(t))
    for at, a in zip(when, size, strict=True):
        first = int(np.ceil(at * rate - 1e-9))
        u = t[first : first + int(10 * DECAY * rate)] - at
        out[first : first + len(u)] += a / peak * (np.exp(-u / DECAY) - np.exp(-u / RISE))
    return out


def _motion(rng: np.random.Generator, n: int, rate: float) -> NDArray[np.float64]:
    """Slow drift and jerks of a few seconds, standard deviation 1."""
    from scipy.ndimage import gaussian_filter1d

    drift = gaussian_filter1d(rng.standard_normal(n), rate / (2 * np.pi * MOTION_BAND))
    jerks = np.where(rng.random(n) < 0.02 / rate, rng.standard_normal(n), 0.0)
    jerks = gaussian_filter1d(jerks, 0.5 * rate)
    unit = lambda x: x / (x.std() or 1.0)  # noqa: E731
    return unit(unit(drift - drift.mean()) + unit(jerks))


def _fluorescence(
    rng: np.random.Generator, t: NDArray, bleaching: float, brightening: float
) -> NDArray[np.float64]:
    """(1 + slow and fast decay) × brightening, from about 500 counts."""
    slow, fast = rng.uniform(2000, 4000), rng.uniform(100, 300)
    share = rng.uniform(0.6, 0.8)
    left = bleaching * (share * np.exp(-t / slow) + (1 - share) * np.exp(-t / fast))
    brighter = 1 - brightening * np.exp(-t / rng.uniform(800, 1600))
    return rng.uniform(400, 600) * (1 - bleaching + left) * brighter


def _in_samples(trials: pd.DataFrame, rate: float) -> pd.DataFrame:
    start = np.round((trials["cue"] - 2) * rate).astype(np.int64)
    return pd.DataFrame(
        {"start": start, "stop": start + round(8 * rate)}
        | {c: trials[c] for c in ("condition", "amplitude")}
    )


def _channel_table(n_fibers: int) -> pd.DataFrame:
    rows = [(f"Fiber_{k}", kind) for k in range(n_fibers) for kind in ("signal", "control")]
    names = pd.Index([f"{f} {kind}" for f, kind in rows], name="channel")
    return pd.DataFrame(rows, columns=["fiber", "kind"], index=names)
