"""Series and events of a session → NWB time series, in the module where they belong."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..session import Session
from ._nwb_blocks import stored
from ._nwb_names import Names

INPUTS = {
    "signal", "control", "neuropil", "series", "pulses", "event", "events", "where", "units",
    "channels", "fibers", "file",
}  # fmt: skip
"""What a step calls the things that it took; a series that it names elsewhere it has made."""
LENGTHS = ("meters", "centimeters", "millimeters", "micrometers", "pixels", "degrees", "radians")
"""Units that NWB knows for places; another one is kept in the note."""
PHOTOMETRY = ("dff", "dff_uncorrected", "baseline", "motion")
"""What the step "photometry" makes."""


def add_series(nwb: Any, session: Session, name: str, names: Names) -> None:
    """One series: a place, an angle, the result of a step, or as it was acquired."""
    import pynwb

    series, written = session.series[name], names.add_series(name)
    unit = str(session.metadata.get("series_units", {}).get(name) or "unknown")
    columns = getattr(series, "columns", None)
    named = None if columns is None else [c if isinstance(c, str) else int(c) for c in columns]
    kind = session.metadata.get("kinds", {}).get(name)
    numeric = series.values.dtype.kind in "iuf"
    made = made_by(session.provenance, name)
    said = f"{name}, made by the step {made['step']!r} of isofold" if made else f"{name}, as read"
    given = {
        "name": written,
        "data": stored(series.values),
        "comments": json.dumps({"columns": named}),
        "description": said,
        **clock(np.asarray(series.times())),
    }
    if kind == "circular" and series.values.ndim == 1:
        angle = pynwb.behavior.SpatialSeries(reference_frame="unknown", unit="radians", **given)
        box = pynwb.behavior.CompassDirection(name=f"{written}_direction", spatial_series=angle)
        _module(nwb, "behavior", "what the animal did").add(box)
    elif made:
        module = _module(nwb, *_home(made))
        module.add(pynwb.TimeSeries(unit=unit, **given))
    elif named is not None and named == list("xyz"[: len(named)]) and numeric:
        unit = unit if unit in LENGTHS else "n.a."
        place = pynwb.behavior.SpatialSeries(reference_frame="unknown", unit=unit, **given)
        box = pynwb.behavior.Position(name=f"{written}_position", spatial_series=place)
        _module(nwb, "behavior", "what the animal did").add(box)
    else:
        nwb.add_acquisition(pynwb.TimeSeries(unit=unit, **given))


def add_events(nwb: Any, name: str, times: NDArray, names: Names) -> None:
    """A time series of ones, which other tools take for events too."""
    import pynwb

    said = f"times of {name}"
    given: dict[str, Any] = {"unit": "n/a", "description": said, **clock(times)}
    ones = np.ones(len(times))
    nwb.add_acquisition(pynwb.TimeSeries(name=names.add_events(name), data=ones, **given))


def clock(t: NDArray) -> dict[str, Any]:
    """Start and rate where they give the very same times, else the times.

    >>> clock(np.arange(5) / 20)
    {'starting_time': 0.0, 'rate': 20.0}
    """
    if len(t) > 2 and t[-1] > t[0]:
        whole = (len(t) - 1) / float(t[-1] - t[0])
        k = np.arange(len(t))
        for rate in dict.fromkeys([*(round(whole, d) for d in range(10)), *_near(whole)]):
            if rate > 0 and t[1] == t[0] + 1 / rate and np.array_equal(t, t[0] + k / rate):
                return {"starting_time": float(t[0]), "rate": float(rate)}
    return {"timestamps": stored(t)}


def _near(rate: float) -> Iterator[float]:
    yield rate
    yield from (float(np.nextafter(rate, end)) for end in (0.0, np.inf))


# -- where a series belongs ---------------------------------------------------------------------


def made_by(provenance: tuple[dict, ...], name: str) -> dict | None:
    """The last step that made this series: it names it, and not as what it took."""
    for step in reversed(provenance):
        prefix = str(step.get("prefix") or "")
        if step.get("step") == "photometry" and name in {prefix + k for k in PHOTOMETRY}:
            return step
        outputs = {k: v for k, v in step.items() if k not in INPUTS and k != "step"}
        if name in set(_words(outputs)):
            return step
    return None


def _words(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _words(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _words(inner)


HOMES = {"photometry": "fiber_photometry", "neuropil": "ophys", "rolling_dff": "ophys"}
"""Module for the results of a step; of any other, the one for behaviour."""


def _home(step: dict) -> tuple[str, str]:
    """Name and description of the module for the results of a step."""
    return HOMES.get(step["step"], "behavior"), f"made by isofold: {_told(step)}"


def _told(step: dict) -> str:
    """A step with its plain settings, as text; what was fitted is in scratch/isofold."""
    plain = {k: v for k, v in step.items() if isinstance(v, str | int | float | bool)}
    return ", ".join(f"{k}={v}" for k, v in plain.items())


def _module(nwb: Any, name: str, description: str) -> Any:
    if name not in nwb.processing:
        nwb.create_processing_module(name, description)
    return nwb.processing[name]
