"""Three z-scores of a trace."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from ._robust import NORMAL_MAD

SCORES = ("standard", "baseline", "modified")


def standard_score(
    x: NDArray, how: str = "standard", baseline: NDArray[np.bool_] | None = None
) -> NDArray[np.float64]:
    """Each value in units of the spread of the trace.

    "standard": (x − mean) / standard deviation. "baseline": the same with both taken in `baseline`
    only. "modified": .6745 (x − median) / MAD, which transients hardly move.

    Parameters
    ----------
    x
        (time,); NaN is left out and stays.
    baseline
        Samples (time,) of the baseline window, for how="baseline".

    Raises
    ------
    DataError
        No such score, a baseline without valid samples, or one that is not asked for.

    Notes
    -----
    A z-score over a whole recording divides by its transients too: across animals of different
    activity it hides what differs. Names as in GuPPy.

    Examples
    --------
    >>> standard_score(np.array([0.0, 1.0, 2.0, 99.0]), "modified").round(2)
    array([-1.01, -0.34,  0.34, 65.76])
    """
    if how not in SCORES:
        raise DataError(f"how must be one of {SCORES}, got {how!r}")
    if (baseline is not None) != (how == "baseline"):
        raise DataError(
            f'baseline= goes with how="baseline" and only with it; got how={how!r} and '
            f"{'no ' if baseline is None else 'a '}baseline"
        )
    x = np.asarray(x, np.float64)
    known = np.isfinite(x)
    known &= True if baseline is None else baseline
    if not known.any():
        where = " in its baseline" if how == "baseline" else ""
        raise DataError(f"a {how} z-score needs at least one valid sample{where}, found none")
    if how == "modified":
        centre = np.median(x[known])
        spread = np.median(np.abs(x[known] - centre)) / NORMAL_MAD
    else:
        centre, spread = x[known].mean(), x[known].std()
    return (x - centre) / (spread if spread > 0 else 1.0)
