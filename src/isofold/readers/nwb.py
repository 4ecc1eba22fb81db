"""NWB (HDF5 or Zarr) → `Session`, lazily: data of series stay in the file until they are used."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..session import Session
from ._blame import blamed
from ._clock import check_events
from ._flaws import check_about, check_descriptions
from ._nwb_note import is_event, read_note, restored
from ._nwb_series import Reading, read_series, times, written_columns
from ._nwb_store import Source, opened, source_of
from ._nwb_tables import metadata, read_table, tables
from ._nwb_units import read_units
from ._sync import pulse_trains

NO_UNIT = ("", "unknown", "n/a", "n.a.", "a.u.")


def read_nwb(
    path: Path, *, unsorted: str = "raise", skip: Sequence[str] = (), missing_chunks: str = "raise"
) -> Session:
    """Units, time series, events, trials and intervals of an NWB file or NWB-Zarr folder.

    The file stays open for reading as long as a series of the session lives. A name that occurs in
    two places becomes "container/name" in both. What `skip` names is left out; `missing_chunks`
    says whether a Zarr folder may lack chunks ("fill": they hold the fill value).
    """
    return read_source(source_of(path), unsorted, skip, missing_chunks)


def read_source(
    source: Source, unsorted: str = "raise", skip: Sequence[str] = (), missing_chunks: str = "raise"
) -> Session:
    """`read_nwb` for a file that need not lie on this machine.

    Values of a series far away are not looked for flaws: that would fetch all of it.
    """
    left = (skip,) if isinstance(skip, str) else tuple(skip)
    with blamed(source.name), opened(source, missing_chunks) as (nwb, lazy):
        return _session(nwb, Reading(source.name, lazy, unsorted, left, values=not source.remote))


def _session(nwb: Any, reading: Reading) -> Session:
    note = read_note(nwb, reading.file)
    items = [pair for pair in _named(_items(nwb), reading) if pair[0] not in reading.skip]
    listed = {k for k, v in items if is_event(note, k) or _holds_times(k, v, reading)}
    events = _events([pair for pair in items if pair[0] in listed], reading)
    rest = [pair for pair in items if pair[0] not in listed]
    series, about = _all_series(rest, pulse_trains(events), reading)
    found = {k: _table(k, v, reading) for k, v in tables(nwb) if k not in reading.skip}
    trials = found.pop("trials", None)
    units = None
    if "units" not in reading.skip:
        with blamed(reading.file, "the table of units", "units"):
            units, more = read_units(nwb, _extent(series, events, trials, found))
            reading.flaws += more
    if not note:
        reading.flaws += _words(nwb, items)
    said = reading.left_out + reading.flaws
    session = Session(
        units=units,
        series=series,
        events=events,
        trials=trials,
        intervals=found,
        name=Path(reading.file).stem.removesuffix(".nwb"),
        subject=getattr(nwb.subject, "subject_id", None) or None,
        metadata=metadata(nwb) | about | {"warnings": said},
        provenance=({"step": "read", "file": reading.file, "format": "NWB"},),
    )
    return restored(session, note, reading.left_out)


def _events(items: list[tuple[str, Any]], reading: Reading) -> dict[str, NDArray]:
    out = {}
    for name, item in items:
        with blamed(reading.file, f"the times of events {name!r}", name):
            out[name], found = check_events(name, times(item))
        reading.flaws += found
    return out


def _all_series(
    items: list[tuple[str, Any]], trains: dict[str, NDArray], reading: Reading
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Series by name, and the metadata that the file gives for them."""
    out: dict[str, Any] = {}
    kinds: dict[str, str] = {}
    units: dict[str, str] = {}
    for name, item in items:
        with blamed(reading.file, f"series {name!r}", name):
            one = read_series(name, item, reading, trains)
        if one is None:
            continue
        out[name] = one
        unit = str(getattr(item, "unit", "") or "")
        units |= {} if unit.lower() in NO_UNIT else {name: unit}
        if _is_angle(item):
            kinds[name] = "circular"
    return out, {
        "kinds": kinds,
        "series_units": {k: v for k, v in units.items() if v.lower() not in NO_UNIT},
    }


def _table(name: str, item: Any, reading: Reading) -> Any:
    with blamed(reading.file, f"table {name!r}", name):
        return read_table(name, item, reading.file, reading.left_out)


def _words(nwb: Any, items: list[tuple[str, Any]]) -> list[str]:
    """Flaws of descriptions, session id and subject."""
    plain = ("", "no description")
    said = {k: str(getattr(v, "description", "") or "") for k, v in items}
    found = check_descriptions({k: v for k, v in said.items() if v.lower() not in plain})
    return found + check_about(nwb.session_id, nwb.subject)


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


def _named(items: Iterator[tuple[str, Any]], reading: Reading) -> list[tuple[str, Any]]:
    listed = list(items)
    names = [item.name for _, item in listed]
    out: dict[str, Any] = {}
    for parent, item in listed:
        name = item.name if names.count(item.name) == 1 else f"{parent}/{item.name}"
        if name in out:
            reading.left_out.append(f"{name}: occurs twice; the second is left out")
        out.setdefault(name, item)
    return list(out.items())


def _event_column(item: Any) -> bool:
    return "timestamp" in getattr(item, "colnames", ())


def _holds_times(name: str, item: Any, reading: Reading) -> bool:
    """Times without data, or with data that are all 1 (or that annotate)."""
    with blamed(reading.file, f"series {name!r}", name):
        return _is_event(item)


def _is_event(item: Any) -> bool:
    import pynwb

    if _event_column(item) or isinstance(item, pynwb.misc.AnnotationSeries):
        return True
    data = getattr(item, "data", None)
    if data is None:
        return True
    if item.timestamps is None or np.ndim(data) != 1 or written_columns(item) is not None:
        return False
    return _all_ones(data)


def _all_ones(data: Any) -> bool:
    """In slices, as most series say no in the first."""
    size = 1 << 16
    kind = data.dtype.kind if hasattr(data, "dtype") else np.asarray(data[:1]).dtype.kind
    return kind in "biuf" and all(
        bool(np.all(data[i : i + size] == 1)) for i in range(0, len(data), size)
    )


def _is_angle(item: Any) -> bool:
    import pynwb

    direction = isinstance(item.parent, pynwb.behavior.CompassDirection)
    return direction and str(getattr(item, "unit", "")).lower() in ("radians", "radian", "rad")


def _extent(series, events, trials, tables) -> list[tuple[float, float]]:
    """First and last times of what is not a unit."""
    ends = [(float(s.times()[0]), float(s.times()[-1])) for s in series.values()]
    ends += [(float(e[0]), float(e[-1])) for e in events.values() if len(e)]
    for table in [*tables.values(), *([] if trials is None else [trials])]:
        if len(table):
            ends.append((float(table["start"].min()), float(table["stop"].max())))
    return ends
