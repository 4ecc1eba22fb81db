"""NWB (HDF5) → `Session`, lazily: data of series stay in the file until they are used."""

from __future__ import annotations

import json
import warnings as python_warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import ReadError
from ..session import Session
from ._clock import check_events, check_series
from ._nwb_units import read_units
from ._series import time_series

LONGEST = 50_000_000
"""Series of more samples are left out: their clock alone would fill the memory."""


def read_nwb(path: Path, *, unsorted: str = "raise") -> Session:
    """Units, time series, events, trials and intervals of an NWB file.

    The file stays open for reading as long as a series of the session lives. A name that occurs in
    two places becomes "container/name" in both.
    """
    import h5py
    import pynwb

    with h5py.File(path, "r") as file:
        if "nwb_version" not in file.attrs:
            raise ReadError(
                f"{path.name} is an HDF5 file but not NWB (no attribute nwb_version); it holds "
                f"{sorted(file)[:8]}. Save its arrays as npz, or as NWB"
            )
    with python_warnings.catch_warnings():  # about how the file was written: not the reader's
        python_warnings.simplefilter("ignore")
        with pynwb.NWBHDF5IO(str(path), "r", load_namespaces=True) as io:
            return _session(io.read(), path, unsorted)


def _session(nwb: Any, path: Path, unsorted: str) -> Session:
    found: list[str] = []
    events: dict[str, NDArray] = {}
    series: dict[str, Any] = {}
    kinds: dict[str, str] = {}
    for name, item in _named(_items(nwb), found):
        if _is_event(item):
            events[name], more = check_events(name, _times(item))
            found += more
        elif (one := _series(name, item, unsorted, found)) is not None:
            series[name] = one
            if _is_angle(item):
                kinds[name] = "circular"
    tables = {k: _table(k, v, found) for k, v in _tables(nwb)}
    trials = tables.pop("trials", None)
    units, more = read_units(nwb, _extent(series, events, trials, tables))
    metadata = _metadata(nwb) | {"kinds": kinds, "warnings": found + more}
    subject = getattr(nwb.subject, "subject_id", None) or None
    step = {"step": "read", "file": path.name, "format": "NWB"}
    return Session(
        units, series, events, trials, tables, path.stem, subject, metadata, provenance=(step,)
    )


# -- what is in the file ------------------------------------------------------------------------


def _items(nwb: Any) -> Iterator[tuple[str, Any]]:
    """(container, time series or events) of acquisition, stimulus and every processing module."""
    roots = [*nwb.acquisition.values(), *nwb.stimulus.values()]
    for module in nwb.processing.values():
        roots += list(module.data_interfaces.values())
    roots += list((getattr(nwb, "events", None) or {}).values())
    for root in roots:
        stack = [root]
        while stack:
            item = stack.pop(0)
            if hasattr(item, "timestamps") or _event_column(item):
                yield item.parent.name, item
            elif not hasattr(item, "colnames"):
                stack += list(getattr(item, "children", ()))


def _named(items: Iterator[tuple[str, Any]], found: list[str]) -> list[tuple[str, Any]]:
    listed = list(items)
    names = [item.name for _, item in listed]
    out: dict[str, Any] = {}
    for parent, item in listed:
        name = item.name if names.count(item.name) == 1 else f"{parent}/{item.name}"
        if name in out:
            found.append(f"{name}: occurs twice; the second is left out")
        out.setdefault(name, item)
    return list(out.items())


def _event_column(item: Any) -> bool:
    return "timestamp" in getattr(item, "colnames", ())


def _is_event(item: Any) -> bool:
    """Times without data, or with data that are all 1 (or that annotate)."""
    import pynwb

    if _event_column(item) or isinstance(item, pynwb.misc.AnnotationSeries):
        return True
    data = getattr(item, "data", None)
    if data is None:
        return True
    if item.timestamps is None or np.ndim(data) != 1 or _written_columns(item) is not None:
        return False
    return _all_ones(data)


def _all_ones(data: Any) -> bool:
    """In slices, as most series say no in the first."""
    size = 1 << 16
    kind = getattr(data, "dtype", np.asarray(data[:1]).dtype).kind
    return kind in "biuf" and all(
        bool(np.all(data[i : i + size] == 1)) for i in range(0, len(data), size)
    )


def _is_angle(item: Any) -> bool:
    import pynwb

    direction = isinstance(item.parent, pynwb.behavior.CompassDirection)
    return direction and str(getattr(item, "unit", "")).lower() in ("radians", "radian", "rad")


# -- series -------------------------------------------------------------------------------------


def _times(item: Any) -> NDArray[np.float64]:
    if _event_column(item):
        return np.asarray(item["timestamp"][:], dtype=float)
    if item.timestamps is not None:
        return np.asarray(item.timestamps[:], dtype=float)
    return float(item.starting_time or 0.0) + np.arange(len(item.data)) / float(item.rate)


