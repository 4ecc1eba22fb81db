"""Each trial minus its own mean before the event."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from sklearn.base import BaseEstimator

from .._missing import require_complete
from ..errors import DataError
from ..recording import Recording


class TrialBaseline(BaseEstimator):
    """Subtract from each trial its mean in a window around an event; see `trial_baseline`."""

    def __init__(self, event: str, window: Sequence[float]):
        if len(window) != 2 or not np.isfinite(window).all() or not window[0] < window[1]:
            raise DataError(
                f"window must be [start, stop] in seconds with start < stop, got {window!r}"
            )
        self.event = event
        self.window = window

    def fit(self, recording: Recording) -> TrialBaseline:
        """Nothing to learn: a trial's baseline is its own."""
        return self

    def transform(self, recording: Recording) -> Recording:
        """The recording with every trial's baseline at 0."""
        require_complete(recording)
        if recording.trials is None:
            raise DataError(f"recording {recording.name!r} has no trials to take a baseline from")
        if self.event not in recording.trials or recording.trials[self.event].dtype.kind != "f":
            raise DataError(
                f"event must be a trial column of times in seconds, got {self.event!r}; trial "
                f"columns: {recording.conditions}"
            )
        signal = np.array(recording.signal, dtype=np.result_type(recording.signal.dtype, "f4"))
        clock = recording.time
        slack = 0.5 / recording.rate  # the border of a window must not depend on rounding
        table = recording.trials[["start", "stop", self.event]]
        for name, start, stop, event in table.itertuples(name=None):
            since = clock[start:stop] - event
            before = (since >= self.window[0] - slack) & (since < self.window[1] - slack)
            if not before.any():
                raise DataError(
                    f"trial {name!r} has no sample {self.window[0]:g} to {self.window[1]:g} s from "
                    f"{self.event!r}; choose a window inside the trials, or drop the trial"
                )
            signal[start:stop] -= signal[start:stop][before].mean(axis=0)
        step = {"step": "trial_baseline", "event": self.event, "window": list(self.window)}
        return replace(recording, signal=signal, provenance=(*recording.provenance, step))


def trial_baseline(recording: Recording, event: str, window: Sequence[float]) -> Recording:
    """Subtract from each trial and channel its mean in a window around the trial's event.

    y_t = x_t − mean of x_s over the samples s of the same trial with
    window₀ ≤ s − event < window₁ (seconds). What a trial begins with no longer tells trials apart;
    noise of the baseline is added to the whole trial instead, so take a window of many samples.

    Parameters
    ----------
    recording
        With trials and a trial column of event times.
    event
        Column of the trial table: times in seconds.
    window
        Start and stop in seconds from the event.

    Raises
    ------
    DataError
        No trials, no such column, or a trial without a sample in the window.
    MissingValuesError
        The signal holds NaN.

    Examples
    --------
    >>> import pandas as pd
    >>> trials = pd.DataFrame({"start": [0], "stop": [4], "cue": [2.0]})
    >>> recording = Recording(np.array([[1.0], [3.0], [5.0], [2.0]]), rate=1.0, trials=trials)
    >>> trial_baseline(recording, "cue", [-2, 0]).signal.ravel()
    array([-1.,  1.,  3.,  0.])
    """
    return TrialBaseline(event, window).transform(recording)
