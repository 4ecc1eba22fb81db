"""A stretch of time, given in any of four ways."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .._intervals import inside, merged
from ..errors import DataError
from ..session import Session


def intervals(session: Session, epoch: Any) -> tuple[NDArray, NDArray]:
    """Sorted, disjoint (start, stop) of one pair, a list of pairs, a table, or its name."""
    if isinstance(epoch, str):
        epoch = session.table(epoch)
    if isinstance(epoch, pd.DataFrame):
        if not {"start", "stop"} <= set(epoch.columns):
            raise DataError(f"intervals need columns start and stop, found {list(epoch.columns)}")
        pairs = epoch[["start", "stop"]].to_numpy(float)
    else:
        try:
            pairs = np.atleast_2d(np.asarray(epoch, dtype=float))
        except (TypeError, ValueError):
            pairs = np.empty((0, 0))
    if pairs.ndim != 2 or pairs.shape[1] != 2 or not (pairs[:, 1] > pairs[:, 0]).all():
        raise DataError(
            "a stretch of time is (start, stop) in seconds with start before stop, a list of such "
            f"pairs, a table with start and stop, or the name of one; got {epoch!r}"
        )
    return merged(pairs[:, 0], pairs[:, 1])


def inside_epoch(session: Session, epoch: Any, t: NDArray) -> NDArray[np.bool_]:
    """Which times lie in a stretch; a `DataError` if none does."""
    start, stop = intervals(session, epoch)
    found = inside(t, start, stop)
    if not found.any():
        raise DataError(
            f"no sample lies in {epoch!r}; the recording runs from {t[0]:.6g} to {t[-1]:.6g} s"
        )
    return found


def plain_epoch(epoch: Any) -> Any:
    """The same for provenance: a name, or a list of pairs."""
    if epoch is None or isinstance(epoch, str):
        return epoch
    if isinstance(epoch, pd.DataFrame):
        return epoch[["start", "stop"]].to_numpy(float).tolist()
    return np.atleast_2d(np.asarray(epoch, dtype=float)).tolist()
