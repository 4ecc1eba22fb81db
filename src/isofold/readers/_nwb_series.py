"""One time series of an NWB file → pynapple, with what is suspicious in it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import ReadError
from ._clock import check_steps, order_of
from ._flaws import check_unit, check_values
from ._nwb_fibers import fiber_columns
from ._nwb_store import Lazy
from ._nwb_tables import plain_columns, text
from ._series import time_series
from ._sync import check_sync

LONGEST = 50_000_000
"""Series of more samples are left out: their clock alone would fill the memory."""


@dataclass
class Reading:
    """What reading one file needs to know and finds out."""

    file: str
    lazy: Lazy
    unsorted: str = "raise"
    skip: tuple[str, ...] = ()
    values: bool = True
    """Look at values too; not where they are far away."""
    left_out: list[str] = field(default_factory=list)
    """What the session lacks of the file, or holds in another order."""
    flaws: list[str] = field(default_factory=list)


def times(item: Any) -> NDArray[np.float64]:
    """Timestamps in s, stored or from rate and start; of an events table its column."""
    if "timestamp" in getattr(item, "colnames", ()):
        return np.asarray(item["timestamp"][:], dtype=float)
    if item.timestamps is not None:
        return np.asarray(item.timestamps[:], dtype=float)
    return float(item.starting_time or 0.0) + np.arange(len(item.data)) / float(item.rate)


def read_series(name: str, item: Any, reading: Reading, trains: Mapping[str, NDArray]) -> Any:
    """pynapple object, or None with the reason among `reading.left_out`."""
    import pynwb

    data, shape = item.data, np.shape(item.data)
    if isinstance(item, pynwb.image.ImageSeries) or len(shape) not in (1, 2) or not all(shape):
        reading.left_out.append(
            f"{name}: {type(item).__name__} of shape {shape} is no (time, channel); left out"
        )
        return None
    if len(data) > LONGEST:
        reading.left_out.append(
            f"{name}: {len(data)} samples are too many to hold their clock; left out"
        )
        return None
    t = times(item)
    if len(t) != len(data):
        raise ReadError(
            f"{reading.file}: every sample has one time, but series {name!r} has {len(t)} times "
            f"for {len(data)} samples; the file was cut short or written wrongly. To read the "
            f'rest, read(path, skip=["{name}"])'
        )
    order, said = order_of(name, t, reading.unsorted, reading.file)
    reading.left_out += said
    if order is None:
        return None
    values = _data(item, reading.lazy)
    if len(order) < len(t) or (np.diff(order) != 1).any():
        values, t = np.asarray(values[:])[order], t[order]
    reading.flaws += check_steps(name, t) + check_sync(name, t, trains)
    reading.flaws += check_unit(name, str(getattr(item, "unit", "") or ""))
    if reading.values:
        reading.flaws += check_values(name, t, values)
    columns, metadata = (None, None) if len(shape) == 1 else _columns(item, shape[1])
    return time_series(t, values, columns, metadata)


def _data(item: Any, lazy: Lazy) -> Any:
    """Data that outlive the file; text and scaled numbers are read now."""
    data = item.data
    scale, offset = float(item.conversion or 1.0), float(getattr(item, "offset", 0.0) or 0.0)
    if isinstance(data, list) or data.dtype.kind == "O":
        cells = np.asarray(data[:], dtype=object)
        return np.asarray([text(v) for v in cells.ravel()]).reshape(cells.shape)
    if (scale, offset) != (1.0, 0.0):
        return np.asarray(data[:]) * scale + offset
    return lazy(data)


def _columns(item: Any, n: int) -> tuple[list, pd.DataFrame | None]:
    """Channel names, with metadata of regions of interest or fibers where the file has them."""
    import pynwb

    written = (written_columns(item) or {}).get("columns")
    if written is not None and len(written) == n:
        return written, None
    if isinstance(item, pynwb.behavior.SpatialSeries) and n <= 3:
        return list("xyz"[:n]), None
    if (fibers := fiber_columns(item, n)) is not None:
        return fibers
    rois = getattr(item, "rois", None)
    if rois is None or len(rois.data) != n:
        return list(range(n)), None
    chosen = np.asarray(rois.data[:], dtype=int)
    ids = np.asarray(rois.table.id[:])[chosen]
    if len(np.unique(ids)) < n:
        ids = np.arange(n)
    info = {f"roi_{k}": v[chosen] for k, v in plain_columns(rois.table).items()}
    return list(ids), (pd.DataFrame(info, index=ids) if info else None)


def written_columns(item: Any) -> dict | None:
    """What isofold's own writer says of a series' columns (NWB has no place for their names)."""
    said = str(getattr(item, "comments", "") or "")
    return json.loads(said) if said.startswith('{"columns": ') else None
