"""Labels as a label prior takes them: standardised columns, cosines and sines, one-hot classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import DataError
from ..recording import Recording
from ..trials import Ints, expand
from ._inputs import trials_of, used_segments

OF_TIME = ("time", "trial_time")
"""Priors of the time of the recording, or since the start of the trial, in place of labels."""


@dataclass(frozen=True)
class LabelPart:
    """How one label is coded."""

    name: str
    kind: str
    """"discrete", "continuous" or "circular"."""
    classes: tuple[Any, ...] = ()
    mean: tuple[float, ...] = ()
    deviation: tuple[float, ...] = ()

    @property
    def width(self) -> int:
        """Columns of its code."""
        if self.kind == "discrete":
            return len(self.classes)
        return len(self.mean) * (2 if self.kind == "circular" else 1)

    def encode(self, values: NDArray) -> NDArray[np.float32]:
        """(n, column); missing values become 0, for samples that nothing uses."""
        if self.kind == "discrete":
            return self._one_hot(np.ravel(values))
        values = np.asarray(values, float).reshape(len(values), -1)
        if self.kind == "circular":
            code = np.hstack([np.cos(values), np.sin(values)])
        else:
            code = (values - self.mean) / self.deviation
        return np.nan_to_num(code).astype(np.float32)

    def _one_hot(self, values: NDArray) -> NDArray[np.float32]:
        known = np.asarray(self.classes)
        at = np.clip(np.searchsorted(known, values), 0, len(known) - 1)
        found = known[at] == values
        missing = (values == "") if values.dtype.kind == "U" else (values == -1)
        if not (found | missing).all():
            new = np.unique(values[~(found | missing)]).tolist()
            raise DataError(
                f"label {self.name!r} has classes that the fit has not seen: {new}; known: "
                f"{list(self.classes)}"
            )
        code = np.zeros((len(values), len(known)), np.float32)
        code[np.arange(len(values)), at] = found
        return code


@dataclass(frozen=True)
class LabelCode:
    """How the labels of a fit are coded, column after column."""

    parts: tuple[LabelPart, ...]
    source: str = "labels"
    """"labels", "time", "trial_time" or "none"."""

    @property
    def discrete(self) -> bool:
        """Classes only."""
        return all(part.kind == "discrete" for part in self.parts)

    @property
    def width(self) -> int:
        """Columns of the code; one for each joint class if all labels are discrete."""
        widths = [part.width for part in self.parts]
        return (int(np.prod(widths)) if self.discrete else sum(widths)) if widths else 0

    def of(self, recording: Recording) -> NDArray[np.float32]:
        """(time, column) code of every sample of a recording."""
        return self.encode(self.values_of([recording]))

    def encode(self, values: Mapping[str, NDArray]) -> NDArray[np.float32]:
        """(n, column) code of labels by name; one column for each joint class if all are
        discrete."""
        codes = [part.encode(np.asarray(values[part.name])) for part in self.parts]
        if not codes:
            return np.zeros((len(values["time"]), 0), np.float32)
        if not self.discrete:
            return np.hstack(codes)
        joint = codes[0]
        for code in codes[1:]:
            joint = (joint[:, :, None] * code[:, None, :]).reshape(len(code), -1)
        return joint

    def values_of(self, recordings: Sequence[Recording]) -> dict[str, NDArray]:
        """Label values by name, recordings one after the other."""
        return {
            "time": np.concatenate([r.time for r in recordings]),
            **{
                part.name: np.concatenate([_values(r, part.name, self.source) for r in recordings])
                for part in self.parts
            },
        }

    def to_json(self) -> dict[str, Any]:
        return {"source": self.source, "parts": [asdict(part) for part in self.parts]}

    @staticmethod
    def from_json(found: dict[str, Any]) -> LabelCode:
        keys = ("classes", "mean", "deviation")
        parts: list[dict[str, Any]] = [
            {k: tuple(v) if k in keys else v for k, v in p.items()} for p in found["parts"]
        ]
        return LabelCode(tuple(LabelPart(**part) for part in parts), found["source"])


def learn_code(
    recordings: Sequence[Recording], labels: Sequence[str], source: str, outside_trials: bool
) -> LabelCode:
    """The coding of these labels, learned from the samples that a fit uses.

    Raises
    ------
    MissingValuesError
        A label has no value in a sample that the fit uses.
    DataError
        A label has one value only: it can say nothing of the latent. A discrete label has several
        columns.
    """
    if source == "none":
        return LabelCode((), source)
    names = (source,) if source in OF_TIME else tuple(labels)
    used = [_used(r, outside_trials, names if source == "labels" else ()) for r in recordings]
    parts = []
    for name in names:
        values = np.concatenate(
            [_values(r, name, source)[at] for r, at in zip(recordings, used, strict=True)]
        )
        kind = "continuous" if source in OF_TIME else recordings[0].kind(name)
        parts.append(_part(name, kind, values))
    return LabelCode(tuple(parts), source)


def _part(name: str, kind: str, values: NDArray) -> LabelPart:
    columns = np.reshape(values, (len(values), -1))
    if (columns == columns[0]).all():
        raise DataError(
            f"label {name!r} has the value {columns[0].tolist()} in every sample of the fit: it "
            "can say nothing of the latent; leave it out, or use VAE"
        )
    if kind == "discrete":
        if columns.shape[1] > 1:
            raise DataError(
                f"a discrete label of a label prior has one column, {name!r} has "
                f"{columns.shape[1]}: name its columns, labels=['{name}_0', ...]"
            )
        return LabelPart(name, kind, classes=tuple(np.unique(values).tolist()))
    values = columns.astype(float)
    deviation = values.std(axis=0)
    deviation = np.where(deviation > 0, deviation, 1.0)
    return LabelPart(
        name, kind, mean=tuple(values.mean(axis=0).tolist()), deviation=tuple(deviation.tolist())
    )


def _values(recording: Recording, name: str, source: str) -> NDArray:
    if source == "time":
        return recording.time
    if source == "trial_time":
        table = recording.segments
        start = table["start"].to_numpy()
        length = (table["stop"] - table["start"]).to_numpy()
        place = np.repeat(trials_of(recording, start)[1] - start, length)
        return (np.arange(len(recording)) + place) / recording.rate
    values = recording.label(name)
    return values.astype(np.int64) if values.dtype.kind == "b" else values


def _used(recording: Recording, outside_trials: bool, labels: Sequence[str] = ()) -> Ints:
    return expand(*used_segments(recording, outside_trials, labels))


def used_values(
    code: LabelCode, recordings: Sequence[Recording], outside_trials: bool
) -> dict[str, NDArray]:
    """Label values by name of the samples that a fit uses: elsewhere they may be missing."""
    first = np.cumsum([0, *[len(r) for r in recordings]])
    at = [_used(r, outside_trials) + n for r, n in zip(recordings, first, strict=False)]
    used = np.concatenate(at)
    return {name: values[used] for name, values in code.values_of(recordings).items()}


def candidates(
    code: LabelCode, values: Mapping[str, NDArray], n: int, rng: np.random.Generator
) -> pd.DataFrame:
    """Labels to consider for a sample whose label is not known, and how common each is.

    Classes as they occur; a continuous label (or angle) in `n` even steps within each class;
    several continuous columns by `n` of the samples themselves. `weight` sums to 1.
    """
    rows = len(values["time"])
    discrete = [p.name for p in code.parts if p.kind == "discrete"]
    moving = [p for p in code.parts if p.kind != "discrete"]
    classes = pd.DataFrame({n: np.ravel(values[n]) for n in discrete}, index=range(rows))
    columns = sum(np.reshape(values[p.name], (rows, -1)).shape[1] for p in moving)
    if columns > 1:
        pick = np.sort(rng.permutation(rows)[:n])
        table = classes.iloc[pick].reset_index(drop=True)
        for p in moving:
            mine = np.reshape(values[p.name], (rows, -1))[pick]
            for k in range(mine.shape[1]):
                table[p.name if mine.shape[1] == 1 else f"{p.name}_{k}"] = mine[:, k]
        return table.assign(weight=1 / len(table))
    if not moving:
        found = classes.value_counts().rename("count").reset_index()
        found = found.sort_values(discrete, ignore_index=True)
        return found.drop(columns="count").assign(weight=found["count"] / rows)
    groups = classes.groupby(discrete).indices if discrete else {(): np.arange(rows)}
    return _grid(moving[0], np.ravel(values[moving[0].name]), groups, discrete, n)


def _grid(part: LabelPart, x: NDArray, groups: Mapping, discrete: list[str], n: int):
    """Even steps over the range of x, in each class; weights: how often x is near each step."""
    low, high = (0.0, 2 * np.pi) if part.kind == "circular" else (x.min(), x.max())
    n_each = max(n // max(len(groups), 1), 2)
    grid = np.linspace(low, high, n_each, endpoint=part.kind != "circular")
    tables = []
    for key, rows in groups.items():
        step = grid[1] - grid[0] or 1.0
        at = np.rint((x[rows] - low) / step).astype(int) % n_each  # angles: 2π is 0
        count = np.bincount(at, minlength=n_each).astype(float)
        table = pd.DataFrame({part.name: grid})
        key = key if isinstance(key, tuple) else (key,)
        for name, value in zip(discrete, key, strict=True):
            table[name] = value
        # Half a count a step: what was not seen in training is rare, not impossible.
        tables.append(table.assign(weight=count + 0.5))
    found = pd.concat(tables, ignore_index=True)
    found = found[[*discrete, part.name, "weight"]]
    return found.assign(weight=found["weight"] / found["weight"].sum())


def coded(code: LabelCode, table: pd.DataFrame) -> NDArray[np.float32]:
    """(candidate, column) code of a table of labels."""
    values: dict[str, NDArray] = {"time": np.zeros(len(table))}
    for part in code.parts:
        if part.name in table:
            values[part.name] = table[part.name].to_numpy()
            continue
        columns = sorted(
            (c for c in table.columns if str(c).rpartition("_")[0] == part.name),
            key=lambda c: int(str(c).rpartition("_")[2]),
        )
        if not columns:
            raise DataError(
                f"candidates need a column for label {part.name!r}, got {list(table.columns)}"
            )
        values[part.name] = table[columns].to_numpy()
    return code.encode(values)
