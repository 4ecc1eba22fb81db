"""Session: what a file holds, each part on its own clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ._intervals import inside, interval_set, mask_intervals, merged, overlapping
from ._query import asked
from .errors import DataError
from .recording import Recording


@dataclass(frozen=True, eq=False, repr=False)
class Session:
    """Units, series, events and trials of one recording session, in seconds.

    Not what a model takes: `bin` puts it on one grid. Data that are on one grid already need no
    session; give them to `Recording`.

    Parameters
    ----------
    units
        pynapple `TsGroup` with unit metadata, or a mapping of unit id → spike times.
    series
        name → pynapple `Tsd` or `TsdFrame`; data may be lazy (`h5py`, memmap).
    events
        name → times.
    trials
        Table with `start`, `stop` and any columns. Its index names the trials.
    intervals
        name → table of the same form: epochs, laps, running.
    metadata
        Whatever else the file says. `metadata["warnings"]` lists what is suspicious in its
        timestamps; `metadata["kinds"]` maps a series to "circular" (radians) and the like.
    provenance
        Steps that led here.

    Raises
    ------
    DataError
        A table lacks `start` or `stop`, or an interval stops before it starts.

    Examples
    --------
    >>> session = Session(units={7: np.array([0.1, 0.4]), 9: np.array([0.4, 0.9])})
    >>> session
    <Session '': 2 units, 0 series, no trials>
    >>> session.bin(0.5).signal
    array([[2., 1.]], dtype=float32)
    """

    units: Any = None
    series: Mapping[str, Any] = field(default_factory=dict)
    events: Mapping[str, NDArray] = field(default_factory=dict)
    trials: pd.DataFrame | None = None
    intervals: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    name: str = ""
    subject: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    provenance: tuple[dict, ...] = ()

    def __post_init__(self):
        put = lambda name, value: object.__setattr__(self, name, value)  # noqa: E731
        put("series", dict(self.series))
        put("events", {k: np.asarray(v, dtype=float) for k, v in dict(self.events).items()})
        if self.trials is not None:
            put("trials", _checked("trials", self.trials))
        put("intervals", {k: _checked(k, v) for k, v in dict(self.intervals).items()})
        put("metadata", dict(self.metadata))
        put("provenance", tuple(self.provenance))
        if isinstance(self.units, Mapping) and not hasattr(self.units, "time_support"):
            put("units", spike_group(self.units, support=self._extent(self.units)))

    # -- looking in -------------------------------------------------------------------------

    def get_series(self, name: str) -> Any:
        """A series by name, or a `DataError` that lists the names."""
        if name not in self.series:
            raise DataError(f"no series {name!r}; there are {sorted(self.series)}")
        return self.series[name]

    def table(self, name: str) -> pd.DataFrame:
        """The trial table ("trials") or another table of intervals by name."""
        if name == "trials" and self.trials is not None:
            return self.trials
        if name not in self.intervals:
            names = sorted(self.intervals) + ([] if self.trials is None else ["trials"])
            raise DataError(f"no table of trials or intervals {name!r}; there are {names}")
        return self.intervals[name]

    def choose_units(self, query: str | None) -> Any:
        """Units whose metadata fulfil a query such as "area == 'CA1' and quality == 'good'"."""
        if query is None:
            return self.units
        if self.units is None:
            raise DataError(f"session {self.name!r} has no units; units={query!r} cannot choose")
        table = self.units.metadata
        which = asked(table, query, "unit")
        if which.dtype != bool:
            raise DataError(f"a unit query says yes or no of each unit; {query!r} is {which.dtype}")
        chosen = table.index[which.to_numpy()]
        if not len(chosen):
            raise DataError(f"no unit fulfils {query!r}; {len(table)} units were asked")
        return self.units[list(chosen)]

    def summary(self) -> dict[str, Any]:
        """What `isofold inspect` shows: units, series with rate and gaps, trials, warnings.

        >>> Session(events={"lick": [0.5, 0.7]}).summary()["events"]
        [{'name': 'lick', 'n': 2, 'first': 0.5, 'last': 0.7}]
        """
        from ._summary import summary

        return summary(self)

    def __repr__(self) -> str:
        n = 0 if self.units is None else len(self.units)
        trials = "no trials" if self.trials is None else f"{len(self.trials)} trials"
        also = [f"{len(self.events)} kinds of event"] if self.events else []
        also += [f"{len(self.intervals)} interval tables"] if self.intervals else []
        warned = len(self.metadata.get("warnings", []))
        also += [f"{warned} warnings"] if warned else []
        what = ", ".join([f"{n} units", f"{len(self.series)} series", trials, *also])
        return f"<Session {self.name!r}: {what}>"

    def _repr_html_(self) -> str:
        from html import escape

        rows = [f"<b>{escape(repr(self))}</b>"]
        for series in self.summary()["series"]:
            rows.append(escape("{name}: {shape} at {rate:.4g} Hz, {gaps} gaps".format(**series)))
        rows += [f"⚠ {escape(w)}" for w in self.metadata.get("warnings", [])]
        return "<br>".join(rows)

    # -- steps ------------------------------------------------------------------------------

    def restrict(self, where: Any = None, *, units: str | None = None) -> Session:
        """Keep only some times, some units, or both.

        Trials that do not overlap what is kept go; the rest stay whole, and `bin` gives them only
        bins that lie inside what is kept.

        Parameters
        ----------
        where
            The name of a table of intervals; a table with `start`, `stop`; a pynapple
            `IntervalSet`; or a mask, i.e. a boolean `Tsd` (`session.series["speed"] > 30`) or a
            boolean `pandas.Series` indexed by time. A run of true samples reaches half-way to
            its neighbours.
        units
            Query on the unit metadata.

        Raises
        ------
        DataError
            `where` is of another kind, or nothing is left.

        Examples
        --------
        >>> session = Session(units={0: np.array([0.1, 2.5, 3.5])})
        >>> kept = session.restrict(pd.DataFrame({"start": [2.0], "stop": [3.0]}))
        >>> kept.units[0].times()
        array([2.5])
        """
        chosen = self.choose_units(units)
        step: dict[str, Any] = {"step": "restrict", "units": units, "where": None}
        if where is None:
            return replace(self, units=chosen, provenance=(*self.provenance, step))
        step["where"] = where if isinstance(where, str) else type(where).__name__
        start, stop = merged(*self._where(where))
        if not len(start):
            raise DataError("restrict() would keep nothing: no interval is left")
        support = interval_set(start, stop)
        step |= {"intervals": len(start), "seconds": float((stop - start).sum())}
        return replace(
            self,
            units=None if chosen is None else chosen.restrict(support),
            series={k: _restricted(v, support) for k, v in self.series.items()},
            events={k: v[inside(v, start, stop)] for k, v in self.events.items()},
            trials=None if self.trials is None else overlapping(self.trials, start, stop),
            intervals={k: overlapping(v, start, stop) for k, v in self.intervals.items()},
            provenance=(*self.provenance, step),
        )

    def bin(
        self,
        width: float | None = None,
        *,
        signal: str = "units",
        units: str | None = None,
        labels: Sequence[str] | Mapping[str, str] = (),
        trials: str | None = "trials",
        align: Any = None,
        window: tuple[float, float] | None = None,
    ) -> Recording:
        """Put units or a series, labels and trials on one regular grid.

        Bin k covers [t0 + k w, t0 + (k + 1) w); its clock time is its centre. Spikes are counted,
        never interpolated; samples of a series are averaged (interpolated where bins are narrower
        than samples are apart). A grid begins wherever the support of the signal begins, and holds
        whole bins only; a gap ends a segment.

        Parameters
        ----------
        width
            Bin width in seconds; None keeps the grid of a regularly sampled series.
        signal
            "units" for spike counts, or the name of a series.
        units
            Query on the unit metadata: "area == 'CA1'".
        labels
            Names of series or trial columns, or a mapping of name → "discrete", "continuous" or
            "circular" (radians). Taken at bin centres: linear for continuous, nearest for
            discrete, through sine and cosine for circular. Bins outside a label's support or in a
            gap of more than ten of its steps are marked NaN, -1 or "".
        trials
            "trials", the name of another table of intervals, or None. A bin belongs to a trial if
            its centre lies in [start, stop).
        align, window
            An event, a trial column of times, or times: bin edges are put on each event and every
            window (start, stop), in seconds from it, is a trial.

        Raises
        ------
        DataError
            An unknown name, an irregular series without `width`, overlapping trials or windows.

        Examples
        --------
        >>> session = Session(
        ...     units={0: np.array([0.05, 0.1, 0.35])},
        ...     trials=pd.DataFrame({"start": [0.0, 0.2], "stop": [0.2, 0.3], "side": ["l", "r"]}),
        ... )
        >>> recording = session.bin(0.1, labels=["side"])
        >>> recording.signal.ravel(), recording.labels["side"]
        (array([1., 1., 0.], dtype=float32), array(['l', 'l', 'r'], dtype='<U1'))
        """
        from ._bin import binned

        return binned(self, width, signal, units, labels, trials, align, window)

    def align(
        self,
        event: str | NDArray,
        window: tuple[float, float],
        *,
        series: str | Sequence[str] | None = None,
        **options: Any,
    ) -> Any:
        """Windows of series around an event as xarray (trial, time, channel), on a common clock.

        Each series keeps its own, even irregular, clock until then. `options` are `rate`,
        `interpolate`, `baseline`, `censor`, `nan` and `endpoint`: see
        `isofold._align_series.align_series`. For spikes, `bin` with `align=`.

        >>> import pynapple as nap
        >>> dff = nap.Tsd(np.array([0.0, 1.1, 2.0, 3.2]), np.array([0.0, 1.1, 2.0, 3.2]))
        >>> session = Session(series={"dff": dff}, events={"cue": [1.0]})
        >>> session.align("cue", (-0.5, 0.5), series="dff", rate=2.0).values.ravel()
        array([0.5, 1. , 1.5])
        """
        from ._align_series import align_series

        return align_series(self, event, window, series, **options)

    def to_nwb(self, path: str | Path, backend: str | None = None) -> Path:
        """Write to NWB, with provenance, quality and warnings; `isofold.read` reads it back.

        Parameters
        ----------
        path
            Target; it is either whole or not there.
        backend
            "hdf5" (one file), "zarr" (a folder), or None: Zarr where `path` ends in ".zarr".

        Raises
        ------
        DataError
            A table has a column that NWB cannot hold, or `path` is the Zarr folder that the
            session reads from.

        Examples
        --------
        >>> import tempfile, isofold
        >>> session = Session(events={"lick": [0.5, 0.7]})
        >>> isofold.read(session.to_nwb(tempfile.mkdtemp() + "/mouse.nwb.zarr")).events
        {'lick': array([0.5, 0.7])}
        """
        from .writers.nwb import write_nwb

        return write_nwb(self, path, backend)

    # -- private ----------------------------------------------------------------------------

    def _where(self, where: Any) -> tuple[NDArray, NDArray]:
        if isinstance(where, str):
            where = self.table(where)
        if isinstance(where, pd.DataFrame):
            table = _checked("where", where)
            return table["start"].to_numpy(float), table["stop"].to_numpy(float)
        if getattr(where, "nap_class", "") == "IntervalSet":
            return np.array(where.start, float), np.array(where.end, float)
        t = where.times() if hasattr(where, "times") else getattr(where, "index", None)
        values = np.asarray(where)
        if t is None or values.dtype != bool or values.ndim != 1:
            raise DataError(
                "restrict() takes a table with start and stop, the name of one, an IntervalSet or "
                "a boolean mask with times, e.g. session.series['speed'] > 30; "
                f"got {type(where).__name__}"
            )
        return mask_intervals(np.asarray(t, dtype=float), values)

    def _extent(self, units: Mapping[Any, Any]) -> tuple[float, float]:
        """First and last time that any part of the session knows of."""
        times = [np.asarray(v, dtype=float) for v in units.values()]
        times += [np.asarray(s.times())[[0, -1]] for s in self.series.values() if len(s)]
        tables = [*self.intervals.values(), *([] if self.trials is None else [self.trials])]
        times += [t[["start", "stop"]].to_numpy(float).ravel() for t in tables]
        known = np.concatenate([t[np.isfinite(t)] for t in times] or [np.empty(0)])
        return (float(known.min()), float(known.max())) if len(known) else (0.0, 0.0)


def spike_group(
    times: Mapping[Any, Any],
    table: pd.DataFrame | None = None,
    support: tuple[Any, Any] | None = None,
) -> Any:
    """pynapple `TsGroup` from unit id → sorted spike times, with one row of metadata a unit."""
    import warnings

    import pynapple as nap

    times = {k: np.asarray(v, dtype=float) for k, v in times.items()}
    if support is None:
        known = np.concatenate([*times.values(), np.empty(0)])
        support = (known.min(), known.max()) if len(known) else (0.0, 0.0)
    epochs = interval_set(*(np.atleast_1d(np.asarray(x, float)) for x in support))
    info = {} if table is None else {c: table[c].to_numpy() for c in table.columns}
    info = {("rate_" if c == "rate" else str(c)): v for c, v in info.items()}
    with warnings.catch_warnings():  # a column called "count" is no reason to bother the user
        warnings.simplefilter("ignore")
        spikes = {k: nap.Ts(v, time_support=epochs) for k, v in times.items()}
        return nap.TsGroup(spikes, time_support=epochs, metadata=info or None)


def _checked(name: str, table: pd.DataFrame) -> pd.DataFrame:
    missing = {"start", "stop"} - set(table.columns)
    if missing:
        raise DataError(
            f"table {name!r} needs columns start and stop in seconds; missing {sorted(missing)}, "
            f"found {list(table.columns)}"
        )
    backwards = table[table["stop"].astype(float) < table["start"].astype(float)]
    for row, start, stop in zip(
        backwards.index, backwards["start"], backwards["stop"], strict=True
    ):
        raise DataError(
            f"an interval must not stop before it starts; row {row!r} of {name!r} has "
            f"start={start}, stop={stop}"
        )
    return table


def _restricted(series: Any, support: Any) -> Any:
    """pynapple's `restrict`, reading lazy data in slices (h5py is slow with index lists)."""
    if isinstance(series.values, np.ndarray):
        return series.restrict(support)
    t = np.asarray(series.times())
    a, b = np.searchsorted(t, support.start), np.searchsorted(t, support.end, side="right")
    pieces = [series.values[i:j] for i, j in zip(a, b, strict=True)]
    times = np.concatenate([t[i:j] for i, j in zip(a, b, strict=True)])
    named = {"columns": series.columns} if hasattr(series, "columns") else {}
    if len(getattr(series, "metadata_columns", ())):
        named["metadata"] = series.metadata
    own = support.intersect(series.time_support)
    return type(series)(t=times, d=np.concatenate(pieces), time_support=own, **named)
