"""Session → Recording: units or a series, labels and trials on one grid."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ._grid import (
    Floats,
    Grid,
    counts,
    label_at,
    means,
    own_grid,
    sampling_step,
    snap_ceil,
    snap_floor,
)
from .errors import DataError
from .recording import KINDS, MOST_CLASSES, Recording
from .trials import OUTSIDE

if TYPE_CHECKING:
    from .session import Session

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Source:
    """What the grid is laid over: a signal's support, and how to put it on a grid."""

    support: tuple[Floats, Floats]
    channels: pd.DataFrame
    times: Sequence[Floats] = ()
    t: Floats | None = None
    values: Any = None

    def on(self, grid: Grid) -> tuple[NDArray, NDArray[np.bool_]]:
        if self.t is not None:
            return means(grid, self.t, np.asarray(self.values))
        signal = np.empty((len(grid), len(self.times)), np.float32)
        for column, times in enumerate(self.times):
            signal[:, column] = counts(grid, times)
        return signal, np.ones(len(grid), bool)


def binned(
    session: Session,
    width: float | None,
    signal: str,
    units: str | None,
    labels: Sequence[str] | Mapping[str, str],
    trials: str | None,
    align: Any,
    window: tuple[float, float] | None,
) -> Recording:
    """The body of `Session.bin`; see there."""
    source = _units_source(session, units) if signal == "units" else _series_source(session, signal)
    if width is not None and not (np.isfinite(width) and width > 0):
        raise DataError(f"width must be a positive number of seconds, got {width}")
    table = _trial_table(session, trials)
    if align is not None:
        grid, table = _aligned(session, source, width, table, align, window)
    elif window is not None:
        raise DataError("window= needs align=: which event is it around?")
    elif width is None:
        grid = _kept_grid(source, signal)
    else:
        grid = Grid.over(*source.support, width)
    if not len(grid):
        raise DataError(f"no bin of {width} s fits into what the session holds of {signal!r}")
    data, grid = _data(source, grid, keep=width is None)
    rows = None if table is None else _trial_rows(grid, table)
    values, kinds = _labels(session, grid, labels, table, rows)
    align_name = align if isinstance(align, str | None) else "times"
    step: dict[str, Any] = {"step": "bin", "width": width, "signal": signal, "units": units}
    step |= {"labels": list(labels), "trials": trials, "align": align_name, "window": window}
    step["trials_without_bins"] = 0 if table is None or rows is None else len(table) - len(rows)
    return Recording(
        data,
        1 / grid.width,
        start=float(grid.centres[0]),
        labels=values,
        kinds=kinds,
        trials=rows,
        events=session.events,
        channels=source.channels,
        segments=_segments(grid, rows),
        name=session.name,
        subject=session.subject,
        provenance=(*session.provenance, step),
    )


# -- the signal ---------------------------------------------------------------------------------


def _units_source(session: Session, query: str | None) -> _Source:
    if session.units is None or not len(session.units):
        raise DataError(
            f"session {session.name!r} has no units to bin; "
            f"signal= may name a series: {sorted(session.series)}"
        )
    units = session.choose_units(query)
    channels = units.metadata.drop(columns="rate", errors="ignore")
    channels = channels.rename_axis("unit").reset_index().rename_axis("channel")
    times = [np.asarray(units[k].times()) for k in units.index]
    return _Source(_support(units), channels, times=times)


def _series_source(session: Session, name: str) -> _Source:
    series = session.get_series(name)
    values = series.values
    if not isinstance(values, np.ndarray):
        values = np.asarray(values[:])
    if values.ndim > 2 or values.dtype.kind not in "biuf":
        raise DataError(
            f"a signal is numeric, (time,) or (time, channel); series {name!r} has shape "
            f"{values.shape} and dtype {values.dtype}"
        )
    columns = getattr(series, "columns", [name])
    channels = pd.DataFrame({"name": [str(c) for c in columns]})
    for key, column in getattr(series, "metadata", pd.DataFrame()).items():
        channels[key] = np.asarray(column)
    t = np.asarray(series.times())
    start, stop = _support(series)
    step = sampling_step(t)
    if len(t) and np.isfinite(step):  # the last sample stands for a whole step
        stop = np.where(np.isin(stop, t), stop + step, stop)
        stop[:-1] = np.minimum(stop[:-1], start[1:])
    values = values[:, None] if values.ndim == 1 else values
    return _Source((start, stop), channels.rename_axis("channel"), t=t, values=values)


