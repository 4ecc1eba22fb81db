"""Raw timestamps, looked at before pynapple sorts them silently."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .._grid import GAP, LABEL_GAP, sampling_step
from ..errors import ReadError

UNSORTED = ("raise", "sort", "skip")


def check_series(name: str, t: NDArray, unsorted: str) -> tuple[NDArray | None, list[str]]:
    """Order in which to take the samples (None: leave the series out), and what is suspicious.

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
        at = f"{len(back)} times, first after {t[order][back[0]]:.6g} s"
        if unsorted == "raise":
            raise ReadError(
                f"time must not go back; in series {name!r} it does, {at}. If the times are right "
                "and only the order is wrong, read(path, unsorted='sort'); to leave the series "
                "out, read(path, unsorted='skip')"
            )
        done = "sorted" if unsorted == "sort" else "left out"
        found.append(f"{name}: time goes back {at}; {done}")
        if unsorted == "skip":
            return None, found
        order = order[np.argsort(t[order], kind="stable")]
    if not len(order):
        return None, [*found, f"{name}: no samples; left out"]
    return order, found + _steps(name, t[order])


def check_events(name: str, t: NDArray) -> tuple[NDArray, list[str]]:
    """Sorted finite times, and what is suspicious. Order carries nothing in a list of times."""
    found = []
    kept = t[np.isfinite(t)]
    if len(kept) < len(t):
        found.append(f"{name}: {len(t) - len(kept)} of {len(t)} event times are NaN; left out")
    back = np.flatnonzero(np.diff(kept) < 0)
    if len(back):
        found.append(f"{name}: time goes back, first after {kept[back[0]]:.6g} s; sorted")
        kept = np.sort(kept, kind="stable")
    repeats = np.flatnonzero(np.diff(kept) == 0)
    if len(repeats):
        found.append(f"{name}: {len(repeats)} repeated times, first {kept[repeats[0]]:.6g} s")
    pulses = (
        len(kept) > 100 and np.quantile(np.abs(np.diff(kept) / sampling_step(kept) - 1), 0.9) < 0.1
    )
    return kept, found + (_gaps(name, kept, GAP) if pulses else [])


def _steps(name: str, t: NDArray) -> list[str]:
    found, steps = [], np.diff(t)
    repeats = np.flatnonzero(steps == 0)
    if len(repeats):
        found.append(f"{name}: {len(repeats)} repeated times, first {t[repeats[0]]:.6g} s")
    if len(steps) < 2:
        return found
    step = sampling_step(t)
    low, high = np.quantile(steps, [0.1, 0.9])
    irregular = high > 1.25 * step or low < 0.75 * step
    if irregular:
        found.append(
            f"{name}: irregular steps, {steps.min():.4g} to {steps.max():.4g} s, "
            f"median {step:.4g} s, from {t[0]:.6g} s"
        )
    return found + _gaps(name, t, LABEL_GAP if irregular else GAP)


def _gaps(name: str, t: NDArray, steps: float) -> list[str]:
    """Distances of more than so many sampling steps."""
    apart = np.diff(t)
    gaps = np.flatnonzero(apart > steps * sampling_step(t))
    if not len(gaps):
        return []
    first, longest = t[gaps[0]], apart.max()
    return [f"{name}: {len(gaps)} gaps, first after {first:.6g} s, longest {longest:.4g} s"]
