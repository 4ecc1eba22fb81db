"""Calcium: dF/F with a baseline that rolls along the trace."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .._grid import sampling_step
from ..errors import DataError
from ..session import Session
from ._filters import stretches
from ._segments import positive_seconds
from .dff import ratio


def rolling_dff(
    session: Session,
    signal: str = "F",
    *,
    window: float = 60.0,
    percentile: float = 8.0,
    to: str = "dff",
) -> Session:
    """dF/F = F / F₀ − 1 with F₀ a low percentile of the seconds around each sample.

    F₀(t) is the `percentile` of F in [t − window / 2, t + window / 2] that lies in the same stretch
    without a gap.

    Parameters
    ----------
    signal
        Name of a series, (time,) or (time, roi), in fluorescence; neuropil taken off first.
    window
        Seconds; several times the longest transient.
    to
        Name of the series that is added.

    Raises
    ------
    DataError
        No such series; window or percentile out of range.

    Notes
    -----
    Cells that are active for longer than the window lose that activity to F₀. Where F₀ is 0 or less
    (too much neuropil taken off) the result is NaN.

    Examples
    --------
    >>> import pynapple as nap
    >>> series = {"F": nap.Tsd(t=np.arange(5) / 10, d=np.array([2.0, 2.0, 3.0, 2.0, 2.0]))}
    >>> rolling_dff(Session(series=series), window=1.0, percentile=50.0).series["dff"].values
    array([0. , 0. , 0.5, 0. , 0. ])
    """
    positive_seconds("window", window)
    if not 0 <= percentile <= 100:
        raise DataError(f"percentile must be between 0 and 100, got {percentile!r}")
    series = session.get_series(signal)
    t = np.asarray(series.times())
    x = np.asarray(series.values)
    table = x.reshape(len(x), -1).astype(np.float64)
    size = 2 * int(round(window / sampling_step(t)) // 2) + 1
    out = np.empty_like(table)
    for part in stretches(t):
        f0 = _rolling(table[part], size, percentile / 100)
        out[part] = ratio(table[part] - f0, f0)
    step = {
        "step": "rolling_dff", "signal": signal, "window": window, "percentile": percentile,
        "to": to,
    }  # fmt: skip
    return with_series(session, to, series, out.reshape(x.shape), step)


def _rolling(x: NDArray, size: int, share: float) -> NDArray:
    known = pd.DataFrame(x).replace([np.inf, -np.inf], np.nan)
    return known.rolling(size, center=True, min_periods=1).quantile(share).to_numpy()


def with_series(
    session: Session, name: str, like: Any, values: NDArray, step: dict[str, Any]
) -> Session:
    """The session with a series more, on the clock and with the columns of another."""
    named = {"columns": like.columns} if hasattr(like, "columns") else {}
    made = type(like)(t=like.index, d=values, time_support=like.time_support, **named)
    return replace(
        session,
        series={**session.series, name: made},
        provenance=(*session.provenance, step),
    )
