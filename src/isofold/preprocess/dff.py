"""dF/F: change of fluorescence relative to its baseline."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from ._filters import low_pass

Floats = NDArray[np.float64]

SLIDING = 0.0001
"""Hz; Fbase is the trace below."""

LOWEST_SHARE = 0.7
"""The median of this share of the smallest values is set to 0."""

DIVIDE = ("fit", "sliding")


def dff(trace: NDArray, baseline: NDArray, rate: float, divide: str = "fit") -> Floats:
    """Change relative to a baseline F₀.

    "fit": F / F₀ − 1. "sliding": r = (F − F₀) / Fbase with Fbase = F below .0001 Hz, less the
    median of the lowest 70 % of r, as the Allen Institute does after a polynomial or exponential.

    Parameters
    ----------
    trace, baseline
        (time,) in one unit. NaN stays; a baseline of 0 or below gives NaN.
    rate
        Samples per second.

    Raises
    ------
    DataError
        Lengths that differ, or no such `divide`.

    Examples
    --------
    >>> dff(np.array([2.0, 3.0]), np.array([2.0, 2.0]), rate=20.0)
    array([0. , 0.5])
    """
    trace, baseline = np.asarray(trace, np.float64), np.asarray(baseline, np.float64)
    if trace.shape != baseline.shape or trace.ndim != 1:
        raise DataError(
            f"trace and baseline must be (time,) of one length, got {trace.shape}, {baseline.shape}"
        )
    if divide not in DIVIDE:
        raise DataError(f"divide must be one of {DIVIDE}, got {divide!r}")
    if divide == "fit":
        return ratio(trace - baseline, baseline)
    r = ratio(trace - baseline, low_pass(trace, rate, SLIDING))
    return r - lowest_median(r)


def ratio(change: NDArray, base: NDArray) -> Floats:
    """change / base where the base is above 0, NaN elsewhere."""
    out = np.full(np.shape(change), np.nan)
    np.divide(change, base, out=out, where=np.asarray(base) > 0)
    return out


def lowest_median(r: NDArray) -> float:
    """Median of the lowest 70 % of the valid values; 0 if there is none."""
    known = r[np.isfinite(r)]
    n = round(len(known) * LOWEST_SHARE)
    if not n:
        return 0.0
    middle = [(n - 1) // 2, n // 2]
    known.partition(middle)
    return float(known[middle].mean())
