"""The covariate-informed evidence bound: mixtures of the posteriors with and without labels.

    E_j = E_{q_j} log p(x|z) − KL(q_j‖p(z|u)),   q_1 = q(z|x),   q_0 = q(z|x,u)
    q_a = a q_1 + (1−a) q_0
    ELBO(a) = a E_1 + (1−a) E_0 + J(a),   J(a) = a KL(q_1‖q_a) + (1−a) KL(q_0‖q_a) ≥ 0

(CI-iVAE, arXiv 2202.04206, Proposition 5.) Every ELBO(a) bounds log p(x|u) from below, it is
concave in a, and 0 ≤ J ≤ log 2, so that

    max(E_0, E_1) ≤ ELBO(a*) ≤ min( log p(x|u), log(e^E_0 + e^E_1) ).

Training E_0 alone lets q_0 collapse to the label prior; the best mixture of every sample does not.
Everything is per sample and in nats.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike
from jaxtyping import Array, Float

from .gaussian import Gaussian, kl, log_density, sample

RELEASED_GRID = tuple(round(0.025 * i, 3) for i in range(1, 40))

_LOG_ODDS = 30.0
"""What is further from 1/2 is 0 or 1 to within 1e-13."""

_LARGEST_LOG_RATIO = 80.0
"""A draw of q has q'/q > e⁸⁰ with a chance below e⁻⁸⁰; float32 ends at e⁸⁸."""


def mixture_kls(
    a: Float[Array, " batch"],
    q1: Gaussian,
    q0: Gaussian,
    noise: Float[Array, "draw _ latent"],
    weights: Float[Array, " draw"] | None = None,
) -> tuple[Float[Array, " batch"], Float[Array, " batch"]]:
    """(KL(q1‖q_a), KL(q0‖q_a)) with q_a = a·q1 + (1−a)·q0, by Monte Carlo.

        KL(q1‖q_a) = −E_{q1} log( a + (1−a) q0/q1 ),   KL(q0‖q_a) = −E_{q0} log( (1−a) + a q1/q0 )

    in logarithms throughout. At a = 1 the first and at a = 0 the second is exactly 0.
    Differentiable in q1 and q0; a is a constant: the gradient of ELBO(a*) needs no more.

    Parameters
    ----------
    a
        Weight of q1, (batch,), in [0, 1].
    q1, q0
        Gaussians of (batch, latent).
    noise
        Standard normal draws that make the samples of both, (draw, batch, latent); a batch axis
        of 1 shares them between samples.
    weights
        (draw,), sum 1: nodes of a quadrature in place of draws. None: all the same.

    Examples
    --------
    >>> q1, q0 = (Gaussian(m * jnp.ones((1, 1)), jnp.zeros((1, 1))) for m in (0.0, 50.0))
    >>> mixture_kls(jnp.array([0.5]), q1, q0, jnp.zeros((1, 1, 1)))  # far apart: log 2
    (Array([0.6931472], dtype=float32), Array([0.6931472], dtype=float32))
    """
    a = jax.lax.stop_gradient(a)
    log_a, log_rest = jnp.log(a), jnp.log1p(-a)
    of_q1 = jnp.logaddexp(log_a, log_rest + _log_ratio(q1, q0, noise))
    of_q0 = jnp.logaddexp(log_rest, log_a + _log_ratio(q0, q1, noise))
    return -_average(of_q1, weights), -_average(of_q0, weights)


