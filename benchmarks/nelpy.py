"""The two nelpy example recordings (rat CA1) as sessions.

Repository github.com/nelpy/example-data, folders `linear-track` and `w-maze` (MIT). Each holds
`spikes.mat` and `trajectory.videoPositionTracking` on one clock of 30,000 ticks a second; positions
are camera pixels.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pynapple as nap
from numpy.typing import NDArray
from scipy.io import loadmat
from scipy.ndimage import gaussian_filter1d

from isofold import Session
from isofold.session import spike_group
from isofold.trials import runs

TICKS = 30_000
BIN = 750
"""Ticks of 25 ms: speed is taken on this grid."""

RECORD = np.dtype([("time", "<u4"), ("x", "<u2"), ("y", "<u2"), ("x2", "<u2"), ("y2", "<u2")])
TRACK_ON, TRACK = (4422.87, 5382.25), (4443, 5362)
"""When the rat is on the linear track, and the part without being put down and picked up."""

TRACK_AXIS = (0.798, 0.603)
RUNS = ((118, 1168), (2235, 3402))
MULTI_UNIT = 19
"""W maze: the unsorted remainder of a tetrode (107 Hz)."""


class Trajectory(NamedTuple):
    tick: NDArray[np.int64]
    x: NDArray[np.float64]
    y: NDArray[np.float64]

    @property
    def t(self) -> NDArray[np.float64]:
        return self.tick / TICKS


def records(path: Path) -> NDArray:
    """The raw records that follow the text header."""
    raw = path.read_bytes()
    end = b"<End settings>\n"
    return np.frombuffer(raw, RECORD, offset=raw.index(end) + len(end))


def trajectory(folder: Path) -> Trajectory:
    """Position of the LED; a record that repeats the time of the one before it is dropped."""
    raw = records(folder / "trajectory.videoPositionTracking")
    tick = raw["time"].astype(np.int64)
    keep = np.concatenate([[True], np.diff(tick) > 0])
    return Trajectory(tick[keep], raw["x"][keep].astype(float), raw["y"][keep].astype(float))


def spikes(folder: Path) -> tuple[dict[int, NDArray], pd.DataFrame]:
    """Unit number → times in s, and tetrode and cluster of each; clusters without spikes go."""
    times, rows = {}, []
    tetrodes = loadmat(folder / "spikes.mat")["spikes"][0, 0][0, 0]
    for tetrode, clusters in enumerate(tetrodes.ravel()):
        for cluster, held in enumerate(clusters.ravel()):
            if held.size and held["time"][0, 0].size:
                times[len(times)] = held["time"][0, 0].ravel()
                rows.append({"tetrode": tetrode, "cluster": cluster})
    return times, pd.DataFrame(rows)


def linear_track(folder: Path) -> Session:
    """Passes along the track as trials ("direction" right or left), running bouts as intervals."""
    path = trajectory(folder)
    on = (path.t >= TRACK_ON[0]) & (path.t <= TRACK_ON[1])
    position = TRACK_AXIS[0] * path.x + TRACK_AXIS[1] * path.y
    laps = passes(path)
    centre, (s,) = on_bins(path, [position], *TRACK)
    speed = np.gradient(gaussian_filter1d(s, 4)) / (BIN / TICKS)
    sign = np.where(laps["direction"] == "right", 1, -1)
    running = bouts(TRACK, laps, lambda lap, rows: sign[lap] * speed[rows] > 30)
    times, table = spikes(folder)
    return Session(
        units=spike_group(times, table, support=clock(path, times)),
        series={
            "xy": nap.TsdFrame(t=path.t, d=np.column_stack([path.x, path.y]), columns=["x", "y"]),
            "position": nap.Tsd(t=path.t[on], d=position[on]),
            "speed": nap.Tsd(t=centre, d=speed),
        },
        trials=laps,
        intervals={"laps": laps, "running": running, "run": interval(*TRACK)},
        name="linear-track",
        subject="install",
        metadata={"session_description": "rat CA1, linear track, positions in camera pixels"},
    )


def w_maze(folder: Path) -> Session:
    """Trips between arm ends as trials ("type" such as RM, "run" 1 or 2); unit 19 is dropped."""
    path = trajectory(folder)
    each, bouts_of = [], []
    speeds = []
    for number, span in enumerate(RUNS, start=1):
        table = trips(path, span).assign(run=number)
        centre, (x, y) = on_bins(path, [path.x, path.y], *span)
        dx, dy = (np.gradient(gaussian_filter1d(v, 4)) / (BIN / TICKS) for v in (x, y))
        speed = np.hypot(dx, dy)
        speeds.append((centre, speed))
        bouts_of.append(bouts(span, table, lambda trip, rows, v=speed: v[rows] > 20))
        each.append(table)
    times, table = spikes(folder)
    times = {k: v for k, v in times.items() if k != MULTI_UNIT}
    trials = pd.concat(each, ignore_index=True).rename_axis("trial")
    on = np.zeros(len(path.t), bool)
    for start, stop in RUNS:
        on |= (path.t >= start - 1) & (path.t <= stop + 1)
    t, v = (np.concatenate(p) for p in zip(*speeds, strict=True))
    place = np.column_stack([path.x[on], path.y[on]])
    return Session(
        units=spike_group(times, table.loc[list(times)], support=clock(path, times)),
        series={
            "position": nap.TsdFrame(t=path.t[on], d=place, columns=["x", "y"]),
            "speed": nap.Tsd(t=t, d=v),
        },
        trials=trials,
        intervals={
            "running": pd.concat(bouts_of, ignore_index=True),
            "run1": interval(*RUNS[0]),
            "run2": interval(*RUNS[1]),
        },
        name="w-maze",
        subject="install",
        metadata={"session_description": "rat CA1, W maze, positions in camera pixels"},
    )


def passes(path: Trajectory, low: float = 160, high: float = 450) -> pd.DataFrame:
    """From the last sample in one end of the track to the first following one in the other."""
    inside = (path.t >= TRACK[0]) & (path.t <= TRACK[1])
    t, x = path.t[inside], path.x[inside]
    end = np.where(x < low, -1, np.where(x > high, 1, 0))
    first, last = _crossings(end)
    direction = np.where(end[last] > 0, "right", "left")
    return pd.DataFrame({"start": t[first], "stop": t[last], "direction": direction})


def trips(path: Trajectory, span: tuple[float, float]) -> pd.DataFrame:
    """From the last sample at one arm's end to the first at a different one."""
    inside = (path.t >= span[0]) & (path.t <= span[1])
    t, x, y = path.t[inside], path.x[inside], path.y[inside]
    arm = np.where(x < 305, 1, np.where(x < 420, 2, 3))
    end = np.where(y > 380, arm, 0)
    first, last = _crossings(end)
    letter = np.array(["", "L", "M", "R"])
    kind = np.char.add(letter[end[first]], letter[end[last]])
    return pd.DataFrame({"start": t[first], "stop": t[last], "type": kind})


