"""A SpikeInterface sorting, already open → `Session` with units."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ..errors import ReadError
from ..session import Session, spike_group
from ._clock import check_events

METHODS = ("get_unit_ids", "get_unit_spike_train", "get_sampling_frequency")
QUALITY = ("quality", "group", "KSLabel")


def from_spikeinterface(
    sorting: Any, recording: Any = None, *, segment_index: int = 0, name: str = ""
) -> Session:
    """Units of a SpikeInterface sorting, with its properties as unit metadata.

    t = sample / rate in seconds; with a `recording`, its own times of these samples, and silence
    is known to last from its first to its last sample. Ids that are not whole numbers are numbered
    from 0 and kept in the column `unit_id`. The column `quality` is the property of that name,
    else `group`, else `KSLabel`.

    Parameters
    ----------
    sorting
        Any object with `get_unit_ids()`, `get_unit_spike_train(unit_id, segment_index=…)` and
        `get_sampling_frequency()`; `get_property_keys()` and `get_property(key)` where it has
        them. SpikeInterface itself is not needed.
    recording
        The recording that was sorted: `get_num_samples(segment_index)` and
        `sample_index_to_time(samples, segment_index)`.
    segment_index
        Which segment, where there are several.

    Raises
    ------
    ReadError
        A method is missing, or there is no such segment.

    Notes
    -----
    Not for waveforms or quality metrics: only properties of the sorting are taken.
    Source: SpikeInterface, spikeinterface.readthedocs.io, `BaseSorting`.

    Examples
    --------
    >>> class Sorting:
    ...     get_unit_ids = lambda self: np.array([3, 8])
    ...     get_sampling_frequency = lambda self: 1000.0
    ...     def get_unit_spike_train(self, unit_id, segment_index=0):
    ...         return np.array([10, 250]) * unit_id
    >>> session = from_spikeinterface(Sorting())
    >>> session.units[8].times()
    array([0.08, 2.  ])
    """
    missing = [m for m in METHODS if not callable(getattr(sorting, m, None))]
    if missing:
        raise ReadError(
            f"a SpikeInterface sorting has the methods {METHODS}; {type(sorting).__name__} lacks "
            f"{missing}. Give the sorting itself, not a folder (isofold.read) or an analyzer"
        )
    segments = int(sorting.get_num_segments()) if hasattr(sorting, "get_num_segments") else 1
    if not 0 <= segment_index < segments:
        raise ReadError(f"segment_index must be 0 to {segments - 1}, got {segment_index}")
    rate = float(sorting.get_sampling_frequency())
    ids = list(sorting.get_unit_ids())
    found: list[str] = []
    times = {}
    for key, unit in zip(_numbers(ids), ids, strict=True):
        train = np.asarray(sorting.get_unit_spike_train(unit, segment_index=segment_index))
        t = _times(train, rate, recording, segment_index)
        times[key], more = check_events(f"unit {unit}", t)
        found += more
    table = _properties(sorting, ids)
    if list(times) != ids:
        table["unit_id"] = [str(unit) for unit in ids]
    step = {"step": "read", "format": "SpikeInterface", "segment": segment_index, "rate": rate}
    return Session(
        units=spike_group(
            times, table.set_axis(list(times)), _extent(recording, rate, segment_index)
        ),
        name=name,
        metadata={"warnings": found},
        provenance=(step,),
    )


def _numbers(ids: list) -> list[int]:
    """Ids as whole numbers where all are, else 0, 1, 2 …"""
    whole = all(isinstance(unit, int | np.integer) and unit >= 0 for unit in ids)
    return [int(unit) for unit in ids] if whole else list(range(len(ids)))


def _times(train: Any, rate: float, recording: Any, segment: int) -> Any:
    if recording is not None and hasattr(recording, "sample_index_to_time"):
        return np.asarray(recording.sample_index_to_time(train, segment_index=segment), float)
    return train / rate


def _extent(recording: Any, rate: float, segment: int) -> tuple[float, float] | None:
    if recording is None:
        return None
    last = int(recording.get_num_samples(segment_index=segment)) - 1
    ends = _times(np.array([0, max(last, 1)]), rate, recording, segment)
    return float(ends[0]), float(ends[1])


def _properties(sorting: Any, ids: list) -> pd.DataFrame:
    """Properties with one number, truth or word a unit; `quality` and `area` by their names."""
    out: dict[str, Any] = {}
    for key in sorting.get_property_keys() if hasattr(sorting, "get_property_keys") else ():
        values = np.asarray(sorting.get_property(key))
        if values.shape == (len(ids),) and values.dtype.kind in "biufUS":
            out[str(key)] = values.astype(str) if values.dtype.kind == "S" else values
        elif values.shape == (len(ids),):
            out[str(key)] = np.array(["" if v is None else str(v) for v in values])
    quality = next((k for k in QUALITY if k in out), None)
    if quality is not None:
        out["quality"] = out[quality]
    area = next((k for k in ("area", "brain_area") if k in out), None)
    if area is not None:
        out["area"] = out[area]
    return pd.DataFrame(out, index=range(len(ids)))
