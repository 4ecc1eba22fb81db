"""What a study asks of single trials, answered for one recording."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from ..errors import DataError
from ..recording import Recording
from .load import load_binned
from .place import same_place
from .recording_spec import RecordingSpec
from .session_facts import folder_of
from .single_trial_spec import SingleTrialSpec
from .trial_answers import TrialAnswers, aligned_table

FEWEST = 8
"""Trials below which nothing is asked of them."""
MOST_COLUMNS = 30
"""Times at which a condition is decoded; a longer window is averaged to them."""


@dataclass(frozen=True)
class Asked:
    """One block of one recording."""

    spec: SingleTrialSpec
    number: int
    recording: RecordingSpec
    fingerprint: str


def answer(asked: Asked, results: str | Path) -> list[str]:
    """Answer into the results; names of the files, relative to them."""
    place = same_place(str(results))
    recording = load_binned(asked.recording, asked.fingerprint)
    folder = f"{folder_of(asked.recording)}/trials_{asked.number}"
    names = answers(recording, asked.spec).write(place.path / folder)
    return [f"{folder}/{name}" for name in names]


def answers(recording: Recording, spec: SingleTrialSpec) -> TrialAnswers:
    """Everything that is asked, of the binned recording as it is.

    Raises
    ------
    DataError
        No such event or column, or fewer than eight windows are whole.
    """
    tensor, left_out = _windows(recording, spec)
    about = spec.to_dict() | {
        "n_trials": tensor.sizes["trial"],
        "n_left_out": left_out,
        "time": [float(t) for t in np.round(tensor["time"].values, 6)],
    }
    notes: list[str] = []
    over_time = _decoded(tensor, spec, about, notes)
    per_trial = _per_trial(tensor, spec, notes)
    _shared(tensor, spec, about, notes)
    return TrialAnswers(
        recording.name,
        about | {"notes": notes},
        aligned_table(tensor, spec.by),
        _averages(tensor, spec),
        per_trial,
        over_time,
    )


def _windows(recording: Recording, spec: SingleTrialSpec) -> tuple[xr.DataArray, int]:
    """Windows that are whole (and of a known condition), and how many are not."""
    options: dict[str, Any] = {"baseline": spec.baseline, "nan": "exclude"}
    if spec.rate is not None:
        options |= {"rate": spec.rate, "interpolate": True}
    every = recording.align(spec.event, spec.window, **options | {"nan": "keep"}).sizes["trial"]
    tensor = recording.align(spec.event, spec.window, **options)
    for name in (spec.by, spec.groups):
        if name is not None and name not in tensor.coords:
            raise DataError(
                f"single_trials: no trial column {name!r} in recording {recording.name!r}; trial "
                f"columns: {recording.conditions}"
            )
    if spec.by is not None:
        tensor = tensor.isel(trial=np.flatnonzero(_known(tensor[spec.by].values)))
    if tensor.sizes["trial"] < FEWEST:
        raise DataError(
            f"single_trials around {spec.event!r} need at least {FEWEST} whole windows; recording "
            f"{recording.name!r} has {tensor.sizes['trial']} of {every}"
        )
    return tensor, every - tensor.sizes["trial"]


def _known(values: Any) -> np.ndarray:
    values = np.asarray(values)
    if values.dtype.kind == "f":
        return np.isfinite(values)
    return values != "" if values.dtype.kind in "UO" else np.ones(len(values), bool)


def _averages(tensor: xr.DataArray, spec: SingleTrialSpec) -> pd.DataFrame:
    from ..single_trial import condition_average

    average = condition_average(tensor, by=spec.by, animal=spec.groups, seed=spec.seed)
    table = average[["mean", "sem", "low", "high", "n"]].to_dataframe().reset_index()
    table = table.rename(columns={tensor.dims[2]: "channel"})
    text = {c: table[c].astype(str) for c in ("condition", "channel")}
    return table.assign(**text)[
        ["condition", "channel", "time", "mean", "sem", "low", "high", "n"]
    ]
