"""What decoding of trials shares: labels, folds, permutations, features, accuracy."""

from __future__ import annotations

from dataclasses import dataclass, replace
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
        """(trial, 1 + draw): the classes, then permutations within folds (groups).

        Folds hold classes in equal shares; a fold of other shares than its training trials would
        push the accuracy of chance below that of a guess, and the truth's must not differ in that.
        """
        rng = np.random.default_rng([seed, 3])
        out = np.repeat(self.codes[:, None], 1 + n_chance, axis=1)
        for fold in np.unique(self.fold):
            rows = np.flatnonzero(self.fold == fold)
            order = rng.permuted(np.tile(rows, (n_chance, 1)), axis=1)
            out[rows, 1:] = self.codes[order].T
        return out

    def right(self, features: Floats, channel: Ints, labels: Ints, rows: Ints) -> NDArray:
        """Whether each held-out trial is told right (row, draw), from features (row, feature)."""
        fold, labels = self.fold[rows], labels[rows]
        right = np.zeros(labels.shape, dtype=bool)
        for number in np.unique(fold[fold >= 0]):  # -1 only trains
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
        groups = self.groups
        if groups is not None:
            groups = np.unique(groups[rows], return_inverse=True)[1]
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
        raise DataError(f"label must have two classes or more, got only {classes[0]}")
    owner, names = None, None
    if groups is not None:
        given = column(tensor, groups, "groups")[rows]
        owner = animal_codes(given, len(rows), "groups")
        names = pd.factorize(given)[1]
        if len(names) < 2:
            raise DataError(
                f"groups must hold two groups or more to leave one out, got only {names[0]}"
            )
    fold = owner if owner is not None else _folds(tensor, rows, codes[rows], n_folds, seed)
    return Task(codes[rows], classes, fold, owner, names, balanced), rows


def trained_on(task: Task, train: NDArray) -> Task:
    """The task with one fold: trials that do not train."""
    train = np.asarray(train)
    if train.dtype.kind != "b" or not 0 < train.sum() < len(train):
        raise DataError(
            f"train must say of each trial whether it trains (some do, some do not); got "
            f"{train.dtype} with {int(np.sum(train.astype(bool)))} of {len(train)}"
        )
    if len(np.unique(task.codes[train])) < 2:
        raise DataError("trials that train must be of two classes or more; there is one")
    return replace(task, fold=np.where(train, -1, 0).astype(np.int64))


def _folds(tensor: xr.DataArray, rows: Ints, codes: Ints, n_folds: int, seed: int) -> Ints:
    """Fold of each trial, classes in equal shares, else at random; windows that share samples
    (`overlap`) go together."""
    unit = np.arange(len(rows))
    if "overlap" in tensor.coords and tensor["overlap"].dims == ("trial",):
        unit = np.unique(tensor["overlap"].values[rows], return_inverse=True)[1]
    n = int(unit.max()) + 1
    if not 2 <= n_folds <= n:
        raise DataError(
            f"n_folds must lie between 2 and the number of trials that share no sample, {n}; got "
            f"{n_folds!r}"
        )
    order = np.random.default_rng([seed, 2]).permutation(n)
    first = np.unique(unit, return_index=True)[1]
    order = order[np.argsort(codes[first][order], kind="stable")]
    fold = np.empty(n, dtype=np.int64)
    fold[order] = np.arange(n) % n_folds
    return fold[unit]


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
