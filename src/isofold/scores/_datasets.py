"""Embeddings of different recordings, matched by the mean embedding in bins of their labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import DataError
from ..trials import Ints
from ._inputs import (
    Label,
    as_label,
    conditions_of,
    coordinate,
    halves,
    inside,
    require_trials,
    require_values,
    rows_of,
    same_length,
    trials_of,
    trials_or_blocks,
)
from ._linear import Floats, LeastSquares, r2
from .chance import surrogate_within

N_CELLS = 100
FEW_VALUES = 10
"""A continuous column with no more distinct values than this is crossed like a class."""


@dataclass(frozen=True)
class DataSets:
    """Embeddings of several data sets with trials and labels; samples of trial -1 left out."""

    rows: list[Floats]
    values: list[list[Label]]
    trials: list[NDArray]
    conditions: list[NDArray]

    @classmethod
    def of(cls, zs: list[Any], labels: Sequence[Any], groups: Any) -> DataSets:
        rows = [rows_of(z, f"embedding {i}") for i, z in enumerate(zs)]
        values = _labels_of(zs, labels)
        for i, (z, mine) in enumerate(zip(rows, values, strict=True)):
            for label in mine:
                same_length(len(z), len(label.values), f"embedding {i}", f"its label {label.name}")
        groups = [None] * len(zs) if groups is None else list(groups)
        if len(groups) != len(zs):
            raise DataError(
                f"groups must hold one array an embedding: {len(groups)} for {len(zs)} data sets"
            )
        trials = [
            trials_or_blocks(trials_of(z, g, len(x), f"embedding {i}"), len(x))
            for i, (z, g, x) in enumerate(zip(zs, groups, rows, strict=True))
        ]
        keep = [inside(t) for t in trials]
        conditions = [
            _conditions(z, t, v)[k] for z, t, v, k in zip(zs, trials, values, keep, strict=True)
        ]
        rows = [x[k] for x, k in zip(rows, keep, strict=True)]
        trials = [t[k] for t, k in zip(trials, keep, strict=True)]
        values = [[label[k] for label in mine] for mine, k in zip(values, keep, strict=True)]
        for mine, z in zip(values, zs, strict=True):
            for label in mine:
                require_values(label, z)
        return cls(rows, values, trials, conditions)


def by_labels(zs: list[Any], labels: Sequence[Any], groups: Any, in_sample: bool, bins: int | None):
    """Function of a generator (None: no surrogate) to R² (fold, from, to)."""
    sets = DataSets.of(zs, labels, groups)
    if in_sample:
        return _peer(sets.rows, sets.values, sets.trials, bins or N_CELLS)
    for t in sets.trials:
        require_trials(t, "held-out consistency between data sets")
    split = [halves(t, c) for t, c in zip(sets.trials, sets.conditions, strict=True)]
    return _held_out(sets.rows, cells(sets.values, bins), sets.trials, split)


def cells(values: list[list[Label]], bins: int | None) -> list[Ints]:
    """Number of the bin of every sample, one numbering for all data sets."""
    n_columns = {len(mine) for mine in values}
    if len(n_columns) != 1:
        raise DataError(f"every data set needs the same labels; got {sorted(n_columns)} of them")
    lengths = np.cumsum([len(mine[0].values) for mine in values])[:-1]
    columns: list[tuple[NDArray, bool]] = []
    for parts in zip(*values, strict=True):
        kinds, widths = {p.kind for p in parts}, {p.columns().shape[1] for p in parts}
        if len(kinds) > 1 or len(widths) > 1:
            raise DataError(
                f"{parts[0].name} must be of one kind and width in all data sets; "
                f"got {sorted(kinds)}, {sorted(widths)} columns"
            )
        pooled = np.concatenate([p.columns() for p in parts])
        for column in pooled.T:
            few = parts[0].kind == "discrete" or len(np.unique(column)) <= FEW_VALUES
            wrapped = np.mod(column, 2 * np.pi) if parts[0].kind == "circular" else column
            columns.append((wrapped, few))
    n_continuous = sum(not few for _, few in columns)
    n_bins = bins or max(round(N_CELLS ** (1 / max(n_continuous, 1))), 4)
    joint = np.zeros(len(columns[0][0]), np.int64)
    for column, few in columns:
        code = np.unique(column, return_inverse=True)[1] if few else _even_bins(column, n_bins)
        joint = pd.factorize(joint * (int(code.max()) + 1) + code)[0]
    return np.split(joint, lengths)


def _even_bins(column: Floats, n_bins: int) -> Ints:
    edges = np.linspace(column.min(), column.max(), n_bins + 1)
    return np.searchsorted(edges[1:-1], column, side="right")


def _held_out(rows: list[Floats], bins: list[Ints], trials: list[NDArray], half: list[Ints]):
    n_cells = max(int(b.max()) for b in bins) + 1
    n = len(rows)

    def pairing(rng: np.random.Generator | None) -> Floats:
        # means[half][data set]: mean embedding a cell, NaN where there is no sample
        moved = [
            b if rng is None else b[surrogate_within(t, h, rng)]
            for b, t, h in zip(bins, trials, half, strict=True)
        ]
        means = [
            [
                bin_means(x[h == k], b[h == k], n_cells)
                for x, b, h in zip(rows, moved, half, strict=True)
            ]
            for k in (0, 1)
        ]
        matrix = np.full((2, n, n), np.nan)
        for fold, (fit, score) in enumerate([(0, 1), (1, 0)]):
            for i in range(n):
                for j in range(n):
                    if i != j:
                        matrix[fold, i, j] = _map_r2(means[fit], means[score], i, j)
        return matrix

    return pairing


def _map_r2(fit: list[Floats], score: list[Floats], i: int, j: int) -> float:
    both_fit = np.isfinite(fit[i][:, 0]) & np.isfinite(fit[j][:, 0])
    both_score = np.isfinite(score[i][:, 0]) & np.isfinite(score[j][:, 0])
    need = fit[i].shape[1] + 2
    if both_fit.sum() < need or both_score.sum() < 2:
        raise DataError(
            f"data sets {i} and {j} share {both_fit.sum()} filled label bins in the fitted and "
            f"{both_score.sum()} in the scored trials; a map of {need - 2} dimensions needs "
            f"{need} and 2; use fewer bins or labels that overlap"
        )
    line = LeastSquares(fit[i][both_fit])
    return r2(score[j][both_score], line.predict(fit[j][both_fit], score[i][both_score]))


def bin_means(rows: Floats, bins: Ints, n_cells: int) -> Floats:
    """Mean row of every bin; NaN where it has none."""
    count = np.bincount(bins, minlength=n_cells).astype(float)
    sums = np.stack([np.bincount(bins, x, minlength=n_cells) for x in rows.T], axis=1)
    return np.where(count[:, None] > 0, sums / np.maximum(count, 1)[:, None], np.nan)


# -- the peer's definition ------------------------------------------------------------------


def _peer(rows: list[Floats], values: list[list[Label]], trials: list[NDArray], n_edges: int):
    if any(len(mine) != 1 or mine[0].columns().shape[1] != 1 for mine in values):
        raise DataError(
            "in_sample=True is the definition of the cebra package, which takes one label "
            "column; use in_sample=False for several"
        )
    flat = [mine[0].columns()[:, 0] for mine in values]
    pooled = np.concatenate(flat)
    edges = np.linspace(pooled.min(), pooled.max(), n_edges)
    digits = [np.digitize(y, edges) for y in flat]
    n = len(rows)

    def pairing(rng: np.random.Generator | None) -> Floats:
        moved = [
            d if rng is None else d[surrogate_within(t, np.zeros(len(t)), rng)]
            for d, t in zip(digits, trials, strict=True)
        ]
        means = [_sphere_means(x, d, n_edges) for x, d in zip(rows, moved, strict=True)]
        matrix = np.full((1, n, n), np.nan)
        for i, source in enumerate(means):
            line = LeastSquares(source)
            for j, target in enumerate(means):
                matrix[0, i, j] = r2(target, line.predict(target, source))
        return matrix

    return pairing


def _sphere_means(rows: Floats, digits: Ints, n_edges: int) -> Floats:
    means = []
    for number in range(1, n_edges):
        distance = np.abs(digits - number)
        near = next((distance <= r for r in (0, 1, 2) if (distance <= r).any()), None)
        if near is None:
            raise DataError(
                f"label bin {number} of {n_edges - 1} and its neighbours hold no sample; the "
                "peer's definition (in_sample=True) needs all, in_sample=False does not"
            )
        mean = rows[near].mean(axis=0)
        means.append(mean / np.linalg.norm(mean))
    return np.stack(means)


# -- what the caller hands in ----------------------------------------------------------------


def _labels_of(zs: list[Any], labels: Sequence[Any]) -> list[list[Label]]:
    labels = [labels] if isinstance(labels, str) else list(labels)
    if all(isinstance(name, str) for name in labels):
        return [
            [coordinate(z, name, f"embedding {i}") for name in labels] for i, z in enumerate(zs)
        ]
    if len(labels) != len(zs):
        raise DataError(
            f"labels must hold names of coordinates or one entry an embedding; got {len(labels)} "
            f"entries for {len(zs)} embeddings"
        )
    return [_entry(entry) for entry in labels]


def labels_of(z: Any, labels: Any) -> list[Label]:
    """Labels of one embedding: names of coordinates, an array, or a list or mapping of arrays."""
    names = [labels] if isinstance(labels, str) else labels
    if isinstance(names, (list, tuple)) and all(isinstance(name, str) for name in names):
        return [coordinate(z, name, "the embedding") for name in names]
    return _entry(labels)


def _entry(entry: Any) -> list[Label]:
    if isinstance(entry, Mapping):
        return [as_label(values, None, str(name)) for name, values in entry.items()]
    several = isinstance(entry, (list, tuple)) and np.ndim(entry[0]) > 0
    return [as_label(values) for values in entry] if several else [_class_or_number(entry)]


def _class_or_number(values: Any) -> Label:
    """An integer matrix or an integer with many values is binned like a number."""
    values = np.asarray(values)
    if values.dtype.kind in "iub" and (values.ndim == 2 or len(np.unique(values)) > N_CELLS // 2):
        values = values.astype(float)
    return as_label(values)


def _conditions(z: Any, trials: NDArray, values: list[Label]) -> NDArray:
    """Conditions of the embedding and of discrete labels that are constant in every trial."""
    joint = conditions_of(z, trials)
    codes = pd.factorize(trials)[0]
    first = np.unique(codes, return_index=True)[1]
    for label in values:
        if label.kind == "discrete":
            mine = pd.factorize(label.values)[0]
            if np.array_equal(mine, mine[first][codes]):
                joint = pd.factorize(joint * (mine.max() + 1) + mine)[0]
    return joint
