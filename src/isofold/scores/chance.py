"""Chance: surrogates that break the tie between two time series and keep what each is like.

On stereotyped trials (laps) one constant circular shift of all labels is no null: the shifted
label is a function of the true one and decodes as well. Here every trial takes the samples of a
random trial, turned by a random amount of its own. That breaks the tie inside trials (shift) and
between trials (permutation, which alone moves labels that are constant in a trial), and keeps the
autocorrelation inside a trial.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import DataError
from ..trials import Ints

N_BLOCKS = 10
HOW = ("both", "shift", "permute")


def blocks(n_samples: int, n_blocks: int = N_BLOCKS) -> Ints:
    """Number of the contiguous block of every sample: what stands in for trials without trials.

    >>> blocks(6, 3)
    array([0, 0, 1, 1, 2, 2])
    """
    return np.arange(n_samples) * min(n_blocks, max(n_samples, 1)) // max(n_samples, 1)


def surrogate(trials: NDArray, rng: np.random.Generator, how: str = "both") -> Ints:
    """Index that gives every trial the samples of a random trial from a random start on.

    `labels[surrogate(trials, rng)]` is one draw of the null. Donors that are shorter than the
    trial are repeated.

    Parameters
    ----------
    trials
        Trial of every sample.
    how
        "shift": each trial is turned by its own random amount; "permute": trials change places;
        "both".

    Raises
    ------
    DataError
        If `how` is none of these.

    Examples
    --------
    >>> index = surrogate(np.array([0, 0, 0, 1, 1, 1]), np.random.default_rng(0), "shift")
    >>> sorted(index[:3].tolist()), sorted(index[3:].tolist())
    ([0, 1, 2], [3, 4, 5])
    """
    if how not in HOW:
        raise DataError(f"how must be one of {HOW}, got {how!r}")
    codes, names = pd.factorize(np.asarray(trials))
    order = np.argsort(codes, kind="stable")
    rows = np.split(order, np.cumsum(np.bincount(codes, minlength=len(names)))[:-1])
    donors = np.arange(len(rows)) if how == "shift" else rng.permutation(len(rows))
    starts = [0 if how == "permute" else rng.integers(len(rows[d])) for d in donors]
    index = np.empty(len(codes), np.int64)
    for mine, donor, start in zip(rows, donors, starts, strict=True):
        theirs = rows[donor]
        index[mine] = theirs[(start + np.arange(len(mine))) % len(theirs)]
    return index


def surrogate_within(
    trials: NDArray, parts: NDArray, rng: np.random.Generator, how: str = "both"
) -> Ints:
    """`surrogate` inside each part (train, test; odd, even): nothing passes between the parts.

    >>> parts = np.array([0, 0, 1, 1])
    >>> index = surrogate_within(np.arange(4), parts, np.random.default_rng(0))
    >>> (parts[index] == parts).all()
    np.True_
    """
    index = np.arange(len(trials))
    for part in np.unique(parts):
        rows = np.flatnonzero(parts == part)
        index[rows] = rows[surrogate(np.asarray(trials)[rows], rng, how)]
    return index
