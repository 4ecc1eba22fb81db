"""Soft normalisation: strong channels to a like range, weak ones kept weak."""

from __future__ import annotations

from numbers import Real

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from .. import trials as walls_
from .._missing import require_complete
from .._rows import blocks, take
from ..errors import DataError
from ..recording import Recording
from ._segments import by_segment


class SoftNormalize(BaseEstimator):
    """Divide each channel by its range over the training trials plus a constant.

    y = x / (max x − min x + `constant`). A channel that varies much more than the constant comes
    out with a range near 1; one that hardly fires stays small, where a z-score would blow up its
    noise.

    Parameters
    ----------
    constant
        In units of the signal: 5 for rates in Hz; 5 · w for counts in bins of w seconds.

    Raises
    ------
    DataError
        `constant` is not above 0; a recording without samples inside trials, or with other channels
        than in `fit`.

    Notes
    -----
    Churchland et al., Nature 487, 51 (2012). Smooth first: the range of raw counts is their noise.

    Examples
    --------
    >>> recording = Recording(np.array([[0.0, 0.0], [45.0, 5.0]]), rate=10.0)
    >>> SoftNormalize().fit(recording).transform(recording).signal[1]
    array([0.9, 0.5])
    """

    def __init__(self, constant: float = 5.0):
        number = isinstance(constant, Real) and not isinstance(constant, bool)
        if not number or not (np.isfinite(constant) and constant > 0):
            raise DataError(f"constant must be a number above 0, got {constant!r}")
        self.constant = constant

    def fit(self, recording: Recording) -> SoftNormalize:
        """Range of each channel, read block by block."""
        require_complete(recording)
        inside = np.flatnonzero(recording.trial != walls_.OUTSIDE)
        if not len(inside):
            raise DataError(
                f"recording {recording.name!r} has no sample inside a trial to learn from"
            )
        low, high = np.full(recording.n_channels, np.inf), np.full(recording.n_channels, -np.inf)
        for start, stop in blocks(recording.signal):
            rows = inside[np.searchsorted(inside, start) : np.searchsorted(inside, stop)]
            if len(rows):
                block = take(recording.signal, rows).astype(np.float64)
                low = np.minimum(low, block.min(axis=0))
                high = np.maximum(high, block.max(axis=0))
        self.range_ = high - low
        return self

    def transform(self, recording: Recording) -> Recording:
        """signal / (range + constant)."""
        check_is_fitted(self)
        if recording.n_channels != len(self.range_):
            raise DataError(
                f"soft_normalize was fitted on {len(self.range_)} channels, recording "
                f"{recording.name!r} has {recording.n_channels}; fit it on this recording"
            )
        scale = self.range_ + self.constant
        return by_segment(
            recording, lambda x: x / scale, step="soft_normalize", constant=self.constant
        )


def soft_normalize(recording: Recording, constant: float = 5.0) -> Recording:
    """Soft normalisation by the recording's own trials; across a split use `SoftNormalize`.

    >>> soft_normalize(Recording(np.array([[0.0], [15.0]]), rate=10.0)).signal.ravel()
    array([0.  , 0.75])
    """
    return SoftNormalize(constant).fit(recording).transform(recording)
