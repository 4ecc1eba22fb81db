"""Outliers: which trials are unlike the others of their condition, and where."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ..errors import DataError
from ._tails import LargestOf, adjusted, deleted_scores, largest
from ._tensor import as_tensor, conditions, in_window, times
from .path_distance import require_trials

FEWEST = 10
CONTROL = ("family", "fdr")


def outliers(
    tensor: Any,
    by: Any = None,
    *,
    alpha: float = 0.05,
    control: str = "family",
    window: tuple[float, float] | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """Trials that deviate, at some time and channel, further than the largest of chance.

    Each sample is compared with those of the other trials of its condition, without itself
    and those far from the median: s = (x − m₋ᵢ) / (sd₋ᵢ √(1 + 1/n)), as a normal score. A
    trial's statistic is its largest |s|; its null distribution takes into account how samples and
    channels go together.

    Parameters
    ----------
    tensor
        (trial, time, channel or latent). Missing samples (NaN) are ignored.
    by
        Column of the trials, or one value a trial; None compares all with all.
    alpha, control
        "family": the chance that any trial of good data is called an outlier is alpha.
        "fdr": of the trials called outliers, a share alpha is expected to be good ones; in data
        without outliers that is the same.
    window
        Start and stop in seconds; None is all.
    seed
        Of the draws of the null distribution.

    Returns
    -------
    pandas.DataFrame
        One row a trial, in order: `condition`; `outlier`; `p`, adjusted for the number of trials;
        `time` in s and `channel` (or `latent`) of the largest deviation; `size`, the deviation as a
        normal score, with its sign; `value` and `expected`, the mean of the others there. NaN for
        trials without a value or a condition.

    Raises
    ------
    DataError
        A condition has fewer than ten trials, or an option is unknown.

    Notes
    -----
    Residuals must be near to normal: smooth counts or take their square root first. Finds the
    large and the local; a trial that is a little off all the time has a large z in `path_distance`.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(40, 50, 3))
    >>> x[7, 20, 1] += 9
    >>> found = outliers(x)
    >>> found.index[found["outlier"]].tolist(), found.loc[7, "time"], found.loc[7, "channel"]
    ([7], np.float64(20.0), np.int64(1))
    """
    if control not in CONTROL:
        raise DataError(f"control must be 'family' or 'fdr', got {control!r}")
    if not 0 < alpha < 1:
        raise DataError(f"alpha must lie between 0 and 1, got {alpha!r}")
    data = in_window(as_tensor(tensor), window)
    codes, names = conditions(data, by)
    require_trials(codes, names, FEWEST, "to say which trials are unlike the others")
    flat = data.values.reshape(len(codes), -1)
    scores, expected = np.full_like(flat, np.nan), np.full_like(flat, np.nan)
    for number in range(len(names)):
        rows = codes == number
        scores[rows], expected[rows] = deleted_scores(flat[rows])
    size, at = largest(scores)
    known = ~np.isnan(size)
    if not known.any():
        raise DataError("no sample of the tensor has a value and others to compare it with")
    null = LargestOf(scores, np.random.default_rng(seed))
    p = adjusted(np.where(known, null.p(np.where(known, size, 0.0)), np.nan), control)
    rows = np.arange(len(codes))
    step, channel = np.divmod(at, data.shape[2])
    last = str(data.dims[2])
    return pd.DataFrame(
        {
            "condition": np.array([*names, None], dtype=object)[codes],
            "outlier": known & (np.where(known, p, 1.0) <= alpha),
            "p": p,
            "time": np.where(known, times(data)[step], np.nan),
            last: data[last].values[channel],
            "size": scores[rows, at],
            "value": np.where(known, flat[rows, at], np.nan),
            "expected": np.where(known, expected[rows, at], np.nan),
        },
        index=pd.Index(data["trial"].values, name="trial"),
    )
