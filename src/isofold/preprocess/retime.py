"""Samples given the times of the pulses that triggered them."""

from __future__ import annotations

import re
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any

from numpy.typing import NDArray

from ..errors import DataError
from ..session import Session

LACKING = 0.01
"""Frames may lack at the start, up to this share of the pulses."""
OF_TIMES = re.compile(
    r"(times are not those of|irregular steps|\d+ stretches|\d+ gaps|\d+ repeated times)"
)
"""What readers say of times (readers/_clock.py, readers/_sync.py): no longer true afterwards."""


def retime(session: Session, series: str, pulses: str) -> Session:
    """Give a series whose clock is wrong the times of the frame pulses.

    Sample k of a series of length m gets the time pulses[−m + k]: the last sample belongs to the
    last pulse, and frames lack at the start, where the camera was armed after the pulses began.
    Values and their order stay as they are.

    Parameters
    ----------
    session
        With the series, and the pulses among its events.
    series
        A name, or a pattern such as "G_*". Series of a pattern that do not fit the pulses keep
        their times, and the warnings say so.
    pulses
        Name of the events: one a frame, in s.

    Raises
    ------
    DataError
        No such series or events; more samples than pulses, or over 1 % fewer: then it is not known
        which pulse a sample belongs to.

    Notes
    -----
    A repair, not a measurement: where frames lack at the end, every time is off by them. Do not
    read latencies from it that are shorter than the frames that may lack; nor use it for samples
    whose order is disturbed, which it cannot restore.

    Examples
    --------
    >>> import numpy as np
    >>> import pynapple as nap
    >>> frames = 5 + np.arange(200) / 20
    >>> wrong = nap.Tsd(t=np.arange(199) / 10, d=np.arange(199))
    >>> session = Session(series={"G_1": wrong}, events={"frame": frames})
    >>> retime(session, series="G_*", pulses="frame").series["G_1"].times()[[0, -1]]
    array([ 5.05, 14.95])
    """
    if pulses not in session.events:
        raise DataError(f"no events {pulses!r}; there are {sorted(session.events)}")
    t = session.events[pulses]
    names = [name for name in session.series if fnmatchcase(name, series)]
    if not names:
        raise DataError(f"no series {series!r}; there are {sorted(session.series)}")
    fit = [name for name in names if _fits(len(session.series[name]), len(t))]
    if not fit:
        lengths = {name: len(session.series[name]) for name in names}
        raise DataError(
            f"a series has a sample for each pulse, but for at most {LACKING:.0%} at the start; "
            f"{pulses!r} has {len(t)} pulses and the samples are {lengths}. Choose the events that "
            "triggered the frames, or cut the series to the pulses"
        )
    step = {
        "step": "retime",
        "series": fit,
        "pulses": pulses,
        "lacking": {name: len(t) - len(session.series[name]) for name in fit},
    }
    return replace(
        session,
        series={**session.series}
        | {
            name: _at(session.series[name], t[len(t) - len(session.series[name]) :]) for name in fit
        },
        metadata={**session.metadata} | {"warnings": _said(session, fit, names, pulses, len(t))},
        provenance=(*session.provenance, step),
    )


def _fits(samples: int, pulses: int) -> bool:
    return 0 < samples <= pulses and pulses - samples <= LACKING * pulses


def _at(series: Any, t: NDArray) -> Any:
    """The same values, lazy if they were, at other times."""
    import pynapple as nap

    more = {}
    if hasattr(series, "columns"):
        more["columns"] = list(series.columns)
    if len(getattr(series, "metadata_columns", ())):
        more["metadata"] = series.metadata
    support = nap.IntervalSet(t[0], t[-1]) if len(t) > 1 else nap.IntervalSet(t[0], t[0] + 1e-6)
    return type(series)(t=t, d=series.values, time_support=support, load_array=False, **more)


def _said(session: Session, fit: list[str], names: list[str], pulses: str, n: int) -> list[str]:
    """Warnings without what is repaired, with what was done."""
    kept = [
        sentence
        for sentence in session.metadata.get("warnings", [])
        if not any(_is_repaired(sentence, name) for name in fit)
    ]
    kept += [f"{name}: times replaced by those of {pulses} (retime)" for name in fit]
    return kept + [
        f"{name}: not retimed, {len(session.series[name])} samples for {n} pulses {pulses}"
        for name in names
        if name not in fit
    ]


def _is_repaired(sentence: str, name: str) -> bool:
    head, _, rest = sentence.partition(": ")
    return head == name and OF_TIMES.match(rest) is not None
