"""Levenberg–Marquardt inside a box, for a handful of parameters and thousands of residuals.

`scipy.optimize.least_squares` factorises the whole Jacobian in every step; with nine parameters the
normal equations are enough, and their 9 × 9 solve leaves the threads of BLAS alone.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

MOST_STEPS = 300
FIRST_DAMPING, LARGEST_DAMPING = 1e-3, 1e12
QUIET_STEPS = 3
"""Steps in a row that must bring less than the tolerance: a valley may turn."""


def minimise(
    residual: Callable[[Floats], Floats],
    jacobian: Callable[[Floats], Floats],
    x: Floats,
    low: Floats,
    high: Floats,
    tolerance: float,
) -> Floats:
    """Parameters in [low, high] that minimise Σ residual², from x; steps are cut at the box, and a
    parameter that pushes against it is held."""
    x = np.clip(x, low, high)
    r = residual(x)
    cost, damping, quiet, scale = r @ r, FIRST_DAMPING, 0, np.zeros(len(x))
    jac = jacobian(x)
    for _ in range(MOST_STEPS):
        slope, curvature = jac.T @ r, jac.T @ jac
        scale = np.maximum(scale, curvature.diagonal())
        tried = _step(x, slope, curvature, scale, damping, low, high)
        r_tried = residual(tried)
        cost_tried = r_tried @ r_tried
        if cost_tried < cost:
            gain = (cost - cost_tried) / cost
            x, r, cost, jac = tried, r_tried, cost_tried, jacobian(tried)
            damping = max(damping / 5, 1e-12)
            quiet = quiet + 1 if gain < tolerance else 0
        else:
            damping *= 4
        if quiet == QUIET_STEPS or damping > LARGEST_DAMPING or cost == 0:
            break
    return x


def _step(
    x: Floats,
    slope: Floats,
    curvature: Floats,
    scale: Floats,
    damping: float,
    low: Floats,
    high: Floats,
) -> Floats:
    held = ((x <= low) & (slope > 0)) | ((x >= high) & (slope < 0))
    free = np.flatnonzero(~held & (scale > 0))
    out = x.copy()
    if len(free):
        unit = np.sqrt(scale[free])
        scaled = curvature[np.ix_(free, free)] / np.outer(unit, unit)
        scaled[np.diag_indices(len(free))] += damping
        out[free] -= np.linalg.solve(scaled, slope[free] / unit) / unit
    return np.clip(out, low, high)
