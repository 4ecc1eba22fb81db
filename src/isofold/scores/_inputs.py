"""What callers hand in (arrays, embeddings, groups, labels), checked and made plain arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import DataError, MissingValuesError
from ..recording import MOST_CLASSES
from ..trials import OUTSIDE, Ints
from .chance import blocks

KINDS = ("continuous", "circular", "discrete")


@dataclass(frozen=True)
class Label:
    values: NDArray
    kind: str
    name: str = "label"

    def __getitem__(self, rows: NDArray) -> Label:
        return Label(self.values[rows], self.kind, self.name)

    def columns(self) -> NDArray:
        return self.values.reshape(len(self.values), -1)


def is_embedding(z: Any) -> bool:
    return hasattr(z, "coords") and hasattr(z, "dims")


def rows_of(z: Any, name: str) -> NDArray[np.float64]:
    """(time, latent) as finite floats; a vector becomes one column."""
    if is_embedding(z) and set(z.dims) == {"time", "latent"}:
        z = z.transpose("time", "latent")
    try:
        values = np.asarray(z, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"{name} must be numbers (time, latent), got {type(z).__name__}") from error
    values = values[:, None] if values.ndim == 1 else values
    if values.ndim != 2 or not values.size:
        raise DataError(f"{name} must be (time, latent) and not empty, got shape {values.shape}")
    bad = np.argwhere(~np.isfinite(values))
    if len(bad):
        row, column = bad[0]
        raise MissingValuesError(
            f"{name} must be finite; {len(bad)} values are not, the first at sample {row}"
            f"{_clock(z, row)}, column {column}; drop or fill these samples first"
        )
    return values


def _clock(z: Any, row: int) -> str:
    if is_embedding(z) and "time" in z.coords:
        return f" (t = {float(z.coords['time'].values[row]):.6g} s)"
    return ""


def trials_of(z: Any, groups: Any, n: int, name: str) -> NDArray | None:
    """Trial of every sample: `groups` if given, else the embedding's coordinate, else None.

    One single trial in the coordinate is a recording without trials: its blocks stand in.
    """
    if groups is None:
        if not (is_embedding(z) and "trial" in z.coords):
            return None
        trials = np.asarray(z.coords["trial"].values)
        within = inside(trials)
        if len(pd.unique(trials[within])) > 1:
            return trials
        parts = np.full(n, OUTSIDE)
        parts[within] = blocks(int(within.sum()))
        return parts
    trials = np.asarray(groups)
    if trials.ndim != 1 or len(trials) != n:
        raise DataError(
            f"groups must name the trial of each of the {n} samples of {name}, "
            f"got shape {trials.shape}"
        )
    return trials


def inside(trials: NDArray) -> NDArray[np.bool_]:
    """Samples in a trial; -1 marks those outside, which are not scored."""
    if trials.dtype.kind in "if":
        return trials != OUTSIDE
    return np.array([str(name) != str(OUTSIDE) for name in trials], dtype=bool)


def trials_or_blocks(trials: NDArray | None, n: int) -> NDArray:
    return blocks(n) if trials is None else trials


def require_trials(trials: NDArray, what: str) -> None:
    n = len(pd.unique(trials))
    if n < 2:
        raise DataError(
            f"{what} needs at least two trials, got {n}; pass more trials, or no groups to use "
            "contiguous blocks"
        )


def coordinate(z: Any, name: str, where: str) -> Label:
    """A label that travels with an embedding."""
    if not is_embedding(z):
        raise DataError(
            f"label={name!r} is looked up in an Embedding (xarray), but {where} is a "
            f"{type(z).__name__}; pass the label values"
        )
    if name not in z.coords:
        known = sorted(str(c) for c in z.coords if c not in ("time", "latent", "edge", "split"))
        raise DataError(f"no label {name!r} in {where}; it holds {known}")
    values = z.coords[name]
    kind = values.attrs.get("kind") or dict(z.attrs.get("kinds", {})).get(name)
    return as_label(values.values, kind, name)


def as_label(values: Any, kind: str | None = None, name: str = "label") -> Label:
    """Float is continuous; bool, integer and string are discrete; `kind` overrides."""
    values = np.asarray(values)
    if values.dtype == object:
        texts = all(isinstance(v, str) for v in values.ravel())
        values = values.astype(str if texts else float)
    if values.ndim not in (1, 2) or values.dtype.kind not in "biufU":
        raise DataError(
            f"{name} must be (time,) or (time, k) numbers, booleans or strings, "
            f"got shape {values.shape}, dtype {values.dtype}"
        )
    if kind is not None and kind not in KINDS:
        raise DataError(f"kind of {name} must be one of {KINDS}, got {kind!r}")
    if kind is None:
        kind = "continuous" if values.dtype.kind == "f" else "discrete"
        if values.dtype.kind in "iu" and len(np.unique(values)) > MOST_CLASSES:
            raise DataError(
                f"integer {name} has {len(np.unique(values))} values: is it a class or a number? "
                "Say kind='discrete' or kind='continuous'"
            )
    if kind != "discrete":
        if values.dtype.kind == "U":
            raise DataError(f"{name} holds strings, which cannot be {kind}")
        values = values.astype(np.float64)
    elif values.ndim == 2:
        raise DataError(f"discrete {name} must be (time,), got shape {values.shape}")
    return Label(values, kind, name)


def require_values(label: Label, z: Any = None) -> None:
    """Refuse NaN, and -1 in an integer label unless its values are just -1 and 1."""
    values = label.columns()
    missing = np.zeros(len(values), bool)
    if values.dtype.kind == "f":
        missing = ~np.isfinite(values).all(axis=1)
    elif values.dtype.kind == "i" and not np.isin(values, (-1, 1)).all():
        missing = (values == OUTSIDE).any(axis=1)
    if missing.any():
        first = int(np.flatnonzero(missing)[0])
        raise MissingValuesError(
            f"{label.name} must not be missing (NaN, or -1 in a class); {missing.sum()} samples "
            f"are, the first at sample {first}{_clock(z, first)}; drop or fill them first"
        )


def whole(name: str, value: Any, at_least: int = 1) -> int:
    """The value, if it is a whole number of at least `at_least`."""
    counts = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not counts or int(value) < at_least:
        raise DataError(f"{name} must be a whole number of at least {at_least}, got {value!r}")
    return int(value)


def same_length(n: int, other: int, name: str, other_name: str) -> None:
    if n != other:
        raise DataError(
            f"{name} and {other_name} must have one row a sample: {n} rows against {other}"
        )


def conditions_of(z: Any, trials: NDArray) -> NDArray:
    """Joint class of the discrete labels of an embedding that are constant in every trial."""
    codes = pd.factorize(trials)[0]
    first = np.unique(codes, return_index=True)[1]
    joint = np.zeros(len(codes), np.int64)
    for name in z.coords if is_embedding(z) else ():
        values = z.coords[name]
        if name in ("time", "trial", "edge", "split") or values.dims != ("time",):
            continue
        if values.dtype.kind == "f":
            continue
        mine = pd.factorize(values.values)[0]
        if np.array_equal(mine, mine[first][codes]):
            joint = pd.factorize(joint * (mine.max() + 1) + mine)[0]
    return joint


def halves(trials: NDArray, conditions: NDArray | None = None) -> Ints:
    """0 for odd, 1 for even trials in order of appearance, counted inside each condition.

    Counted so because on a track laps alternate: plain odd trials would all run one way.

    >>> halves(np.array([7, 7, 8, 9, 9]))
    array([0, 0, 1, 0, 0])
    """
    codes, names = pd.factorize(trials)
    first = np.unique(codes, return_index=True)[1]
    condition = np.zeros(len(names), np.int64) if conditions is None else conditions[first]
    order = np.argsort(pd.factorize(condition)[0], kind="stable")
    half = np.empty(len(names), np.int64)
    half[order] = np.arange(len(names)) % 2
    return half[codes]


def recording_of(z: Any) -> str:
    """Name of the recording that an embedding comes from; "" if it does not say."""
    return str(z.attrs.get("recording", "")) if is_embedding(z) else ""


def split_of(zs: Sequence[Any]) -> str:
    """Name of the split, if the embeddings carry one."""
    names: set[str] = set()
    for z in zs:
        if is_embedding(z):
            held = z.coords["split"].values if "split" in z.coords else z.attrs.get("split", ())
            names |= {str(v) for v in np.unique(np.asarray(held))} if np.size(held) else set()
    return " + ".join(sorted(names)) or "as given"
