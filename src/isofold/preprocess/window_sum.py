"""Spike counts in a sliding window."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from ..errors import DataError
from ..recording import Recording
from ._segments import by_segment, positive_seconds


class WindowSum(BaseEstimator):
    """Centred moving sum inside each segment; see `window_sum`."""

    def __init__(self, duration: float):
        positive_seconds("duration", duration)
        self.duration = duration

    def fit(self, recording: Recording) -> WindowSum:
        """Nothing to learn."""
        return self

    def transform(self, recording: Recording) -> Recording:
        """The recording with sums in place of counts."""
        width = round(self.duration * recording.rate)
        if width < 1:
            raise DataError(
                f"duration {self.duration!r} s is less than half a sample at "
                f"{recording.rate:g} Hz; use a longer one"
            )
        return by_segment(
            recording, lambda x: _sums(x, width), step="window_sum", duration=self.duration
        )


def window_sum(recording: Recording, duration: float) -> Recording:
    """Count spikes in a window centred on each sample.

    y_t = Σ x_s over the w samples t − ⌊w/2⌋ ≤ s < t − ⌊w/2⌋ + w, with w = `duration` · rate
    rounded. Where the segment ends inside the window, the sum is scaled by w over the number of
    samples that are inside.

    Parameters
    ----------
    recording
        Counts.
    duration
        Length of the window in seconds.

    Raises
    ------
    DataError
        `duration` is not a positive number, or shorter than half a sample.
    MissingValuesError
        The signal holds NaN.

    Examples
    --------
    >>> recording = Recording(np.array([[0.0], [1.0], [2.0], [0.0]]), rate=10.0)
    >>> window_sum(recording, duration=0.3).signal.ravel()
    array([1.5, 3. , 3. , 3. ])
    """
    return WindowSum(duration).transform(recording)


def _sums(x: NDArray, width: int) -> NDArray:
    total = np.concatenate([np.zeros((1, x.shape[1])), np.cumsum(x, axis=0)])
    first = np.arange(len(x)) - width // 2
    low, high = np.maximum(first, 0), np.minimum(first + width, len(x))
    return (total[high] - total[low]) * (width / (high - low))[:, None]
