"""`Session` → NWB, in one HDF5 file or a Zarr folder."""

from __future__ import annotations

import json
import warnings
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from ..errors import DataError
from ..session import Session
from ._atomic import replacing
from ._nwb_names import Names
from ._nwb_note import NAME, note
from ._nwb_series import add_events, add_series
from ._nwb_tables import intervals
from ._nwb_units import add_units

START = datetime(1970, 1, 1, tzinfo=UTC)
"""NWB wants a date; this one says that the session does not know its own."""
BACKENDS = ("hdf5", "zarr")


def write_nwb(session: Session, path: str | Path, backend: str | None = None) -> Path:
    """Write everything a session holds; `isofold.read` gives an equal one back.

    A numeric series of up to three columns called x, y, z becomes a `SpatialSeries` in `Position`,
    a circular one in `CompassDirection`, any other a `TimeSeries`: in `processing` if a step of the
    provenance made it, else in `acquisition`. Events are time series of ones. Times are written as
    they are; where start and rate give the very same numbers, as start and rate. What NWB has no
    place for (provenance, column metadata, quality, warnings) is JSON in `scratch/isofold`.

    Parameters
    ----------
    session
        What to write. Long series are copied block by block.
    path
        Target; written under a temporary name and renamed, so that no half file is left.
    backend
        "hdf5", "zarr" (a folder), or None: Zarr where `path` ends in ".zarr".

    Raises
    ------
    DataError
        A table has a column that NWB cannot hold, or the session still reads from the Zarr folder
        that it would replace.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> import isofold
    >>> path = Path(tempfile.mkdtemp()) / "one.nwb"
    >>> isofold.read(write_nwb(Session(units={4: np.array([0.5, 1.0])}), path))
    <Session 'one': 1 units, 0 series, no trials>
    """
    path = Path(path)
    backend = backend or ("zarr" if path.suffix == ".zarr" else "hdf5")
    if backend not in BACKENDS:
        raise DataError(f"backend must be one of {BACKENDS} or None, got {backend!r}")
    if backend == "zarr":
        _refuse_own_source(session, path)
    with warnings.catch_warnings():  # pynwb's, about words that the session chose
        warnings.simplefilter("ignore")
        nwb = _file(session)
        with replacing(path) as part, _writer(part, backend) as io:
            io.write(nwb)
    return path


def _writer(part: Path, backend: str) -> Any:
    import pynwb

    if backend == "hdf5":
        return pynwb.NWBHDF5IO(str(part), "w")
    import hdmf_zarr

    if hasattr(hdmf_zarr, "NWBZarrV2IO"):  # 0.14: format 3, which knows no object codecs
        return hdmf_zarr.NWBZarrIO(str(part), "w")
    from numcodecs import JSON  # else words and references would be written as pickles

    manager = pynwb.get_manager()
    return hdmf_zarr.ZarrIO(str(part), manager=manager, mode="w", object_codec_class=JSON)


def _refuse_own_source(session: Session, path: Path) -> None:
    """A Zarr array finds its chunks by path, whenever it is used: they must stay."""
    for name, series in session.series.items():
        store = getattr(series.values, "store", None)
        store = getattr(store, "store", store)  # of a store with consolidated metadata
        place = getattr(store, "path", getattr(store, "root", None))
        if place is not None and Path(str(place)).resolve() == path.resolve():
            raise DataError(
                f"a session cannot replace the Zarr folder that it reads from: series {name!r} "
                f"lies in {path}; write to another name, then rename"
            )


def _file(session: Session) -> Any:
    names = Names()
    nwb = _head(session)
    if session.trials is not None:
        nwb.trials = intervals("trials", session.trials, names)
    add_units(nwb, session.units, session.metadata.get("spike_resolution"))
    for name in session.series:
        add_series(nwb, session, name, names)
    for name, times in session.events.items():
        if len(times):  # NWB has no time series without times; the note tells of the others
            add_events(nwb, name, times, names)
    for name, table in session.intervals.items():
        if name != "trials":
            nwb.add_time_intervals(intervals(name, table, names))
    text = json.dumps(note(session, names), allow_nan=False)
    nwb.add_scratch(text, name=NAME, description="what isofold restores: provenance, warnings, …")
    return nwb


def _head(session: Session) -> Any:
    """The file with what describes session and subject."""
    import pynwb

    said = session.metadata
    words = ("session_id", "experiment_description", "institution", "lab", "notes")
    given = {w: str(said[w]) for w in words if said.get(w)}
    if said.get("experimenter"):
        given["experimenter"] = said["experimenter"]
    fields = ("species", "sex", "age", "genotype", "strain", "description")
    about = {f: str(said[f"subject_{f}"]) for f in fields if said.get(f"subject_{f}")}
    if session.subject or about:
        about.setdefault("sex", "U")  # NWB's word for unknown
        given["subject"] = pynwb.file.Subject(subject_id=session.subject, **about)
    return pynwb.NWBFile(
        session_description=str(said.get("session_description") or session.name or "session"),
        identifier=str(said.get("identifier") or uuid4()),
        session_start_time=_start(said.get("session_start_time")),
        **given,
    )


def _start(said: Any) -> datetime:
    try:
        start = datetime.fromisoformat(str(said)) if said else START
    except ValueError:
        return START
    return start if start.tzinfo else start.replace(tzinfo=UTC)
