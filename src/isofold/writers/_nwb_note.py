"""What NWB has no place for, as JSON that the reader restores."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from .._tables_json import scalar_to_json, table_to_json
from ..session import Session
from ._nwb_names import Names
from ._nwb_tables import flat_index

NAME, FORMAT, VERSION = "isofold", "isofold session", 1
"""As in readers/_nwb_note.py, which reads it."""


def note(session: Session, names: Names) -> dict[str, Any]:
    """Names, column metadata, supports and indices, metadata and provenance of a session."""
    tables = dict(session.intervals)
    if session.trials is not None:
        tables["trials"] = session.trials
    return {
        "format": FORMAT,
        "version": VERSION,
        "series": {k: _series(v, session.series[v]) for k, v in names.series.items()},
        "events": names.events,
        "events_in_order": list(session.events),
        "no_events": [k for k, v in session.events.items() if not len(v)],
        "tables": {k: _table(k, v, tables[v], names) for k, v in names.tables.items()},
        "metadata": {str(k): to_json(v) for k, v in session.metadata.items()},
        "provenance": [to_json(step) for step in session.provenance],
    }


def _series(name: str, series: Any) -> dict[str, Any]:
    about: dict[str, Any] = {"name": name}
    if hasattr(series, "columns"):
        table = pd.DataFrame(index=pd.Index(series.columns))
        if len(getattr(series, "metadata_columns", ())):
            table = series.metadata.set_axis(table.index)
        about["columns"] = table_to_json(table, f"columns of {name}")
    t, support = np.asarray(series.times()), series.time_support
    ends = np.column_stack([support.start, support.end])
    if len(ends) > 1 or (len(ends) and (ends[0] != t[[0, -1]]).any()):
        about["support"] = ends.tolist()
    return about


def _table(written: str, name: str, table: pd.DataFrame, names: Names) -> dict[str, Any]:
    fixed = {"start_time": "start", "stop_time": "stop"}
    columns = names.columns[written]
    about: dict[str, Any] = {
        "name": name,
        "columns": {k: v for k, v in columns.items() if k != v and k not in fixed},
        "dtypes": {str(c): str(d) for c, d in table.dtypes.items() if _is_plain(d)},
        "index_name": to_json(table.index.name),
    }
    _, column = flat_index(name, table)
    return about if column is None else about | {"index": column}


def _is_plain(dtype: Any) -> bool:
    return isinstance(dtype, np.dtype) and dtype.kind in "biuf"


def to_json(value: Any) -> Any:
    """Lists and mappings of plain values; anything else by its text."""
    if isinstance(value, dict):
        return {str(k): to_json(v) for k, v in value.items()}
    if isinstance(value, tuple | list | np.ndarray | set | frozenset):
        return [to_json(v) for v in value]
    try:
        return scalar_to_json(value)
    except TypeError:
        return str(value)
