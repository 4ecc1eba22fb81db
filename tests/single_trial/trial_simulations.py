"""Simulated trials with a known answer, and what a calibrated rate may be."""

from __future__ import annotations

import numpy as np
import xarray as xr
from scipy.ndimage import gaussian_filter1d
from scipy.stats import binom


def noise(rng, n_trials, n_times, n_channels, smooth=1.5):
    """Smooth Gaussian noise of standard deviation 1."""
    x = rng.normal(size=(n_trials, n_times, n_channels))
    x = gaussian_filter1d(x, smooth, axis=1, mode="wrap")
    return x / gaussian_filter1d(np.eye(n_times)[0], smooth, mode="wrap").__pow__(2).sum() ** 0.5


def tensor(values, **columns):
    """With time from -1 s at 20 Hz, and trial columns."""
    values = np.asarray(values, dtype=float)
    coords = {"trial": np.arange(len(values)), "time": np.arange(values.shape[1]) / 20 - 1}
    coords |= {k: ("trial", np.asarray(v)) for k, v in columns.items()}
    coords["channel"] = [f"ch{k}" for k in range(values.shape[2])]
    return xr.DataArray(values, dims=("trial", "time", "channel"), coords=coords)


def two_conditions(rng, n_trials=60, n_times=40, n_channels=3, effect=1.0):
    """From 0 s on, "go" trials rise by `effect` in channel 0."""
    side = np.resize(["go", "stop"], n_trials)
    x = noise(rng, n_trials, n_times, n_channels)
    x[np.ix_(side == "go", np.arange(20, n_times), [0])] += effect
    return tensor(x, side=side, animal=np.repeat(list("abcdef"), -(-n_trials // 6))[:n_trials])


def plausible(hits, n, rate):
    """Whether as many of n null data sets are called, at this rate: 1 in 1,000 each way."""
    return binom.ppf(0.001, n, rate) <= hits <= binom.ppf(0.999, n, rate)
