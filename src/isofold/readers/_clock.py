"""Raw timestamps, looked at before pynapple sorts them silently."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .._grid import GAP, LABEL_GAP, sampling_step
from ..errors import ReadError
from ._flaws import every_time_twice
from ._sync import FEWEST, check_pulses, is_regular

UNSORTED = ("raise", "sort", "skip")


def check_series(name: str, t: NDArray, unsorted: str) -> tuple[NDArray | None, list[str]]:
    """Order in which to take the samples (None: leave the series out), and what is suspicious."""
    order, found = order_of(name, t, unsorted)
    return order, found if order is None else found + check_steps(name, t[order])


def order_of(
    name: str, t: NDArray, unsorted: str, file: str = ""
) -> tuple[NDArray | None, list[str]]:
    """Order in which to take the samples (None: leave the series out), and what was done to it.

    A sample whose time goes back means a wrong clock or a wrong order, and only the experimenter
    knows which: so the default is an error, not a sort.
    """
    if unsorted not in UNSORTED:
        raise ReadError(f"unsorted must be one of {UNSORTED}, got {unsorted!r}")
    found: list[str] = []
    order = np.flatnonzero(np.isfinite(t))
    if len(order) < len(t):
        first = int(np.flatnonzero(~np.isfinite(t))[0])
        found.append(f"{name}: {len(t) - len(order)} samples without time left out, first {first}")
    back = np.flatnonzero(np.diff(t[order]) < 0)
    if len(back):
        at = f"{len(back)} times, first after {t[order][back[0]]:.10g} s"
        if unsorted == "raise":
            raise ReadError(
                f"{file + ': ' if file else ''}time must not go back; in series {name!r} it does, "
                f"{at}. If the times are right and only the order is wrong, read(path, "
                "unsorted='sort'); to leave the series out, read(path, unsorted='skip')"
            )
        done = "sorted" if unsorted == "sort" else "left out"
        found.append(f"{name}: time goes back {at}; {done}")
        if unsorted == "skip":
            return None, found
        order = order[np.argsort(t[order], kind="stable")]
    if not len(order):
        return None, [*found, f"{name}: no samples; left out"]
    return order, found


def check_events(name: str, t: NDArray) -> tuple[NDArray, list[str]]:
    """Sorted finite times, and what is suspicious. Order carries nothing in a list of times."""
    found = []
    kept = t[np.isfinite(t)]
    if len(kept) < len(t) == 1:
        found.append(f"{name}: its one time is NaN, which stands for none; no events")
    elif len(kept) < len(t):
        found.append(f"{name}: {len(t) - len(kept)} of {len(t)} event times are NaN; left out")
    back = np.flatnonzero(np.diff(kept) < 0)
    if len(back):
        found.append(f"{name}: time goes back, first after {kept[back[0]]:.10g} s; sorted")
        kept = np.sort(kept, kind="stable")
    repeats = np.flatnonzero(np.diff(kept) == 0)
    if len(repeats):
        found.append(f"{name}: {len(repeats)} repeated times, first {kept[repeats[0]]:.10g} s")
    if len(kept) >= FEWEST and is_regular(kept):
        found += check_pulses(name, kept) + _gaps(name, kept, GAP)
    return kept, found


def check_steps(name: str, t: NDArray) -> list[str]:
    """Repeated times, irregular steps and gaps in the (sorted) times of a series."""
    found = []
    if every_time_twice(t):
        found.append(f"{name}: every time occurs twice ({len(t)} samples at {len(t) // 2} times)")
        t = t[::2]
    steps = np.diff(t)
    repeats = np.flatnonzero(steps == 0)
    if len(repeats):
        found.append(f"{name}: {len(repeats)} repeated times, first {t[repeats[0]]:.10g} s")
    if len(steps) < 2:
        return found
    step = sampling_step(t)
    low, high = np.quantile(steps, [0.1, 0.9])
    irregular = high > 1.25 * step or low < 0.75 * step
    if irregular:
        found.append(
            f"{name}: irregular steps, {steps.min():.4g} to {steps.max():.4g} s, "
            f"median {step:.4g} s, from {t[0]:.10g} s"
        )
    return found + _gaps(name, t, LABEL_GAP if irregular else GAP)


def _gaps(name: str, t: NDArray, steps: float) -> list[str]:
    """Distances of more than so many sampling steps."""
    apart = np.diff(t)
    gaps = np.flatnonzero(apart > steps * sampling_step(t))
    if not len(gaps):
        return []
    first, longest = t[gaps[0]], apart.max()
    return [f"{name}: {len(gaps)} gaps, first after {first:.10g} s, longest {longest:.4g} s"]
