"""What is wrong with the values and words of a file, each flaw found by content and named.

Every function gives sentences that begin with the name of the series and a colon. Times are looked
at in `_clock` (order, repeats, gaps) and `_sync` (pulses).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

LONGEST = 20_000_000
"""Values of a longer series are not looked at: that would read all of it."""
HEAD = 600
"""Samples in which frames without light are looked for: a light is switched on at the start."""
FLOOR = 0.005
"""Spread over level below which white noise is a sensor's floor: a lit sensor's shot noise, and
what the light does, are larger."""
TIME_UNITS = {"s", "sec", "second", "seconds", "ms", "millisecond", "milliseconds"}


def check_values(name: str, t: NDArray, values: Any) -> list[str]:
    """Missing values, a floor without signal, disturbed order, two values for every time."""
    if values.dtype.kind not in "biuf" or int(np.prod(values.shape)) > LONGEST:
        return []
    loaded = np.asarray(values[:])
    if loaded.dtype.kind in "bui":  # counters and states: no value is missing, none is light
        return _twice(name, t, loaded)
    found = _twice(name, t, loaded) + _missing(name, t, loaded)
    if loaded.ndim == 1:
        found += _floor(name, loaded) or _dark_frames(name, loaded)
    return found


def _missing(name: str, t: NDArray, values: NDArray) -> list[str]:
    nan = np.isnan(values)
    rows = np.flatnonzero(nan if nan.ndim == 1 else nan.any(axis=1))
    if not len(rows):
        return []
    if nan.all():
        return [f"{name}: all {len(values)} values are NaN"]
    at = f"index {rows[0]} ({t[rows[0]]:.10g} s)"
    if nan.ndim == 2:
        columns = np.flatnonzero(nan.any(axis=0))
        return [
            f"{name}: NaN in {len(columns)} of {nan.shape[1]} channels, first at {at}, channel "
            f"{np.flatnonzero(nan[rows[0]])[0]}; {len(rows)} of {len(values)} samples"
        ]
    if len(rows) == 1:
        return [f"{name}: one value is NaN, at {at}"]
    return [f"{name}: {len(rows)} of {len(values)} values are NaN, first at {at}"]


def _twice(name: str, t: NDArray, values: NDArray) -> list[str]:
    """Every time twice, with other values: the output of two methods in one series."""
    if not every_time_twice(t):
        return []
    apart = values[::2] != values[1::2]
    share = float(apart.mean())
    if share < 0.5:
        return []
    return [
        f"{name}: every time has two values, {100 * share:.0f} % of them different: two sets of "
        "values are interleaved and cannot be told apart"
    ]


def every_time_twice(t: NDArray) -> bool:
    """Are the (sorted) times pairs of equal ones?

    >>> every_time_twice(np.array([1.0, 1.0, 2.0, 2.0]))
    True
    """
    pairs = len(t) >= 4 and len(t) % 2 == 0 and bool((t[::2] == t[1::2]).all())
    return pairs and bool((np.diff(t[::2]) > 0).all())


def _floor(name: str, values: NDArray) -> list[str]:
    """Noise without memory around one level, of less than half a per cent: no light reached the
    sensor. Outliers (a flash at the start) do not count."""
    x = values[np.isfinite(values)]
    if len(x) < HEAD:
        return []
    level = float(np.median(x))
    spread = 1.4826 * float(np.median(np.abs(x - level)))
    if not 0 < spread < FLOOR * level:
        return []
    kept = np.clip(x, level - 5 * spread, level + 5 * spread) - level
    memory = float((kept[1:] * kept[:-1]).mean() / (kept**2).mean())
    slow = float(np.std([part.mean() for part in np.array_split(kept, 20)]))
    if abs(memory) > 0.2 or slow > 0.5 * spread:
        return []
    return [
        f"{name}: sensor floor without signal: values stay at {level:.4g} (robust standard "
        f"deviation {spread:.2g}) and each is unrelated to the one before"
    ]


def _dark_frames(name: str, values: NDArray) -> list[str]:
    """Frames from before the light was on, scattered among lit ones: samples are out of order.

    The first 600 values fall into two levels. The lower is narrow (its range a tenth of the
    distance), does not come back later, and is not one run at the start, where it belongs.
    """
    if len(values) < 2 * HEAD or np.isnan(values[:HEAD]).any():
        return []
    head = values[:HEAD]
    ordered = np.sort(head)
    cut = int(np.argmax(np.diff(ordered[: HEAD // 2]))) + 1
    low, border = ordered[:cut], ordered[cut - 1 : cut + 1].mean()
    distance = float(np.median(ordered[cut:]) - np.median(low))
    dark = np.flatnonzero(head < border)
    scattered = len(dark) >= 3 and not (np.diff(dark) == 1).all()
    noisy = len(np.unique(low)) > 1  # a switch or a counter repeats one number exactly
    narrow = float(np.ptp(low)) < 0.1 * distance
    again = (values[HEAD:] < border).any()
    jump = float(ordered[cut] - ordered[cut - 1]) > 0.5 * distance
    if not (scattered and noisy and narrow and jump) or again:
        return []
    shown = ", ".join(map(str, dark[:12])) + (", …" if len(dark) > 12 else "")
    return [
        f"{name}: the order of samples is disturbed: frames without light (about "
        f"{np.median(low):.4g}; lit ones about {np.median(ordered[cut:]):.4g}) at indices {shown} "
        "stand among lit ones. Order by index repairs the rate, not this"
    ]


# -- words --------------------------------------------------------------------------------------


def check_unit(name: str, unit: str) -> list[str]:
    """A signal does not have the unit of time.

    >>> check_unit("G_1", "s")
    ["G_1: unit 's' is one of time, but this is no list of times; counts, volts or a ratio?"]
    """
    if unit.strip().lower() not in TIME_UNITS:
        return []
    return [
        f"{name}: unit {unit!r} is one of time, but this is no list of times; counts, volts or a "
        "ratio?"
    ]


def check_descriptions(described: Mapping[str, str]) -> list[str]:
    """Descriptions copied from another entry: equal text that spells the other one's name.

    >>> text = "The time of left licks"
    >>> check_descriptions({"left_lick_time": text, "right_lick_time": text})
    ["right_lick_time: its description 'The time of left licks' is that of left_lick_time"]
    """
    found = []
    for name, text in described.items():
        said, own = _words(text), _words(name)
        for other, same in described.items():
            spelled = _words(other)
            if other == name or same != text or len(spelled) < 2 or not spelled <= said:
                continue
            if own < spelled or own <= said:
                continue
            found.append(f"{name}: its description {text!r} is that of {other}")
            break
    return found


def _words(text: str) -> set[str]:
    """Lower-case words without a plural's s."""
    return {w.lower().rstrip("s") for w in re.findall(r"[A-Za-z]+", text)}


def check_about(session_id: str | None, subject: Any) -> list[str]:
    """A session id that is a file name; a subject of unknown sex, age or genotype."""
    found = []
    if session_id and re.search(r"\.(json|nwb|csv|h5|hdf5|mat|zarr)$", session_id):
        found.append(f"session_id: {session_id!r} is the name of a file")
    if subject is not None and getattr(subject, "subject_id", None):
        known = {f: getattr(subject, f, None) for f in ("sex", "age", "genotype")}
        if known["age"] is None:
            known["age"] = getattr(subject, "date_of_birth", None)
        absent = [f for f, value in known.items() if not value]
        if absent:
            found.append(f"subject: {', '.join(absent)} not given")
    return found
