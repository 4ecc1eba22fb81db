"""Tables and words of an NWB file → pandas and plain values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import ReadError

WORDS = (
    "identifier", "session_id", "session_description", "experiment_description", "institution",
    "lab", "notes",
)  # fmt: skip
SUBJECT = ("species", "sex", "age", "genotype", "strain", "description")


def tables(nwb: Any) -> Iterator[tuple[str, Any]]:
    """(name, table of intervals): trials, epochs, invalid times and any other."""
    for name in ("trials", "epochs", "invalid_times"):
        if getattr(nwb, name, None) is not None:
            yield name, getattr(nwb, name)
    for name, item in (nwb.intervals or {}).items():
        if name not in ("trials", "epochs", "invalid_times"):
            yield name, item
    for module in nwb.processing.values():
        for name, item in module.data_interfaces.items():
            if {"start_time", "stop_time"} <= set(getattr(item, "colnames", ())):
                yield name, item


def read_table(name: str, item: Any, file: str, found: list[str]) -> pd.DataFrame:
    """`start`, `stop` and every other column, in order of time."""
    _check_columns(name, item, file)
    skip = {"timeseries", "timeseries_index"} & set(item.colnames)
    table = item.to_dataframe(exclude=skip)
    table = table.rename(columns={"start_time": "start", "stop_time": "stop"})
    for column in table.columns:
        if table[column].dtype == object:
            table[column] = pd.Series([text(v) for v in table[column]], table.index)
    broken = ~(table["stop"] >= table["start"])
    if broken.any():
        found.append(
            f"{name}: {broken.sum()} rows without start or stop, or stopping before they start, "
            f"left out; first {table.index[broken][0]}"
        )
        table = table[~broken]
    if not table["start"].is_monotonic_increasing:
        found.append(f"{name}: rows are not in order of time; sorted")
        table = table.sort_values("start", kind="stable")
    if not table.index.is_unique:
        found.append(f"{name}: ids are not unique; numbered from 0")
        table = table.reset_index(drop=True)
    return table


def _check_columns(name: str, item: Any, file: str) -> None:
    absent = sorted({"start_time", "stop_time"} - set(item.colnames))
    if absent:
        raise ReadError(
            f"{file}: a table of intervals has start_time and stop_time, but {name!r} lacks "
            f"{absent}; it has {list(item.colnames)[:8]}. Copy the file again from its source, or "
            f'read the rest with read(path, skip=["{name}"])'
        )
    rows = len(item.id)
    for column in item.colnames:
        n = len(item[column])
        if n != rows:
            raise ReadError(
                f"{file}: the columns of a table have one length, but {column!r} of {name!r} has "
                f"{n} rows and its ids {rows}; copy the file again from its source, or read the "
                f'rest with read(path, skip=["{name}"])'
            )


def text(value: Any) -> Any:
    """Bytes as text, a list of words (tags) as one text; anything else as it is."""
    if isinstance(value, bytes):
        return value.decode()
    words = isinstance(value, list | tuple | np.ndarray) and len(np.shape(value)) == 1
    if words and len(value) and all(isinstance(v, str | bytes) for v in value):
        return ", ".join(text(v) for v in value)
    return value


def plain_columns(table: Any) -> dict[str, NDArray]:
    """Columns of numbers, booleans or words, one value a row."""
    out: dict[str, NDArray] = {}
    for name in table.colnames:
        data = getattr(table[name], "data", None)
        if data is None or hasattr(table[name], "target") or np.ndim(data) != 1:
            continue
        values = list(data[:])
        if values and all(isinstance(v, str | bytes) for v in values):
            out[name] = np.array([text(v) for v in values])
        elif np.asarray(values).dtype.kind in "biuf":
            out[name] = np.asarray(values)
    return out


def metadata(nwb: Any) -> dict[str, Any]:
    """What the file says of the session and the subject, in words."""
    out = {w: getattr(nwb, w, None) for w in WORDS}
    out["session_start_time"] = str(nwb.session_start_time)
    out["experimenter"] = ", ".join(map(str, nwb.experimenter or ()))
    out["spike_resolution"] = getattr(nwb.units, "resolution", None)
    for field in SUBJECT:
        out[f"subject_{field}"] = getattr(nwb.subject, field, None)
    return {k: v for k, v in out.items() if v}