def _crossings(end: NDArray) -> tuple[NDArray, NDArray]:
    """Samples at which one end is left for, and another end reached (0: at no end)."""
    at = np.flatnonzero(end)
    changed = np.flatnonzero(end[at][1:] != end[at][:-1])
    return at[changed], at[changed + 1]


def on_bins(path: Trajectory, values: list[NDArray], start: float, stop: float):
    """Centres of the 25 ms bins between start and stop, and values interpolated there."""
    n = round((stop - start) * TICKS) // BIN
    centre = (start * TICKS + BIN * np.arange(n) + BIN / 2) / TICKS
    return centre, [np.interp(centre, path.t, v) for v in values]


def bouts(span: tuple[float, float], trials: pd.DataFrame, runs_in) -> pd.DataFrame:
    """Runs of bins inside a trial in which `runs_in(trial, rows)` holds, as intervals."""
    origin, rows = span[0] * TICKS, []
    for trial, (start, stop) in enumerate(zip(trials["start"], trials["stop"], strict=True)):
        ticks = np.rint(np.array([start, stop]) * TICKS) - origin
        first, last = np.ceil(ticks / BIN - 0.5).astype(int)
        a, b = runs(runs_in(trial, slice(first, last)))
        rows += [
            (origin + BIN * (first + i), origin + BIN * (first + j))
            for i, j in zip(a, b, strict=True)
        ]
    return pd.DataFrame(np.array(rows) / TICKS, columns=["start", "stop"])


def clock(path: Trajectory, times: dict[int, NDArray]) -> tuple[float, float]:
    """From the first to the last of all times: spikes begin before the camera."""
    ends = [path.t[[0, -1]], *(t[[0, -1]] for t in times.values())]
    return min(e[0] for e in ends), max(e[1] for e in ends)


def interval(start: float, stop: float) -> pd.DataFrame:
    return pd.DataFrame({"start": [float(start)], "stop": [float(stop)]})
