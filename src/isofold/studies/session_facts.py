"""What the page tells of a session: warnings, quality, and how its traces were cleaned.

recordings/<name>/warnings.json   what its file says wrongly or not at all
                  quality.json    {check, channel, value, threshold, status, reason}, a list
                  traces.parquet  raw and fitted traces, correction, ΔF/F, thinned
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .load import load_session
from .recording_spec import RecordingSpec
from .run_folder import ANSWERS, file_name, write_json
from .tables import write_table

WARNINGS, QUALITY, TRACES = "warnings.json", "quality.json", "traces.parquet"
MOST_POINTS = 1200
"""Points of a trace; longer ones are drawn as means of neighbouring samples."""
CLOSE = 60.0
"""Seconds from the middle of the recording that are also drawn without thinning."""
CLEANED = ("baseline", "dff_uncorrected", "motion", "dff")
"""Series of a cleaned session beside signal and control."""


def folder_of(recording: RecordingSpec) -> str:
    """Where the answers about a recording stand in the results."""
    return f"{ANSWERS}/{file_name(recording.name)}"


def session_facts(recording: RecordingSpec, fingerprint: str, results: Path) -> list[str]:
    """Write them; names of the files, relative to the results."""
    session = load_session(recording, fingerprint)
    folder = results / folder_of(recording)
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / WARNINGS, [str(w) for w in session.metadata.get("warnings", ())])
    write_json(folder / QUALITY, [dict(row) for row in session.metadata.get("quality", ())])
    names = [WARNINGS, QUALITY]
    table = trace_table(session)
    if len(table):
        write_table(table, folder / TRACES)
        names.append(TRACES)
    return [f"{folder_of(recording)}/{name}" for name in names]


def trace_table(session: Any) -> pd.DataFrame:
    """`part` ("whole" or "close"), `channel`, `series`, `time`, `value`; no rows if not cleaned."""
    steps = [s for s in session.provenance if s.get("step") == "photometry"]
    parts = []
    for step in steps:
        wanted = {"signal": step.get("signal"), "control": step.get("control")}
        wanted |= {name: f"{step.get('prefix', '')}{name}" for name in CLEANED}
        for role, name in wanted.items():
            for key, channel, t, values in _columns(session, name):
                if channel not in step.get("fibers", {}):
                    continue
                parts += [
                    pd.DataFrame({"part": part, "channel": channel, "series": role, "of": key,
                                  "time": x, "value": y})
                    for part, x, y in (("whole", *thinned(t, values)),
                                       ("close", *_middle(t, values)))
                ]  # fmt: skip
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def thinned(t: NDArray, values: NDArray) -> tuple[NDArray, NDArray]:
    """Means of neighbours, so that at most `MOST_POINTS` are left; NaN where all are."""
    every = -(-len(t) // MOST_POINTS)
    n = len(t) // every * every
    blocks = np.asarray(values[:n], float).reshape(-1, every)
    known = np.isfinite(blocks)
    total = np.where(known, blocks, 0.0).sum(axis=1)
    count = known.sum(axis=1)
    return t[:n].reshape(-1, every).mean(axis=1), np.where(
        count > 0, total / np.maximum(count, 1), np.nan
    )


def _middle(t: NDArray, values: NDArray) -> tuple[NDArray, NDArray]:
    middle = 0.5 * (t[0] + t[-1])
    a, b = np.searchsorted(t, [middle - CLOSE / 2, middle + CLOSE / 2])
    return thinned(t[a:b], values[a:b]) if b > a else (t[:0], values[:0])


def _columns(session: Any, name: str | None) -> list[tuple]:
    """(series, channel, times, values) of a series, or of all that a pattern names."""
    from fnmatch import fnmatchcase

    found = []
    for key in session.series if name else ():
        if not fnmatchcase(key, str(name)):
            continue
        series = session.series[key]
        t = np.asarray(series.times(), float)
        values = np.asarray(series.values)
        if values.ndim == 1:
            star = str(name).split("*")
            channel = key[len(star[0]) : len(key) - len(star[-1])] if len(star) == 2 else key
            found.append((key, channel, t, values))
        else:
            columns = [str(c) for c in series.columns]
            found += [(key, c, t, values[:, k]) for k, c in enumerate(columns)]
    return found
