"""Delay embedding: the recent past of each channel as further channels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from .._missing import require_complete
from ..errors import DataError
from ..recording import Recording
from ._segments import positive_seconds


class Delay(BaseEstimator):
    """Past (or past and coming) samples as channels; see `delay`."""

    def __init__(self, n: int, lag: float, centred: bool = False):
        if isinstance(n, bool) or not isinstance(n, int | np.integer) or n < 2:
            raise DataError(f"n must be a whole number of samples of at least 2, got {n!r}")
        positive_seconds("lag", lag)
        if not isinstance(centred, bool | np.bool_):
            raise DataError(f"centred must be true or false, got {centred!r}")
        self.n = n
        self.lag = lag
        self.centred = centred

    def fit(self, recording: Recording) -> Delay:
        """Nothing to learn."""
        return self

    def transform(self, recording: Recording) -> Recording:
        """The recording with n times as many channels."""
        require_complete(recording)
        apart = round(self.lag * recording.rate)
        if apart < 1:
            raise DataError(
                f"lag {self.lag!r} s is less than half a sample at {recording.rate:g} Hz; use a "
                "longer one"
            )
        lags = (np.arange(self.n) - (self.n // 2 if self.centred else 0)) * apart
        rows = _rows(recording.segments[["start", "stop"]].to_numpy(), lags)
        signal = np.asarray(recording.signal)[rows]  # (time, lag, channel)
        step = {"step": "delay", "n": self.n, "lag": self.lag, "centred": self.centred}
        return replace(
            recording,
            signal=signal.reshape(len(rows), -1),
            channels=_channels(recording, lags / recording.rate),
            provenance=(*recording.provenance, step),
        )


def delay(recording: Recording, n: int, lag: float, centred: bool = False) -> Recording:
    """Delay embedding of every channel, inside its segment.

    y_t = (x_t, x_{t−τ}, …, x_{t−(n−1)τ}): by Takens' theorem (1981) n delays of one generic
    observable unfold the states of a system of dimension d where n > 2d. It makes of one
    photometry fiber what methods for populations can take. Where a segment begins (or ends), its
    first (last) sample is repeated. Channels are ordered by delay, then by channel.

    Not for recordings of many channels, where the delays multiply them; nor together with models
    that see windows ("offset10-model"), which do the same with weights.

    Parameters
    ----------
    recording
        (time, channel); becomes (time, n · channel).
    n
        Number of delays, the present included.
    lag
        Delay between two of them, τ, in seconds; rounded to samples.
    centred
        As much of the future as of the past, for questions that are not about prediction.

    Raises
    ------
    DataError
        `n` or `lag` is out of range.
    MissingValuesError
        The signal holds NaN.

    Examples
    --------
    >>> recording = Recording(np.array([[1.0], [2.0], [3.0]]), rate=10.0)
    >>> delay(recording, n=2, lag=0.1).signal
    array([[1., 1.],
           [2., 1.],
           [3., 2.]])
    """
    return Delay(n, lag, centred).transform(recording)


def _rows(segments: NDArray, lags: NDArray) -> NDArray:
    """Sample of each delay, (time, lag), kept inside the segment."""
    length = segments[:, 1] - segments[:, 0]
    first = np.repeat(segments[:, 0], length)[:, None]
    last = np.repeat(segments[:, 1] - 1, length)[:, None]
    return np.clip(np.arange(len(first))[:, None] - lags, first, last)


def _channels(recording: Recording, lags: NDArray) -> pd.DataFrame:
    parts = [recording.channels.assign(channel_=recording.channels.index, delay=s) for s in lags]
    table = pd.concat(parts, ignore_index=True).rename(columns={"channel_": "of"})
    if "name" in table:
        table["name"] = [
            f"{n} −{s:g} s" for n, s in zip(table["name"], table["delay"], strict=True)
        ]
    return table.rename_axis("channel")
