"""The units table of an NWB file → pynapple `TsGroup` with every plain column and the area."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from .._intervals import inside, merged
from ..session import spike_group
from ._clock import check_events
from ._nwb_tables import plain_columns, text


def read_units(nwb: Any, extent: list[tuple[float, float]]) -> tuple[Any, list[str]]:
    """Units (None without any) and warnings. Ids stay ids: they need not be 0, 1, 2.

    The support is where the file says the units were observed (`obs_intervals`), else all that the
    session spans, so that silence before the first spike is silence.
    """
    table = nwb.units
    if table is None or "spike_times" not in table.colnames or not len(table):
        return None, []
    found: list[str] = []
    ids = np.asarray(table.id[:])
    info = _columns(table)
    if len(np.unique(ids)) < len(ids):
        found.append("units: ids are not unique; numbered from 0, the ids are in column unit_id")
        info["unit_id"] = ids
        ids = np.arange(len(ids))
    times = {}
    for row, unit in enumerate(ids):
        spikes = np.asarray(table.get_unit_spike_times(row), dtype=float)
        times[int(unit)], more = check_events(f"unit {unit}", spikes)
        found += more
    observed = _observed(table)
    if observed is not None:
        lost = [int((~inside(t, *observed)).sum()) for t in times.values()]
        if any(lost):
            found.append(f"units: {sum(lost)} spikes outside obs_intervals; left out")
    ends = [(t[0], t[-1]) for t in times.values() if len(t)] + extent
    whole = (min(a for a, _ in ends), max(b for _, b in ends)) if ends else None
    return spike_group(times, info.set_axis(list(times)), observed or whole), found


def _columns(table: Any) -> pd.DataFrame:
    out: dict[str, Any] = plain_columns(table)
    if "electrode_group" in table.colnames:
        groups = list(table["electrode_group"].data[:])
        out["electrode_group"] = np.array([g.name for g in groups])
    if "area" not in out:
        area = _areas(table)
        out |= {} if area is None else {"area": area}
    return pd.DataFrame(out, index=range(len(table)))


def _areas(table: Any) -> np.ndarray | None:
    """Locations of each unit's electrodes (joined by "/"), else of its electrode group."""
    if "electrodes" in table.colnames:
        return _locations(table["electrodes"], len(table))
    if "electrode_group" in table.colnames:
        return np.array([str(g.location or "") for g in table["electrode_group"].data[:]])
    return None


def _locations(index: Any, n: int) -> np.ndarray:
    """Of the electrodes that a ragged (or plain) column of rows names, each location once."""
    region = getattr(index, "target", index)
    if "location" not in region.table.colnames:
        return np.array([""] * n)
    location = np.array([str(text(v)) for v in region.table["location"].data[:]])
    rows = np.asarray(region.data[:], dtype=int)
    ends = np.asarray(index.data[:], dtype=int) if region is not index else np.arange(1, n + 1)
    return np.array(["/".join(sorted(set(location[r]))) for r in np.split(rows, ends[:-1])])


def _observed(table: Any) -> tuple[np.ndarray, np.ndarray] | None:
    if "obs_intervals" not in table.colnames:
        return None
    spans = [np.asarray(table.get_unit_obs_intervals(row)) for row in range(len(table))]
    spans = [s.reshape(-1, 2) for s in spans if s.size]
    if not spans:
        return None
    both = np.concatenate(spans)
    start, stop = merged(both[:, 0], both[:, 1])
    return (start, stop) if len(start) else None
