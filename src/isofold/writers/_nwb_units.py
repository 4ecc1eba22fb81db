"""The units of a session → the units table of NWB."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ._nwb_names import TAKEN, safe
from ._nwb_tables import plain_values


def add_units(nwb: Any, units: Any, resolution: float | None) -> None:
    """Spike times with every column of metadata; each unit has the intervals of observation.

    `resolution` is the smallest difference in s that two spike times can have.
    """
    if units is None or not len(units):
        return
    table = units.metadata.drop(columns="rate", errors="ignore")
    groups = table.pop("electrode_group") if "electrode_group" in table else None
    written = {c: _column_name(str(c)) for c in table.columns}
    for column in written.values():
        nwb.add_unit_column(column, f"{column} of the unit")
    values = {written[c]: plain_values("units", str(c), table[c]) for c in table.columns}
    if groups is not None:  # in NWB an object, in a session its name
        made = _groups(nwb, groups)
        values["electrode_group"] = [made[str(g)] for g in groups]
    observed = np.column_stack([units.time_support.start, units.time_support.end])
    for row, unit in enumerate(units.index):
        spikes = np.asarray(units[unit].times())
        more = {k: v[row] for k, v in values.items()}
        nwb.add_unit(id=int(unit), spike_times=spikes, obs_intervals=observed, **more)
    if resolution is not None:
        nwb.units.resolution = float(resolution)


def _column_name(name: str) -> str:
    written = safe(name)
    reserved = TAKEN | {"spike_times", "obs_intervals", "electrodes", "waveform_mean"}
    return written + "_" if written in reserved else written


def _groups(nwb: Any, names: pd.Series) -> dict[str, Any]:
    device = nwb.create_device("unknown", description="the session does not name its probe")
    return {
        n: nwb.create_electrode_group(n or "unnamed", n or "unnamed", location="", device=device)
        for n in map(str, names.unique())
    }
