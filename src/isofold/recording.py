"""Recording: one regular grid, ready to embed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from . import trials as walls_
from ._rows import Rows, take
from ._tables import KINDS as KINDS  # the names of the kinds are the recording's
from ._tables import MOST_CLASSES as MOST_CLASSES
from ._tables import as_label, channel_table, label_kinds, segment_table, trial_table
from .errors import DataError
from .trials import OUTSIDE, Ints

DEFAULT_PURGE = 10
"""Samples dropped between train and test blocks where there are no trials: the receptive field of
`offset10-model`."""


@dataclass(frozen=True, eq=False, repr=False)
class Recording:
    """Signal, labels and trials on one clock.

    Not for parts on several clocks or irregular samples: hold those in a `Session` and `bin` it.

    Parameters
    ----------
    signal
        (time, channel); NumPy, `numpy.memmap` or Zarr. Not scanned, not copied.
    rate
        Samples per second.
    start
        Clock time of the first sample in seconds.
    labels
        name → (time,) or (time, k). Bool, string and integer are discrete, float continuous.
    kinds
        Overrides of the kind of a label or trial column: "discrete", "continuous" or "circular"
        (radians).
    trials
        Table with `start`, `stop` (half-open, in samples), sorted, disjoint; further columns are
        conditions. Its index names the trials and survives splits.
    events
        name → times in seconds.
    channels
        One row a channel.
    segments
        Table `start, stop, time0, trial`: stretches without a gap inside one trial. It alone is
        the wall that nothing crosses. Derived from `trials` unless given.
    truth
        (time, k) latent of a simulation.

    Raises
    ------
    DataError
        A shape, kind or trial breaks a rule; the message says which.

    Examples
    --------
    >>> recording = Recording(np.zeros((6, 2)), rate=10.0, labels={"x": np.arange(6.0)})
    >>> recording.n_samples, recording.n_channels, recording.kinds["x"]
    (6, 2, 'continuous')
    """

    signal: Any
    rate: float
    start: float = 0.0
    labels: Mapping[str, NDArray] = field(default_factory=dict)
    kinds: Mapping[str, str] = field(default_factory=dict)
    trials: pd.DataFrame | None = None
    events: Mapping[str, NDArray] = field(default_factory=dict)
    channels: pd.DataFrame = None  # type: ignore[assignment]  # a table once constructed
    segments: pd.DataFrame = None  # type: ignore[assignment]
    truth: NDArray | None = None
    name: str = ""
    subject: str | None = None
    provenance: tuple[dict, ...] = ()
    whole: tuple[int, int] | None = field(default=None)
    """Samples and segments inside trials of the recording this one was split from: folds of one
    recording are padded to one size, so that they share one compiled program."""

    def __post_init__(self):
        put = lambda name, value: object.__setattr__(self, name, value)  # noqa: E731
        if not hasattr(self.signal, "shape") or not hasattr(self.signal, "dtype"):
            put("signal", np.asarray(self.signal))
        if len(self.signal.shape) != 2:
            raise DataError(
                f"signal must be (time, channel), got shape {tuple(self.signal.shape)}; "
                "a (trial, time, channel) array goes to fit() directly"
            )
        if self.signal.dtype.kind not in "biuf":
            raise DataError(f"signal must hold real numbers, got dtype {self.signal.dtype}")
        if not (isinstance(self.rate, Real) and np.isfinite(self.rate) and self.rate > 0):
            raise DataError(
                f"rate must be a positive number of samples per second, got {self.rate!r}"
            )
        put("rate", float(self.rate))
        put("labels", {k: as_label(k, v, self.n_samples) for k, v in dict(self.labels).items()})
        put("events", {k: np.asarray(v, dtype=float) for k, v in dict(self.events).items()})
        put("channels", channel_table(self.channels, self.n_channels))
        if self.trials is not None:
            put("trials", trial_table(self.trials, self.n_samples))
        columns = () if self.trials is None else self.trials.columns
        put("kinds", label_kinds(self.labels, dict(self.kinds), columns))
        put(
            "segments",
            segment_table(self.segments, self.trials, self.n_samples, self.start, self.rate),
        )
        if self.truth is not None:
            put("truth", as_label("truth", self.truth, self.n_samples))
        put("provenance", tuple(self.provenance))

    # -- what it is -------------------------------------------------------------------------

    @property
    def n_samples(self) -> int:
        """Samples, gaps not counted."""
        return int(self.signal.shape[0])

    @property
    def n_channels(self) -> int:
        """Columns of the signal."""
        return int(self.signal.shape[1])

    @property
    def time(self) -> NDArray[np.float64]:
        """Clock time of every sample in seconds (gaps included)."""
        seg = self.segments
        length = (seg["stop"] - seg["start"]).to_numpy()
        inside = np.arange(self.n_samples) - np.repeat(seg["start"].to_numpy(), length)
        return np.repeat(seg["time0"].to_numpy(), length) + inside / self.rate

    @property
    def trial(self) -> NDArray:
        """Trial of every sample, by the name in the table's index; -1 outside."""
        seg = self.segments
        return np.repeat(seg["trial"].to_numpy(), (seg["stop"] - seg["start"]).to_numpy())

    def label(self, name: str) -> NDArray:
        """A label, one column of it ("xy_0"), or a trial column spread over its trials (NaN, -1 or
        "" outside)."""
        if name in self.labels:
            return self.labels[name]
        whole, column = self._column(name)
        if whole is not None:
            return self.labels[whole][:, column]
        if self.trials is not None and name in self.trials.columns:
            values = as_label(name, self.trials[name], len(self.trials))
            fill = {"f": np.nan, "U": ""}.get(values.dtype.kind, -1)
            values = values.astype(np.int64) if values.dtype.kind in "bu" else values
            start, stop = self.trials["start"].to_numpy(), self.trials["stop"].to_numpy()
            return walls_.spread(values, start, stop, self.n_samples, fill)
        raise DataError(
            f"no label or trial column {name!r}; labels: {sorted(self.labels)}, "
            f"trial columns: {self.conditions}"
        )

    def _column(self, name: str) -> tuple[str | None, int]:
        """The label of several columns that "name_k" is column k of."""
        whole, _, column = name.rpartition("_")
        values = self.labels.get(whole)
        if values is None or values.ndim != 2 or not column.isdigit():
            return None, 0
        return (whole, int(column)) if int(column) < values.shape[1] else (None, 0)

    @property
    def conditions(self) -> list[str]:
        """Columns of the trial table other than start and stop."""
        columns: Sequence = () if self.trials is None else list(self.trials.columns)
        return [str(c) for c in columns if c not in ("start", "stop")]

    def kind(self, name: str) -> str:
        """ "discrete", "continuous" or "circular" of a label, its column, or a trial column."""
        name = self._column(name)[0] or name
        return self.kinds.get(name) or label_kinds({name: self.label(name)}, {})[name]

    def __len__(self) -> int:
        return self.n_samples

    def __repr__(self) -> str:
        trials = "no trials" if self.trials is None else f"{len(self.trials)} trials"
        labels = ", ".join(f"{k} ({self.kinds[k]})" for k in self.labels) or "no labels"
        return (
            f"<Recording {self.name!r}: {self.n_samples} samples x {self.n_channels} channels at "
            f"{self.rate:g} Hz, {trials}, {len(self.segments)} segments; {labels}>"
        )

    def _repr_html_(self) -> str:
        from html import escape

        return f"<pre>{escape(repr(self))}</pre>"

    # -- splits -----------------------------------------------------------------------------

    def split(
        self,
        test: float = 0.2,
        valid: float = 0.0,
        how: str = "last",
        stratify: str | None = None,
        seed: int = 0,
    ) -> tuple[Recording, ...]:
        """(train, test), or (train, valid, test), by trial; by purged blocks without trials.

        `how` is "last", "interleaved" or "random"; `stratify` names a trial column whose values
        are held out in equal shares. Samples outside every trial go to no part. Raises `DataError`
        where a part would be empty or an option is unknown.

        >>> a, b = Recording(np.zeros((100, 1)), rate=1.0).split(test=0.2)
        >>> len(a), len(b)
        (70, 20)
        """
        if valid and not 0 < test + valid < 1:
            raise DataError(f"test + valid must stay below 1, got {test} + {valid}")
        units = self._units(how)
        rng = np.random.default_rng(seed)
        strata = self._strata(stratify)
        held = walls_.choose(len(units), test, how, rng, strata)
        rest = np.setdiff1d(np.arange(len(units)), held)
        parts = [held]
        if valid:
            share = valid / (1 - test)
            picked = walls_.choose(
                len(rest), share, how, rng, None if strata is None else strata[rest]
            )
            parts, rest = [rest[picked], held], np.delete(rest, picked)
        self._check_parts([rest, *parts], "split")
        train = self._take_units(units, rest, purge_from=np.concatenate(parts))
        later = [self._take_units(units, p) for p in parts]
        return (train, *later)

    def folds(
        self, k: int, how: str = "blocks", by: str | None = None
    ) -> list[tuple[Recording, Recording]]:
        """k pairs (train, test) whose tests cover every trial once.

        `how` is "blocks" or "interleaved"; `by` is a trial column, such as the animal, whose values
        stay together: as many folds as values leave one out. Raises `DataError` where there are
        fewer trials (or values) than k.

        >>> trials = pd.DataFrame({"start": [0, 5, 10], "stop": [5, 10, 15]})
        >>> recording = Recording(np.zeros((15, 1)), rate=1.0, trials=trials)
        >>> [test.trials.index.tolist() for _, test in recording.folds(3)]
        [[0], [1], [2]]
        """
        units = self._units("last", at_least=k)
        fold = walls_.fold_of(len(units), k, how, self._strata(by))
        pairs = []
        for number in range(k):
            held, rest = np.flatnonzero(fold == number), np.flatnonzero(fold != number)
            self._check_parts([rest, held], "folds")
            train = self._take_units(units, rest, purge_from=held)
            pairs.append((train, self._take_units(units, held)))
        return pairs

    def fill(self, how: str, max_gap: float | None = None) -> Recording:
        """Resolve missing values: "drop" their samples, or "interpolate" gaps up to `max_gap` s.

        Interpolation is linear (nearest for discrete labels) and stays inside a segment. What it
        cannot reach (longer gaps, segment ends) is dropped. Dropped samples end a segment. Raises
        `DataError` where nothing would be left.

        >>> signal = np.array([[0.0], [np.nan], [1.0]])
        >>> Recording(signal, rate=1.0).fill("interpolate").signal.ravel()
        array([0. , 0.5, 1. ])
        """
        from ._missing import interpolated, missing

        if how not in ("drop", "interpolate"):
            raise DataError(f"fill() knows 'drop' and 'interpolate', got {how!r}")
        filled = self if how == "drop" else interpolated(self, max_gap)
        start, stop = walls_.runs(~missing(filled))
        if self.n_samples and not len(start):
            raise DataError(
                f"fill({how!r}) would drop every sample of recording {self.name!r}: each lacks a "
                "value in the signal or a label; leave out the label or channel that is empty"
            )
        step = {"step": "fill", "how": how, "max_gap": max_gap}
        step["dropped"] = self.n_samples - int((stop - start).sum())
        return replace(filled._take(start, stop), provenance=(*self.provenance, step), whole=None)

    def align(self, event, window: tuple[float, float], **options):
        """Windows around an event as xarray (trial, time, channel); see `isofold._align.align`."""
        from ._align import align

        return align(self, event, window, **options)

    def save(self, path: str | Path) -> Path:
        """Write to a Zarr folder with a content fingerprint; `isofold.load_recording` reads it."""
        from ._store import save_recording

        return save_recording(self, Path(path))

    @property
    def fingerprint(self) -> str:
        """SHA-256 of signal, labels, trials, segments and clock: equal content, equal value."""
        from ._store import fingerprint

        return fingerprint(self)

    # -- taking rows ------------------------------------------------------------------------

    def _inside(self) -> tuple[int, int]:
        """Number of samples and of segments inside trials."""
        seg = self.segments[self.segments["trial"] != OUTSIDE]
        return int((seg["stop"] - seg["start"]).sum()), len(seg)

    def _units(self, how: str, at_least: int = 10) -> pd.DataFrame:
        """What a split deals out: trials, or blocks of samples where there are none."""
        if self.trials is not None:
            return self.trials[["start", "stop"]]
        if how == "random":
            raise DataError("a random split needs trials; without them use how='last'")
        n = min(max(10, at_least), self.n_samples)
        edges = np.linspace(0, self.n_samples, n + 1).astype(np.int64)
        return pd.DataFrame({"start": edges[:-1], "stop": edges[1:]})

    def _strata(self, column: str | None) -> NDArray | None:
        if column is None:
            return None
        if self.trials is None or column not in self.trials.columns:
            raise DataError(
                f"trials are grouped by a trial column, got {column!r}; there are {self.conditions}"
            )
        return pd.factorize(self.trials[column], sort=True)[0]

    def _check_parts(self, parts: Sequence[Ints], what: str) -> None:
        if any(len(p) == 0 for p in parts):
            n = 0 if self.trials is None else len(self.trials)
            raise DataError(
                f"{what} would leave a part without trials ({n} trials, {self.n_samples} samples); "
                "use fewer parts or a larger share"
            )

    def _take_units(self, units: pd.DataFrame, rows: Ints, purge_from: Ints | None = None):
        start, stop = units["start"].to_numpy()[rows], units["stop"].to_numpy()[rows]
        if self.trials is None and purge_from is not None:
            near = np.zeros(self.n_samples, bool)
            for held in purge_from:
                a, b = units["start"].iloc[held], units["stop"].iloc[held]
                near[max(a - DEFAULT_PURGE, 0) : b + DEFAULT_PURGE] = True
            mine = np.zeros(self.n_samples, bool)
            mine[walls_.expand(start, stop)] = True
            start, stop = walls_.runs(mine & ~near)
            if not len(start):
                raise DataError(
                    f"nothing is left to train on: {DEFAULT_PURGE} samples beside each held-out "
                    f"block are dropped, and there are only {self.n_samples}; give trials, or hold "
                    "out less"
                )
        return self._take(start, stop)

    def _take(self, start: Ints, stop: Ints) -> Recording:
        """Rows in the (sorted, disjoint) intervals. Lazy for signals that are not in memory."""
        start, stop = walls_.joined(start, stop)
        rows = walls_.expand(start, stop)
        lazy = type(self.signal) is not np.ndarray
        signal = Rows(self.signal, start, stop) if lazy else take(self.signal, rows)
        new_at = np.concatenate([[0], np.cumsum(stop - start)])

        def moved(a: Ints, b: Ints) -> tuple[Ints, Ints, Ints]:
            left, right, owner = walls_.cut(a, b, start, stop)
            piece = np.searchsorted(start, left, side="right") - 1
            shift = new_at[piece] - start[piece]
            return left + shift, right + shift, owner

        seg = self.segments
        seg_start = seg["start"].to_numpy()
        a, b, owner = moved(seg_start, seg["stop"].to_numpy())
        original = rows[a] if len(a) else a
        time0 = seg["time0"].to_numpy()[owner] + (original - seg_start[owner]) / self.rate
        segments = pd.DataFrame(
            {"start": a, "stop": b, "time0": time0, "trial": seg["trial"].to_numpy()[owner]}
        )
        return replace(
            self,
            signal=signal,
            start=float(time0[0]) if len(time0) else self.start,
            labels={k: v[rows] for k, v in self.labels.items()},
            trials=None if self.trials is None else _moved_trials(self.trials, moved),
            segments=segments,
            truth=None if self.truth is None else self.truth[rows],
            whole=self.whole or self._inside(),
        )


def _moved_trials(table: pd.DataFrame, moved) -> pd.DataFrame:
    a, b, owner = moved(table["start"].to_numpy(), table["stop"].to_numpy())
    kept, first = np.unique(owner, return_index=True)
    last = np.append(first[1:], len(owner))[: len(first)] - 1
    return table.iloc[kept].assign(start=a[first], stop=b[last])
