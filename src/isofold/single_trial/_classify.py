"""What decoding of trials shares: labels, folds, permutations, features, accuracy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from ..errors import DataError
from ..trials import Ints
from ._resample import LEVEL, N_DRAWS, drawn_weights, interval, weighted_means
from ._ridge import RidgeClassifier
from ._tensor import Floats, column, conditions
from .hierarchical_bootstrap import animal_codes

SCALE = (None, "group")


@dataclass(frozen=True)
class Task:
    """Classes of trials, and which trials are held out together."""

    codes: Ints
    classes: NDArray
    fold: Ints
    groups: Ints | None
    group_names: NDArray | None
    balanced: bool

    def permuted(self, n_chance: int, seed: int) -> Ints:
        """(trial, 1 + draw): the classes, then permutations (within groups where there are)."""
        rng = np.random.default_rng([seed, 3])
        out = np.repeat(self.codes[:, None], 1 + n_chance, axis=1)
        groups = np.zeros(len(self.codes), np.int64) if self.groups is None else self.groups
        for group in np.unique(groups):
            rows = np.flatnonzero(groups == group)
            order = rng.permuted(np.tile(rows, (n_chance, 1)), axis=1)
            out[rows, 1:] = self.codes[order].T
        return out

    def right(self, features: Floats, channel: Ints, labels: Ints, rows: Ints) -> NDArray:
        """Whether each held-out trial is told right (row, draw), from features (row, feature)."""
        fold, labels = self.fold[rows], labels[rows]
        right = np.zeros(labels.shape, dtype=bool)
        for number in np.unique(fold):
            held = fold == number
            size = _channel_size(features[~held], channel)
            model = RidgeClassifier(features[~held] / size, features[held] / size)
            guess = model.predict(labels[~held], len(self.classes), self.balanced)
            right[held] = guess == labels[held]
        return right

    def accuracy(self, right: NDArray, labels: Ints, rows: Ints) -> Floats:
        """Of each draw: over trials, or the mean over groups of it; over classes if balanced."""
        labels = labels[rows]
        groups = np.zeros(len(rows), np.int64) if self.groups is None else self.groups[rows]
        parts = []
        for group in np.unique(groups):
            mine = groups == group
            parts.append(_accuracy(right[mine], labels[mine], len(self.classes), self.balanced))
        return np.mean(parts, axis=0)

    def accuracy_interval(self, right: NDArray, rows: Ints, seed: int) -> tuple[float, float]:
        """Bootstrap over trials, or over groups and then their trials."""
        groups = (
            None if self.groups is None else np.unique(self.groups[rows], return_inverse=True)[1]
        )
        rng = np.random.default_rng([seed, 1])
        weights = drawn_weights(groups, len(rows), N_DRAWS, rng)
        x, codes = right.astype(float)[:, None], self.codes[rows]
        parts = [np.ones(len(rows), bool)]
        if self.balanced:
            parts = [codes == k for k in np.unique(codes)]
        draws = [weighted_means(weights[:, m], x[m], np.ones_like(x[m], bool)) for m in parts]
        mean = self.accuracy(right[:, None], self.codes[:, None], rows)
        units = len(rows) if groups is None else int(groups.max()) + 1
        low, high = interval(mean, np.mean(draws, axis=0), units, LEVEL)
        return max(float(low[0]), 0.0), min(float(high[0]), 1.0)


def task_of(
    tensor: xr.DataArray, label: Any, groups: Any, n_folds: int, balanced: bool, seed: int
) -> tuple[Task, Ints]:
    """The task, and which trials of the tensor take part: those with a label."""
    codes, classes = conditions(tensor, label, "label")
    rows = np.flatnonzero(codes >= 0)
    if len(classes) < 2:
        raise DataError(f"label must have two classes or more, got only {classes[0]!r}")
    owner, names = None, None
    if groups is not None:
        given = column(tensor, groups, "groups")[rows]
        owner = animal_codes(given, len(rows), "groups")
        names = pd.factorize(given)[1]
        if len(names) < 2:
            raise DataError(
                f"groups must have two groups or more to leave one out, got {names[0]!r}"
            )
    fold = owner if owner is not None else _folds(tensor, rows, n_folds, seed)
    return Task(codes[rows], classes, fold, owner, names, balanced), rows


def _folds(tensor: xr.DataArray, rows: Ints, n_folds: int, seed: int) -> Ints:
    """Fold of each trial at random; windows that share samples (`overlap`) go together."""
    unit = np.arange(len(rows))
    if "overlap" in tensor.coords and tensor["overlap"].dims == ("trial",):
        unit = np.unique(tensor["overlap"].values[rows], return_inverse=True)[1]
    n = int(unit.max()) + 1
    if not 2 <= n_folds <= n:
        raise DataError(
            f"n_folds must lie between 2 and the number of trials that share no sample, {n}; got "
            f"{n_folds!r}"
        )
    return (np.random.default_rng([seed, 2]).permutation(n) % n_folds)[unit].astype(np.int64)


def _channel_size(features: Floats, channel: Ints) -> Floats:
    """Standard deviation of each feature's channel, over its features and the training trials."""
    known = ~np.isnan(features)
    n = known.sum(axis=0)
    mean = np.where(known, features, 0).sum(axis=0) / np.maximum(n, 1)
    square = np.where(known, features - mean, 0.0) ** 2
    total = np.bincount(channel, square.sum(axis=0))
    count = np.bincount(channel, n)
    size = np.sqrt(total / np.maximum(count, 1))
    return np.where(size > 0, size, 1.0)[channel]


def _accuracy(right: NDArray, labels: Ints, n_classes: int, balanced: bool) -> Floats:
    if not balanced:
        return right.mean(axis=0)
    total, present = np.zeros(right.shape[1]), np.zeros(right.shape[1])
    for k in range(n_classes):
        of_class = labels == k
        n = of_class.sum(axis=0)
        total += (right & of_class).sum(axis=0) / np.maximum(n, 1)
        present += n > 0
    return total / present


def scaled_within(values: Floats, groups: Ints) -> Floats:
    """Values (trial, time, channel) less the mean of their group at each time and channel, over one
    standard deviation of the group for each channel: labels play no part."""
    out = np.empty_like(values)
    for group in np.unique(groups):
        rows = groups == group
        known = ~np.isnan(values[rows])
        n = known.sum(axis=0)
        mean = np.where(known, values[rows], 0).sum(axis=0) / np.maximum(n, 1)
        centred = np.where(known, values[rows] - mean, 0.0)
        size = np.sqrt((centred**2).sum(axis=(0, 1)) / np.maximum(n.sum(axis=0), 1))
        out[rows] = (values[rows] - mean) / np.where(size > 0, size, 1.0)
    return out


def check_scale(scale: Any, groups: Any) -> None:
    if scale not in SCALE:
        raise DataError(f"scale must be None or 'group', got {scale!r}")
    if scale == "group" and groups is None:
        raise DataError("scale='group' needs groups=, the animal of each trial")
