"""What all steps share: work on one segment at a time, and note the settings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from numbers import Real
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from .._missing import require_complete
from ..errors import DataError
from ..recording import Recording


class Step(Protocol):
    """Recording → Recording; learns from `fit` only."""

    def fit(self, recording: Recording) -> Any: ...

    def transform(self, recording: Recording) -> Recording: ...


def by_segment(
    recording: Recording, function: Callable[[NDArray], NDArray], **step: Any
) -> Recording:
    """Apply a function of (time, channel) to each segment; `step` is noted in the provenance.

    The result is in memory: float64 where the signal was, float32 otherwise. The function sees
    float64.
    """
    require_complete(recording)
    wide = recording.signal.dtype == np.float64
    out = np.empty(recording.signal.shape, np.float64 if wide else np.float32)
    for start, stop in recording.segments[["start", "stop"]].to_numpy():
        out[start:stop] = function(np.asarray(recording.signal[start:stop], dtype=np.float64))
    return replace(recording, signal=out, provenance=(*recording.provenance, step))


def positive_seconds(name: str, value: Any) -> None:
    """Refuse what is not a finite time above 0."""
    number = isinstance(value, Real) and not isinstance(value, bool)
    if not number or not (np.isfinite(float(value)) and float(value) > 0):
        raise DataError(f"{name} must be a time in seconds above 0, got {value!r}")
