"""What isofold's own writer notes in a file, because NWB has no place for it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np

from .._intervals import interval_set
from .._tables_json import scalar_from_json, table_from_json
from ..errors import ReadError
from ..session import Session

NAME, FORMAT, VERSION = "isofold", "isofold session", 1


def read_note(nwb: Any, file: str) -> dict[str, Any]:
    """The note (JSON in scratch/isofold), or an empty one for files of others."""
    item = (nwb.scratch or {}).get(NAME)
    if item is None:
        return {}
    try:
        said = json.loads(_word(item.data))
    except (ValueError, TypeError, IndexError) as error:
        raise ReadError(
            f"{file}: scratch/{NAME} is not the JSON that isofold wrote ({error}); write the file "
            f"again, or delete that dataset to read the rest"
        ) from error
    if not isinstance(said, dict) or said.get("format") != FORMAT:
        return {}
    if said["version"] > VERSION:
        raise ReadError(
            f"{file}: written by a newer isofold (format {said['version']}; this one knows "
            f"{VERSION}); pip install --upgrade isofold"
        )
    return said


def _word(data: Any) -> str:
    value = data if isinstance(data, str | bytes) else data[()]
    while isinstance(value, np.ndarray | list):
        value = value.ravel()[0] if isinstance(value, np.ndarray) else value[0]
    return value.decode() if isinstance(value, bytes) else str(value)


def is_event(note: dict[str, Any], name: str) -> bool:
    """Does the note say that the time series of this name is a list of times?"""
    return name in note.get("events", {})


def restored(session: Session, note: dict[str, Any], left_out: list[str]) -> Session:
    """Names, column metadata, supports, indices, metadata and provenance as they were."""
    if not note:
        return session
    names, events = note["series"], note["events"]
    series = {
        (about := names.get(k, {})).get("name", k): _series(v, about)
        for k, v in session.series.items()
    }
    order = [about["name"] for about in names.values()]
    series = {k: series[k] for k in sorted(series, key=lambda k: _place(order, k))}
    kept = {events.get(k, k): v for k, v in session.events.items()}
    kept |= {k: np.empty(0) for k in note["no_events"]}
    known = {k: about for k, about in note["tables"].items() if k in session.intervals}
    tables = {known[k]["name"]: _table(session.intervals[k], known[k]) for k in known}
    tables |= {k: v for k, v in session.intervals.items() if k not in known}
    trials = session.trials
    metadata = from_json(note["metadata"])
    if "warnings" in metadata:  # who made the session has looked; else what was found just now
        metadata["warnings"] = metadata["warnings"] + left_out
    else:
        metadata["warnings"] = session.metadata["warnings"]
    return replace(
        session,
        series=series,
        events={k: kept[k] for k in sorted(kept, key=lambda k: _place(note["events_in_order"], k))},
        trials=None if trials is None else _table(trials, note["tables"].get("trials", {})),
        intervals=tables,
        metadata=metadata,
        provenance=tuple(from_json(step) for step in note["provenance"]),
    )


def _place(listed: list[str], name: str) -> int:
    return listed.index(name) if name in listed else len(listed)


def _series(series: Any, about: dict[str, Any]) -> Any:
    more: dict[str, Any] = {}
    if "columns" in about:
        table = table_from_json(about["columns"])
        more = {"columns": list(table.index)}
        more |= {"metadata": table} if len(table.columns) else {}
    elif hasattr(series, "columns"):
        more = {"columns": list(series.columns)}
    if "support" not in about and "columns" not in about:
        return series
    support = series.time_support
    if "support" in about:
        start, stop = np.array(about["support"], dtype=float).reshape(-1, 2).T
        support = interval_set(start, stop)
    t = np.asarray(series.times())
    return type(series)(t=t, d=series.values, time_support=support, load_array=False, **more)


def _table(table: Any, about: dict[str, Any]) -> Any:
    table = table.rename(columns=about.get("columns", {}))
    for column, dtype in about.get("dtypes", {}).items():
        if column in table and table[column].dtype != dtype:
            table[column] = table[column].astype(dtype)
    if "index" in about:
        table = table.set_index(about["index"])
    if "index_name" in about:
        table.index.name = about["index_name"]
    return table


def from_json(value: Any) -> Any:
    """Plain values as the writer's `to_json` wrote them."""
    if isinstance(value, list):
        return [from_json(v) for v in value]
    if isinstance(value, dict) and list(value) != ["float"]:
        return {k: from_json(v) for k, v in value.items()}
    return scalar_from_json(value)
