"""Pulses of the acquisition clock, and series whose times should be theirs but are not.

A pulse train is found by content: event times at a regular rate. A series belongs to a train that
has as many pulses as the series has samples (to 1 %; frames at the start or end may lack). If its
times are not those of the pulses, and are irregular or lie elsewhere, they are off the clock.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from .._grid import sampling_step

FEWEST = 100
"""A train has at least so many pulses."""
REGULAR = 0.1
"""Nine steps in ten of a train, or of a regular clock, are this close to the median (share)."""
SHORT = 0.5
"""A step of less than this share of the usual one is no step between two frames."""
AS_MANY = 0.01
"""A series has a sample for each pulse if their numbers differ by no more than this share."""
ON_PULSE = 0.05
"""A time within this share of a step from a pulse is the pulse's."""
CROWDED = 1.75
"""A stretch with this many times the usual samples per second is called crowded."""
WINDOW = 100
"""Samples at the usual rate in a window in which samples are counted."""


def pulse_trains(events: Mapping[str, NDArray]) -> dict[str, NDArray]:
    """Events at a regular rate, by name.

    >>> sorted(pulse_trains({"frame": np.arange(200) / 20, "lick": np.arange(200.0) ** 1.5}))
    ['frame']
    """
    return {name: t for name, t in events.items() if len(t) >= FEWEST and is_regular(t)}


def is_regular(t: NDArray) -> bool:
    """Do nine steps in ten have the same length, to a tenth?"""
    steps, step = np.diff(t), sampling_step(t)
    return bool(step > 0 and np.quantile(np.abs(steps / step - 1), 0.9) < REGULAR)


def check_pulses(name: str, t: NDArray) -> list[str]:
    """Pulses of a train that come too early; gaps are `check_events`' to say.

    >>> t = np.sort(np.append(np.arange(200) / 20, 3.002))
    >>> check_pulses("frame", t)
    ['frame: 1 pulses come less than half a step (0.05 s) after the last, down to 0.002 s, first at
    3.002 s']
    """
    steps, step = np.diff(t), sampling_step(t)
    short = np.flatnonzero(steps < SHORT * step)
    if not len(short):
        return []
    return [
        f"{name}: {len(short)} pulses come less than half a step ({step:.4g} s) after the last, "
        f"down to {steps.min():.2g} s, first at {t[short[0] + 1]:.10g} s"
    ]


def check_sync(name: str, t: NDArray, trains: Mapping[str, NDArray]) -> list[str]:
    """Times that are off the pulses of their train, and what is wrong with them.

    `t` is sorted; a time that occurs twice counts once.
    """
    once = np.unique(t)
    if len(once) < FEWEST:
        return []
    return _off_pulse(name, once, trains, repair=len(once) == len(t)) + _crowded(name, once)


def own_train(t: NDArray, trains: Mapping[str, NDArray]) -> str | None:
    """The train with as many pulses as the series has samples; its very times win, else a name
    that says "rising", else the number."""
    near = {k: p for k, p in trains.items() if abs(len(p) - len(t)) <= AS_MANY * len(p)}
    if not near:
        return None

    def how_near(name: str) -> tuple[bool, bool, int]:
        pulses = near[name]
        return _on(t, pulses) > 0.95, "ris" in name.lower(), -abs(len(pulses) - len(t))

    return max(near, key=how_near)


def _on(t: NDArray, pulses: NDArray) -> float:
    """Share of the times that are a pulse's."""
    right = np.clip(np.searchsorted(pulses, t), 1, len(pulses) - 1)
    apart = np.minimum(np.abs(t - pulses[right - 1]), np.abs(t - pulses[right]))
    return float((apart < ON_PULSE * sampling_step(pulses)).mean())


def _off_pulse(name: str, t: NDArray, trains: Mapping[str, NDArray], repair: bool) -> list[str]:
    train = own_train(t, trains)
    if train is None:
        return []
    pulses = trains[train]
    on = _on(t, pulses)
    overlap = min(t[-1], pulses[-1]) - max(t[0], pulses[0])
    elsewhere = overlap < 0.5 * (pulses[-1] - pulses[0])
    if on > 0.95 or (is_regular(t) and not elsewhere):  # a device with a good clock of its own
        return []
    call = f'isofold.preprocess.retime(session, series="{name}", pulses="{train}")'
    advice = f"{call} gives it their times" if repair else "Do not use it"
    return [
        f"{name}: times are not those of the pulses {train}, though it has one for each ({len(t)} "
        f"of {len(pulses)}): {100 * on:.0f} % lie on a pulse; they start "
        f"{_apart(t[0], pulses[0])} the first pulse and end {_apart(t[-1], pulses[-1])} the last. "
        + advice
    ]


def _apart(t: float, pulse: float) -> str:
    return f"{abs(t - pulse):.4g} s {'before' if t < pulse else 'after'}"


def _crowded(name: str, t: NDArray) -> list[str]:
    """Stretches with about twice the usual number of samples per second.

    Usual is the median over windows of 100 samples; at least seven windows in ten must have it (to
    a tenth), or the series has no usual rate and nothing is said.
    """
    width = WINDOW * (t[-1] - t[0]) / (len(t) - 1)
    if not width > 0 or len(t) < 10 * WINDOW:
        return []
    n = np.histogram(t, np.arange(t[0], t[-1], width))[0]
    usual = float(np.median(n))
    if not usual or (np.abs(n / usual - 1) < REGULAR).mean() < 0.7:
        return []
    crowded = np.flatnonzero(n >= CROWDED * usual)
    if not len(crowded):
        return []  # next, windows that are just not crowded do not end a stretch
    stretches = np.split(crowded, np.flatnonzero(np.diff(crowded) > 2) + 1)
    rate, much = usual / width, np.median(n[crowded]) / width
    seconds = np.median([s[-1] + 1 - s[0] for s in stretches]) * width
    return [
        f"{name}: {len(stretches)} stretches of about {seconds:.0f} s hold {much:.0f} samples per "
        f"second instead of {rate:.0f}, the first from {t[0] + stretches[0][0] * width:.10g} s"
    ]
