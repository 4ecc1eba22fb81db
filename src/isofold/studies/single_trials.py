"""What a study asks of single trials, answered for one recording."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from ..errors import DataError, IsofoldError
from ..recording import Recording
from .load import load_binned, located
from .place import same_place
from .recording_spec import RecordingSpec
from .session_facts import folder_of, session_facts
from .single_trial_spec import SingleTrialSpec
from .trial_answers import TrialAnswers, aligned_table, condition_names

FEWEST = 8
"""Trials below which nothing is asked of them."""
MOST_RESPONSES = 4
"""Channels whose responses stand in the table of trials."""
MOST_COLUMNS = 30
"""Times at which a condition is decoded; a longer window is averaged to them."""


@dataclass(frozen=True)
class Told:
    """A recording whose session is told of."""

    recording: RecordingSpec
    fingerprint: str


@dataclass(frozen=True)
class Asked:
    """One block of one recording."""

    spec: SingleTrialSpec
    number: int
    recording: RecordingSpec
    fingerprint: str


def answered(asked: Told | Asked, results: str | Path) -> list[str]:
    """Answer into the results; names of the files, relative to them."""
    place = same_place(str(results))
    spec = located(asked.recording, place)
    if isinstance(asked, Told):
        return session_facts(spec, asked.fingerprint, place.path)
    folder = f"{folder_of(spec)}/trials_{asked.number}"
    try:
        found = answers(load_binned(spec, asked.fingerprint), asked.spec)
    except IsofoldError as error:  # what one block cannot have, others may
        about = asked.spec.to_dict() | {"n_trials": 0, "notes": [f"Not answered: {error}"]}
        found = TrialAnswers(spec.name, about)
    return [f"{folder}/{name}" for name in found.write(place.path / folder)]


def answers(recording: Recording, spec: SingleTrialSpec) -> TrialAnswers:
    """Everything that is asked, of the binned recording as it is.

    Raises
    ------
    DataError
        No such event or column, or fewer than eight windows are whole.
    """
    tensor, left_out = _windows(recording, spec)
    about = spec.to_dict() | {
        "unit": _unit(recording),
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
    options: dict[str, Any] = {"baseline": spec.baseline, "nan": "keep"}
    if spec.rate is not None:
        options |= {"rate": spec.rate, "interpolate": True}
    tensor = recording.align(spec.event, spec.window, **options)
    every, whole = tensor.sizes["trial"], tensor["valid"].values.all(axis=(1, 2))
    for name in (spec.by, spec.groups):
        if name is not None and name not in tensor.coords:
            raise DataError(
                f"single_trials: no trial column {name!r} in recording {recording.name!r}; trial "
                f"columns: {recording.conditions}"
            )
    if spec.by is not None:
        whole &= _known(tensor[spec.by].values)
    tensor = tensor.isel(trial=np.flatnonzero(whole))
    if tensor.sizes["trial"] < FEWEST:
        raise DataError(
            f"single_trials around {spec.event!r} need at least {FEWEST} whole windows; recording "
            f"{recording.name!r} has {tensor.sizes['trial']} of {every}"
        )
    names = recording.channels.get("name")
    if names is not None and names.is_unique:
        tensor = tensor.assign_coords({tensor.dims[2]: names.astype(str).to_numpy()})
    return tensor, every - tensor.sizes["trial"]


def _unit(recording: Recording) -> str:
    """ΔF/F where the signal is a series of that name; else nothing is known of it."""
    binned = [s for s in recording.provenance if s.get("step") == "bin"]
    return "ΔF/F" if binned and str(binned[-1].get("signal", "")).endswith("dff") else ""


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
    condition = condition_names(table["condition"], spec.by) if spec.by else "all"
    channel = table["channel"].astype(str)
    return table.assign(condition=condition, channel=channel)[
        ["condition", "channel", "time", "mean", "sem", "low", "high", "n"]
    ]


def _per_trial(tensor: xr.DataArray, spec: SingleTrialSpec, notes: list[str]) -> pd.DataFrame:
    """One row a trial: response, distance to the mean path, whether it is an outlier and why."""
    from ..single_trial import outliers, path_distance, responses

    trial = tensor["trial"].values
    names = [spec.by, spec.groups]
    columns = {n: tensor[n].values for n in names if n is not None}
    table = pd.DataFrame({"trial": trial, **columns, "event_time": tensor["event_time"].values})
    response = responses(tensor, spec.response)
    last = str(tensor.dims[2])
    for name in ("peak", "latency", "area"):
        values = response[name].to_numpy().reshape(len(trial), -1)
        for k, channel in enumerate(tensor[last].values[:MOST_RESPONSES]):
            table[name if values.shape[1] == 1 else f"{name} {channel}"] = values[:, k]
    alike = _alike(tensor, spec)
    try:
        distance = path_distance(tensor, by=alike, whiten=tensor.sizes[last] > 1)
        unlike = outliers(tensor, by=alike, seed=spec.seed)
    except DataError as error:
        notes.append(f"No distances of trials: {error}.")
        return table
    table["distance"] = distance["distance"].values
    table["z_distance"] = distance["z"].values
    found = unlike[["outlier", "p", "time", "size"]].to_numpy()
    table["outlier"], table["p_outlier"] = found[:, 0].astype(bool), found[:, 1].astype(float)
    table["at"], table["deviation"] = found[:, 2].astype(float), found[:, 3].astype(float)
    if tensor.sizes[last] > 1:
        table["in_channel"] = unlike[last].astype(str).to_numpy()
    n = int(table["outlier"].sum())
    what = "trial is" if n == 1 else "trials are"
    notes.append(
        f"{n or 'No'} {what} unlike the others of {'its' if n == 1 else 'their'} condition"
        f"{f' and {spec.groups}' if spec.groups else ''} (5 % chance that data of normal "
        "residuals name any)."
    )
    return table


def _alike(tensor: xr.DataArray, spec: SingleTrialSpec) -> Any:
    """With which a trial is compared: those of its condition, and of its animal."""
    if spec.groups is None:
        return spec.by
    parts = [tensor[n].values.astype(str) for n in (spec.by, spec.groups) if n is not None]
    return np.array([" · ".join(names) for names in zip(*parts, strict=True)])


def _decoded(
    tensor: xr.DataArray, spec: SingleTrialSpec, about: dict[str, Any], notes: list[str]
) -> pd.DataFrame:
    """Decoding of the condition at each time; the whole course into `about`."""
    from ..single_trial import decode_over_time, decode_trials

    if spec.by is None:
        return pd.DataFrame()
    options: dict[str, Any] = {"groups": spec.groups, "seed": spec.seed}
    options |= {"scale": "group"} if spec.groups else {}
    after = (max(spec.window[0], 0.0), spec.window[1])
    try:
        whole = decode_trials(tensor, spec.by, window=after, **options)
        coarse = _coarse(tensor)
        over_time = decode_over_time(coarse, spec.by, **options)
    except DataError as error:
        notes.append(f"No decoding of {spec.by}: {error}.")
        return pd.DataFrame()
    about["decode"] = {
        "value": whole.value,
        "low": whole.interval[0],
        "high": whole.interval[1],
        "chance": whole.chance_mean,
        "chance_hi": whole.chance_hi,
        "p": whole.p,
        "unit": whole.unit,
        "split": whole.split,
    }
    held = f"one {spec.groups} left out at a time" if spec.groups else "five folds of trials"
    notes.append(
        f"From the course after the event, {spec.by} of a held-out trial is told with {whole.unit} "
        f"{whole.value:.3f} (95 % {whole.interval[0]:.3f} to {whole.interval[1]:.3f}; chance "
        f"{whole.chance_mean:.3f}, 95 % of its draws below {whole.chance_hi:.3f}; {held})."
    )
    names = {"accuracy": "value", "chance_mean": "chance"}
    table = over_time.to_dataframe().reset_index().rename(columns=names)
    return table.assign(line="signal").dropna(subset=["value"])


def _coarse(tensor: xr.DataArray) -> xr.DataArray:
    """Means of neighbouring samples, so that few times are decoded."""
    every = -(-tensor.sizes["time"] // MOST_COLUMNS)
    return tensor if every == 1 else tensor.coarsen(time=every, boundary="trim").mean()


def _shared(
    tensor: xr.DataArray, spec: SingleTrialSpec, about: dict[str, Any], notes: list[str]
) -> None:
    """Shared and private variability, where there are several channels."""
    from ..single_trial import variability

    last = str(tensor.dims[2])
    if tensor.sizes[last] < 2:
        return
    try:
        split = variability(_coarse(tensor), by=spec.by, seed=spec.seed)
    except DataError as error:
        notes.append(f"No split into shared and private variability: {error}.")
        return
    shares = dict(zip(map(str, split[last].values), split["share"].values.tolist(), strict=True))
    about["variability"] = {
        "n_factors": int(split.attrs["n_factors"]),
        "share": float(split.attrs["share"]),
        "p": float(split.attrs["p"]),
        "by_channel": shares,
    }
    n = split.attrs["n_factors"]
    notes.append(
        f"Of the variability from trial to trial around the condition's mean, channels share "
        f"{100 * split.attrs['share']:.0f} % ({n} factor{'' if n == 1 else 's'}, p = "
        f"{split.attrs['p']:.2g} that nothing is shared)."
    )
