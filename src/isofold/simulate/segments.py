"""Independent sources whose spread changes from segment to segment: data for nonlinear ICA."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from ..recording import Recording
from ._observe import check_count, check_positive, trial_table

Floats = NDArray[np.float64]

NONLINEARITIES: dict[str, Callable[[Floats], Floats]] = {
    "leaky-relu": lambda x: np.where(x > 0, x, 0.1 * x),
    "xtanh": lambda x: np.tanh(x) + 0.1 * x,
}
"""Between two layers of the mixing; strictly increasing, so that the mixing is invertible."""

SOURCES = ("gaussian", "laplace")
N_CANDIDATES = 1_000
"""Matrices drawn to learn how well conditioned they are; kept is one of the best quarter."""


def segments(
    seed: int = 0,
    *,
    n_samples: int = 40_000,
    n_segments: int = 40,
    n_latents: int = 5,
    n_layers: int = 3,
    nonlinearity: str = "leaky-relu",
    means: bool = False,
    sources: str = "gaussian",
    autocorrelation: float = 0.0,
    noise: float = 0.1,
    rate: float = 40.0,
    n_trials: int | None = None,
) -> Recording:
    """Independent sources, scaled anew in each of M equal stretches of time, and mixed.

    s_t = μ_u + σ_u e_t,  σ_u ~ U(0.5, 3),  μ_u = 0 or U(−5, 5) for segment u, each source its own;
    e_t of variance 1, e_t = ρ e_{t−1} + √(1 − ρ²) innovation;
    x_t = W_L φ(… φ(W_1 s_t) …) + noise · N(0, 1), W square.

    Parameters
    ----------
    seed
        Sources, scales, mixing and noise draw from generators of their own.
    n_samples, n_segments
        Of the whole recording. One segment: stationary sources.
    n_latents
        Number of sources, and of channels.
    n_layers
        Number of matrices; 1 is a linear mixing.
    nonlinearity
        "leaky-relu" (slope .1 below 0) or "xtanh" (tanh x + x / 10).
    means
        Also move the mean of the sources from segment to segment.
    sources, autocorrelation
        Innovations are "gaussian" or "laplace", and ρ: what permutation-contrastive learning needs.
    noise
        Standard deviation.
    rate
        Hz.
    n_trials
        Cut the recording into as many trials of equal length; sources run on.

    Returns
    -------
    Recording
        With the discrete label `segment` and s as `.truth` (time, latent).

    Raises
    ------
    DataError
        An option does not exist or lies outside its range.

    Notes
    -----
    Matrices have columns of length 1 and a condition number among the lowest quarter. Where means
    stay 0, the sign of a source cannot be found from segments: compare with `truth ** 2`. The paper
    uses one matrix for all layers; here each layer has its own. Khemakhem et al., *AISTATS* 2020
    (arXiv 1907.04809), after Hyvärinen & Morioka, *NeurIPS* 2016.

    Examples
    --------
    >>> recording = segments(seed=0, n_samples=400, n_segments=8, n_latents=3)
    >>> recording.signal.shape, recording.truth.shape, recording.kinds
    ((400, 3), (400, 3), {'segment': 'discrete'})
    """
    counts = {"n_segments": n_segments, "n_latents": n_latents, "n_layers": n_layers}
    for name, value in counts.items():
        check_count(name, value)
    check_count("n_samples", n_samples, at_least=max(2, n_segments))
    check_positive(rate=rate)
    _check(nonlinearity, sources, autocorrelation, noise)
    trials, _ = trial_table(n_samples, n_trials)
    of_scale, of_source, of_mixing, of_noise = np.random.default_rng(seed).spawn(4)
    segment = np.arange(n_samples) * n_segments // n_samples
    deviation = of_scale.uniform(0.5, 3, (n_segments, n_latents))
    mean = of_scale.uniform(-5, 5, (n_segments, n_latents)) * means
    unit = _unit_sources(of_source, (n_samples, n_latents), sources, autocorrelation)
    s = mean[segment] + deviation[segment] * unit
    x = s
    for layer in range(n_layers):
        x = (x if layer == 0 else NONLINEARITIES[nonlinearity](x)) @ _matrix(of_mixing, n_latents)
    signal = x + noise * of_noise.standard_normal(x.shape)
    return Recording(
        signal, rate, labels={"segment": segment}, kinds={"segment": "discrete"}, trials=trials,
        truth=s, name="segments",
    )  # fmt: skip


def _check(nonlinearity: str, sources: str, autocorrelation: float, noise: float) -> None:
    if nonlinearity not in NONLINEARITIES:
        raise DataError(
            f"nonlinearity must be one of {tuple(NONLINEARITIES)}, got {nonlinearity!r}"
        )
    if sources not in SOURCES:
        raise DataError(f"sources must be one of {SOURCES}, got {sources!r}")
    if not 0 <= autocorrelation < 1:
        raise DataError(f"autocorrelation must lie in [0, 1), got {autocorrelation!r}")
    if not (np.isfinite(noise) and noise >= 0):
        raise DataError(f"noise is a standard deviation and must be 0 or more, got {noise!r}")


def _unit_sources(
    rng: np.random.Generator, shape: tuple[int, int], sources: str, rho: float
) -> Floats:
    """(time, latent) of variance 1; the first sample has the variance of the others."""
    from scipy.signal import lfilter

    if sources == "gaussian":
        innovation = rng.standard_normal(shape)
    else:
        innovation = rng.laplace(scale=np.sqrt(0.5), size=shape)
    innovation[1:] *= np.sqrt(1 - rho**2)
    return lfilter([1.0], [1.0, -rho], innovation, axis=0)


def _matrix(rng: np.random.Generator, n: int) -> Floats:
    """Uniform entries, columns of length 1, conditioned as well as the best quarter of such."""
    drawn = rng.uniform(-1, 1, (N_CANDIDATES, n, n))
    drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
    condition = np.linalg.cond(drawn)
    good = np.flatnonzero(condition <= np.quantile(condition, 0.25))
    return drawn[good[0]]