def _support(thing: Any) -> tuple[Floats, Floats]:
    support = thing.time_support
    return np.array(support.start, dtype=float), np.array(support.end, dtype=float)


def _kept_grid(source: _Source, signal: str) -> Grid:
    if source.t is None:
        raise DataError("spikes have no grid of their own; say width= in seconds, e.g. bin(0.025)")
    return own_grid(source.t, signal)


def _data(source: _Source, grid: Grid, keep: bool) -> tuple[Any, Grid]:
    if keep:
        return source.values, grid
    data, present = source.on(grid)
    if present.all():
        return data, grid
    if not present.any():
        raise DataError("no bin of the grid holds a sample of the signal; check times and window")
    return data[present], grid.keep(present)


# -- trials -------------------------------------------------------------------------------------


def _trial_table(session: Session, trials: str | None) -> pd.DataFrame | None:
    if trials is None or (trials == "trials" and session.trials is None):
        return None
    table = session.table(trials)
    finite = np.isfinite(table[["start", "stop"]].to_numpy(dtype=float)).all(axis=1)
    if not finite.all():
        logger.warning("%d trials without start or stop are left out", (~finite).sum())
    return table[finite].sort_values("start", kind="stable")


def _trial_rows(grid: Grid, table: pd.DataFrame) -> pd.DataFrame:
    first, last = grid.rows(table["start"].to_numpy(float), table["stop"].to_numpy(float))
    used = last > first
    if not used.any():
        raise DataError(
            f"none of the {len(table)} trials holds the centre of a bin; are trials and signal on "
            f"one clock? The signal covers {grid.time0[0]:g} to {grid.centres[-1]:g} s"
        )
    if not used.all():
        logger.warning("%d trials hold no bin and are left out", (~used).sum())
    return table[used].assign(start=first[used], stop=last[used])


def _segments(grid: Grid, rows: pd.DataFrame | None) -> pd.DataFrame:
    borders = [] if rows is None else [rows["start"].to_numpy(), rows["stop"].to_numpy()]
    edge = np.unique(np.concatenate([grid.offset, *borders])).astype(np.int64)
    start, stop = edge[:-1], edge[1:]
    if rows is None:
        trial: NDArray = np.arange(len(start))
    else:
        position = np.searchsorted(rows["start"].to_numpy(), start, side="right") - 1
        inside = (position >= 0) & (start < rows["stop"].to_numpy()[position])
        trial = np.append(rows.index.to_numpy(), OUTSIDE)[np.where(inside, position, len(rows))]
    time0 = grid.centres[start]
    return pd.DataFrame({"start": start, "stop": stop, "time0": time0, "trial": trial})


# -- windows around an event --------------------------------------------------------------------


def _aligned(session, source, width, table, align, window) -> tuple[Grid, pd.DataFrame]:
    """One stretch a window, with a bin edge on its event; one trial a window."""
    if width is None or window is None:
        raise DataError("align= needs width= and window=(start, stop) in seconds from the event")
    first = int(snap_ceil(np.array([window[0] / width]))[0])
    n = int(snap_floor(np.array([window[1] / width]))[0]) - first
    if n < 1:
        raise DataError(f"window={tuple(window)} holds no whole bin of {width} s")
    found = _event_table(session, table, align)
    begin = found["event_time"].to_numpy() + first * width
    start, stop = source.support
    piece = np.searchsorted(start, begin + 1e-6 * width, side="right") - 1
    inside = (piece >= 0) & (begin + (n - 1e-6) * width <= stop[piece])
    if not inside.any():
        raise DataError(f"none of the {len(found)} windows around {align!r} lies inside the signal")
    if not inside.all():
        logger.warning("%d windows reach beyond the signal and are left out", (~inside).sum())
    found, begin = found[inside], begin[inside]
    for row in np.flatnonzero(np.diff(begin) < (n - 1e-6) * width):
        raise DataError(
            f"windows must not overlap: event {found.index[row]!r} at "
            f"{found['event_time'].iloc[row]:g} s and event {found.index[row + 1]!r} at "
            f"{found['event_time'].iloc[row + 1]:g} s; shorten window= or choose fewer events"
        )
    return Grid(begin, np.full(len(begin), n), width), found.assign(
        start=begin, stop=begin + n * width
    )


