"""Transients: peaks that stand out of the noise of their neighbourhood."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .._grid import sampling_step
from ..errors import DataError


class Transients(NamedTuple):
    """A row a transient (time, amplitude, value), transients a minute, their mean amplitude."""

    table: pd.DataFrame
    rate: float
    mean_amplitude: float


def transients(
    t: NDArray, trace: NDArray, chunk: float = 15.0, drop: float = 2.0, threshold: float = 3.0
) -> Transients:
    """Local maxima above the median + 3 MAD of a chunk's quiet samples.

    In each chunk of `chunk` seconds samples above median + `drop` · MAD are left out; of the rest
    median' and MAD' are taken again; a transient is a sample above median' + `threshold` · MAD'
    that is larger than both neighbours. MAD is the plain median absolute deviation, as in GuPPy.

    Parameters
    ----------
    t, trace
        Times in s and dF/F or z-score (time,). NaN is left out.

    Returns
    -------
    Transients
        `table` with time in s, amplitude above median', and value; `rate` per minute of valid
        samples; `mean_amplitude`, NaN without transients.

    Raises
    ------
    DataError
        Lengths that differ, or a setting that is not above 0.

    Notes
    -----
    Three plain MADs are two standard deviations: unsmoothed noise alone gives many peaks. Low-pass
    the trace first (`noise_cutoff` of `photometry`), raise `threshold`, or compare animals only.

    Examples
    --------
    >>> t = np.arange(0, 60, 0.05)
    >>> trace = 0.1 * np.sin(t) + np.exp(-((t - 20) ** 2)) + np.exp(-((t - 40) ** 2))
    >>> transients(t, trace, threshold=6.0).table["time"].round(1).tolist()
    [20.0, 40.0]
    """
    t, trace = np.asarray(t, np.float64), np.asarray(trace, np.float64)
    if t.shape != trace.shape or t.ndim != 1:
        raise DataError(
            f"times and trace must be (time,) of one length, got {t.shape}, {trace.shape}"
        )
    for name, value in {"chunk": chunk, "drop": drop, "threshold": threshold}.items():
        if not (np.isfinite(value) and value > 0):
            raise DataError(f"{name} must be above 0, got {value!r}")
    step = sampling_step(t)
    size = max(round(chunk / step), 1) if np.isfinite(step) else 1
    centre, limit = np.full(len(t), np.nan), np.full(len(t), np.inf)
    for a in range(0, len(t), size):
        part = slice(a, a + size)
        centre[part], limit[part] = _limits(trace[part], drop, threshold)
    peak = np.flatnonzero(_local_maximum(trace) & (np.nan_to_num(trace, nan=-np.inf) > limit))
    amplitude = trace[peak] - centre[peak]
    table = pd.DataFrame({"time": t[peak], "amplitude": amplitude, "value": trace[peak]})
    minutes = np.isfinite(trace).sum() * step / 60
    rate = len(peak) / minutes if 0 < minutes < np.inf else 0.0
    return Transients(table, float(rate), float(amplitude.mean()) if len(peak) else float("nan"))


def _limits(x: NDArray, drop: float, threshold: float) -> tuple[float, float]:
    """median' and the limit of one chunk."""
    x = x[np.isfinite(x)]
    if not len(x):
        return float("nan"), np.inf
    quiet = x[x <= np.median(x) + drop * _deviation(x)]
    middle = float(np.median(quiet))
    return middle, middle + threshold * _deviation(quiet)


def _deviation(x: NDArray) -> float:
    return float(np.median(np.abs(x - np.median(x))))


def _local_maximum(x: NDArray) -> NDArray[np.bool_]:
    """Larger than both neighbours; never the first or last sample, or one beside NaN."""
    out = np.zeros(len(x), bool)
    out[1:-1] = (x[1:-1] > x[:-2]) & (x[1:-1] > x[2:])
    return out
