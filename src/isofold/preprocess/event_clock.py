"""Time since an event as a series: a label for what unfolds around it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..errors import DataError
from ..session import Session


def event_clock(
    session: Session,
    event: str,
    window: Sequence[float] = (-np.inf, np.inf),
    rate: float | None = None,
    name: str | None = None,
) -> Session:
    """Add a series that says how long ago (or until) the nearest event is.

    τ(t) = t − e for the event e in whose window t lies, the nearer of two; no sample elsewhere.
    As a label it lets a label-guided embedding follow the response to each event, and decoding ask
    whether an embedding knows where in the response it is.

    Parameters
    ----------
    session
        With the event among its events or in its trial table.
    event
        Its name, or a trial column of times in seconds.
    window
        Start and stop in seconds from the event.
    rate
        Samples per second of the series; default: 100.
    name
        Of the series; default "time_from_<event>".

    Raises
    ------
    DataError
        No such event, or a window that does not start before it stops.

    Examples
    --------
    >>> session = Session(events={"cue": np.array([1.0, 3.0])})
    >>> after = event_clock(session, "cue", window=(-0.5, 1.0), rate=2.0)
    >>> after.series["time_from_cue"].values
    array([-0.5,  0. ,  0.5,  1. , -0.5,  0. ,  0.5,  1. ])
    """
    times = _times(session, event)
    if len(window) != 2 or not window[0] < window[1]:
        raise DataError(f"window must be (start, stop) with start < stop, got {tuple(window)!r}")
    if rate is not None and not (np.isfinite(rate) and rate > 0):
        raise DataError(f"rate must be a positive number of samples per second, got {rate!r}")
    name = name or f"time_from_{event}"
    step = 1 / (rate or 100.0)
    first = times.min() + max(window[0], -60.0)
    n = int(np.floor((times.max() + min(window[1], 60.0) - first) / step + 1e-6)) + 1
    t = first + step * np.arange(n)
    since = _since(t, np.sort(times), window, 1e-6 * step)
    inside = ~np.isnan(since)
    made = {"step": "event_clock", "event": event, "window": [float(w) for w in window]}
    return replace(
        session,
        series={**session.series, name: _series(t[inside], since[inside])},
        provenance=(*session.provenance, made | {"rate": 1 / step, "name": name}),
    )


def _times(session: Session, event: str) -> np.ndarray:
    columns: Any = {} if session.trials is None else session.trials.select_dtypes("float")
    found = session.events[event] if event in session.events else columns.get(event)
    times = np.asarray([] if found is None else found, dtype=float)
    times = times[np.isfinite(times)]
    if not len(times):
        raise DataError(
            f"no event {event!r}; events: {sorted(session.events)}, trial columns that may be "
            f"times: {list(columns)}"
        )
    return times


def _since(t: np.ndarray, times: np.ndarray, window: Sequence[float], slack: float) -> np.ndarray:
    """Seconds from the nearer of the events whose windows hold t; NaN where none does."""
    at = np.searchsorted(times, t, side="right")
    since = np.stack([t - times[np.maximum(at - 1, 0)], t - times[np.minimum(at, len(times) - 1)]])
    inside = (since >= window[0] - slack) & (since <= window[1] + slack)
    far = np.where(inside, np.abs(since), np.inf)
    nearer = np.take_along_axis(since, far.argmin(axis=0)[None], axis=0)[0]
    return np.where(inside.any(axis=0), nearer, np.nan)


def _series(t: np.ndarray, values: np.ndarray) -> Any:
    import pynapple as nap

    return nap.Tsd(t=t, d=values, time_support=nap.IntervalSet(t[0], t[-1]))
