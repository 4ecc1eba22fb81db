"""A rat that runs laps on a linear track, and its place cells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import DataError
from ..recording import Recording
from ._observe import check_count, check_positive

if TYPE_CHECKING:
    from ..session import Session

BIDIRECTIONAL = 0.3
"""Share of cells with the same field in both directions."""

OUTBOUND, INBOUND = 0, 1


@dataclass(frozen=True)
class _Run:
    """Where the rat is at every sample; `lap` is -1 in the pauses at the ends of the track."""

    position: NDArray[np.float64]
    direction: NDArray[np.int64]
    lap: NDArray[np.int64]


def place_cells(
    seed: int = 0,
    *,
    n_laps: int = 60,
    n_units: int | None = 60,
    rate: float = 40.0,
    noise: float = 0.3,
    drift: float = 0.2,
    track: float = 1.6,
    speed: float = 0.4,
    pause: float = 2.0,
) -> Recording:
    """Spike counts of place cells while a rat runs up and down a linear track.

    counts ~ Poisson(λ / rate) with, for unit i at position x running in direction d,

        λ = g · (b_i + p_id exp(−(x − c_id)² / 2 w_i²)).

    The gain log g is the sum of a slow drift and of one draw per lap. In the pauses the rat sits at
    an end of the track and only the baseline b_i fires.

    Parameters
    ----------
    seed
        Same seed, same recording.
    n_laps
        Single runs from one end to the other; directions alternate.
    n_units
        Number of cells; None gives position and direction themselves, with `noise` added.
    rate
        Samples per second.
    noise
        Standard deviation over laps of the log rate of each unit.
    drift
        Standard deviation of the slow drift of the log rate of each unit over the session.
    track
        Length in m.
    speed
        Median over laps of the mean speed, m/s.
    pause
        Mean time at an end before, between and after laps, s; 0 for none.

    Returns
    -------
    Recording
        Labels `position` (m, continuous) and `direction` (0 outbound, towards larger positions;
        1 inbound); trials are laps, with the column `direction`; pauses lie outside every trial;
        events `lap start`; `channels` holds the true fields (centre_0, centre_1, peak_0, peak_1,
        width in m and Hz, baseline); `.truth` (time, 2) is position and direction.

    Raises
    ------
    DataError
        A number is out of its range.

    Notes
    -----
    Easier than an animal: no theta, no replay, no remapping, no spikes of one unit in another. For
    tests and for learning the tools, not for choosing a method for real data. Place fields:
    O'Keefe & Dostrovsky, Brain Research 34, 171 (1971).

    Examples
    --------
    >>> recording = place_cells(seed=0, n_laps=4, n_units=10)
    >>> recording.trials["direction"].tolist(), recording.n_channels
    ([0, 1, 0, 1], 10)
    """
    _check(n_laps, n_units, noise, drift, pause, rate=rate, track=track, speed=speed)
    rng = np.random.default_rng(seed)
    run = _run(rng, n_laps, rate, track, speed, pause)
    truth = np.column_stack([run.position, run.direction])
    if n_units is None:
        fields = pd.DataFrame(index=pd.Index(["position", "direction"], name="channel"))
        signal = truth + noise * rng.standard_normal(truth.shape)
    else:
        fields = _fields(rng, n_units, track)
        expected = _firing_rates(run, fields) * _gain(run, rng, n_units, noise, drift) / rate
        signal = rng.poisson(expected).astype(np.float32)
    trials = _laps(run)
    return Recording(
        signal,
        rate,
        start=0.5 / rate,
        labels={"position": run.position, "direction": run.direction},
        trials=trials,
        events={"lap start": trials["start"].to_numpy() / rate},
        channels=fields,
        truth=truth,
        name="place cells",
        subject="simulated rat",
    )


def place_cells_session(seed: int = 0, **options) -> Session:
    """The same session as spike times and positions on their own clocks, as a file would hold it.

    Takes the options of `place_cells` (`n_units` must be a number, else `DataError`). Binned at
    1 / `rate` it gives the same counts.

    >>> session = place_cells_session(seed=0, n_laps=4, n_units=10)
    >>> session.trials["direction"].tolist()
    [0, 1, 0, 1]
    """
    import pynapple as nap

    from ..session import Session, spike_group

    if options.get("n_units", 1) is None:
        raise DataError("a session holds spikes; n_units=None has none, say n_units=60")
    recording = place_cells(seed, **options)
    spikes = _spike_times(recording, np.random.default_rng([seed, 1]))
    end = recording.n_samples / recording.rate
    # The tracker runs one sample longer than the cells, so that no bin lies past its last sample.
    clock = np.append(recording.time, end + 0.5 / recording.rate)
    x = recording.labels["position"]
    position = nap.Tsd(clock, np.append(x, x[-1]), time_support=nap.IntervalSet(0.0, clock[-1]))
    assert recording.trials is not None
    seconds = {c: recording.trials[c] / recording.rate for c in ("start", "stop")}
    return Session(
        units=spike_group(dict(enumerate(spikes)), recording.channels, (0.0, end)),
        series={"position": position},
        events=recording.events,
        trials=recording.trials.assign(**seconds),
        name=recording.name,
        subject=recording.subject,
        provenance=({"step": "simulate", "name": "place_cells", "seed": seed, **options},),
    )


def _check(n_laps, n_units, noise: float, drift: float, pause: float, **positive: float) -> None:
    check_count("n_laps", n_laps)
    if n_units is not None:
        check_count("n_units", n_units)
    check_positive(**positive)
    for name, value in {"noise": noise, "drift": drift, "pause": pause}.items():
        if not (np.isfinite(value) and value >= 0):
            raise DataError(f"{name} must be 0 or more, got {value!r}")


def _run(
    rng: np.random.Generator, n_laps: int, rate: float, track: float, speed: float, pause: float
) -> _Run:
    def wait(end: float, direction: int):
        n = round(pause * rng.uniform(0.5, 1.5) * rate)
        return np.full(n, end), np.full(n, direction), np.full(n, -1)

    parts = [wait(0.0, OUTBOUND)]
    for lap in range(n_laps):
        direction = lap % 2
        seconds = track / speed * np.exp(0.15 * rng.standard_normal())
        x = track * _lap_profile(rng, max(round(seconds * rate), 2))
        x = track - x if direction == INBOUND else x
        parts.append((x, np.full(len(x), direction), np.full(len(x), lap)))
        parts.append(wait(0.0 if direction == INBOUND else track, 1 - direction))
    return _Run(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _lap_profile(rng: np.random.Generator, n: int) -> NDArray[np.float64]:
    """Share of the track run by the middle of each of n bins; smooth speed, 0 at the ends."""
    u = (np.arange(n) + 0.5) / n
    ramp = (1 - np.exp(-u / 0.08)) * (1 - np.exp(-(1 - u) / 0.08))
    waves = [
        0.25 * rng.standard_normal() * np.sin(np.pi * k * u + rng.uniform(0, 2 * np.pi))
        for k in (1, 2, 3)
    ]
    v = ramp * np.exp(sum(waves))
    return (np.cumsum(v) - v / 2) / v.sum()


def _laps(run: _Run) -> pd.DataFrame:
    laps = np.unique(run.lap[run.lap >= 0])
    start = np.searchsorted(np.maximum.accumulate(run.lap), laps)
    stop = start + np.bincount(run.lap[run.lap >= 0])
    return pd.DataFrame({"start": start, "stop": stop, "direction": run.direction[start]})


def _fields(rng: np.random.Generator, n_units: int, track: float) -> pd.DataFrame:
    """True place fields; widths are standard deviations."""
    centre = rng.uniform(0, track, (2, n_units))
    peak = 12.0 * np.exp(0.6 * rng.standard_normal((2, n_units)))
    both = rng.random(n_units) < BIDIRECTIONAL
    centre[1] = np.where(both, centre[0], centre[1])
    tonic = rng.random(n_units) < 0.3
    return pd.DataFrame(
        {
            "centre_0": centre[OUTBOUND],
            "centre_1": centre[INBOUND],
            "peak_0": peak[OUTBOUND],
            "peak_1": peak[INBOUND],
            "width": rng.uniform(0.10, 0.20, n_units),
            "baseline": np.where(tonic, rng.uniform(1.0, 4.0, n_units), 0.1),
        },
        index=pd.RangeIndex(n_units, name="channel"),
    )


def _firing_rates(run: _Run, fields: pd.DataFrame) -> NDArray[np.float64]:
    """λ / g in Hz, (time, unit)."""
    f = {name: column.to_numpy() for name, column in fields.items()}
    outbound = (run.direction == OUTBOUND)[:, None]
    centre = np.where(outbound, f["centre_0"], f["centre_1"])
    peak = np.where(outbound, f["peak_0"], f["peak_1"])
    bump = peak * np.exp(-0.5 * ((run.position[:, None] - centre) / f["width"]) ** 2)
    return f["baseline"] + bump * (run.lap >= 0)[:, None]


def _gain(
    run: _Run, rng: np.random.Generator, n_units: int, noise: float, drift: float
) -> NDArray[np.float64]:
    """exp of a slow wave (half to one period a session) and of one draw a lap and unit."""
    t = np.linspace(0, 1, len(run.lap))[:, None]
    phase, periods = rng.uniform(0, 2 * np.pi, n_units), rng.uniform(0.5, 1.0, n_units)
    wave = np.sqrt(2) * np.sin(2 * np.pi * periods * t + phase)
    per_lap = rng.standard_normal((run.lap.max() + 1, n_units))
    return np.exp(drift * wave + noise * per_lap[run.lap] * (run.lap >= 0)[:, None])


def _spike_times(recording: Recording, rng: np.random.Generator) -> list[NDArray[np.float64]]:
    """Each count as that many times inside its bin, clear of the edges that binning rounds at."""
    times = []
    for counts in np.asarray(recording.signal).T:
        bins = np.repeat(np.arange(recording.n_samples), counts.astype(np.int64))
        times.append(np.sort(bins + rng.uniform(0.01, 0.99, len(bins))) / recording.rate)
    return times
