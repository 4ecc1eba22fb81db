"""What an embedding has to beat: the recording itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator

from ..errors import DataError
from ..recording import Recording
from ..trials import Ints

if TYPE_CHECKING:
    import xarray as xr


class Raw(BaseEstimator):
    """The signal as its own embedding: the floor of every decoding score.

        z_t = Σ x_s,  s from t − ⌊window / 2⌋, window samples,  inside the segment of t

    With `window` = 10 it sees what a model of ten samples sees, so that both decode from the same
    stretch of time; counts stay counts, as a Bayes decoder needs them. At the edge of a segment
    the first or last sample is repeated.

    Parameters
    ----------
    window
        Samples that are summed.
    random_state
        Unused; every method of a study has one.

    Examples
    --------
    >>> recording = Recording(np.arange(4.0)[:, None], rate=1.0)
    >>> Raw(window=2).fit(recording).transform(recording).values.ravel()
    array([0., 1., 3., 5.])
    """

    def __init__(self, window: int = 1, random_state: int | None = None):
        self.window = window
        self.random_state = random_state

    def fit(self, recording: Recording, labels: Any = None) -> Raw:
        """Nothing is learned."""
        if not (isinstance(self.window, int) and self.window >= 1):
            raise DataError(f"window must be a whole number of samples ≥ 1, got {self.window!r}")
        return self

    def transform(self, recording: Recording) -> xr.DataArray:
        """(time, channel) as (time, latent), with the coordinates of an embedding."""
        from ..models._embedding import as_embedding

        signal = np.asarray(recording.signal)
        start, stop = (recording.segments[c].to_numpy() for c in ("start", "stop"))
        values, edge = _windowed_sums(signal, start, stop, self.window)
        return as_embedding(values, recording, edge, "raw")


def _windowed_sums(signal: Any, start: Ints, stop: Ints, window: int) -> tuple[Any, Any]:
    """Sums over `window` samples around each, none from another segment; which ones are edges."""
    owner = np.repeat(np.arange(len(start)), stop - start)
    rows = np.arange(len(signal))
    total, edge = np.zeros(signal.shape, np.float32), np.zeros(len(signal), bool)
    for shift in range(-(window // 2), window - window // 2):
        wanted = rows + shift
        inside = np.clip(wanted, start[owner], stop[owner] - 1)
        edge |= inside != wanted
        total += signal[inside]
    return total, edge


BASELINES = {"raw": Raw}
"""Methods of a study that are no methods: they learn nothing."""
