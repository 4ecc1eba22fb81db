"""What a session holds, as plain numbers: the data behind `isofold inspect`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ._grid import GAP, sampling_step

if TYPE_CHECKING:
    from .session import Session


def summary(session: Session) -> dict[str, Any]:
    """The body of `Session.summary`; see there."""
    tables = dict(session.intervals)
    if session.trials is not None:
        tables["trials"] = session.trials
    described = {k: _describe_table(k, v) for k, v in tables.items()}
    return {
        "name": session.name,
        "subject": session.subject,
        "units": _describe_units(session.units),
        "series": [_describe_series(k, v) for k, v in session.series.items()],
        "trials": described.pop("trials", None),
        "intervals": list(described.values()),
        "events": [_describe_event(k, v) for k, v in session.events.items()],
        "warnings": list(session.metadata.get("warnings", [])),
    }


def _describe_units(units: Any) -> dict[str, Any] | None:
    if units is None:
        return None
    spikes = [len(units[k]) for k in units.index]
    columns = [c for c in units.metadata_columns if c != "rate"]
    support = units.time_support
    start, stop = (float(support.start[0]), float(support.end[-1])) if len(support) else (0.0, 0.0)
    n = {"n": len(spikes), "spikes": int(sum(spikes)), "silent": spikes.count(0)}
    return {**n, "columns": columns, "start": start, "stop": stop}


def _describe_series(name: str, series: Any) -> dict[str, Any]:
    t = np.asarray(series.times())
    step = sampling_step(t)
    gaps = int((np.diff(t) > GAP * step).sum()) if len(t) > 1 else 0
    shape, dtype = tuple(series.values.shape), str(series.values.dtype)
    start, stop = (float(t[0]), float(t[-1])) if len(t) else (np.nan, np.nan)
    rate = 1 / step if step > 0 else np.nan
    described = {"name": name, "shape": shape, "dtype": dtype, "rate": rate, "gaps": gaps}
    return {**described, "start": start, "stop": stop}


def _describe_table(name: str, table: pd.DataFrame) -> dict[str, Any]:
    columns = [str(c) for c in table.columns if c not in ("start", "stop")]
    ends = {"start": float(table["start"].min()), "stop": float(table["stop"].max())}
    median = float((table["stop"] - table["start"]).median())
    return {"name": name, "n": len(table), "columns": columns, **ends, "median_seconds": median}


def _describe_event(name: str, times: NDArray) -> dict[str, Any]:
    first, last = (float(times[0]), float(times[-1])) if len(times) else (np.nan, np.nan)
    return {"name": name, "n": len(times), "first": first, "last": last}
