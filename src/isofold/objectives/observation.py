"""Observation models: log-likelihood of every channel given what the decoder says.

Normalising constants are kept, so that evidences compare between observation models and make bits
per spike. All arguments broadcast; nothing is summed. Counts are per bin, and so are rates.

In float32 a log-likelihood carries a rounding error of about 1e-7 · x log x: use float64 to score
counts in the hundred thousands.
"""

from __future__ import annotations

import jax.numpy as jnp
from jax.scipy.special import gammaln
from jax.typing import ArrayLike
from jaxtyping import Array, Float

from .gaussian import LOG_TWO_PI

RATE_FLOOR, RATE_CEILING = 1e-7, 1e7
"""Spikes per bin between which rates are held."""

LOG_SIZE_BOUND = 20.0
"""|log k| up to which the size of a negative binomial is taken: at e²⁰ it is a Poisson."""

_SHIFT = 8


def rate(drive: ArrayLike) -> Float[Array, "*shape"]:
    """softplus(drive) = log(1 + e^drive), held between `RATE_FLOOR` and `RATE_CEILING`.

    At the floor (a drive below −16.1) the gradient is 0: start the decoder's bias at the drive of
    the mean rate, log(expm1(rate)).

    >>> rate(jnp.array([-1e4, 0.0, 1e4])).round(4)
    Array([0.0000e+00, 6.9310e-01, 1.0000e+04], dtype=float32)
    """
    # Written out, the gradient needs no further exponential; that of logaddexp takes two.
    drive = jnp.asarray(drive)
    softplus = jnp.maximum(drive, 0) + jnp.log1p(jnp.exp(-jnp.abs(drive)))
    return jnp.clip(softplus, RATE_FLOOR, RATE_CEILING)


def poisson(
    x: ArrayLike, drive: ArrayLike, log_factorial: ArrayLike | None = None
) -> Float[Array, "*shape"]:
    """log Poisson(x; r) = x log r − r − log x!, with r = `rate(drive)`.

    Parameters
    ----------
    x
        Counts per bin, (..., channel).
    drive
        Decoder output before the softplus, (..., channel).
    log_factorial
        log x! = gammaln(x + 1), if it is at hand already: it depends on the data alone.

    Examples
    --------
    >>> drive = jnp.log(jnp.expm1(2.0))  # a rate of 2
    >>> round(float(jnp.exp(poisson(0, drive))), 4)  # e⁻²
    0.1353
    """
    r = rate(drive)
    return x * jnp.log(r) - r - _log_factorial(x, log_factorial)


def gaussian(x: ArrayLike, mean: ArrayLike, log_variance: ArrayLike) -> Float[Array, "*shape"]:
    """log N(x; mean, exp(log_variance)) = −½ [ (x − mean)²/v + log v + log 2π ].

    >>> round(float(gaussian(jnp.zeros(()), 0.0, 0.0)), 4)
    -0.9189
    """
    log_variance = jnp.asarray(log_variance)
    square = (jnp.asarray(x) - mean) ** 2 * jnp.exp(-log_variance)
    return -0.5 * (square + log_variance + LOG_TWO_PI)


def negative_binomial(
    x: ArrayLike, drive: ArrayLike, log_size: ArrayLike, log_factorial: ArrayLike | None = None
) -> Float[Array, "*shape"]:
    """log-likelihood of counts whose variance is μ + μ²/k, with μ = `rate(drive)`, k = e^log_size.

        log p = log Γ(x+k)/Γ(k) − log x! + k log k/(k+μ) + x log μ/(k+μ)

    k → ∞ is the Poisson. There gammaln(x+k) − gammaln(k) is the difference of two huge numbers, so
    the ratio of gamma functions is taken as one: Γ(k) = Γ(y) / (k(k+1)…(y−1)) at y = k + 8, where
    Stirling's series is exact to float64.

    Parameters
    ----------
    x
        Counts per bin, (..., channel).
    drive
        Decoder output before the softplus, (..., channel).
    log_size
        log k, broadcast; held within ±`LOG_SIZE_BOUND`.
    log_factorial
        log x!, if it is at hand already.

    Examples
    --------
    >>> drive = jnp.log(jnp.expm1(1.0))  # μ = 1, k = 1: geometric, p(0) = ½
    >>> round(float(jnp.exp(negative_binomial(0, drive, 0.0))), 4)
    0.5
    """
    mean = rate(drive)
    k = jnp.exp(jnp.clip(jnp.asarray(log_size), -LOG_SIZE_BOUND, LOG_SIZE_BOUND))
    y = k + _SHIFT
    # Two products: one of eight factors may overflow float32.
    rising = _log_product(x, k, range(_SHIFT // 2)) + _log_product(x, k, range(_SHIFT // 2, _SHIFT))
    stirling = (y + x - 0.5) * jnp.log1p(x / y) - x + _tail(y + x) - _tail(y)
    return (
        stirling
        - rising
        + x * (jnp.log(mean) + jnp.log(y / (k + mean)))
        - k * jnp.log1p(mean / k)
        - _log_factorial(x, log_factorial)
    )


def _log_factorial(x: ArrayLike, known: ArrayLike | None) -> Array:
    return jnp.asarray(gammaln(jnp.asarray(x) + 1.0) if known is None else known)


def _log_product(x: ArrayLike, k: Array, steps: range) -> Array:
    """log Π_j (1 + x/(k + j))."""
    factors = jnp.ones(())
    for j in steps:
        factors = factors * (1 + x / (k + j))
    return jnp.log(factors)


def _tail(y: Array) -> Array:
    """Stirling's series of log Γ(y) beyond (y − ½) log y − y + ½ log 2π."""
    s = 1 / (y * y)
    return (1 / 12 - s * (1 / 360 - s * (1 / 1260 - s * (1 / 1680 - s / 1188)))) / y
