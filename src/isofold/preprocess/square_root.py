"""Square root of counts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from ..errors import DataError
from ..recording import Recording
from ._segments import by_segment


class SquareRoot(BaseEstimator):
    """Square root of every value; see `square_root`."""

    def fit(self, recording: Recording) -> SquareRoot:
        """Nothing to learn."""
        return self

    def transform(self, recording: Recording) -> Recording:
        """The recording with roots in place of counts."""
        return by_segment(recording, _roots, step="square_root")


def square_root(recording: Recording) -> Recording:
    """Square root of counts: the variance of a Poisson count becomes about 1/4 at any rate.

    Not for signals that go below 0, such as ΔF/F.

    Raises
    ------
    DataError
        A value is negative.
    MissingValuesError
        The signal holds NaN.

    Examples
    --------
    >>> square_root(Recording(np.array([[0.0], [9.0]]), rate=10.0)).signal.ravel()
    array([0., 3.])
    """
    return SquareRoot().transform(recording)


def _roots(x: NDArray) -> NDArray:
    if x.size and x.min() < 0:
        raise DataError(
            f"square_root is for counts, and the signal goes down to {x.min():.4g}; use zscore"
        )
    return np.sqrt(x)
