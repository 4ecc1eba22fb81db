"""The tables of a recording: labels, kinds, channels, trials, segments, each made and checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from . import trials as walls_
from .errors import DataError
from .trials import OUTSIDE

KINDS = ("discrete", "continuous", "circular")

MOST_CLASSES = 50
"""An integer label with more values than this is probably not a class."""


def as_label(name: str, values: Any, n_samples: int) -> NDArray:
    """A label as an array of numbers, booleans or fixed-width strings, one row a sample."""
    values = np.asarray(values)
    if values.dtype == object or values.dtype.kind == "T":
        if not all(isinstance(v, str) for v in values.ravel()):
            raise DataError(
                f"label {name!r} must be numbers, booleans or strings, not mixed objects"
            )
        values = values.astype(str)
    if values.dtype.kind not in "biufU":
        raise DataError(
            f"label {name!r} has dtype {values.dtype}; use numbers, booleans or strings"
        )
    if values.ndim not in (1, 2) or len(values) != n_samples:
        raise DataError(
            f"label {name!r} must be (time,) or (time, k) with {n_samples} samples, "
            f"got shape {values.shape}"
        )
    return values


def label_kinds(labels: Mapping[str, NDArray], given: dict[str, str]) -> dict[str, str]:
    """Kind of every label: as given, else by its type."""
    for name, kind in given.items():
        if kind not in KINDS:
            raise DataError(f"kind of label {name!r} must be one of {KINDS}, got {kind!r}")
    kinds = {}
    for name, values in labels.items():
        kind = given.get(name) or ("continuous" if values.dtype.kind == "f" else "discrete")
        if name not in given and values.dtype.kind in "iu":
            n = len(np.unique(values[values >= 0]))
            if n > MOST_CLASSES:
                raise DataError(
                    f"integer label {name!r} has {n} values: is it a class or a number? Say "
                    f"kinds={{{name!r}: 'discrete'}} or 'continuous'"
                )
        kinds[name] = kind
    return kinds


def channel_table(channels: pd.DataFrame | None, n: int) -> pd.DataFrame:
    """One row a channel."""
    if channels is None:
        return pd.DataFrame(index=pd.RangeIndex(n, name="channel"))
    if len(channels) != n:
        raise DataError(f"channels must have one row a channel: {len(channels)} rows for {n}")
    return channels


def trial_table(table: pd.DataFrame, n_samples: int) -> pd.DataFrame:
    """Trials with whole, sorted, disjoint start and stop under a unique index."""
    missing = {"start", "stop"} - set(table.columns)
    if missing:
        raise DataError(f"trials need columns start and stop in samples; missing {sorted(missing)}")
    edges = table[["start", "stop"]].to_numpy()
    if len(edges) and not np.all(edges == np.floor(edges.astype(float))):
        raise DataError("trial start and stop must be whole samples; Session.bin converts seconds")
    table = table.assign(start=edges[:, 0].astype(np.int64), stop=edges[:, 1].astype(np.int64))
    names = table.index.tolist()
    if not table.index.is_unique:
        raise DataError("the index of the trial table must be unique: it names the trials")
    walls_.check_intervals(table["start"].to_numpy(), table["stop"].to_numpy(), n_samples, names)
    return table


def segment_table(
    segments: pd.DataFrame | None, trials: pd.DataFrame | None, n: int, start0: float, rate: float
) -> pd.DataFrame:
    """Checked segments; derived from the trials unless given."""
    if segments is not None:
        segments = segments[["start", "stop", "time0", "trial"]].reset_index(drop=True)
        start, stop = segments["start"].to_numpy(), segments["stop"].to_numpy()
        walls_.check_intervals(start, stop, n, segments.index.tolist())
        if int((stop - start).sum()) != n:
            raise DataError(
                f"segments must cover all {n} samples, they cover {(stop - start).sum()}"
            )
        return segments
    if trials is None:
        start, stop = np.zeros(min(n, 1), np.int64), np.full(min(n, 1), n, np.int64)
        trial: NDArray = np.arange(len(start))
    else:
        start, stop, position = walls_.walls(
            trials["start"].to_numpy(), trials["stop"].to_numpy(), n
        )
        names = np.append(trials.index.to_numpy(), OUTSIDE)
        trial = names[position]
    time0 = start0 + start / rate
    return pd.DataFrame({"start": start, "stop": stop, "time0": time0, "trial": trial})
