"""Columns of an `ndx-fiber-photometry` response series, from the table of its fibers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ._nwb_tables import plain_columns


def fiber_columns(item: Any, n: int) -> tuple[list[str], pd.DataFrame] | None:
    """Names and metadata of the n columns; None for a series of another kind.

    A column is called by the location of its fiber; where two have the same, by location and
    fiber; and where that is not enough, with its row in the table.
    """
    region = getattr(item, "fiber_photometry_table_region", None)
    if region is None or len(region.data) != n:
        return None
    rows = np.asarray(region.data[:], dtype=int)
    info = {k: v[rows] for k, v in plain_columns(region.table).items()}
    for name in region.table.colnames:  # fiber, indicator, source: objects, called by their names
        objects = [getattr(region.table[name].data[i], "name", None) for i in rows]
        if all(isinstance(v, str) for v in objects):
            info[name] = np.array(objects)
    location = [str(v) for v in info.get("location", [""] * n)]
    fiber = [str(v) for v in info.get("optical_fiber", [""] * n)]
    both = [" ".join(filter(None, pair)) for pair in zip(location, fiber, strict=True)]
    numbered = [f"{name} row{row}".strip() for name, row in zip(both, rows, strict=True)]
    names = next(c for c in (location, both, numbered, list(map(str, range(n)))) if _tell_apart(c))
    return names, pd.DataFrame(info, index=names)


def _tell_apart(names: list[str]) -> bool:
    return len(set(names)) == len(names) and all(names)
