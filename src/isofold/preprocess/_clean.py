"""One fiber of a photometry session: from raw fluorescence to corrected dF/F."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._filters import chunks, filled, low_pass
from ._traces import Trace
from .bleaching import FEWEST, Bleaching, fit_bleaching
from .dff import SLIDING, lowest_median, ratio
from .motion import Motion, fit_motion

SLIDING_MODELS = ("poly", "exp", "tri-exp")
"""Models whose dF/F divides by the sliding baseline; the others divide by the fit."""


@dataclass(frozen=True)
class Settings:
    """What `photometry` was asked for, resolved."""

    bleaching: str
    options: Mapping[str, Any]
    motion: str
    motion_cutoff: float | None
    noise_cutoff: float | None
    warm_up: float


@dataclass
class Cleaned:
    """Series of one fiber (time,), and what was fitted. `dead` says why there is no result."""

    dff: NDArray
    dff_uncorrected: NDArray
    baseline: NDArray
    motion: NDArray
    notes: dict[str, Any]
    slope: float | None = None
    dead: str = ""


def clean_fiber(
    signal: Trace, control: Trace | None, settings: Settings, used: NDArray[np.bool_] | None
) -> Cleaned:
    """dF/F of the signal, less what the control, on the same clock, says of motion."""
    empty = np.full(len(signal.t), np.nan, signal.x.dtype)
    out = Cleaned(empty, empty, empty, empty, {})
    out.dead = _dead(signal, settings.warm_up)
    if out.dead:
        return out
    if control is not None:
        out.dead = _dead(control, settings.warm_up).replace("the signal", "the control")
    if settings.bleaching == "control":
        return out if out.dead else _divided_by_control(signal, control, settings, used, out)
    fit, out.dff_uncorrected, out.baseline = _unbleached(signal, settings)
    out.notes["bleaching"] = described(fit)
    if out.dead:
        return out
    if control is None or settings.motion == "none":
        out.dff = _denoised(out.dff_uncorrected, signal, settings)
        return out
    own, control_dff = _unbleached(control, settings)[:2]
    out.notes["control_bleaching"] = described(own)
    line = _regressed(signal, out.dff_uncorrected, control_dff, settings, used)
    out.motion = control_dff
    out.motion *= line.slope
    out.motion -= empty.dtype.type(np.nanmean(out.motion, dtype=np.float64))
    out.dff = _denoised(out.dff_uncorrected - out.motion, signal, settings)
    out.notes["motion"] = vars(line)
    out.slope = line.slope
    return out


def described(fit: Bleaching) -> dict[str, Any]:
    """What provenance says of a fitted baseline."""
    return {"parameters": dict(fit.parameters), "rss": fit.rss, **fit.notes}


def _dead(trace: Trace, warm_up: float) -> str:
    """Why nothing can be made of a trace, or ""."""
    x = trace.x[_first(trace.t, warm_up) :]
    known = np.isfinite(x)
    n = int(known.sum())
    if n < FEWEST:
        return f"the signal has {n} valid samples after the warm-up; {FEWEST} are needed"
    low, high = np.min(x, where=known, initial=np.inf), np.max(x, where=known, initial=-np.inf)
    if low == high:
        return f"the signal is {low:g} throughout"
    if np.mean(x, where=known, dtype=np.float64) <= 0:
        return "the signal is 0 or negative on average; dF/F needs fluorescence above 0"
    return ""


def _first(t: NDArray, warm_up: float) -> int:
    """First sample after the warm-up."""
    return int(np.searchsorted(t, t[0] + warm_up - 1e-6)) if warm_up > 0 else 0


def _unbleached(trace: Trace, settings: Settings) -> tuple[Bleaching, NDArray, NDArray]:
    """Fit, dF/F and F₀; the warm-up holds the first value after it."""
    coarse, first = trace.coarse(), _first(trace.t, settings.warm_up)
    kept = slice(_first(coarse.t, settings.warm_up), None)
    t, x = coarse.t[kept], coarse.x[kept]
    fit = fit_bleaching(t, x, settings.bleaching, start=float(trace.t[0]), **settings.options)
    sliding = settings.bleaching in SLIDING_MODELS
    base = low_pass(filled(x)[0], coarse.rate, SLIDING) if sliding else None
    r, curve = np.empty_like(trace.x), np.empty_like(trace.x)
    for part in chunks(len(r)):
        when = trace.t[part]
        f0 = fit.at(when)
        below = f0 if base is None else np.interp(when, t, base)
        curve[part], r[part] = f0, ratio(trace.x[part] - f0, below)
    if sliding:
        r -= r.dtype.type(lowest_median(r[first:]))
    r[:first], curve[:first] = r[first], curve[first]
    return fit, r, curve


def _regressed(
    trace: Trace, signal: NDArray, control: NDArray, settings: Settings, used: NDArray | None
) -> Motion:
    """The regression on means of blocks where the trace is fast."""
    a, b = (Trace(trace.t, x, trace.rate, trace.parts).coarse() for x in (signal, control))
    if used is not None and len(used) != len(a.t):
        used = np.interp(a.t, trace.t, used) > 0.5
    return fit_motion(a.x, b.x, a.rate, settings.motion, settings.motion_cutoff, used)


def _denoised(x: NDArray, trace: Trace, settings: Settings) -> NDArray:
    cutoff = settings.noise_cutoff
    if cutoff is None or cutoff >= trace.rate / 2:
        return x
    return low_pass(x, trace.rate, cutoff, trace.parts).astype(x.dtype, copy=False)


def _divided_by_control(
    signal: Trace, control: Trace | None, settings: Settings, used: NDArray | None, out: Cleaned
) -> Cleaned:
    """F₀ = a + b · control, fitted to the raw signal: bleaching and motion in one."""
    assert control is not None
    line = _regressed(signal, signal.x, control.x, settings, used)
    middle = float(np.nanmedian(signal.x))
    out.baseline = (line.intercept + line.slope * control.x).astype(signal.x.dtype)
    out.dff_uncorrected = (signal.x / middle - 1).astype(signal.x.dtype)
    corrected = ratio(signal.x - out.baseline, out.baseline).astype(signal.x.dtype)
    out.motion = out.dff_uncorrected - corrected
    out.dff = _denoised(corrected, signal, settings)
    out.notes["motion"], out.slope = vars(line), line.slope
    return out
