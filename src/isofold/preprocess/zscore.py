"""z-score: every channel to mean 0 and standard deviation 1 of the training trials."""

from __future__ import annotations

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from .. import trials as walls_
from .._missing import require_complete
from .._rows import blocks, take
from ..errors import DataError
from ..recording import Recording
from ._segments import by_segment


class ZScore(BaseEstimator):
    """Subtract the mean of each channel and divide by its standard deviation.

    Both are of the samples inside trials of the recording that `fit` was given; a channel that
    does not vary there is divided by 1. Not needed before PCA or CEBRA of counts; it lifts units
    that hardly fire to the size of those that do.

    Raises
    ------
    DataError
        A recording without samples inside trials, or with other channels than in `fit`.

    Examples
    --------
    >>> train, test = Recording(np.arange(100.0)[:, None], rate=1.0).split(test=0.2)
    >>> scaled = ZScore().fit(train).transform(test)
    >>> float(scaled.signal.min().round(3))
    2.252
    """

    def fit(self, recording: Recording) -> ZScore:
        """Mean and standard deviation of each channel, read block by block."""
        require_complete(recording)
        inside = np.flatnonzero(recording.trial != walls_.OUTSIDE)
        if not len(inside):
            raise DataError(
                f"recording {recording.name!r} has no sample inside a trial to learn from"
            )
        total = np.zeros(recording.n_channels)
        squares = np.zeros(recording.n_channels)
        shift = np.asarray(recording.signal[int(inside[0])], dtype=np.float64)
        for start, stop in blocks(recording.signal):
            rows = inside[np.searchsorted(inside, start) : np.searchsorted(inside, stop)]
            block = take(recording.signal, rows).astype(np.float64) - shift
            total += block.sum(axis=0)
            squares += (block**2).sum(axis=0)
        mean = total / len(inside)
        deviation = np.sqrt(np.maximum(squares / len(inside) - mean**2, 0))
        # Rounding leaves a constant channel a deviation of 1e-8 of its size, not 0.
        constant = deviation <= 1e-7 * (np.abs(mean) + np.abs(shift))
        self.mean_, self.scale_ = mean + shift, np.where(constant, 1.0, deviation)
        return self

    def transform(self, recording: Recording) -> Recording:
        """(signal − mean) / standard deviation."""
        check_is_fitted(self)
        if recording.n_channels != len(self.mean_):
            raise DataError(
                f"z-score was fitted on {len(self.mean_)} channels, recording "
                f"{recording.name!r} has {recording.n_channels}; fit it on this recording"
            )
        return by_segment(recording, lambda x: (x - self.mean_) / self.scale_, step="zscore")


def zscore(recording: Recording) -> Recording:
    """z-score by the recording's own trials; across a split use `ZScore`, fitted on the train part.

    >>> zscore(Recording(np.array([[1.0], [3.0]]), rate=1.0)).signal.ravel()
    array([-1.,  1.])
    """
    return ZScore().fit(recording).transform(recording)