def _event_table(session: Session, table: pd.DataFrame | None, align: Any) -> pd.DataFrame:
    """Sorted events with the columns of the trial in which each lies."""
    if isinstance(align, str) and table is not None and align in table.columns:
        times = table[align].to_numpy(dtype=float)
        found = table.assign(event_time=times)[np.isfinite(times)]
        return found.sort_values("event_time", kind="stable")
    if isinstance(align, str) and align not in session.events:
        columns = [] if table is None else list(table.columns)
        raise DataError(
            f"no event or trial column {align!r}; events: {sorted(session.events)}, "
            f"trial columns: {columns}"
        )
    times = np.sort(np.asarray(session.events[align] if isinstance(align, str) else align, float))
    times = times[np.isfinite(times)]
    found = pd.DataFrame({"event_time": times}, index=pd.RangeIndex(len(times), name="event"))
    if table is None or not len(table):
        return found
    at = np.searchsorted(table["start"].to_numpy(), times, side="right") - 1
    inside = (at >= 0) & (times < table["stop"].to_numpy()[at])
    if not inside.all():
        return found
    conditions = table.drop(columns=["start", "stop"]).iloc[at].set_axis(found.index)
    return found.assign(trial=table.index.to_numpy()[at]).join(conditions)


# -- labels -------------------------------------------------------------------------------------


def _labels(session, grid: Grid, labels, table, rows) -> tuple[dict[str, NDArray], dict[str, str]]:
    if isinstance(labels, str):
        labels = [labels]
    asked: Mapping = labels if isinstance(labels, Mapping) else dict.fromkeys(labels)
    known = session.metadata.get("kinds", {})
    values: dict[str, NDArray] = {}
    kinds: dict[str, str] = {}
    for name, kind in asked.items():
        kind = kind or known.get(name)
        if kind is not None and kind not in KINDS:
            raise DataError(f"kind of label {name!r} must be one of {KINDS}, got {kind!r}")
        if name in session.series:
            values[name], kind = _series_label(session.series[name], name, kind, grid)
        elif rows is not None and name in rows.columns:
            values[name] = _trial_label(rows, name, len(grid))
        else:
            columns = [] if table is None else [c for c in table if c not in ("start", "stop")]
            raise DataError(
                f"no series or trial column {name!r} to take as label; "
                f"series: {sorted(session.series)}, trial columns: {columns}"
            )
        if kind:
            kinds[name] = kind
    return values, kinds


def _series_label(series: Any, name: str, kind: str | None, grid: Grid) -> tuple[NDArray, str]:
    values, t = np.asarray(series.values[:]), np.asarray(series.times())
    discrete = values.dtype.kind not in "fc"
    if kind is None and values.dtype.kind in "iu" and len(np.unique(values)) > MOST_CLASSES:
        raise DataError(
            f"integer series {name!r} has more than {MOST_CLASSES} values: is it a class or a "
            f"number? Say labels={{{name!r}: 'discrete'}} or 'continuous'"
        )
    kind = kind or ("discrete" if discrete else "continuous")
    if values.ndim > 2:
        raise DataError(f"a label is (time,) or (time, k); series {name!r} has {values.shape}")
    return label_at(grid.centres, t, values, kind, _support(series)), kind


def _trial_label(rows: pd.DataFrame, name: str, n: int) -> NDArray:
    """A trial column spread over the rows of its trials; the rest is marked missing."""
    return Recording(np.empty((n, 0)), 1.0, trials=rows[["start", "stop", name]]).label(name)
