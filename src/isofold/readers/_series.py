"""Checked times and values → pynapple."""

from __future__ import annotations

from typing import Any

import pandas as pd
from numpy.typing import NDArray


def time_series(
    t: NDArray, values: Any, columns: list | None = None, metadata: pd.DataFrame | None = None
) -> Any:
    """`Tsd` of (time,) or `TsdFrame` of (time, channel), without copying or loading `values`."""
    import pynapple as nap

    last = t[-1] if t[-1] > t[0] else t[0] + 1e-6  # pynapple drops a support without length
    support = nap.IntervalSet(t[0], last)
    if len(values.shape) == 1:
        return nap.Tsd(t=t, d=values, time_support=support, load_array=False)
    return nap.TsdFrame(
        t=t, d=values, time_support=support, columns=columns, metadata=metadata, load_array=False
    )
