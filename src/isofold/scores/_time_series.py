"""What a dimension is estimated from: samples, the segments that are walls, and bootstrap units."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import DataError
from ..recording import Recording
from ..trials import Ints
from ._inputs import inside, is_embedding, rows_of, trials_of
from ._linear import Floats
from .chance import blocks

MOST_BLOCKS = 32
FEWEST_TRIALS = 8
"""Below so few trials contiguous blocks are resampled instead."""

N_BLOCKS = 20


@dataclass(frozen=True)
class TimeSeries:
    """Rows (time, channel) with the segment and the bootstrap block of each."""

    rows: Floats
    segment: Ints
    block: Ints
    over: str

    @property
    def n_blocks(self) -> int:
        return int(self.block.max()) + 1

    def clock(self, theiler: int) -> Ints:
        """Sample numbers with `theiler` more between segments: never near across a wall."""
        return np.arange(len(self.rows)) + self.segment * theiler

    @classmethod
    def of(cls, signal: Any, groups: Any = None) -> TimeSeries:
        """From an array (time, channel) or (trial, time, channel), a Recording or an Embedding.

        Samples outside every trial are left out.
        """
        rows, segment, trial = _parts(signal, groups)
        if len(rows) < 20:
            raise DataError(f"a dimension needs at least 20 samples in trials, got {len(rows)}")
        if not np.ptp(rows, axis=0).any():
            raise DataError("a dimension needs samples that differ; all samples are the same point")
        code = pd.factorize(segment)[0].astype(np.int64)
        units = len(pd.unique(trial))
        if units < FEWEST_TRIALS:
            return cls(rows, code, blocks(len(rows), N_BLOCKS), "contiguous blocks")
        order = pd.factorize(trial)[0]
        merged = order * min(units, MOST_BLOCKS) // units
        over = "trials" if units <= MOST_BLOCKS else f"{MOST_BLOCKS} groups of neighbouring trials"
        return cls(rows, code, merged.astype(np.int64), over)


def auto_theiler(series: TimeSeries) -> int:
    """First lag at which the autocorrelation is below 1/e, in samples.

    Of all channels together, Σ_c ⟨x_c(t) x_c(t+lag)⟩ / Σ_c ⟨x_c²⟩ inside segments. Where it stays
    above for a fifth of the longest segment, no segment is compared with itself.

    Raises
    ------
    DataError
        It stays above, and there is one segment only.
    """
    rows = series.rows - series.rows.mean(axis=0)
    starts = np.flatnonzero(np.diff(series.segment, prepend=-1))
    pieces = np.split(rows, starts[1:])
    longest = max(len(piece) for piece in pieces)
    total, number = np.zeros(longest), np.zeros(longest)
    for piece in pieces:
        n = len(piece)
        power = np.abs(np.fft.rfft(piece, 2 * n, axis=0)) ** 2
        total[:n] += np.fft.irfft(power.sum(axis=1))[:n]
        number[:n] += n - np.arange(n)
    # a longer memory leaves fewer than five independent stretches
    correlation = (total / number)[: max(longest // 5, 1)] / (total[0] / number[0])
    below = np.flatnonzero(correlation < np.exp(-1))
    if len(below):
        return int(below[0])
    if len(pieces) > 1:
        return longest
    raise DataError(
        "the signal does not forget itself: its autocorrelation stays above 1/e for a fifth of "
        f"its {longest} samples, so few pairs are independent; remove the drift or give theiler="
    )


def _parts(signal: Any, groups: Any) -> tuple[Floats, NDArray, NDArray]:
    """Rows, segment and trial of every sample inside a trial."""
    if isinstance(signal, Recording):
        return _of_recording(signal, groups)
    if not is_embedding(signal) and np.ndim(signal) == 3:
        if groups is not None:
            raise DataError("a (trial, time, channel) array has its trials; leave groups out")
        stacked = np.asarray(signal)
        n_trials, length = stacked.shape[:2]
        trial = np.repeat(np.arange(n_trials), length)
        return rows_of(stacked.reshape(-1, stacked.shape[2]), "signal"), trial, trial
    rows = rows_of(signal, "signal")
    whole = np.zeros(len(rows), np.int64)
    given = trials_of(signal, groups, len(rows), "signal")
    if given is None:
        return rows, _gaps(signal, whole), whole
    keep = inside(given)
    one = is_embedding(signal) and groups is None and _one_trial(signal)
    segment = _gaps(signal, np.where(keep, 0, -1) if one else given)
    return rows[keep], segment[keep], given[keep]


def _of_recording(recording: Recording, groups: Any) -> tuple[Floats, NDArray, NDArray]:
    if groups is not None:
        raise DataError("a Recording has its trials; leave groups out")
    seg = recording.segments
    length = (seg["stop"] - seg["start"]).to_numpy()
    keep = inside(recording.trial)
    rows = rows_of(np.asarray(recording.signal)[keep], "signal")
    return rows, np.repeat(np.arange(len(seg)), length)[keep], recording.trial[keep]


def _one_trial(z: Any) -> bool:
    """A recording without trials: the blocks that stand in for its trials are no walls."""
    trial = np.asarray(z.coords["trial"].values)
    return len(pd.unique(trial[inside(trial)])) <= 1


def _gaps(z: Any, trial: NDArray) -> Ints:
    """Number of the stretch without a gap inside one trial."""
    code = pd.factorize(trial)[0]
    new = np.diff(code, prepend=-1) != 0
    if is_embedding(z) and "time" in z.coords:
        step = np.diff(np.asarray(z.coords["time"].values, float))
        if len(step):
            new[1:] |= step > 1.5 * np.median(step)
    return np.cumsum(new) - 1