def optimal_weight(
    difference: Float[Array, " batch"],
    q1: Gaussian,
    q0: Gaussian,
    noise: Float[Array, "draw _ latent"],
    weights: Float[Array, " draw"] | None = None,
    n_bisections: int = 20,
) -> Float[Array, " batch"]:
    """a* = argmax over [0, 1] of ELBO(a), without gradient.

        dELBO/da = E1 − E0 + KL(q1‖q_a) − KL(q0‖q_a), which falls with a, so that
        a* = 0  iff  E1 − E0 ≤ −KL(q1‖q0),
        a* = 1  iff  E1 − E0 ≥ KL(q0‖q1),   both in closed form;

    otherwise by bisection of the log odds of a over ±30, to within 30 · 2^−n_bisections: ELBO(a)
    can be steep at an end, where halving a itself would stop too early. Where q1 = q0 and E1 = E0
    every a is best and the answer is 0.

    Parameters
    ----------
    difference
        E1 − E0, (batch,), in nats.
    q1, q0, noise, weights
        As in `mixture_kls`.

    Examples
    --------
    >>> q1, q0 = (Gaussian(m * jnp.ones((3, 1)), jnp.zeros((3, 1))) for m in (0.0, 1.0))
    >>> noise = jax.random.normal(jax.random.key(0), (500, 1, 1))
    >>> a = optimal_weight(jnp.array([-0.5, 0.0, 0.5]), q1, q0, noise)  # both KLs are 0.5
    >>> a[0].item(), round(a[1].item(), 1), a[2].item()
    (0.0, 0.5, 1.0)
    """
    difference, q1, q0 = jax.lax.stop_gradient((difference, q1, q0))
    # Exponentials once, a logarithm a step: inside (0, 1) the mixture needs no logaddexp.
    ratio_of_q1 = jnp.exp(jnp.minimum(_log_ratio(q1, q0, noise), _LARGEST_LOG_RATIO))
    ratio_of_q0 = jnp.exp(jnp.minimum(_log_ratio(q0, q1, noise), _LARGEST_LOG_RATIO))

    def bisect(i, log_odds):
        a, rest = jax.nn.sigmoid(log_odds), jax.nn.sigmoid(-log_odds)
        slope = difference + _average(
            jnp.log(rest + a * ratio_of_q0) - jnp.log(a + rest * ratio_of_q1), weights
        )
        return log_odds + jnp.where(slope > 0, 0.5, -0.5) * _LOG_ODDS * 0.5**i

    log_odds = jax.lax.fori_loop(0, n_bisections, bisect, jnp.zeros_like(difference))
    at_one = difference >= kl(q0, q1).sum(-1)
    at_zero = difference <= -kl(q1, q0).sum(-1)
    return jnp.where(at_zero, 0.0, jnp.where(at_one, 1.0, jax.nn.sigmoid(log_odds)))


def covariate_informed(
    e1: Float[Array, " batch"],
    e0: Float[Array, " batch"],
    q1: Gaussian,
    q0: Gaussian,
    noise: Float[Array, "draw _ latent"],
    beta: ArrayLike = 1.0,
    weights: Float[Array, " draw"] | None = None,
    difference: Float[Array, " batch"] | None = None,
) -> tuple[Float[Array, " batch"], Float[Array, " batch"]]:
    """(ELBO(a*), a*) of every sample, to be maximised: Proposition 5 with its published sign.

        ELBO(a) = a E1 + (1−a) E0 + β [ a KL(q1‖q_a) + (1−a) KL(q0‖q_a) ]

    The gradient is the one at fixed a* (Algorithm 1 of the paper). a* and J use the same draws, so
    with few of them the value is biased upwards, by no more than β log 2; score held-out data by
    importance weighting instead.

    Parameters
    ----------
    e1, e0
        E_q log p(x|z) − β KL(q‖p(z|u)) with q1 = q(z|x) and q0 = q(z|x,u), (batch,), in nats.
    q1, q0, noise, weights
        As in `mixture_kls`.
    beta
        Weight of the KL in e1 and e0, 0 allowed: J comes from the same KL and carries it too.
    difference
        E1 − E0 to choose a* by, (batch,), where a better estimate is at hand than the draws of e1
        and e0: chosen by these, a* favours the luckier draw.

    Examples
    --------
    >>> q1, q0 = (Gaussian(m * jnp.ones((1, 1)), jnp.zeros((1, 1))) for m in (0.0, 50.0))
    >>> e = jnp.array([-3.0])
    >>> bound, a = covariate_informed(e, e, q1, q0, jnp.zeros((1, 1, 1)))
    >>> round(float(bound[0] - e[0]), 4), round(float(a[0]), 4)  # log 2, the most to be gained
    (0.6931, 0.5)
    """
    difference = e1 - e0 if difference is None else difference
    per_kl = difference / jnp.maximum(beta, jnp.finfo(e1.dtype).tiny)
    a = optimal_weight(per_kl, q1, q0, noise, weights)
    return a * e1 + (1 - a) * e0 + beta * _gap(a, q1, q0, noise, weights), a


