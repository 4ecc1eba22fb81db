"""Motion: what a control channel, which does not see the activity, says about the signal."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from ._filters import filled, low_pass
from ._robust import Line, least_squares_line, mad, robust_line

METHODS = ("irls-asymmetric", "irls", "ols", "nonnegative", "none")

TUKEY = 4.685
"""Tuning constant of the biweight at which it is 95 % efficient on normal noise."""

TUKEY_ABOVE = 2.0
"""The same for positive residuals, which are transients more often than motion."""

FEWEST = 10


@dataclass(frozen=True)
class Motion:
    """signal ≈ intercept + slope · control; `scale` is the residuals' spread (MAD / .6745)."""

    method: str
    slope: float
    intercept: float
    scale: float
    samples: int
    rounds: int


def fit_motion(
    signal: NDArray,
    control: NDArray,
    rate: float,
    method: str = "irls-asymmetric",
    cutoff: float | None = 0.05,
    used: NDArray[np.bool_] | None = None,
) -> Motion:
    """Regress a signal on its control, both low-passed, by one of four methods.

    signal_lp ≈ intercept + slope · control_lp with

    =============== ====================================================================
    ols             least squares
    nonnegative     least squares with slope ≥ 0
    irls            Tukey's biweight, c = 4.685, scale = MAD, reweighted until it settles
    irls-asymmetric the same with c = 2 above the line, and slope ≥ 0
    none            slope 0
    =============== ====================================================================

    Parameters
    ----------
    signal, control
        (time,) on one clock, usually dF/F. NaN costs its own samples only.
    rate
        Samples per second.
    cutoff
        Hz, of a second-order zero-phase Butterworth; None regresses the unfiltered traces.
    used
        Samples (time,) that the fit may use, for instance a stretch without artefacts.

    Raises
    ------
    DataError
        No such method, lengths that differ, fewer than 10 samples to fit.

    Notes
    -----
    Not when the control sees the indicator too (an isosbestic point that is off): then it takes
    signal away; the slope and the trial average of the control tell. The asymmetric weights and the
    filter are those of aind-fip-dff (2026-05); the reweighting is that of statsmodels' RLM.

    Examples
    --------
    >>> control = np.sin(np.arange(2000) / 300)
    >>> round(fit_motion(0.1 + 0.5 * control, control, rate=20.0, method="ols").slope, 6)
    0.5
    """
    check_method(method)
    signal, control = np.asarray(signal, np.float64), np.asarray(control, np.float64)
    if signal.shape != control.shape or signal.ndim != 1:
        raise DataError(
            f"signal and control must be (time,) on one clock, got {signal.shape}, {control.shape}"
        )
    if method == "none":
        return Motion(method, 0.0, 0.0, 0.0, 0, 0)
    known = np.isfinite(signal) & np.isfinite(control)
    known &= True if used is None else used
    if known.sum() < FEWEST:
        raise DataError(
            f"the regression on the control needs at least {FEWEST} samples that both have, found "
            f"{int(known.sum())}; choose another epoch or control"
        )
    if cutoff is not None and cutoff < rate / 2:
        signal, control = (
            low_pass(filled(signal)[0], rate, cutoff),
            low_pass(filled(control)[0], rate, cutoff),
        )
    line = _line(control[known], signal[known], method)
    slope = max(line.slope, 0.0) if method in ("irls-asymmetric", "nonnegative") else line.slope
    return Motion(method, slope, line.intercept, line.scale, int(known.sum()), line.rounds)


def check_method(method: str) -> None:
    """Refuse a method of regression that does not exist."""
    if method not in METHODS:
        raise DataError(f"motion must be one of {METHODS}, got {method!r}")


def motion_correct(
    signal: NDArray,
    control: NDArray,
    rate: float,
    method: str = "irls-asymmetric",
    cutoff: float | None = 0.05,
    noise_cutoff: float | None = 3.0,
    used: NDArray[np.bool_] | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64], Motion]:
    """Subtract slope · control, with its mean removed, then low-pass what is left.

    Returns corrected signal, motion (time,) and the fit; see `fit_motion` for the methods, settings
    and errors. Where the control is NaN, so are the result's samples there, and no others.

    Examples
    --------
    >>> control = 0.02 * np.sin(np.arange(4000) / 100)
    >>> corrected, motion, fit = motion_correct(0.5 * control, control, rate=20.0)
    >>> bool(np.abs(corrected).max() < 1e-3), round(fit.slope, 3)
    (True, 0.5)
    """
    fit = fit_motion(signal, control, rate, method, cutoff, used)
    motion = fit.slope * np.asarray(control, np.float64)
    motion = motion - (np.nanmean(motion) if np.isfinite(motion).any() else 0.0)
    corrected = signal - motion
    if noise_cutoff is not None and noise_cutoff < rate / 2:
        corrected = low_pass(corrected, rate, noise_cutoff)
    return corrected, motion, fit


def _line(x: NDArray, y: NDArray, method: str) -> Line:
    if method == "irls":
        return robust_line(x, y, TUKEY)
    if method == "irls-asymmetric":
        return robust_line(x, y, TUKEY_ABOVE, TUKEY)
    intercept, slope = least_squares_line(x, y)
    return Line(intercept, slope, mad(y - intercept - slope * x), np.ones(len(x)), 1)
