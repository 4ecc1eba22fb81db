"""Windows of a session's series around events: every series has its own, maybe irregular, clock."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from ._align import aligned_tensor, event_times, weighted
from ._align_time import (
    Bools,
    Floats,
    between,
    censored,
    check_censor,
    check_nan,
    check_window,
    refuse,
    subtract_baseline,
    time_base,
)
from ._grid import LABEL_GAP, sampling_step
from ._rows import Rows
from .errors import DataError
from .trials import OUTSIDE, Ints, runs

if TYPE_CHECKING:
    from .session import Session


def align_series(
    session: Session,
    event: str | NDArray,
    window: tuple[float, float],
    series: str | Sequence[str] | None = None,
    rate: float | None = None,
    interpolate: bool = True,
    baseline: tuple[float, float] | None = None,
    censor: str | NDArray | None = None,
    nan: str = "error",
    endpoint: bool = True,
) -> xr.DataArray:
    """Resample series around every event onto one clock: (trial, time, channel).

    x(e + τ) = x_a + (e + τ − t_a)(x_b − x_a)/(t_b − t_a), with a and b the samples beside e + τ and
    τ = start, start + 1/rate, … ≤ stop. Nothing is extrapolated, and nothing interpolated over
    the border of the series' time support or over a gap of more than ten of its steps.

    Parameters
    ----------
    session
        Trials are no walls here: they are times, and the acquisition runs on between them.
    event
        A name in `session.events`; a trial column of times in seconds, or "start" or "stop"; or
        times in seconds.
    window
        Start and stop in seconds from the event.
    series
        One name, or several, whose channels then stand side by side; needs no saying where the
        session has one. Channels are named by the columns of the one series, or "series" and
        "series:column".
    rate
        Samples per second of the result; default: one over the median step of the (first) series.
        Filter before you lower it.
    interpolate
        False takes the sample nearest to each e + τ: for what has no values in between.
    baseline, censor, nan
        As in `Recording.align`. A window leaves its segment where e + τ lies in a gap or beyond
        the series: with nan="error" that is an error, unless a neighbour censors it.
    endpoint
        Whether `stop` belongs to the window, if it is a whole number of steps away.

    Returns
    -------
    xarray.DataArray
        As of `Recording.align`; `trial` is that in which the event lies, -1 outside.

    Raises
    ------
    DataError
        An unknown event or series, an empty window, windows that reach beyond the series or hold
        NaN, or no window left.

    Examples
    --------
    See `Session.align`.
    """
    check_nan(nan)
    check_censor(censor)
    window = check_window(window)
    names = _names(session, series)
    tables = session.trials
    borders = {} if tables is None else {k: tables[k].to_numpy(float) for k in ("start", "stop")}
    times, trial = event_times(event, session.events, tables, borders)
    sources = [_Source(session, name) for name in names]
    base = time_base(window, sources[0].rate if rate is None else rate, endpoint)
    x = times[:, None] + base
    hidden = censored(times, base, censor, isinstance(censor, str) and censor == "next trial")
    parts = [s.at(x, ~hidden, interpolate, fill=nan == "interpolate") for s in sources]
    left = np.any([~(inside | hidden).all(axis=1) for _, inside in parts], axis=0)
    values = np.concatenate([v for v, _ in parts], axis=2)
    known = np.concatenate([np.repeat(i[..., None], v.shape[2], axis=2) for v, i in parts], axis=2)
    holes = (np.isnan(values) & known & ~hidden[..., None]).any(axis=(1, 2))
    if nan == "error":
        remedy = "shorten the window, or say nan='exclude' or nan='keep'"
        refuse(times, left, f"reach beyond series {names} or into a gap of it", remedy)
        refuse(times, holes, "hold NaN", remedy + ", or fill them by nan='interpolate'")
    found = _trial_at(tables, times) if trial is None else trial
    keep = ~(left | holes) if nan == "exclude" else np.ones(len(times), dtype=bool)
    step = max(s.step for s in sources)
    return aligned_tensor(
        values if baseline is None else subtract_baseline(values, base, baseline),
        base,
        np.concatenate([s.channels(alone=len(sources) == 1) for s in sources]),
        keep,
        {"trial": found, "event_time": times, "overlap": _ticks(x, hidden, step)},
        tables,
        {
            "recording": session.name,
            "event": event if isinstance(event, str) else "times",
            "window": window,
            "nan": nan,
        },
    )


class _Source:
    """One series: its clock, its walls and what is read of it."""

    def __init__(self, session: Session, name: str):
        self.name, self.series = name, session.get_series(name)
        self.t = np.asarray(self.series.times(), dtype=float)
        if len(self.series.shape) > 2:
            raise DataError(
                f"a series to align is (time,) or (time, channel); {name!r} has shape "
                f"{tuple(self.series.shape)}"
            )
        if len(self.t) < 2:
            raise DataError(f"series {name!r} has {len(self.t)} samples; aligning needs two")
        self.step = sampling_step(self.t)
        if not self.step > 0:
            raise DataError(
                f"series {name!r} has no sampling step: most of its timestamps are equal; "
                "keep one sample a time"
            )
        self.rate = 1 / self.step
        gap = np.append(False, np.diff(self.t) > LABEL_GAP * self.step)
        support = np.asarray(self.series.time_support.start, dtype=float)
        self.wall = np.cumsum(gap) + np.searchsorted(support, self.t, side="right")

    def channels(self, alone: bool) -> NDArray:
        """Names of its channels."""
        columns = getattr(self.series, "columns", None)
        if columns is None:
            return np.array([self.name])
        return np.asarray(columns) if alone else np.array([f"{self.name}:{c}" for c in columns])

    def at(self, x: Floats, wanted: Bools, interpolate: bool, fill: bool) -> tuple[NDArray, Bools]:
        """Values (event, time, channel) at times (event, time), and where the series reaches."""
        left, right, weight = between(self.t, self.wall, x, self.step)
        inside = left >= 0
        index = np.stack([left, right])
        if not interpolate:
            index, weight = np.where(weight < 0.5, left, right)[None], None  # type: ignore[assignment]
        own = inside & wanted
        rows = np.arange(len(self.t)) if fill else np.unique(index[:, own])
        data = self._read(rows)
        values = np.full((*x.shape, data.shape[1]), np.nan, data.dtype)
        values[own] = weighted(data, np.searchsorted(rows, index[:, own]), weight, own)
        if fill:
            self._fill(values, data, x, own)
        return values, inside

    def _read(self, rows: Ints) -> NDArray:
        """Rows as floats (row, channel), in slices: lazy data are slow with lists of rows."""
        mask = np.zeros(len(self.t), dtype=bool)
        mask[rows] = True
        raw = self.series.values
        data = np.asarray(Rows(raw, *runs(mask))[:]) if len(rows) else np.asarray(raw[:0])
        data = data if data.ndim == 2 else data[:, None]
        return data.astype(np.result_type(data.dtype, np.float32))

    def _fill(self, values: NDArray, data: NDArray, x: Floats, own: Bools) -> None:
        """Put what lies in a gap of NaN on the line between the known samples beside it."""
        for channel in np.flatnonzero(np.isnan(values[own]).any(axis=0)):
            known = ~np.isnan(data[:, channel])
            gap = own & np.isnan(values[..., channel])
            left, right, w = between(self.t[known], self.wall[known], x[gap], self.step)
            here = data[known, channel]
            line = (1 - w) * here[left] + w * here[right] if len(here) else np.nan
            values[gap, channel] = np.where(left >= 0, line, np.nan)


def _names(session: Session, series: str | Sequence[str] | None) -> list[str]:
    if series is None and len(session.series) == 1:
        return list(session.series)
    names = [series] if isinstance(series, str) else list(series or ())
    if not names:
        raise DataError(f"say which series= to align; there are {sorted(session.series)}")
    return names


def _trial_at(trials: pd.DataFrame | None, times: Floats) -> NDArray:
    """Name of the trial in which each time lies, the one that began last; -1 outside."""
    if trials is None or not len(trials):
        return np.full(len(times), OUTSIDE)
    table = trials.sort_values("start", kind="stable")
    at = np.searchsorted(table["start"].to_numpy(float), times, side="right") - 1
    inside = (at >= 0) & (times < table["stop"].to_numpy(float)[at])
    names = table.index.to_numpy()[at]
    return names if inside.all() else np.where(inside, names.astype(object), OUTSIDE)


def _ticks(x: Floats, hidden: Bools, step: float) -> Ints:
    """Times in µs, wider by a step on either side, that stand in for the samples of a window."""
    ticks = np.stack([x - step, x + step], axis=-1)
    ticks = np.rint((ticks - ticks.min()) * 1e6).astype(np.int64)
    return np.where(hidden[..., None], -1, ticks).reshape(len(x), -1)