def released(
    e1: Float[Array, " batch"],
    e0: Float[Array, " batch"],
    q1: Gaussian,
    q0: Gaussian,
    noise: Float[Array, "draw _ latent"],
    beta: ArrayLike = 1.0,
) -> tuple[Float[Array, " batch"], Float[Array, " batch"]]:
    """(value, a) of what the published CI-iVAE code maximises. For comparison only.

        a E1 + (1−a) E0 − β J(a), the best a of .025, .05, …, .975 of every sample

    The sign of J is the opposite of the paper's Proposition 5. The function is then convex in a:
    its best point is an end of the grid, so this switches hard between E1 and E0 and in addition
    pulls the two posteriors together. It is a bound still, and a worse one. The published library
    also weighs J by the number of latents over β; here it carries β, as in `covariate_informed`,
    so that the sign and the grid are the only differences.

    >>> q1, q0 = (Gaussian(m * jnp.ones((1, 1)), jnp.zeros((1, 1))) for m in (0.0, 1.0))
    >>> noise = jax.random.normal(jax.random.key(0), (500, 1, 1))
    >>> e1, e0 = jnp.array([-3.0]), jnp.array([-3.1])
    >>> value, a = released(e1, e0, q1, q0, noise)
    >>> round(float(a[0]), 3), bool(value[0] < e1[0])
    (0.975, True)
    """
    grid = jnp.asarray(RELEASED_GRID, e1.dtype)

    def value(a):
        return a * e1 + (1 - a) * e0 - beta * _gap(a, q1, q0, noise)

    values = jax.lax.stop_gradient(jax.vmap(lambda a: value(jnp.full_like(e1, a)))(grid))
    a = grid[jnp.argmax(values, axis=0)]
    return value(a), a


def approximate_weight(
    difference: Float[Array, " batch"], epsilon: float
) -> Float[Array, " batch"]:
    """a* without draws, when the data speak clearly (Theorem 3: signal to noise of 1/ε or more).

        a* ≈ (1−c)/2 + c σ(c (E1 − E0)),   c = √(1 + 4ε),   held in [0, 1]

    ε → 0 has q1 and q0 apart, J the entropy of a, and a* = σ(E1 − E0).

    >>> approximate_weight(jnp.array([-9.0, 0.0, 9.0]), 0.01)
    Array([0. , 0.5, 1. ], dtype=float32)
    """
    c = (1 + 4 * epsilon) ** 0.5
    return jnp.clip((1 - c) / 2 + c * jax.nn.sigmoid(c * difference), 0.0, 1.0)


def _gap(a, q1, q0, noise, weights=None) -> Array:
    """J(a) = a KL(q1‖q_a) + (1−a) KL(q0‖q_a): what the mixture gains over its parts."""
    from_q1, from_q0 = mixture_kls(a, q1, q0, noise, weights)
    return a * from_q1 + (1 - a) * from_q0


def _log_ratio(own: Gaussian, other: Gaussian, noise: Array) -> Float[Array, "draw batch"]:
    """log other − log own at samples of `own`."""
    z = sample(own, noise)
    return log_density(other, z) - log_density(own, z)


def _average(values: Float[Array, "draw batch"], weights: Array | None) -> Float[Array, " batch"]:
    return jnp.mean(values, axis=0) if weights is None else weights @ values
