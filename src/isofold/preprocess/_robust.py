"""Tukey's biweight, a robust scale, and a straight line fitted with them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

NORMAL_MAD = 0.6744897501960817
"""Median absolute value of a standard normal variable."""

MOST_ROUNDS, TOLERANCE = 50, 1e-8


def mad(residual: Floats) -> float:
    """Median absolute residual about 0, as a standard deviation of normal noise; 0 if empty."""
    return float(np.median(np.abs(residual))) / NORMAL_MAD if len(residual) else 0.0


def tukey_weights(z: Floats, above: float, below: float | None = None) -> Floats:
    """(1 − (z/c)²)² inside c, 0 outside; c differs above and below 0 if `below` is given."""
    inside = np.maximum(1.0 - (z / _bend(z, above, below)) ** 2, 0.0)
    return inside * inside


def tukey_rho(z: Floats, above: float, below: float | None = None) -> Floats:
    """The loss whose weights these are: c²/6 (1 − (1 − (z/c)²)³), c²/6 outside."""
    c = _bend(z, above, below)
    inside = np.maximum(1.0 - (z / c) ** 2, 0.0)
    return c * c / 6 * (1.0 - inside * inside * inside)


def _bend(z: Floats, above: float, below: float | None) -> Floats | float:
    return above if below is None or below == above else np.where(z > 0, above, below)


class Line(NamedTuple):
    """y = intercept + slope · x, the scale of its residuals, the last weights, and rounds run."""

    intercept: float
    slope: float
    scale: float
    weight: Floats
    rounds: int


def least_squares_line(x: Floats, y: Floats, weight: Floats | None = None) -> tuple[float, float]:
    """(intercept, slope) in closed form; a constant x has slope 0."""
    if weight is None:
        weight = np.ones(len(x))
    total = weight.sum()
    if total <= 0:
        return 0.0, 0.0
    mx, my = dot(weight, x) / total, dot(weight, y) / total
    lever = weight * (x - mx)
    spread = dot(lever, x - mx)
    slope = dot(lever, y - my) / spread if spread > 0 else 0.0
    return float(my - slope * mx), float(slope)


def dot(a: Floats, b: Floats) -> float:
    """Σ a b. Not a @ b: threads of BLAS wait for each other on a busy machine."""
    return float(np.einsum("i,i->", a, b))


def robust_line(x: Floats, y: Floats, above: float, below: float | None = None) -> Line:
    """Line by iteratively reweighted least squares with Tukey's biweight.

    Starts from least squares; the scale is the MAD about 0, estimated anew each round. Stops as
    statsmodels' RLM does, so that coefficients are the same: when the loss changes by less than
    1e-8, or after 50 rounds. That loss is of residuals over their weighted VARIANCE, not their
    scale: on few samples of a small signal it settles early.
    """
    weight, scale, loss, rounds = np.ones(len(x)), np.inf, np.inf, 0
    while True:
        a, b = least_squares_line(x, y, weight)
        residual = y - a - b * x
        scale, rounds = mad(residual), rounds + 1
        variance = dot(weight * residual, residual) / max(len(x) - 2, 1)
        before, loss = loss, _loss(residual, variance, above, below)
        if scale <= 1e-300 or rounds == MOST_ROUNDS or abs(loss - before) <= TOLERANCE:
            return Line(a, b, scale, weight, rounds)
        weight = tukey_weights(residual / scale, above, below)


def _loss(residual: Floats, unit: float, above: float, below: float | None) -> float:
    return float(tukey_rho(residual / unit, above, below).sum()) if unit > 0 else 0.0
