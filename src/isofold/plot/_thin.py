"""Which samples are drawn where all would be too many."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def thinned(rows: NDArray, trial: NDArray, limit: int) -> tuple[NDArray, int, bool]:
    """Every k-th of the rows, counted anew in each trial so that each keeps its start and shape.

    Where trials are so short that this keeps too many, every k-th of all rows. Returns the kept
    rows, k, and whether it was counted by trial.

    >>> thinned(np.arange(6), np.array([0, 0, 0, 0, 1, 1]), 3)
    (array([0, 2, 4]), 2, True)
    """
    every = max(1, -(-len(rows) // limit))
    mine = trial[rows]
    new = np.r_[True, mine[1:] != mine[:-1]][: len(rows)]
    count = np.arange(len(rows))
    inside = count - np.maximum.accumulate(np.where(new, count, 0))
    kept = rows[inside % every == 0]
    return (kept, every, True) if len(kept) <= 1.5 * limit else (rows[::every], every, False)


def told(every: int, by_trial: bool, drawn: int, of: int) -> str:
    """The rule in words; "" where nothing was left out.

    >>> told(5, True, 200, 1000)
    'drawn: sample 1 of every 5 of each trial, 200 of 1,000 samples'
    """
    if every == 1:
        return ""
    each = " of each trial" if by_trial else ""
    return f"drawn: sample 1 of every {every}{each}, {drawn:,} of {of:,} samples"
