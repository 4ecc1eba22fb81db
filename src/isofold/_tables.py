"""The tables of a recording: labels, kinds, channels, trials, segments, each made and checked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from . import trials as walls_
from .errors import DataError
from .trials import OUTSIDE, Ints

KINDS = ("discrete", "continuous", "circular")

MOST_CLASSES = 50
"""An integer label with more values than this is probably not a class."""


def as_label(name: str, values: Any, n_samples: int) -> NDArray:
    """A label as an array of numbers, booleans or fixed-width strings, one row a sample."""
    dtype: Any = getattr(values, "dtype", None)
    nullable = getattr(dtype, "na_value", None) is pd.NA and dtype.kind in "iub"
    if nullable and pd.isna(values).any():  # NumPy would make them floats, or objects
        values = values.to_numpy(dtype=np.int64, na_value=OUTSIDE)
    try:
        values = np.asarray(values)
    except ValueError as error:
        raise DataError(f"label {name!r} must have rows of equal length ({error})") from error
    if values.dtype == object or values.dtype.kind == "T":
        values = _plain(name, values.astype(object))
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


def _plain(name: str, values: NDArray) -> NDArray:
    """Objects as what they all are: strings (a missing one is ""), numbers or booleans."""
    flat = values.ravel()
    missing = np.asarray(pd.isna(flat), dtype=bool)
    strings = np.array([isinstance(v, str) for v in flat], dtype=bool)
    if strings.any() and (strings | missing).all():
        plain = np.where(missing, "", flat).astype(str)
    elif any(v is None or v is pd.NA for v in flat):
        plain = flat
    else:
        plain = np.asarray(pd.Series(flat).infer_objects())
    if plain.dtype == object:
        raise DataError(
            f"label {name!r} must be numbers, booleans or strings, not mixed objects; a missing "
            'value is NaN, -1 or ""'
        )
    return plain.reshape(values.shape)


def label_kinds(
    labels: Mapping[str, NDArray], given: Mapping[str, str], columns: Iterable[Any] = ()
) -> dict[str, str]:
    """Kind of every label: as given, else by its type. Trial columns keep what is given."""
    columns = [c for c in columns if c not in ("start", "stop")]
    for name, kind in given.items():
        if kind not in KINDS:
            raise DataError(f"kind of label {name!r} must be one of {KINDS}, got {kind!r}")
        if name not in labels and name not in columns:
            raise DataError(
                f"kinds names {name!r}, which is no label or trial column; labels: "
                f"{sorted(labels)}, trial columns: {columns}"
            )
        if name in labels and labels[name].dtype.kind == "U" and kind != "discrete":
            raise DataError(f"label {name!r} holds strings: its kind is 'discrete', not {kind!r}")
    kinds = {name: given.get(name) or _own_kind(name, v) for name, v in labels.items()}
    return kinds | {name: kind for name, kind in given.items() if name not in labels}


def _own_kind(name: str, values: NDArray) -> str:
    if values.dtype.kind in "iu":
        n = len(np.unique(values[values >= 0]))
        if n > MOST_CLASSES:
            raise DataError(
                f"integer label {name!r} has {n} values: is it a class or a number? Say "
                f"kinds={{{name!r}: 'discrete'}} or 'continuous'"
            )
    return "continuous" if values.dtype.kind == "f" else "discrete"


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
    if not table.index.is_unique:
        raise DataError("the index of the trial table must be unique: it names the trials")
    names = table.index.tolist()
    if OUTSIDE in names:
        raise DataError(f"no trial may be called {OUTSIDE}: that marks samples outside every trial")
    start, stop = _whole(table, names)
    walls_.check_intervals(start, stop, n_samples, names)
    return table.assign(start=start, stop=stop)


def _whole(table: pd.DataFrame, names: list[Any]) -> tuple[Ints, Ints]:
    try:
        edges = table[["start", "stop"]].to_numpy(dtype=float)
    except (TypeError, ValueError) as error:
        raise DataError(f"start and stop of trials must be numbers of samples ({error})") from error
    for row in np.flatnonzero((edges != np.floor(edges)).any(axis=1)):
        raise DataError(
            f"start and stop of trials must be whole samples; trial {names[row]!r} has "
            f"start={edges[row, 0]}, stop={edges[row, 1]}; Session.bin converts seconds"
        )
    return edges[:, 0].astype(np.int64), edges[:, 1].astype(np.int64)


def segment_table(
    segments: pd.DataFrame | None, trials: pd.DataFrame | None, n: int, start0: float, rate: float
) -> pd.DataFrame:
    """Checked segments; derived from the trials unless given."""
    if segments is not None:
        return _given_segments(segments, trials, n)
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


def _given_segments(segments: pd.DataFrame, trials: pd.DataFrame | None, n: int) -> pd.DataFrame:
    missing = {"start", "stop", "time0", "trial"} - set(segments.columns)
    if missing:
        raise DataError(
            f"segments need columns start, stop, time0, trial; missing {sorted(missing)}"
        )
    segments = segments[["start", "stop", "time0", "trial"]].reset_index(drop=True)
    start, stop = segments["start"].to_numpy(), segments["stop"].to_numpy()
    walls_.check_intervals(start, stop, n, segments.index.tolist(), what="segment")
    if int((stop - start).sum()) != n:
        raise DataError(f"segments must cover all {n} samples, they cover {(stop - start).sum()}")
    borders = np.empty(0) if trials is None else trials[["start", "stop"]].to_numpy().ravel()
    for border in borders[~np.isin(borders, np.append(start, n))]:
        raise DataError(
            f"no segment may cross the border of a trial; one crosses sample {border}, where a "
            "trial starts or stops: cut it there"
        )
    return segments
