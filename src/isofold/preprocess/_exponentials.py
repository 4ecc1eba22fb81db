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

SHORTEST_TIME = 1e-4
"""1/s: the unit of a rate in the search."""


def fit_double(t: Floats, y: Floats) -> Floats:
    """a, b, c, d of a e^(−bt) + c e^(−dt), without bounds."""
    size = abs(float(y[:20].mean())) or 1.0
    b = blocks(t, y / size, block_edges(t))
    start = np.array([0.9, 1 / 3600, 0.1, 1 / 200]) * [np.sign(y[:20].mean()) or 1.0, 1, 1, 1]
    x = _solve(b, start)
    return x * [size, 1, size, 1]


def fit_triple(t: Floats, y: Floats, rate: float) -> Floats:
    """a, b, c, d, e, f, g of a e^(−bt) + c e^(−dt) + e e^(−ft) + g, all at least 0."""
    slow = low_pass(y, rate, SLOW_PART)
    return _solve(blocks(t, slow, block_edges(t)), _triple_start(t, slow), lowest=0.0)


def _solve(b: Blocks, start: Floats, lowest: float = -np.inf) -> Floats:
    from scipy.optimize import least_squares

    root = np.sqrt(b.weight / b.weight.sum())
    unit = np.where(np.arange(len(start)) % 2, SHORTEST_TIME, 1.0)
    found = least_squares(
        lambda x: root * (exponentials(x * unit, b.t) - b.y),
        start / unit,
        jac=lambda x: root[:, None] * exponentials_jacobian(x * unit, b.t) * unit,
        bounds=(lowest, np.inf), method="lm" if np.isinf(lowest) else "trf",
        x_scale="jac" if np.isinf(lowest) else 1.0,
        ftol=1e-14, xtol=1e-12, gtol=1e-15, max_nfev=2000,
    )  # fmt: skip
    return found.x * unit


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
