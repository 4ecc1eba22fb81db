"""Embeddings with a known truth for the tests of scores."""

import numpy as np
import xarray as xr

N_TRIALS, LENGTH = 20, 40


def laps(n_trials=N_TRIALS, length=LENGTH):
    """Position of stereotyped laps, and the trial of every sample."""
    return np.tile(np.linspace(0, 1, length), n_trials), np.repeat(np.arange(n_trials), length)


def curve(position):
    return np.column_stack([np.cos(3 * position), np.sin(3 * position), position**2])


def noise(n, dimension=3, seed=0):
    return np.random.default_rng(seed).normal(size=(n, dimension))


def embedding(z, trials=None, attrs=None, **labels):
    coords = {"time": np.arange(len(z)) / 10, "latent": np.arange(z.shape[1])}
    coords |= {k: ("time", v) for k, v in labels.items()}
    if trials is not None:
        coords["trial"] = ("time", trials)
    return xr.DataArray(z, dims=("time", "latent"), coords=coords, attrs=attrs or {})


def smooth_noise(rng, n_trials, length, width=15):
    """Labels that are autocorrelated inside a trial and independent between trials."""
    white = rng.normal(size=(n_trials, length + width))
    kernel = np.ones(width) / np.sqrt(width)
    rows = [np.convolve(row, kernel, mode="same")[:length] for row in white]
    return np.concatenate(rows)
