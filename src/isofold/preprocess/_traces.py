"""Channels of a session as traces: one fiber at a time, read in slices, missing samples as NaN."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from ..session import Session
from ._filters import block_means, chunks, clock_of, stretches

FIT_RATE = 50.0
"""Hz; faster traces are averaged down to `COARSE_RATE` for fits, which are of slow curves."""

COARSE_RATE = 20.0

WIDE = 1 << 21
"""Up to this many samples a trace is held in float64, above in float32."""


@dataclass(frozen=True)
class Channel:
    """One column of a series, not read yet."""

    series: str
    column: int | None
    name: str


@dataclass(frozen=True)
class Trace:
    """Times in s and values of one channel; NaN where missing."""

    t: NDArray
    x: NDArray
    rate: float
    parts: list[slice]

    def coarse(self) -> Trace:
        """Means of blocks that bring a fast trace to about 20 Hz; a slow one as it is."""
        size = coarse_size(self.rate)
        if size == 1:
            return replace(self, x=np.asarray(self.x, np.float64))
        t = block_means(self.t, size)
        return Trace(t, block_means(self.x, size), self.rate / size, stretches(t))


def coarse_size(rate: float) -> int:
    """Samples averaged into one for a fit."""
    return int(rate // COARSE_RATE) if rate > FIT_RATE else 1


def read_trace(session: Session, channel: Channel) -> Trace:
    """The values of a channel; infinite ones are missing."""
    series = session.get_series(channel.series)
    t = np.asarray(series.times())
    x = np.empty(len(t), np.float64 if len(t) <= WIDE else np.float32)
    for part in chunks(len(t)):
        values = (
            series.values[part] if channel.column is None else series.values[part, channel.column]
        )
        x[part] = values
        x[part][~np.isfinite(x[part])] = np.nan
    return Trace(t, x, 1 / clock_of(t)[0], stretches(t))


def on_clock(trace: Trace, t: NDArray) -> NDArray:
    """Values at times t: a line between neighbours; NaN where the nearest sample is missing, or
    lies further away than a gap is long."""
    if len(t) == len(trace.t) and np.array_equal(t, trace.t):
        return trace.x
    out = np.empty(len(t), trace.x.dtype)
    longest = clock_of(trace.t)[1]
    for part in chunks(len(t)):
        when = t[part]
        a = max(int(np.searchsorted(trace.t, when[0])) - 64, 0)
        b = int(np.searchsorted(trace.t, when[-1])) + 64
        out[part] = _interpolated(when, trace.t[a:b], trace.x[a:b], longest)
    return out


def _interpolated(when: NDArray, t: NDArray, x: NDArray, longest: float) -> NDArray:
    known = np.isfinite(x)
    if not known.any():
        return np.full(len(when), np.nan)
    out = np.interp(when, t[known], x[known])
    right = np.clip(np.searchsorted(t, when), 1, max(len(t) - 1, 1))
    left = right - 1
    right = np.minimum(right, len(t) - 1)
    nearest = np.where(when - t[left] <= t[right] - when, left, right)
    lost = ~known[nearest] | (np.abs(when - t[nearest]) > longest)
    return np.where(lost, np.nan, out)


def channels(session: Session, pattern: str) -> dict[str, Channel]:
    """Channels by what pairs them: columns of a series, or what the star of "G_*" stands for."""
    if "*" not in pattern:
        return _columns(session, pattern)
    if pattern.count("*") > 1:
        raise DataError(f"a pattern of series names has one star, got {pattern!r}")
    head, tail = pattern.split("*")
    found = {}
    for name in session.series:
        star = name[len(head) : len(name) - len(tail)]
        if fnmatchcase(name, pattern) and "_" not in star:  # G_1, not G_CMOS_FLOOR
            found[star] = _single(session, name)
    if not found:
        raise DataError(
            f"no series is called {pattern!r} with one word for the star; there are "
            f"{sorted(session.series)}"
        )
    return dict(sorted(found.items(), key=lambda item: (len(item[0]), item[0])))


def _columns(session: Session, name: str) -> dict[str, Channel]:
    series: Any = session.get_series(name)
    if len(series.values.shape) == 1:
        return {name: Channel(name, None, name)}
    if len(series.values.shape) != 2:
        raise DataError(f"series {name!r} must be (time, fiber), got {series.values.shape}")
    return {str(c): Channel(name, k, f"{name}:{c}") for k, c in enumerate(series.columns)}


def _single(session: Session, name: str) -> Channel:
    series = session.get_series(name)
    shape = series.values.shape
    if len(shape) == 2 and shape[1] == 1:
        return Channel(name, 0, name)
    if len(shape) != 1:
        raise DataError(f"a pattern pairs series of one channel; {name!r} has shape {shape}")
    return Channel(name, None, name)
