"""Decode over time: from when on, and until when, a trial tells its class."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from threadpoolctl import threadpool_limits

from ..errors import DataError
from ..trials import Ints
from ._classify import Task, check_scale, scaled_within, task_of
from ._resample import check_draws
from ._tensor import Floats, as_tensor, in_window, times
from .decode_trials import N_CHANCE

LEVEL = 0.95


def decode_over_time(
    tensor: Any,
    label: Any,
    *,
    groups: Any = None,
    width: float = 0.0,
    window: tuple[float, float] | None = None,
    scale: str | None = None,
    balanced: bool = False,
    n_folds: int = 5,
    n_chance: int = N_CHANCE,
    seed: int = 0,
) -> xr.Dataset:
    """Accuracy with which a class of held-out trials is told at each time of the trial.

    At every time the classifier of `decode_trials` is fitted anew, to the channels at that time and
    in the stretch before it. The same permutations of labels are used at all times, so that the
    largest accuracy of chance over time is known too.

    Parameters
    ----------
    tensor
        (trial, time, channel or latent). A trial with missing samples (NaN) takes no part at the
        times that need them.
    label, groups, window, scale, balanced, n_folds
        As in `decode_trials`.
    width
        Seconds before each time whose samples are features too: causal. One fiber says more by its
        course than by its value.
    n_chance, seed
        Permutations of the labels within folds or groups.

    Returns
    -------
    xarray.Dataset
        Over time: `accuracy`; `low`, `high`, its 95 % bootstrap interval; `n` trials; of chance
        `chance_mean`, `chance_low`, `chance_high` (middle 95 % at that time) and `band`, above
        which the accuracy of chance rises at *any* time in 5 % of draws; `p` at that time, and
        `p_max`, corrected for all times. NaN where trials of two classes, or in two folds, lack.

    Raises
    ------
    DataError
        As `decode_trials`.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> cue = np.tile(["go", "stop"], 40)
    >>> x = rng.normal(size=(80, 6, 2))
    >>> x[cue == "go", 3:] += 1.5
    >>> (decode_over_time(x, cue, n_chance=100)["p_max"] < 0.05).values
    array([False, False, False,  True,  True,  True])
    """
    check_scale(scale, groups)
    check_draws(n_chance, "n_chance", least=1)
    if not (np.isfinite(width) and width >= 0):
        raise DataError(f"width is a time in seconds and must be 0 or more, got {width!r}")
    data = in_window(as_tensor(tensor), window)
    task, rows = task_of(data, label, groups, n_folds, balanced, seed)
    values = data.values[rows]
    if scale == "group" and task.groups is not None:
        values = scaled_within(values, task.groups)
    t = times(data)
    with threadpool_limits(1):  # small matrices: threads would only wait for one another
        found, limits, n = _at_each_time(values, t, task, width, n_chance, seed)
    return xr.Dataset(
        {k: ("time", v) for k, v in {**_beside_chance(found), "n": n}.items()}
        | {"low": ("time", limits[:, 0]), "high": ("time", limits[:, 1])},
        coords={"time": t},
        attrs={
            "label": label if isinstance(label, str) else "given",
            "unit": "balanced accuracy" if balanced else "accuracy",
            "n_chance": n_chance,
            "width": width,
        },
    )


def _at_each_time(
    values: Floats, t: Floats, task: Task, width: float, n_chance: int, seed: int
) -> tuple[Floats, Floats, Ints]:
    """Accuracies (time, 1 + draw), intervals (time, 2) and number of trials."""
    labels = task.permuted(n_chance, seed)
    found = np.full((len(t), 1 + n_chance), np.nan)
    limits, n = np.full((len(t), 2), np.nan), np.zeros(len(t), dtype=np.int64)
    for k, now in enumerate(t):
        x = values[:, (t >= now - width - 1e-9) & (t <= now + 1e-9)]
        use = np.flatnonzero(~np.isnan(x).any(axis=(1, 2)))
        n[k] = len(use)
        if not _enough(task, use):
            continue
        channel = np.tile(np.arange(x.shape[2]), x.shape[1])
        right = task.right(x[use].reshape(len(use), -1), channel, labels, use)
        found[k] = task.accuracy(right, labels, use)
        limits[k] = task.accuracy_interval(right[:, 0], use, seed)
    return found, limits, n


def _enough(task: Task, use: Ints) -> bool:
    """Two classes and two folds are there at all."""
    return len(np.unique(task.codes[use])) > 1 and len(np.unique(task.fold[use])) > 1


def _beside_chance(found: Floats) -> dict[str, Floats]:
    """Accuracies (time, 1 + draw) → what is shown of them."""
    out = {
        name: np.full(len(found), np.nan)
        for name in (
            *("accuracy", "chance_mean", "chance_low", "chance_high", "band", "p", "p_max"),
        )
    }
    there = np.flatnonzero(~np.isnan(found[:, 0]))
    if not len(there):
        return out
    value, chance = found[there, 0], found[there, 1:]
    mean, spread = chance.mean(axis=1), np.maximum(chance.std(axis=1), 1e-9)
    largest = ((chance - mean[:, None]) / spread[:, None]).max(axis=0)
    low, high = np.quantile(chance, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=1)
    z = (value - mean) / spread
    draws = chance.shape[1]
    shown = {
        "accuracy": value,
        "chance_mean": mean,
        "chance_low": low,
        "chance_high": high,
        "band": mean + spread * np.quantile(largest, LEVEL),
        "p": (1 + (chance >= value[:, None]).sum(axis=1)) / (1 + draws),
        "p_max": (1 + (largest >= z[:, None] - 1e-9).sum(axis=1)) / (1 + draws),
    }
    for name, values in shown.items():
        out[name][there] = values
    return out
