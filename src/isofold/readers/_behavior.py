"""Behaviour beside an AIND photometry recording → events and trials."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import ReadError
from ._checked import event, read_json
from ._text_table import numbers, read_text_table

EVENTS = {
    "B_LeftLickTime": "left_lick_time",
    "B_RightLickTime": "right_lick_time",
    "B_LeftRewardDeliveryTimeHarp": "left_reward_delivery_time",
    "B_RightRewardDeliveryTimeHarp": "right_reward_delivery_time",
    "B_PhotometryRisingTimeHarp": "FIP_rising_time",
    "B_PhotometryFallingTimeHarp": "FIP_falling_time",
    "B_OptogeneticsTimeHarp": "optogenetics_time",
}
"""Keys of the dynamic-foraging software, and the names that AIND's NWB files give them."""

COLUMNS = {"B_GoCueTimeSoundCard": "goCue_start_time", "B_AnimalResponseHistory": "animal_response"}
TIMES = ("time", "timestamp", "timestamps", "t", "ReferenceTime", "HarpTS")
NAMES = ("event", "name", "label", "event_name")

Events = dict[str, NDArray]


def read_behavior(home: Path) -> tuple[Events, pd.DataFrame | None, list[str]]:
    """(events, trials, warnings) of behavior/ in the acquisition folder.

    A JSON of the dynamic-foraging software, or tables with a column of times ("time") and one of
    names ("event"). A file that cannot be read costs its events, not the photometry.
    """
    events: Events = {}
    found: list[str] = []
    trials = None
    for path in sorted((home / "behavior").glob("*.json")):
        try:
            said = read_json(path)
        except ReadError as error:
            found.append(f"behavior: {error}; left out")
            continue
        if isinstance(said, dict) and any(str(k).startswith("B_") for k in said):
            _from_json(said, events, found)
            trials = _trials(said, found) if trials is None else trials
    for path in sorted((home / "behavior").glob("*.csv")):
        try:
            _from_table(path, events, found)
        except ReadError as error:
            found.append(f"behavior: {error}; left out")
    return events, trials, found


def pulses(home: Path) -> tuple[NDArray | None, NDArray | None, str]:
    """Rising and falling times of the frame pulses, and the file that holds them."""
    for path in sorted([*(home / "behavior").glob("*.json"), *home.glob("*.json")]):
        try:
            said = read_json(path)
        except ReadError:
            continue  # told by read_behavior
        if isinstance(said, dict) and "B_PhotometryRisingTimeHarp" in said:
            falling = _times(said.get("B_PhotometryFallingTimeHarp"))
            return _times(said["B_PhotometryRisingTimeHarp"]), falling, path.name
    return None, None, ""


def _times(value: Any) -> NDArray[np.float64] | None:
    """A list of numbers, or None for anything else."""
    try:
        times = np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        return None
    return times if times.ndim == 1 else None


def _from_json(said: dict, events: Events, found: list[str]) -> None:
    for key, name in EVENTS.items():
        if key not in said:
            continue
        times = _times(said[key])
        if times is None:
            found.append(f"{name}: {key} is no list of times; left out")
        elif len(times):
            event(name, times, events, found)


def _trials(said: dict, found: list[str]) -> pd.DataFrame | None:
    """Trials that have both a start and an end, with what else has one value a trial."""
    start = _times(said.get("B_TrialStartTimeHarp"))
    stop = _times(said.get("B_TrialEndTimeHarp"))
    if start is None or stop is None or not min(len(start), len(stop)):
        return None
    n = min(len(start), len(stop))
    table = pd.DataFrame({"start": start[:n], "stop": stop[:n]})
    for key, name in COLUMNS.items():
        values = _times(said.get(key))
        if values is not None and len(values) >= n:
            table[name] = values[:n]
    rewarded = np.asarray(said.get("B_RewardedHistory", []), dtype=object)
    if rewarded.ndim == 2 and len(rewarded) == 2 and rewarded.shape[1] >= n:
        for side, row in zip("LR", rewarded, strict=True):
            table[f"rewarded_history{side}"] = row[:n].astype(bool)
    bad = ~(table["stop"] >= table["start"])
    if bad.any() or len(start) != len(stop):
        found.append(
            f"trials: {len(start)} starts and {len(stop)} ends, {int(bad.sum())} of them in wrong "
            "order; only trials with both in order are kept"
        )
    return table[~bad].sort_values("start", kind="stable").reset_index(drop=True)


def _from_table(path: Path, events: Events, found: list[str]) -> None:
    """Rows of (time, name); a table without these two columns is no table of events."""
    table = read_text_table(path, "behavior", found)
    time = next((c for c in TIMES if c in table), None)
    name = next((c for c in NAMES if c in table), None)
    if time is None or name is None:
        return
    t = numbers(table, time, path)
    for label in dict.fromkeys(table[name].dropna().astype(str)):
        event(label, t[(table[name].astype(str) == label).to_numpy()], events, found)