def _series(name: str, item: Any, unsorted: str, found: list[str]) -> Any:
    """pynapple object, or None with the reason in `found`."""
    import pynwb

    data, shape = item.data, np.shape(item.data)
    if isinstance(item, pynwb.image.ImageSeries) or len(shape) not in (1, 2) or not all(shape):
        found.append(
            f"{name}: {type(item).__name__} of shape {shape} is no (time, channel); left out"
        )
        return None
    if len(data) > LONGEST:
        found.append(f"{name}: {len(data)} samples are too many to hold their clock; left out")
        return None
    t = _times(item)
    if len(t) != len(data):
        found.append(f"{name}: {len(t)} times for {len(data)} samples; left out")
        return None
    order, more = check_series(name, t, unsorted)
    found += more
    if order is None:
        return None
    values = _data(item)
    if len(order) < len(t) or (np.diff(order) != 1).any():
        values, t = np.asarray(values[:])[order], t[order]
    columns, metadata = (None, None) if len(shape) == 1 else _columns(item, shape[1])
    return time_series(t, values, columns, metadata)


def _data(item: Any) -> Any:
    """Lazy data, from a handle of their own; text and scaled numbers are read now."""
    import h5py

    data = item.data
    scale, offset = float(item.conversion or 1.0), float(getattr(item, "offset", 0.0) or 0.0)
    if isinstance(data, list) or data.dtype.kind == "O":
        return np.asarray([_text(v) for v in data[:]]) if len(data) else np.asarray(data)
    if (scale, offset) != (1.0, 0.0):
        return np.asarray(data[:]) * scale + offset
    if isinstance(data, h5py.Dataset):
        return h5py.File(data.file.filename, "r")[data.name]
    return np.asarray(data)


def _columns(item: Any, n: int) -> tuple[list, pd.DataFrame | None]:
    """Channel names, with metadata of regions of interest where the file has them."""
    import pynwb

    written = (_written_columns(item) or {}).get("columns")
    if written is not None and len(written) == n:
        return written, None
    if isinstance(item, pynwb.behavior.SpatialSeries) and n <= 3:
        return list("xyz"[:n]), None
    rois = getattr(item, "rois", None)
    if rois is None or len(rois) != n:
        return list(range(n)), None
    table = rois.table
    plain = [c for c in table.colnames if _is_plain(table, c)]
    chosen = np.asarray(rois.data[:], dtype=int)
    ids = np.asarray(table.id[:])[chosen]
    if len(np.unique(ids)) < n:
        ids = np.arange(n)
    info = {f"roi_{c}": np.asarray(table[c].data[:])[chosen] for c in plain}
    return list(ids), (pd.DataFrame(info, index=ids) if info else None)


def _written_columns(item: Any) -> dict | None:
    """What isofold's own writer says of a series' columns (NWB has no place for their names)."""
    said = str(getattr(item, "comments", "") or "")
    return json.loads(said) if said.startswith('{"columns": ') else None


def _is_plain(table: Any, column: str) -> bool:
    data = getattr(table[column], "data", None)
    return data is not None and np.ndim(data) == 1 and np.asarray(data[:1]).dtype.kind in "biuf"


# -- tables and words ---------------------------------------------------------------------------


def _tables(nwb: Any) -> Iterator[tuple[str, Any]]:
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


def _table(name: str, item: Any, found: list[str]) -> pd.DataFrame:
    skip = {"timeseries", "timeseries_index"} & set(item.colnames)
    table = item.to_dataframe(exclude=skip)
    table = table.rename(columns={"start_time": "start", "stop_time": "stop"})
    for column in table.columns:
        if table[column].dtype == object:
            table[column] = [_text(v) for v in table[column]]
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


def _text(value: Any) -> Any:
    """Bytes as text, a list of words (tags) as one text; anything else as it is."""
    if isinstance(value, bytes):
        return value.decode()
    words = isinstance(value, list | tuple | np.ndarray) and len(np.shape(value)) == 1
    if words and all(isinstance(v, str | bytes) for v in value):
        return ", ".join(_text(v) for v in value)
    return value


def _extent(series, events, trials, tables) -> list[tuple[float, float]]:
    """First and last times of what is not a unit."""
    ends = [(float(s.times()[0]), float(s.times()[-1])) for s in series.values()]
    ends += [(float(e[0]), float(e[-1])) for e in events.values() if len(e)]
    for table in [*tables.values(), *([] if trials is None else [trials])]:
        if len(table):
            ends.append((float(table["start"].min()), float(table["stop"].max())))
    return ends


def _metadata(nwb: Any) -> dict[str, Any]:
    words = ("identifier", "session_id", "session_description", "experiment_description")
    words += ("institution", "lab", "notes")  # type: ignore[assignment]
    out = {w: getattr(nwb, w, None) for w in words}
    out["session_start_time"] = str(nwb.session_start_time)
    out["experimenter"] = ", ".join(map(str, nwb.experimenter or ()))
    for field in ("species", "sex", "age", "genotype", "strain", "description"):
        out[f"subject_{field}"] = getattr(nwb.subject, field, None)
    return {k: v for k, v in out.items() if v}
