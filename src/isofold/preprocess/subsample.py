"""A random choice of channels, so that areas are compared at equal numbers of units."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from .._missing import require_complete
from ..errors import DataError
from ..recording import Recording


class Subsample(BaseEstimator):
    """n channels drawn without replacement; see `subsample`."""

    def __init__(self, n: int, seed: int = 0):
        if isinstance(n, bool) or not isinstance(n, int | np.integer) or n < 1:
            raise DataError(f"n must be a whole number of channels of at least 1, got {n!r}")
        self.n = n
        self.seed = seed

    def fit(self, recording: Recording) -> Subsample:
        """Draw the channels; the signal plays no part."""
        if recording.n_channels < self.n:
            raise DataError(
                f"subsample asks for {self.n} channels, recording {recording.name!r} has "
                f"{recording.n_channels}; ask for at most as many as the smallest one has"
            )
        rng = np.random.default_rng(self.seed)
        self.n_channels_ = recording.n_channels
        self.chosen_ = np.sort(rng.permutation(recording.n_channels)[: self.n])
        return self

    def transform(self, recording: Recording) -> Recording:
        """The recording with the chosen channels."""
        check_is_fitted(self)
        require_complete(recording)
        if recording.n_channels != self.n_channels_:
            raise DataError(
                f"channels were drawn of {self.n_channels_}, recording {recording.name!r} has "
                f"{recording.n_channels}; fit on this recording"
            )
        return replace(
            recording,
            signal=np.asarray(recording.signal)[:, self.chosen_],
            channels=recording.channels.iloc[self.chosen_],
            provenance=(
                *recording.provenance,
                {"step": "subsample", "n": self.n, "seed": self.seed},
            ),
        )


def subsample(recording: Recording, n: int, seed: int = 0) -> Recording:
    """n channels drawn at random without replacement.

    More units decode better whatever their area; areas (or animals) are compared at the number of
    units of the smallest, over several `seed`s.

    Parameters
    ----------
    recording
        With at least n channels.
    n
        How many to keep.
    seed
        Of the draw.

    Raises
    ------
    DataError
        There are fewer channels, or `n` is out of range.

    Examples
    --------
    >>> recording = Recording(np.zeros((5, 40)), rate=1.0)
    >>> subsample(recording, 3).channels.index.tolist()
    [4, 11, 27]
    """
    return Subsample(n, seed).fit(recording).transform(recording)
