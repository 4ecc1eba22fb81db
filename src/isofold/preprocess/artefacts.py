"""Artefacts: stretches in which a channel shows the plug, not the brain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .._intervals import inside, merged, overlapping
from ..errors import DataError
from ..session import Session
from ._epoch import intervals
from ._filters import chunks
from ._robust import NORMAL_MAD
from ._traces import channels, read_trace

THRESHOLD = 20.0
PAD = 1.0


def find_artefacts(
    t: NDArray, trace: NDArray, threshold: float = THRESHOLD, pad: float = PAD
) -> pd.DataFrame:
    """Stretches around jumps that neither noise nor an indicator makes.

    A jump is |x_t − x_(t−1)| > threshold · σ with σ = median |Δx| / .6745, the noise of a step.
    Each is widened by `pad` seconds on both sides; what then touches is one stretch.

    Parameters
    ----------
    t, trace
        Times in s and values (time,); steps to or from NaN count for nothing.
    threshold
        In standard deviations of the noise of a step. Fast indicators on quiet fibers reach 10.

    Returns
    -------
    pandas.DataFrame
        Columns start and stop in s.

    Raises
    ------
    DataError
        Lengths that differ, or a threshold or pad that is not above 0.

    Examples
    --------
    >>> t = np.arange(1000) / 20
    >>> trace = np.sin(t) + 0.01 * np.random.default_rng(0).standard_normal(1000)
    >>> trace[500:520] += 9.0
    >>> find_artefacts(t, trace).to_numpy().tolist()
    [[23.95, 27.0]]
    """
    t, trace = np.asarray(t, np.float64), np.asarray(trace, np.float64)
    if t.shape != trace.shape or t.ndim != 1:
        raise DataError(
            f"times and trace must be (time,) of one length, got {t.shape}, {trace.shape}"
        )
    if not threshold > 0 or not pad >= 0:
        raise DataError(f"threshold must be above 0 and pad at least 0, got {threshold!r}, {pad!r}")
    jump = np.abs(np.diff(trace))
    known = jump[np.isfinite(jump)]
    sigma = float(np.median(known)) / NORMAL_MAD if len(known) else 0.0
    if sigma == 0:
        return pd.DataFrame({"start": [], "stop": []}, dtype=float)
    at = np.flatnonzero(np.nan_to_num(jump) > threshold * sigma)
    start, stop = merged(t[at] - pad, t[at + 1] + pad)
    return pd.DataFrame({"start": start, "stop": stop})


def artefacts(
    session: Session,
    series: Sequence[str] = ("470", "415"),
    *,
    fibers: Sequence[str] | None = None,
    windows: Any = None,
    threshold: float = THRESHOLD,
    pad: float = PAD,
    events: str = "drop",
) -> Session:
    """Set artefacts to NaN, in all lights of the chosen fibers, and take out the events inside.

    Parameters
    ----------
    series
        Names, or patterns such as "G_*", of the lights.
    fibers
        Columns, or what the star stands for; all by default. What is found in one is removed from
        all of them: treat fibers that share no plug in calls of their own.
    windows
        (start, stop) in s, a list of such pairs, a table, or the name of one. Found by
        `find_artefacts` with `threshold` and `pad` if not given.
    events
        "drop" the events inside, or "keep" them.

    Returns
    -------
    Session
        Trials that overlap a stretch have True in the column `artefact`; the stretches are in
        `intervals["artefacts"]`, what was dropped in `provenance`.

    Raises
    ------
    DataError
        Names or fibers that do not exist, windows without length, an unknown choice.

    Examples
    --------
    >>> from isofold import simulate
    >>> raw = simulate.photometry_session(seed=0, duration=120.0)
    >>> clean = artefacts(raw, windows=(20.0, 30.0))
    >>> int(np.isnan(clean.series["470"].values[:, 0]).sum())
    201
    """
    if events not in ("drop", "keep"):
        raise DataError(f'events must be "drop" or "keep", got {events!r}')
    chosen = {name: _chosen(session, name, fibers) for name in series}
    if windows is None:
        start, stop = _found(session, chosen, threshold, pad)
    else:
        start, stop = intervals(session, windows)
    gone = {k: inside(v, start, stop) if len(start) else np.zeros(len(v), bool)
            for k, v in session.events.items()}  # fmt: skip
    kept = {k: v[~gone[k]] if events == "drop" else v for k, v in session.events.items()}
    step = {
        "step": "artefacts", "series": list(series),
        "fibers": None if fibers is None else list(fibers),
        "threshold": None if windows is not None else threshold,
        "pad": None if windows is not None else pad, "events": events,
        "windows": np.column_stack([start, stop]).tolist(),
        "events_inside": {k: int(v.sum()) for k, v in gone.items()},
    }  # fmt: skip
    table = pd.DataFrame({"start": start, "stop": stop})
    return replace(
        session,
        series={**session.series, **_blanked(session, chosen, start, stop)},
        events=kept,
        trials=_flagged(session.trials, start, stop),
        intervals={**session.intervals, "artefacts": table},
        provenance=(*session.provenance, step),
    )


def _chosen(session: Session, name: str, fibers: Sequence[str] | None) -> list[Any]:
    there = channels(session, name)
    absent = [f for f in fibers or () if str(f) not in there]
    if absent:
        raise DataError(f"{name!r} has the fibers {list(there)}; asked for {absent}")
    return [c for f, c in there.items() if fibers is None or f in {str(x) for x in fibers}]


def _found(
    session: Session, chosen: Mapping[str, list[Any]], threshold: float, pad: float
) -> tuple[NDArray, NDArray]:
    tables = []
    for channel in (c for found in chosen.values() for c in found):
        trace = read_trace(session, channel)
        tables.append(find_artefacts(trace.t, trace.x, threshold, pad))
    every = pd.concat(tables)
    return merged(every["start"].to_numpy(float), every["stop"].to_numpy(float))


def _blanked(
    session: Session, chosen: Mapping[str, list[Any]], start: NDArray, stop: NDArray
) -> dict[str, Any]:
    """Copies of the series with NaN inside."""
    out: dict[str, Any] = {}
    for channel in (c for found in chosen.values() for c in found):
        series = out.get(channel.series)
        if series is None:
            series = out[channel.series] = _copied(session.get_series(channel.series))
        hit = inside(np.asarray(series.times()), start, stop) if len(start) else np.empty(0, int)
        if channel.column is None:
            series.values[hit] = np.nan
        else:
            series.values[hit, channel.column] = np.nan
    return out


def _copied(series: Any) -> Any:
    kind = series.values.dtype
    values = np.empty(series.values.shape, kind if kind.kind == "f" else np.float64)
    for part in chunks(len(values)):
        values[part] = series.values[part]
    named = {"columns": series.columns} if hasattr(series, "columns") else {}
    return type(series)(t=series.index, d=values, time_support=series.time_support, **named)


def _flagged(trials: pd.DataFrame | None, start: NDArray, stop: NDArray) -> pd.DataFrame | None:
    if trials is None:
        return None
    hit = trials.index.isin(overlapping(trials, start, stop).index) if len(start) else False
    before = trials["artefact"].to_numpy(bool) if "artefact" in trials else False
    return trials.assign(artefact=np.zeros(len(trials), bool) | hit | before)
