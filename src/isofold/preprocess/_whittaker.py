"""airPLS: a baseline from below by adaptive, iteratively reweighted, penalised least squares."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

ENOUGH = 1e-3
"""Stop when what lies below the baseline is this share of the whole signal."""


def airpls(y: Floats, smoothness: float = 5e4, order: int = 1, rounds: int = 50) -> Floats:
    """Baseline z that minimises Σ w (y − z)² + λ Σ (Δᵖ z)², w set anew each round.

    One banded solve a round. Zhang, Chen & Liang, Analyst 135, 1138 (2010).
    """
    from scipy.linalg import solveh_banded

    penalty = smoothness * _difference_bands(len(y), order)
    weight, z = np.ones(len(y)), y
    for number in range(1, rounds + 1):
        bands = penalty.copy()
        bands[-1] += weight
        z = solveh_banded(bands, weight * y, overwrite_ab=True, check_finite=False)
        below = y - z
        total = -below[below < 0].sum()
        if total < ENOUGH * np.abs(y).sum() or number == rounds:
            break
        inner = np.minimum(number * np.abs(below) / total, 50.0)
        weight = np.where(below >= 0, 0.0, np.exp(inner))
        weight[[0, -1]] = np.exp(min(number * np.abs(below[below < 0]).max() / total, 50.0))
    return z


def _difference_bands(n: int, order: int) -> Floats:
    """Upper bands of D'D for differences of an order, as `solveh_banded` takes them."""
    stencil = np.array([1.0])
    for _ in range(order):
        stencil = np.convolve(stencil, [1.0, -1.0])
    bands = np.zeros((order + 1, n))
    for lag in range(order + 1):
        for k in range(len(stencil) - lag):
            product = stencil[k] * stencil[k + lag]
            bands[order - lag, k + lag : n - order + k + lag] += product
    return bands
