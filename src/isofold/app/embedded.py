"""An embedding as the app holds it: plain arrays, one row a sample."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..plot.style import given_kind, kind_of

if TYPE_CHECKING:
    import xarray as xr

TRAIN, TEST, NONE = 0, 1, -1
"""Parts of a split."""
STRETCH = 500
"""Samples of the stretches that stand in for trials where there are none."""
MOST_CLASSES = 50
_OWN = ("time", "trial", "split", "edge", "latent")


@dataclass(frozen=True)
class Label:
    """A label of every sample; discrete values are codes into `classes` (-1: none)."""

    name: str
    kind: str
    values: NDArray
    classes: tuple[str, ...] = ()

    def at(self, row: int) -> str:
        """Its value at a sample, as text."""
        value = self.values[row]
        if self.kind == "discrete":
            return self.classes[value] if value >= 0 else ""
        return f"{value:.4g}" if np.isfinite(value) else ""


@dataclass(frozen=True, eq=False)
class Embedded:
    """Points (time, latent), the clock, trials, split and labels."""

    points: NDArray[np.float32]
    time: NDArray[np.float64]
    trial: NDArray[np.int32]
    """Codes into `trials`; -1 outside of every trial."""
    trials: tuple[str, ...]
    has_trials: bool
    """Whether `trials` are trials, and not stretches that stand in for them."""
    split: NDArray[np.int8]
    labels: Mapping[str, Label]
    stamp: str = field(default_factory=lambda: uuid4().hex)
    """Another one each time that it is read: what is worked out of it goes by this name."""

    @classmethod
    def of(cls, z: xr.DataArray) -> Embedded:
        """From (time, latent) with coordinates."""
        points = np.asarray(z.values, dtype=np.float32)
        if points.shape[1] == 1:  # one latent is drawn against time
            points = np.column_stack([np.linspace(-1, 1, len(points)), points]).astype(np.float32)
        time = z.coords["time"].values if "time" in z.coords else np.arange(len(points))
        trial, names, real = _trials(z)
        labels = {label.name: label for name in z.coords for label in _labels(z, str(name))}
        return cls(points, np.asarray(time, float), trial, names, real, _split(z), labels)

    @property
    def size(self) -> int:
        """Bytes."""
        arrays: list[NDArray] = [self.points, self.time, self.trial, self.split]
        arrays += [label.values for label in self.labels.values()]
        return sum(a.nbytes for a in arrays) + 8 * len(self.points)  # and `place`

    @property
    def trained(self) -> NDArray[np.bool_]:
        """Samples of the fit; all of them where the split does not say."""
        mine = (self.split == TRAIN) & self.finite
        return mine if mine.any() else self.finite

    @cached_property
    def finite(self) -> NDArray[np.bool_]:
        """Samples that have a place."""
        return np.asarray(np.isfinite(self.points).all(axis=1))

    @cached_property
    def place(self) -> NDArray[np.int64]:
        """Samples since the start of the stretch of one trial that a sample lies in."""
        count = np.arange(len(self.trial))
        new = np.r_[True, self.trial[1:] != self.trial[:-1]][: len(count)]
        return count - np.maximum.accumulate(np.where(new, count, 0))

    def same_clock(self, other: Embedded) -> bool:
        """Whether a row means the same sample in both."""
        return len(self.time) == len(other.time) and bool(np.array_equal(self.time, other.time))


def discrete(name: str, values: NDArray) -> Label:
    """Codes and classes of discrete values; "", None and -1 mean none."""
    codes, classes = pd.factorize(np.asarray(values).astype(object), sort=False)
    known = [c for c in classes.tolist() if not _is_none(c)]
    known.sort(key=lambda c: (isinstance(c, str), c))
    place = {c: k for k, c in enumerate(known)}
    table = np.array([place.get(c, NONE) for c in classes.tolist()] + [NONE], dtype=np.int32)
    return Label(name, "discrete", table[codes], tuple(map(str, known)))


def _is_none(value: Any) -> bool:
    return value == "" or (not isinstance(value, bool | str) and value == -1)


def _trials(z: Any) -> tuple[NDArray[np.int32], tuple[str, ...], bool]:
    if "trial" in z.coords and z.coords["trial"].ndim == 1:
        label = discrete("trial", np.asarray(z.coords["trial"].values))
        if len(label.classes) > 1:
            return label.values, label.classes, True
    codes = (np.arange(len(z)) // STRETCH).astype(np.int32)
    starts = range(0, len(z), STRETCH)
    return codes, tuple(f"samples {k}–{min(k + STRETCH, len(z)) - 1}" for k in starts), False


def _split(z: Any) -> NDArray[np.int8]:
    codes = np.full(len(z), NONE, np.int8)
    if "split" in z.coords:
        split = np.asarray(z.coords["split"].values).astype(str)
        codes[split == "train"], codes[split == "test"] = TRAIN, TEST
    return codes


def _labels(z: Any, name: str) -> list[Label]:
    coord = z.coords[name]
    if name in _OWN or coord.dims != z.dims[:1]:
        return []
    return [_label(name, np.asarray(coord.values), given_kind(z, name))]


def _label(name: str, values: NDArray, given: str | None) -> Label:
    kind = kind_of(values, given)
    if kind == "discrete" and values.dtype.kind in "iu" and given is None:
        kind = "discrete" if len(np.unique(values)) <= MOST_CLASSES else "continuous"
    if kind == "discrete":
        return discrete(name, values)
    numbers = values.astype(float)
    return Label(name, kind, np.mod(numbers, 2 * np.pi) if kind == "circular" else numbers)
