"""`Session` → NWB (HDF5)."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pandas as pd

from ..errors import DataError
from ..session import Session

START = datetime(1970, 1, 1, tzinfo=UTC)
"""NWB wants a date; this one says that the session does not know its own."""


def write_nwb(session: Session, path: str | Path) -> Path:
    """Write units with metadata, series, events, trials and intervals; `isofold.read` reads it.

    A numeric series of up to three columns called x, y, z becomes a `SpatialSeries` in `Position`,
    a circular one in `CompassDirection`, any other a `TimeSeries`. Times are written as they are.
    Metadata of a series' columns and the session's provenance are not written.

    Parameters
    ----------
    session
        What to write.
    path
        Target; written under a temporary name and renamed, so that no half file is left.

    Raises
    ------
    DataError
        A table has a column that NWB cannot hold.

    Examples
    --------
    >>> import tempfile
    >>> import isofold
    >>> path = Path(tempfile.mkdtemp()) / "one.nwb"
    >>> isofold.read(write_nwb(Session(units={4: np.array([0.5, 1.0])}), path))
    <Session 'one': 1 units, 0 series, no trials>
    """
    import warnings

    import pynwb

    path = Path(path)
    nwb = _file(session)
    _add_units(nwb, session.units)
    for name, series in session.series.items():
        _add_series(nwb, name, series, session.metadata.get("kinds", {}).get(name))
    for name, times in session.events.items():
        ones = np.ones(len(times))
        kept = {"timestamps": times, "unit": "n/a", "description": "times of events"}
        nwb.add_acquisition(pynwb.TimeSeries(name=_safe(name), data=ones, **kept))
    for name, table in session.intervals.items():
        if name != "trials":
            nwb.add_time_intervals(_intervals(name, table))
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with pynwb.NWBHDF5IO(str(part), "w") as io:
                io.write(nwb)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
    return path


def _file(session: Session) -> Any:
    import pynwb

    said = session.metadata
    words = ("session_id", "experiment_description", "institution", "lab", "notes")
    given = {w: str(said[w]) for w in words if said.get(w)}
    if said.get("experimenter"):
        given["experimenter"] = said["experimenter"]
    fields = ("species", "sex", "age", "genotype", "strain", "description")
    about = {f: str(said[f"subject_{f}"]) for f in fields if said.get(f"subject_{f}")}
    start = said.get("session_start_time")
    if session.subject or about:
        given["subject"] = pynwb.file.Subject(subject_id=session.subject, **about)
    if session.trials is not None:
        given["trials"] = _intervals("trials", session.trials)
    return pynwb.NWBFile(
        session_description=str(said.get("session_description") or session.name or "session"),
        identifier=str(said.get("identifier") or uuid4()),
        session_start_time=datetime.fromisoformat(start) if start else START,
        **given,
    )


def _add_units(nwb: Any, units: Any) -> None:
    if units is None or not len(units):
        return
    table = units.metadata.drop(columns="rate", errors="ignore")
    if "electrode_group" in table:  # in NWB an object, in a session its name
        table["electrode_group"] = table["electrode_group"].map(_groups(nwb, table))
    for column in table.columns.drop("electrode_group", errors="ignore"):
        nwb.add_unit_column(column, column)
    observed = np.column_stack([units.time_support.start, units.time_support.end])
    for unit, row in zip(units.index, table.to_dict("records"), strict=True):
        spikes = np.asarray(units[unit].times())
        nwb.add_unit(id=int(unit), spike_times=spikes, obs_intervals=observed, **row)


def _groups(nwb: Any, table: pd.DataFrame) -> dict[str, Any]:
    device = nwb.create_device("unknown")
    names = table["electrode_group"].unique()
    return {n: nwb.create_electrode_group(n, n, location="", device=device) for n in names}


def _add_series(nwb: Any, name: str, series: Any, kind: str | None) -> None:
    import pynwb

    data, columns = np.asarray(series.values[:]), getattr(series, "columns", None)
    named = None if columns is None else [c if isinstance(c, str) else int(c) for c in columns]
    if data.dtype.kind == "U":
        data = data.astype(object)
    values = {"data": data, "timestamps": np.asarray(series.times()), "name": _safe(name)}
    values["comments"] = json.dumps({"columns": named})
    if kind == "circular" and data.ndim == 1:
        angle = pynwb.behavior.SpatialSeries(reference_frame="", unit="radians", **values)
        _behavior(nwb).add(
            pynwb.behavior.CompassDirection(name=f"{_safe(name)}_", spatial_series=angle)
        )
    elif named is not None and named == list("xyz"[: len(named)]) and data.dtype.kind in "iuf":
        place = pynwb.behavior.SpatialSeries(reference_frame="", unit="unknown", **values)
        _behavior(nwb).add(pynwb.behavior.Position(name=f"{_safe(name)}_", spatial_series=place))
    else:
        _behavior(nwb).add(pynwb.TimeSeries(unit="unknown", **values))


def _behavior(nwb: Any) -> Any:
    if "behavior" not in nwb.processing:
        nwb.create_processing_module("behavior", "series of the session")
    return nwb.processing["behavior"]


def _intervals(name: str, table: pd.DataFrame) -> Any:
    import pynwb
    from hdmf.common import VectorData

    names = {"start": "start_time", "stop": "stop_time"}
    ids = table.index
    if not pd.api.types.is_integer_dtype(ids):
        table = table.reset_index(names=ids.name or "name")
        ids = table.index
    columns = []
    for column in map(str, table.columns):
        data = _column(name, column, table[column])
        if column != "tags":
            at = names.get(column, column)
            columns.append(VectorData(name=at, description=column, data=data))
    out = pynwb.epoch.TimeIntervals(
        name=_safe(name), description=name, id=[int(i) for i in ids], columns=columns
    )
    if "tags" in table:  # NWB holds a list of words a row
        words = [str(v).split(", ") for v in table["tags"]]
        out.add_column(name="tags", description="tags", data=words, index=True)
    return out


def _column(table: str, name: str, values: pd.Series) -> list:
    """Numbers, booleans or text; missing text is written as ""."""
    if any(isinstance(v, str) for v in values):
        values = values.astype(object).where(values.notna(), "")
    plain = [v.item() if isinstance(v, np.generic) else v for v in values]
    kinds = {type(v) for v in plain}
    if kinds == {int, float}:
        return [float(v) for v in plain]
    if len(kinds) > 1 or not kinds <= {int, float, bool, str}:
        found = sorted(k.__name__ for k in kinds)
        raise DataError(
            f"a column in NWB holds numbers, booleans or text, not {found}; recode or drop column "
            f"{name!r} of table {table!r}"
        )
    return plain


def _safe(name: str) -> str:
    """NWB forbids "/" and ":" in names."""
    return name.replace("/", "_").replace(":", "_")
