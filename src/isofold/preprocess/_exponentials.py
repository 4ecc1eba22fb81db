"""Double and triple exponential baselines by least squares with analytic derivatives."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ._blocks import Blocks, block_edges, blocks
from ._curves import exponentials, exponentials_jacobian
from ._filters import low_pass

Floats = NDArray[np.float64]

SLOW_PART = 0.01
"""Hz; the triple exponential is fitted to what is slower."""

RATE = 1e-4
"""1/s: the unit of a rate in the search."""

USUAL = 300.0
"""Mean counts of a usual camera. Where the search ends depends on the unit of the trace: it is made
in the unit given, in one that brings the mean to this and in the mean."""

CLEARLY = 0.99
"""Another end is taken if its sum of squares is below this share: else the published one stays."""


def fit_double(t: Floats, y: Floats) -> Floats:
    """a, b, c, d of a e^(−bt) + c e^(−dt), without bounds."""
    from scipy.optimize import least_squares

    size = abs(float(y[:20].mean())) or 1.0
    sign = 1.0 if y[:20].mean() >= 0 else -1.0
    b = blocks(t, y / size, block_edges(t))
    root = np.sqrt(b.weight / b.weight.sum())
    found = least_squares(
        lambda x: root * (exponentials(x, b.t) - b.y),
        np.array([0.9 * sign, 1 / 3600, 0.1 * sign, 1 / 200]),
        jac=lambda x: root[:, None] * exponentials_jacobian(x, b.t),
        method="lm", x_scale="jac", ftol=1e-14, xtol=1e-12, gtol=1e-15, max_nfev=2000,
    )  # fmt: skip
    return found.x * [size, 1, size, 1]


def fit_triple(t: Floats, y: Floats, rate: float) -> Floats:
    """a, b, c, d, e, f, g of a e^(−bt) + c e^(−dt) + e e^(−ft) + g, all at least 0."""
    slow = low_pass(y, rate, SLOW_PART)
    b, start = blocks(t, slow, block_edges(t)), _triple_start(t, slow)
    mean = abs(float(slow.mean())) or 1.0
    best = _bounded(b, start, 1.0)
    for size in (mean / USUAL, mean):
        other = _bounded(b, start, size)
        best = other if _loss(other, b) < CLEARLY * _loss(best, b) else best
    return best


def _bounded(b: Blocks, start: Floats, size: float) -> Floats:
    """Parameters of at least 0; `size` is the unit of amplitudes in the search."""
    from scipy.optimize import least_squares

    root, unit = np.sqrt(b.weight / b.weight.sum()), np.array([size, RATE] * 3 + [size])
    found = least_squares(
        lambda x: root * (exponentials(x * unit, b.t) - b.y),
        start / unit,
        jac=lambda x: root[:, None] * exponentials_jacobian(x * unit, b.t) * unit,
        bounds=(0, np.inf), ftol=1e-14, xtol=1e-12, gtol=1e-15, max_nfev=1000,
    )  # fmt: skip
    return found.x * unit


def _loss(x: Floats, b: Blocks) -> float:
    return float(b.weight @ (exponentials(x, b.t) - b.y) ** 2)


def _triple_start(t: Floats, y: Floats) -> Floats:
    """Amplitudes and rates read off the trace: fast from its first two minutes, slow from its last
    ten."""

    def mean(start: float, seconds: float) -> float:
        at = t - t[0]
        inside = (at >= start - 1e-9) & (at < start + seconds - 1e-9)
        return float(y[inside].mean()) if inside.any() else end

    step = (t[-1] - t[0]) / max(len(t) - 1, 1)
    total = t[-1] - t[0] + step
    end = float(y[t >= t[-1] + step - 60 - 1e-9].mean())
    first = mean(0, 1)
    fast = first - mean(120, 1)
    left = 1 - (first - mean(60, 1)) / fast if fast != 0 else 0.0
    fast_rate = -np.log(left) / 60 if left > 0 else 0.05
    late, later = mean(total - 600, 10) - end, mean(total - 300, 10) - end
    falls = later != 0 and late / later > 1
    slow_rate = float(np.log(late / later)) / 300 if falls else 1 / 3600
    slow = late * np.exp(600 * slow_rate)
    middle = first - end - slow
    found = [fast, fast_rate, middle, (fast_rate + slow_rate) / 2, slow, slow_rate, end]
    return np.maximum(np.nan_to_num(found), 0.0)
