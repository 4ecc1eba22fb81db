"""Decode trials: the class of a trial from its whole course."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from ..errors import DataError
from ..scores import Score
from ..trials import Ints
from ._classify import Task, check_scale, scaled_within, task_of, trained_on
from ._resample import check_draws
from ._tensor import Floats, as_tensor, column, in_window

FEATURES = ("trajectory", "mean")
N_CHANCE = 200


def decode_trials(
    tensor: Any,
    label: Any,
    *,
    groups: Any = None,
    train: Any = None,
    features: str = "trajectory",
    window: tuple[float, float] | None = None,
    scale: str | None = None,
    balanced: bool = False,
    n_folds: int = 5,
    n_chance: int = N_CHANCE,
    seed: int = 0,
) -> Score:
    """Accuracy with which a class of held-out trials is told from each trial's course.

    A linear classifier: ridge regression of class indicators, α chosen by leaving out one training
    trial. Trials are held out in folds (classes in equal shares, windows that share samples
    together), or one group (animal) at a time.

    Parameters
    ----------
    tensor
        (trial, time, channel or latent). Missing samples (NaN) take the training mean of their
        feature ("trajectory") or are left out ("mean").
    label
        Column of the trials, or one value a trial: condition, choice, outcome. Trials without a
        value take no part.
    groups
        Column of the animal of each trial, or one value a trial: leave one animal out. The value is
        then the mean over animals of their accuracies.
    train
        Column, or a boolean a trial: these only train and the others are only asked, instead of
        folds. For embeddings, whose test trials the fit has not seen.
    features
        "trajectory": all samples; "mean": the mean over time of each channel.
    window
        Start and stop in seconds; None is all.
    scale
        "group": each animal's trials less their mean, over one standard deviation a channel. Uses
        the held-out animal's trials, but no labels; says nothing about an animal of a single trial.
    balanced
        Mean over classes of their accuracies, decided as if classes were equally frequent.
    n_folds
        Folds where there are no groups.
    n_chance, seed
        Permutations of the labels within folds or groups, each through the same pipeline.

    Returns
    -------
    Score
        `parts`: 1 for each trial that is told right and 0 for others, by (group or fold, trial,
        label); `score.parts.groupby("group").mean()` are the accuracies of animals. `interval`:
        bootstrap over trials, or animals and then trials. `also["pooled"]`: share of all trials.

    Raises
    ------
    DataError
        No such column, a single class or group, a label that is no class, or an unknown option.

    Notes
    -----
    Permutation takes trials for exchangeable. In designs with blocks of one class, slow drift alone
    decodes the class: hold out blocks by `groups`. For a label at every sample: `scores.decode`.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> cue = np.tile(["go", "stop"], 30)
    >>> x = rng.normal(size=(60, 20, 1)) + (cue == "go")[:, None, None]
    >>> score = decode_trials(x, cue, n_chance=50)
    >>> score.value > 0.9 > score.chance_hi
    True
    """
    if features not in FEATURES:
        raise DataError(f"features must be one of {FEATURES}, got {features!r}")
    check_scale(scale, groups)
    check_draws(n_chance, "n_chance", least=0)
    data = in_window(as_tensor(tensor), window)
    task, rows = task_of(data, label, groups, n_folds, balanced, seed)
    if train is not None:
        task = trained_on(task, column(data, train, "train")[rows])
    x, channel = _features(data.values[rows], features, scale, task)
    labels, every = task.permuted(n_chance, seed), np.arange(len(rows))
    asked = np.flatnonzero(task.fold >= 0)
    with threadpool_limits(1):  # small matrices: threads would only wait for one another
        right = task.right(x, channel, labels, every)[asked]
    values = task.accuracy(right, labels, asked)
    return Score(
        value=float(values[0]),
        unit="balanced accuracy" if balanced else "accuracy",
        parts=_parts(task, right[:, 0], data["trial"].values[rows], asked),
        interval=task.accuracy_interval(right[:, 0], asked, seed),
        chance=values[1:],
        also={"pooled": float(right[:, 0].mean())},
        split=_split(groups, train),
        settings={
            "label": label if isinstance(label, str) else "given",
            "groups": groups if isinstance(groups, str) or groups is None else "given",
            "features": features,
            "window": window,
            "scale": scale,
            "n_folds": None if groups is not None or train is not None else n_folds,
            "n_chance": n_chance,
            "seed": seed,
            "interval_over": "trials" if groups is None else "groups, then trials",
        },
    )


def _features(values: Floats, features: str, scale: str | None, task: Task) -> tuple[Floats, Ints]:
    """(trial, feature), and the channel of each feature."""
    n, n_times, n_channels = values.shape
    if features == "mean":
        known = ~np.isnan(values)
        count = known.sum(axis=1, keepdims=True)
        total = np.where(known, values, 0).sum(axis=1, keepdims=True)
        values = np.where(count > 0, total / np.maximum(count, 1), np.nan)
        n_times = 1
    if scale == "group" and task.groups is not None:
        values = scaled_within(values, task.groups)
    return values.reshape(n, -1), np.tile(np.arange(n_channels), n_times)


def _split(groups: Any, train: Any) -> str:
    if train is not None:
        return "trials that do not train"
    return "held-out trials" if groups is None else "one group left out"


def _parts(task: Task, right: np.ndarray, trials: np.ndarray, asked: Ints) -> pd.Series:
    owner = task.fold if task.groups is None else task.groups
    first = owner if task.group_names is None else task.group_names[owner]
    index = pd.MultiIndex.from_arrays(
        [first[asked], trials[asked], task.classes[task.codes][asked]],
        names=["fold" if task.group_names is None else "group", "trial", "label"],
    )
    return pd.Series(right.astype(float), index=index, name="accuracy")
