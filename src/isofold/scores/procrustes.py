"""Procrustes: recovery up to rotation, reflection, one scale and a shift."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.linalg import orthogonal_procrustes

from ._halves import Fitter, Judge, Pair, held_out
from ._linear import Floats
from .score import Score


def procrustes(
    z: Any,
    truth: Any,
    groups: Any = None,
    *,
    in_sample: bool = False,
    n_chance: int = 100,
    seed: int = 0,
) -> Score:
    """1 − ‖Y − Ŷ‖²/‖Y − Ȳ‖² of the best rotation, scale and shift, on held-out trials.

    Stricter than `recovery`: shape counts, not only content. Fitted on odd trials, scored on even
    trials, and back; the narrower of the two gets columns of 0. With in_sample=True the value is
    1 − the disparity of `scipy.spatial.procrustes`. Arguments are those of `recovery`. Not for
    embeddings on a sphere of a truth that is not on one: they differ in shape by construction.

    Raises
    ------
    DataError
        Lengths differ, values are missing, or there is only one trial.

    References
    ----------
    Schönemann, Psychometrika 31, 1 (1966).

    Examples
    --------
    >>> truth = np.random.default_rng(0).normal(size=(300, 2))
    >>> z = 4 * truth @ np.array([[0.6, 0.8], [-0.8, 0.6]]) - 1
    >>> round(float(procrustes(z, truth, n_chance=0)), 6)
    1.0
    """
    pair = Pair.of(z, truth, groups, in_sample)
    return held_out(pair, _similarity, "R² (rotation and scale)", n_chance, seed)


def _similarity(rows: Floats) -> Fitter:
    def fit(known: Floats) -> Judge:
        width = max(rows.shape[1], known.shape[1])
        mean_z, mean_y = rows.mean(axis=0), known.mean(axis=0)
        turn, scale = rotation(_padded(rows - mean_z, width), _padded(known - mean_y, width))

        def judge(inputs: Floats, facts: Floats) -> float:
            guess = scale * _padded(inputs - mean_z, width) @ turn
            left = _padded(facts - mean_y, width) - guess
            total = float(np.sum((facts - facts.mean(axis=0)) ** 2))
            return 1 - float(np.sum(left**2)) / total if total > 0 else 0.0

        return judge

    return fit


def rotation(a: Floats, b: Floats) -> tuple[Floats, float]:
    """(R, s) with RᵀR = I that make ‖s·a R − b‖ smallest; a and b centred, of one width."""
    turn, size = orthogonal_procrustes(a, b)
    return turn, float(size) / max(float(np.sum(a**2)), 1e-300)


def _padded(rows: Floats, width: int) -> Floats:
    return np.pad(rows, ((0, 0), (0, width - rows.shape[1])))
