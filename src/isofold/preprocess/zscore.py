"""z-score: every channel to mean 0 and standard deviation 1 of the training trials."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
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

    Parameters
    ----------
    by
        A trial column, such as the animal: each of its values gets a mean and a deviation of its
        own, of all its trials in the recording that is transformed (nothing is learned in `fit`).
        No label enters, so it is allowed across a split by that column.

    Raises
    ------
    DataError
        A recording without samples inside trials, or with other channels than in `fit`; no trial
        column of the name in `by`.

    Examples
    --------
    >>> train, test = Recording(np.arange(100.0)[:, None], rate=1.0).split(test=0.2)
    >>> scaled = ZScore().fit(train).transform(test)
    >>> float(scaled.signal.min().round(3))
    2.252
    """

    def __init__(self, by: str | None = None):
        self.by = by

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
        if self.by is not None:
            return self._by_group(recording, self.by)
        check_is_fitted(self)
        if recording.n_channels != len(self.mean_):
            raise DataError(
                f"z-score was fitted on {len(self.mean_)} channels, recording "
                f"{recording.name!r} has {recording.n_channels}; fit it on this recording"
            )
        return by_segment(recording, lambda x: (x - self.mean_) / self.scale_, step="zscore")

    def _by_group(self, recording: Recording, by: str) -> Recording:
        if recording.trials is None or by not in recording.trials:
            raise DataError(
                f"by must name a trial column, got {by!r}; there are {recording.conditions}"
            )
        signal = np.array(recording.signal, dtype=np.result_type(recording.signal.dtype, "f4"))
        for group in pd.unique(recording.trials[by]):
            own = recording.trials[recording.trials[by] == group]
            rows = walls_.expand(own["start"].to_numpy(), own["stop"].to_numpy())
            part = signal[rows].astype(np.float64)
            deviation = part.std(axis=0)
            signal[rows] = (part - part.mean(axis=0)) / np.where(deviation > 0, deviation, 1.0)
        step = {"step": "zscore", "by": by}
        return replace(recording, signal=signal, provenance=(*recording.provenance, step))


def zscore(recording: Recording) -> Recording:
    """z-score by the recording's own trials; across a split use `ZScore`, fitted on the train part.

    >>> zscore(Recording(np.array([[1.0], [3.0]]), rate=1.0)).signal.ravel()
    array([-1.,  1.])
    """
    return ZScore().fit(recording).transform(recording)
