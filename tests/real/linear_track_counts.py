"""The linear-track recording as counts and labels, read from the raw files as SOURCE.md says."""

from pathlib import Path

import numpy as np
from scipy.io import loadmat
from scipy.ndimage import gaussian_filter1d

FOLDER = Path(__file__).parents[2] / "../shared/data/nelpy_linear_track"
FIRST, LAST, BIN, CLOCK = 4443, 5362, 750, 30_000


def running_counts(window_bins: int):
    """Counts summed over a centred window, position s, direction, pass of the running bins."""
    counts, s, passes, direction = _bins()
    speed = np.gradient(gaussian_filter1d(s, 4)) / 0.025 * direction
    out = np.zeros_like(counts)
    for number in range(passes.max() + 1):  # windows stay inside a pass
        rows = np.flatnonzero(passes == number)
        kernel = np.ones(window_bins)
        for unit in range(counts.shape[1]):
            out[rows, unit] = np.convolve(counts[rows, unit], kernel, mode="full")[
                (window_bins - 1) // 2 : (window_bins - 1) // 2 + len(rows)
            ]
    keep = (passes >= 0) & (speed > 30)
    return out[keep], s[keep], direction[keep], passes[keep]


def _bins():
    n = (LAST - FIRST) * CLOCK // BIN
    counts = np.zeros((n, 31))
    for unit, ticks in enumerate(_spike_ticks()):
        bins = (ticks - FIRST * CLOCK) // BIN
        np.add.at(counts[:, unit], bins[(bins >= 0) & (bins < n)], 1)
    time, x, y = _position()
    centre = FIRST + (np.arange(n) + 0.5) * BIN / CLOCK
    s = 0.798 * np.interp(centre, time, x) + 0.603 * np.interp(centre, time, y)
    passes, direction = np.full(n, -1), np.zeros(n, np.int64)
    for number, (start, stop, way) in enumerate(_passes(time, x)):
        inside = (centre >= start) & (centre < stop)
        passes[inside], direction[inside] = number, way
    return counts, s, passes, direction


def _spike_ticks():
    tetrodes = loadmat(FOLDER / "spikes.mat")["spikes"][0, 0][0, 0]
    ticks = []
    for tetrode in tetrodes.ravel():
        for cluster in tetrode.ravel():
            if cluster.size and cluster["time"][0, 0].size:
                ticks.append(np.round(cluster["time"][0, 0].ravel() * CLOCK).astype(np.int64))
    return ticks


def _position():
    raw = (FOLDER / "trajectory.videoPositionTracking").read_bytes()
    start = raw.index(b"<End settings>\n") + len(b"<End settings>\n")
    fields = [("time", "<u4"), ("x", "<u2"), ("y", "<u2"), ("x2", "<u2"), ("y2", "<u2")]
    table = np.frombuffer(raw, np.dtype(fields), offset=start)
    table = table[np.concatenate([[True], np.diff(table["time"].astype(np.int64)) > 0])]
    return table["time"] / CLOCK, table["x"].astype(float), table["y"].astype(float)


def _passes(time, x):
    on = (time >= FIRST) & (time < LAST)
    time, x = time[on], x[on]
    end = np.where(x < 160, -1, np.where(x > 450, 1, 0))
    at = np.flatnonzero(end)
    turns = np.flatnonzero(np.diff(end[at]) != 0)
    return [(time[at[i]], time[at[i + 1]], int(end[at[i + 1]])) for i in turns]
