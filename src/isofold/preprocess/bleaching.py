"""Bleaching: the slow curve F₀ that a photometry trace would follow if nothing happened."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from ._bright import RATIOS, fit_bright
from ._curves import exponentials
from ._exponentials import fit_double, fit_triple
from ._filters import clock_of, filled, low_pass
from ._whittaker import airpls

Floats = NDArray[np.float64]
Curve = Callable[[Floats], Floats]

MODELS = ("poly", "exp", "tri-exp", "bright", "highpass", "airpls", "none")
"""Baselines of one trace. `photometry` also knows "control": a line of the control channel."""

OPTIONS: dict[str, dict[str, Any]] = {
    "poly": {"degree": 4},
    "exp": {},
    "tri-exp": {},
    "bright": {"ratios": RATIOS},
    "highpass": {"cutoff": 0.001},
    "airpls": {"smoothness": 5e4, "order": 1, "rounds": 50},
    "none": {},
}
"""Settings of each model and their defaults."""

FEWEST = 20


@dataclass(frozen=True)
class Bleaching:
    """A fitted baseline: `at(t)` gives F₀ at times in seconds, on the clock of the fit.

    `parameters` are amplitudes in units of the trace, rates in 1/s and times in s since `start`;
    `rss` is the residual sum of squares over the samples of the fit; `notes` say how it was chosen.
    """

    model: str
    parameters: Mapping[str, float]
    notes: Mapping[str, Any]
    rss: float
    start: float
    curve: Curve

    def at(self, t: NDArray) -> Floats:
        """F₀ at times t."""
        return self.curve(np.asarray(t, np.float64) - self.start)


def fit_bleaching(
    t: NDArray, trace: NDArray, model: str = "bright", start: float | None = None, **options: Any
) -> Bleaching:
    """Fit one of the baselines of the field to a trace.

    ========== =============================================================================
    poly       polynomial of `degree` 4 in t
    exp        a e^(−bt) + c e^(−dt)
    tri-exp    a e^(−bt) + c e^(−dt) + e e^(−ft) + g, all ≥ 0, of the trace below .01 Hz
    bright     b_inf (1 + Σ b e^(−t/τ)) (1 − b_bright e^(−t/t_bright)), τ slow, fast and rapid
    highpass   the trace below `cutoff` .001 Hz (Butterworth of order 2, zero phase)
    airpls     min Σ w (F − z)² + `smoothness` Σ (Δz)², w adapted so that z lies below
    none       the median
    ========== =============================================================================

    Parameters
    ----------
    t, trace
        Times in seconds, increasing, and fluorescence (time,) in any unit. NaN is left out.
    model
        One of the names above.
    start
        Time 0 of the curve; the first sample unless given.
    options
        Of the model, with the defaults above. `ratios` of bright: the shares below which the
        residual sum of squares must fall for brightening (.98) and for a third exponential (.997)
        to be kept, or "AIC" or "BIC".

    Raises
    ------
    DataError
        No such model or option, lengths that differ, fewer than 20 valid samples.

    Notes
    -----
    Same models, starts, bounds and choices as the Allen Institute's pipeline (aind-fip-dff,
    2026-05), but its Nelder–Mead search is replaced by least squares with analytic derivatives on
    blocks that grow with time. Not for traces with jumps (a fibre replugged):
    cut those into two recordings.

    Examples
    --------
    >>> t = np.arange(0, 1800, 0.1)
    >>> bleaching = fit_bleaching(t, 2 * np.exp(-t / 300) + 5 * np.exp(-t / 5000), "exp")
    >>> round(1 / max(bleaching.parameters["b"], bleaching.parameters["d"]))
    300
    """
    settings = options_of(model, options)
    t, trace = np.asarray(t, np.float64), np.asarray(trace, np.float64)
    if t.shape != trace.shape or t.ndim != 1:
        raise DataError(
            f"times and trace must be (time,) of one length, got {t.shape}, {trace.shape}"
        )
    known = np.isfinite(trace)
    if known.sum() < FEWEST:
        raise DataError(
            f"a baseline needs at least {FEWEST} valid samples, found {int(known.sum())} of "
            f"{len(trace)}; leave the channel out"
        )
    zero = float(t[0]) if start is None else float(start)
    rate = 1 / clock_of(t)[0]
    parameters, notes, curve = _FITS[model](t - zero, trace, rate, settings)
    rss = float(np.sum((trace[known] - curve(t[known] - zero)) ** 2))
    return Bleaching(model, parameters, notes, rss, zero, curve)


def options_of(model: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """All settings of a model, or a `DataError` that names what there is."""
    if model not in MODELS:
        raise DataError(f"bleaching must be one of {MODELS}, got {model!r}")
    unknown = sorted(set(given) - set(OPTIONS[model]))
    if unknown:
        raise DataError(f"bleaching {model!r} takes {sorted(OPTIONS[model])}, got also {unknown}")
    return OPTIONS[model] | dict(given)


_Fitted = tuple[dict[str, float], dict[str, Any], Curve]


def _poly(t: Floats, y: Floats, rate: float, settings: Mapping[str, Any]) -> _Fitted:
    from numpy.polynomial import Legendre, legendre

    known, degree = np.isfinite(y), settings["degree"]
    domain = [float(t[0]), float(t[-1])]
    u = np.interp(t[known], domain, [-1.0, 1.0])
    basis = legendre.legvander(u, degree)  # nearly orthogonal: normal equations lose nothing
    normal = np.einsum("ij,ik->jk", basis, basis)
    weights = np.linalg.solve(normal, np.einsum("ij,i->j", basis, y[known]))
    series = Legendre(weights, domain=domain)
    coefficients = series.convert(kind=np.polynomial.Polynomial).coef
    return {f"c{k}": float(c) for k, c in enumerate(coefficients)}, {}, series


def _exp(t: Floats, y: Floats, rate: float, settings: Mapping[str, Any]) -> _Fitted:
    known = np.isfinite(y)
    x = fit_double(t[known], y[known])
    return dict(zip("abcd", x.tolist(), strict=True)), {}, lambda s: exponentials(x, s)


def _tri_exp(t: Floats, y: Floats, rate: float, settings: Mapping[str, Any]) -> _Fitted:
    x = fit_triple(t, filled(y)[0], rate)
    return dict(zip("abcdefg", x.tolist(), strict=True)), {}, lambda s: exponentials(x, s)


def _bright(t: Floats, y: Floats, rate: float, settings: Mapping[str, Any]) -> _Fitted:
    known = np.isfinite(y)
    curve, notes = fit_bright(t[known], y[known], rate, settings["ratios"])
    return {k: float(v) for k, v in curve._asdict().items()}, notes, curve.at


def _highpass(t: Floats, y: Floats, rate: float, settings: Mapping[str, Any]) -> _Fitted:
    slow = low_pass(filled(y)[0], rate, settings["cutoff"])
    return {}, {}, lambda s: np.interp(s, t, slow)


def _airpls(t: Floats, y: Floats, rate: float, settings: Mapping[str, Any]) -> _Fitted:
    z = airpls(filled(y)[0], **settings)
    return {}, {}, lambda s: np.interp(s, t, z)


def _none(t: Floats, y: Floats, rate: float, settings: Mapping[str, Any]) -> _Fitted:
    middle = float(np.nanmedian(y))
    return {"median": middle}, {}, lambda s: np.full(len(s), middle)


_FITS: dict[str, Callable[[Floats, Floats, float, Mapping[str, Any]], _Fitted]] = {
    "poly": _poly, "exp": _exp, "tri-exp": _tri_exp, "bright": _bright, "highpass": _highpass,
    "airpls": _airpls, "none": _none,
}  # fmt: skip
