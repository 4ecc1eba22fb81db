"""The `bright` baseline: bleaching times brightening, chosen among four models, fitted robustly."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from ._blocks import block_edges, blocks
from ._curves import Bright
from ._filters import block_means
from ._levenberg import minimise
from ._robust import mad, tukey_rho, tukey_weights

Floats = NDArray[np.float64]

DECIMATION = 10
"""Models are compared on means of this many samples."""

RATIOS = (0.98, 0.997)
"""The residual sum of squares must fall below this share of the simpler model's for brightening,
and for a third exponential, to be kept."""

TUKEY, ROUNDS, TOLERANCE = 3.0, 5, 1e-3
SKEW_SECONDS = 60.0
"""Length of the windows whose skewness sets how much harder positive residuals are judged."""

LOWEST = {"t_slow": 300.0, "t_fast": 1.0, "t_rapid": 1.0, "t_bright": 60.0}
HIGHEST = {"t_fast": 1200.0, "t_rapid": 180.0}
FASTEST_LOG_TIME = 20.0
"""Upper bound of the log of an unbounded time constant: e²⁰ s is for ever."""

ROUGH = 1e-9
"""Relative change of the sum of squares at which models are compared; the chosen is fitted on."""

DOUBLE = ("b_inf", "b_slow", "b_fast", "t_slow", "t_fast")


@dataclass
class _Fit:
    """A trace, its blocks, and the size that makes its mean 1."""

    t: Floats
    y: Floats
    rate: float
    edges: NDArray[np.int64] = field(init=False)
    floor: float = field(init=False)

    def __post_init__(self):
        self.edges = block_edges(self.t)
        self.floor = max(float(self.y[-1000:].mean()) / 10, 0.0)

    def solve(
        self,
        start: Bright,
        names: tuple[str, ...],
        weight: Floats | None = None,
        tolerance: float = 1e-13,
    ) -> Bright:
        """Least squares over the named parameters inside their bounds, from `start`."""
        b = blocks(self.t, self.y, self.edges, weight)
        unit = max(abs(start.b_inf), 1e-300)
        root = np.sqrt(b.weight / b.weight.sum()) / unit
        scale = np.array([unit if n == "b_inf" else 1.0 for n in names])
        curve = lambda x: _with(start, names, x * scale)  # noqa: E731
        low, high = self._bounds(names)
        found = minimise(
            lambda x: root * (curve(x).at(b.t) - b.y),
            lambda x: root[:, None] * (curve(x).jacobian(b.t, names) * scale),
            _vector(start, names) / scale, low / scale, high / scale, tolerance,
        )  # fmt: skip
        return curve(found)

    def _bounds(self, names: tuple[str, ...]) -> tuple[Floats, Floats]:
        low = {n: np.log(v) for n, v in LOWEST.items()} | {"b_inf": self.floor, "b_fast": -np.inf}
        high = dict.fromkeys(LOWEST, FASTEST_LOG_TIME) | {n: np.log(v) for n, v in HIGHEST.items()}
        return (
            np.array([low.get(n, 0.0) for n in names]),
            np.array([high.get(n, np.inf) for n in names]),
        )


def fit_bright(
    t: Floats, y: Floats, rate: float, ratios: tuple[float, float] | str = RATIOS
) -> tuple[Bright, dict[str, float | bool]]:
    """Curve, and how it was chosen: ratios of the sums of squares, what was kept, rounds."""
    fit = _Fit(t, y, rate)
    curve, names, notes = _select(fit, _thresholds(ratios, len(y) // DECIMATION))
    curve, rounds = _robust(fit, fit.solve(curve, names), names)
    return curve, notes | {"rounds": rounds}


def _thresholds(ratios: tuple[float, float] | str, n: int) -> tuple[float, float]:
    if ratios == "AIC":
        return (float(np.exp(-4 / n)),) * 2
    if ratios == "BIC":
        return (float(n ** (-2 / n)),) * 2
    if isinstance(ratios, str) or len(ratios) != 2 or not all(0 < r <= 1 for r in ratios):
        raise DataError(
            'ratios must be "AIC", "BIC" or two shares in (0, 1], for brightening and for a third '
            f"exponential; got {ratios!r}"
        )
    return float(ratios[0]), float(ratios[1])


def _select(
    fit: _Fit, thresholds: tuple[float, float]
) -> tuple[Bright, tuple[str, ...], dict[str, float | bool]]:
    """Double exponential, then with brightening, then with a third exponential, each if it pays."""
    short = [block_means(x, DECIMATION) for x in (fit.t, fit.y)]
    rss = lambda c: float(np.sum((short[1] - c.at(short[0])) ** 2))  # noqa: E731
    first = Bright(float(fit.y[-1000:].mean()), 0.35, 0.2, t_slow=3600.0, t_fast=240.0)
    names: tuple[str, ...] = DOUBLE
    best = _sorted(fit.solve(first, names, tolerance=ROUGH))
    notes: dict[str, float | bool] = {}
    added = {
        "brightening": {"b_bright": 0.1, "t_bright": 2000.0},
        "third": {"b_rapid": 0.1, "t_rapid": 50.0},
    }
    for (what, start), threshold in zip(added.items(), thresholds, strict=True):
        longer = (*names, *start)
        tried = fit.solve(best._replace(**start), longer, tolerance=ROUGH)
        ratio = rss(tried) / max(rss(best), 1e-300)
        notes |= {f"ratio_{what}": ratio, what: ratio < threshold}
        if ratio < threshold:
            best, names = _sorted(tried), longer
    return best, names, notes


def _robust(fit: _Fit, curve: Bright, names: tuple[str, ...]) -> tuple[Bright, int]:
    """Iteratively reweighted fits that judge positive residuals, transients, harder."""
    residual = fit.y - curve.at(fit.t)
    scale = mad(residual[residual < 0])
    deviance, rounds = np.sum(tukey_rho(residual / scale, TUKEY)) if scale > 0 else 0.0, 0
    while scale > 0 and rounds < ROUNDS:
        rounds += 1
        raised = np.exp(_mean_skewness(residual, round(SKEW_SECONDS * fit.rate)))
        judged = np.where(residual > 0, residual * raised, residual)
        curve = fit.solve(curve, names, tukey_weights(judged / scale, TUKEY))
        residual = fit.y - curve.at(fit.t)
        scale = mad(residual[residual < 0])
        if scale == 0:
            break
        before, deviance = deviance, np.sum(tukey_rho(residual / scale, TUKEY))
        if abs(deviance / before - 1) < TOLERANCE:
            break
    return curve, rounds


def _mean_skewness(x: Floats, size: int) -> float:
    """Mean over windows of the third standardised moment; windows without spread are left out."""
    whole = len(x) // size * size
    windows = [x[:whole].reshape(-1, size)] if whole else []
    if whole < len(x):
        windows.append(x[None, whole:])
    skewness = []
    for w in windows:
        centred = w - w.mean(axis=1, keepdims=True)
        square = centred * centred
        variance, third = square.mean(axis=1), (square * centred).mean(axis=1)
        varies = variance > 1e-30
        skewness.append(third[varies] / variance[varies] ** 1.5)
    return float(np.mean(np.concatenate(skewness))) if sum(map(len, skewness)) else 0.0


def _vector(curve: Bright, names: tuple[str, ...]) -> Floats:
    return np.array([_inner(n, getattr(curve, n)) for n in names])


def _inner(name: str, value: float) -> float:
    return float(np.log(value)) if name.startswith("t_") else value


def _with(curve: Bright, names: tuple[str, ...], x: Floats) -> Bright:
    outer = {
        n: float(np.exp(v) if n.startswith("t_") else v) for n, v in zip(names, x, strict=True)
    }
    return curve._replace(**outer)


def _sorted(curve: Bright) -> Bright:
    """Slowest term first. Terms that are absent (b = 0, endless) stay last."""
    present = [(tau, b) for b, tau in curve.terms() if np.isfinite(tau)]
    terms = sorted(present, reverse=True) + [(np.inf, 0.0)] * (3 - len(present))
    (t_slow, b_slow), (t_fast, b_fast), (t_rapid, b_rapid) = terms
    return curve._replace(
        t_slow=t_slow, b_slow=b_slow, t_fast=t_fast, b_fast=b_fast, t_rapid=t_rapid, b_rapid=b_rapid
    )
