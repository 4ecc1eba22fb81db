"""The Allen Institute's dF/F and motion correction, written out plainly from its description.

Nelder–Mead for `bright`, scipy's `curve_fit` with numerical derivatives for the exponentials, and
statsmodels' RLM for motion: what isofold's faster versions are compared with, in tests and in
benchmarks/photometry.py.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import curve_fit, minimize
from scipy.signal import butter, sosfiltfilt
from scipy.stats import skew

CUT = 100
"""Samples of warm-up that are not fitted, and filled with the first that is."""

BOUNDS = [(0, None), (0, None), (None, None), (0, None), (0, None)]
BOUNDS += [(300, None), (1, 1200), (1, 180), (60, None)]


def low_pass(x: NDArray, cutoff: float, fs: float) -> NDArray:
    return sosfiltfilt(butter(2, cutoff, fs=fs, output="sos"), x)


def dff(trace: NDArray, fs: float = 20.0, method: str = "bright") -> tuple[NDArray, NDArray, Any]:
    """(dF/F, F0, parameters) of one trace."""
    t = np.arange(len(trace)) / fs
    t, y = t[CUT:], trace[CUT:]
    fit = {"poly": poly, "exp": double, "tri-exp": triple, "bright": bright}[method]
    f0, parameters = fit(t, y, fs)
    if method == "bright":
        r = y / f0 - 1
    else:
        r = (y - f0) / low_pass(y, 0.0001, fs)
        r = r - np.median(np.sort(r)[: round(len(r) * 0.7)])
    hold = lambda x: np.concatenate([np.full(CUT, x[0]), x])  # noqa: E731
    return hold(r), hold(f0), parameters


def poly(t: NDArray, y: NDArray, fs: float) -> tuple[NDArray, NDArray]:
    c = np.polyfit(t, y, 4)
    return np.polyval(c, t), c


def double(t: NDArray, y: NDArray, fs: float) -> tuple[NDArray, NDArray]:
    curve = lambda t, a, b, c, d: a * np.exp(-b * t) + c * np.exp(-d * t)  # noqa: E731
    m = y[:20].mean()
    try:
        x, _ = curve_fit(curve, t, y, (0.9 * m, 1 / 3600, 0.1 * m, 1 / 200), maxfev=20000)
    except RuntimeError:
        x, _ = curve_fit(curve, t, y, maxfev=20000)
    return curve(t, *x), x


def triple(t: NDArray, y: NDArray, fs: float) -> tuple[NDArray, NDArray]:
    y, n = low_pass(y, 0.01, fs), int(fs)

    def curve(t, a, b, c, d, e, f, g):
        return a * np.exp(-b * t) + c * np.exp(-d * t) + e * np.exp(-f * t) + g

    end, first = y[-60 * n :].mean(), y[:n].mean()
    late, later = y[-600 * n : -590 * n].mean() - end, y[-300 * n : -290 * n].mean() - end
    fast = first - y[120 * n : 121 * n].mean()
    left = 1 - (first - y[60 * n : 61 * n].mean()) / fast
    fast_rate = -np.log(left) / 60 if left > 0 else 0.05
    slow_rate = np.log(late / later) / 300 if late / later > 1 else 1 / 3600
    slow = late / np.exp(-600 * slow_rate)
    start = [fast, fast_rate, first - end - slow, (fast_rate + slow_rate) / 2, slow, slow_rate, end]
    start = np.maximum(np.nan_to_num(start), 0)
    scale = [1, 1e-4, 1, 1e-4, 1, 1e-4, 1]
    more = {"p0": start, "maxfev": 10000, "bounds": (0, np.inf), "x_scale": scale}
    try:
        x, _ = curve_fit(curve, t, y, xtol=1e-5, **more)
    except RuntimeError:
        x, _ = curve_fit(curve, t, y, xtol=1e-4, **more)
    return curve(t, *x), x


def bright_curve(t: NDArray, x: NDArray) -> NDArray:
    b_inf, slow, fast, rapid, up, t_slow, t_fast, t_rapid, t_up = x
    down = (
        1 + slow * np.exp(-t / t_slow) + fast * np.exp(-t / t_fast) + rapid * np.exp(-t / t_rapid)
    )
    return b_inf * down * (1 - up * np.exp(-t / t_up))


def bright(t: NDArray, y: NDArray, fs: float) -> tuple[NDArray, NDArray]:
    bounds = list(BOUNDS)
    bounds[0] = (y[-1000:].mean() / 10, None)

    def search(start, every=1, most=20000, weights=1.0):
        n = len(y) // every
        short, when = y[: n * every].reshape(n, every).mean(1), t[every // 2 :: every][:n]
        used = ~np.isnan(start)
        x = np.array([0.0] * 5 + [np.inf] * 4)

        def cost(part):
            x[used] = part
            return np.sum(weights * (short - bright_curve(when, x)) ** 2)

        inside = [b for b, u in zip(bounds, used, strict=True) if u]
        found = minimize(
            cost, start[used], bounds=inside, method="Nelder-Mead", options={"maxiter": most}
        )
        x[used] = found.x
        return x, found.fun

    nan = np.nan
    start = np.array([y[-1000:].mean(), 0.35, 0.2, nan, nan, 3600.0, 240.0, nan, nan])
    best, rss = search(start, 10)
    best = in_order(best)
    for extra, at, ratio in (((0.1, 2000.0), (4, 8), 0.98), ((0.1, 50.0), (3, 7), 0.997)):
        start[~np.isnan(start)] = best[~np.isnan(start)]
        start[list(at)] = extra
        tried, its = search(start, 10, 3000)
        if its / rss < ratio:
            best, rss = in_order(tried), its
        else:
            start[list(at)] = nan
    start[~np.isnan(start)] = best[~np.isnan(start)]
    x, _ = search(start)
    return _robust(t, y, x, start, search)


def in_order(x: NDArray) -> NDArray:
    x = x.copy()
    times = np.where(np.isfinite(x[5:8]), x[5:8], -1.0)
    order = np.argsort(-times, kind="stable")
    x[1:4], x[5:8] = x[1:4][order], x[5:8][order]
    return x


def _robust(t, y, x, start, search, c=3.0, rounds=5, tolerance=1e-3):
    from statsmodels.robust import scale
    from statsmodels.robust.norms import TukeyBiweight

    norm = TukeyBiweight(c)
    residual = y - bright_curve(t, x)
    size = scale.mad(residual[residual < 0], center=0)
    deviance = norm(residual / size).sum()
    for _ in range(rounds):
        skewness = np.mean([skew(residual[a : a + 1200]) for a in range(0, len(y), 1200)])
        residual[residual > 0] *= np.exp(skewness)
        weights = norm.weights(residual / size)
        x[np.isnan(start)] = np.nan
        x, _ = search(x, weights=weights)
        residual = y - bright_curve(t, x)
        size = scale.mad(residual[residual < 0], center=0)
        before, deviance = deviance, norm(residual / size).sum()
        if abs(deviance / before - 1) < tolerance:
            break
    return bright_curve(t, x), x


def asymmetric_tukey(above: float = 2.0, below: float = 4.685):
    """A norm of statsmodels with another tuning constant above 0 than below."""
    from statsmodels.robust.norms import RobustNorm

    class Norm(RobustNorm):
        def _c(self, z):
            return np.where(np.asarray(z) > 0, above, below)

        def _inside(self, z):
            return np.maximum(1 - (np.asarray(z) / self._c(z)) ** 2, 0)

        def rho(self, z):
            return self._c(z) ** 2 / 6 * (1 - self._inside(z) ** 3)

        def psi(self, z):
            return np.asarray(z) * self._inside(z) ** 2

        def weights(self, z):
            return self._inside(z) ** 2

        def psi_deriv(self, z):
            u, inside = (np.asarray(z) / self._c(z)) ** 2, self._inside(z)
            return inside**2 - 4 * u * inside

    return Norm()


def motion_correct(
    dff: NDArray, control: NDArray, fs: float = 20.0
) -> tuple[NDArray, NDArray, float, float]:
    """(corrected dF/F, motion, slope, intercept) of one channel by its control."""
    from statsmodels.api import RLM, add_constant

    slow, slow_control = low_pass(dff, 0.05, fs), low_pass(control, 0.05, fs)
    fit = RLM(slow, add_constant(slow_control), M=asymmetric_tukey()).fit()
    slope = max(float(fit.params[1]), 0.0)
    motion = slope * control
    motion = motion - motion.mean()
    corrected = dff - motion
    if fs / 2 > 3:
        corrected = low_pass(corrected, 3, fs)
    return corrected, motion, slope, float(fit.params[0])
