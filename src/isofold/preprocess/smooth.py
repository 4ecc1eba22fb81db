"""Gaussian smoothing in time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import convolve1d
from sklearn.base import BaseEstimator

from ..errors import DataError
from ..recording import Recording
from ._segments import by_segment, positive_seconds

REACH = 4.0
"""The kernel is cut at this many standard deviations."""


class Smooth(BaseEstimator):
    """Gaussian smoothing inside each segment; see `smooth`."""

    def __init__(self, sigma: float, causal: bool = False):
        positive_seconds("sigma", sigma)
        if not isinstance(causal, bool | np.bool_):
            raise DataError(f"causal must be true or false, got {causal!r}")
        self.sigma = sigma
        self.causal = causal

    def fit(self, recording: Recording) -> Smooth:
        """Nothing to learn."""
        return self

    def transform(self, recording: Recording) -> Recording:
        """The smoothed recording."""
        kernel = _kernel(self.sigma * recording.rate, self.causal)
        return by_segment(
            recording,
            lambda x: _smoothed(x, kernel),
            step="smooth",
            sigma=self.sigma,
            causal=self.causal,
        )


def smooth(recording: Recording, sigma: float, causal: bool = False) -> Recording:
    """Smooth every channel with a Gaussian that stops at segments.

    y_t = Σ_s k(t − s) x_s / Σ_s k(t − s) over the samples s of the segment, with
    k(u) = exp(−u² / 2σ²), cut at 4 σ: at an edge the part of the kernel that is inside is
    normalised, so that a constant stays the same.

    Parameters
    ----------
    recording
        Counts or any other signal.
    sigma
        Standard deviation in seconds.
    causal
        Use the past and present only (half a Gaussian); needed when the question is what can be
        read out at a time, because otherwise the future leaks into each sample.

    Raises
    ------
    DataError
        `sigma` is not a positive number.
    MissingValuesError
        The signal holds NaN.

    Examples
    --------
    >>> recording = Recording(np.ones((5, 1)), rate=10.0)
    >>> smooth(recording, sigma=0.1).signal.ravel()
    array([1., 1., 1., 1., 1.])
    """
    return Smooth(sigma, causal).transform(recording)


def _kernel(sigma: float, causal: bool) -> NDArray[np.float64]:
    reach = int(np.ceil(REACH * sigma))
    u = np.arange(-reach, reach + 1)
    kernel = np.exp(-0.5 * (u / sigma) ** 2)
    return np.where(u >= 0, kernel, 0.0) if causal else kernel


def _smoothed(x: NDArray, kernel: NDArray) -> NDArray:
    weight = convolve1d(np.ones(len(x)), kernel, mode="constant")
    return convolve1d(x, kernel, axis=0, mode="constant") / weight[:, None]
