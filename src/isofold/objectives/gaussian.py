"""Diagonal Gaussians, held as mean and log-variance: posterior, label prior and their product.

Log-variances stay logarithms throughout, so that a product of two very different precisions and
its gradient are finite in float32. Latents have no unit; densities and divergences are in nats.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Array, Float

LOG_TWO_PI = float(np.log(2 * np.pi))


class Gaussian(NamedTuple):
    """N(mean, exp(log_variance)), independent latents; both arrays (..., latent).

    >>> q = Gaussian(jnp.zeros((3, 2)), jnp.zeros((3, 2)))
    >>> q.mean.shape
    (3, 2)
    """

    mean: jax.Array
    log_variance: jax.Array


def kl(q: Gaussian, p: Gaussian) -> Float[Array, "... latent"]:
    """KL(q‖p) of every latent, in nats; the divergence is the sum over the last axis.

        KL = ½ [ v_q/v_p − 1 − log(v_q/v_p) + (m_q − m_p)²/v_p ]

    Kept apart by latent because a latent whose KL from the label prior is 0 has collapsed.

    >>> kl(Gaussian(jnp.ones(2), jnp.zeros(2)), Gaussian(jnp.zeros(2), jnp.zeros(2)))
    Array([0.5, 0.5], dtype=float32)
    """
    log_ratio = q.log_variance - p.log_variance
    shift = (q.mean - p.mean) ** 2 * jnp.exp(-p.log_variance)
    return 0.5 * (jnp.expm1(log_ratio) - log_ratio + shift)


def product(a: Gaussian, b: Gaussian) -> Gaussian:
    """The Gaussian proportional to a · b: precisions add.

        g = v_b / (v_a + v_b),   mean = g·m_a + (1 − g)·m_b,   1/v = 1/v_a + 1/v_b

    With a the encoder's q(z|x) and b the label prior p(z|u) this is the posterior q(z|x,u) of
    pi-VAE (Zhou & Wei 2020, arXiv 2011.04798), and g is the gain of the data over the prior.

    >>> both = product(Gaussian(jnp.ones(1), jnp.zeros(1)), Gaussian(jnp.zeros(1), jnp.zeros(1)))
    >>> both.mean, jnp.exp(both.log_variance)
    (Array([0.5], dtype=float32), Array([0.5], dtype=float32))
    """
    gain = jax.nn.sigmoid(b.log_variance - a.log_variance)
    return Gaussian(
        gain * a.mean + (1 - gain) * b.mean,
        -jnp.logaddexp(-a.log_variance, -b.log_variance),
    )


def log_density(q: Gaussian, z: ArrayLike) -> Float[Array, "*batch"]:
    """log q(z), summed over latents: z (..., latent), broadcast against q → (...).

    >>> round(float(log_density(Gaussian(jnp.zeros(2), jnp.zeros(2)), jnp.zeros(2))), 4)
    -1.8379
    """
    square = (z - q.mean) ** 2 * jnp.exp(-q.log_variance)
    return -0.5 * jnp.sum(square + q.log_variance + LOG_TWO_PI, axis=-1)


def sample(q: Gaussian, noise: ArrayLike) -> Float[Array, "... latent"]:
    """mean + √v · noise, differentiable in q; `noise` is standard normal and may have more axes.

    >>> sample(Gaussian(jnp.ones(1), jnp.log(4.0) * jnp.ones(1)), jnp.ones((3, 1))).ravel()
    Array([3., 3., 3.], dtype=float32)
    """
    return q.mean + jnp.exp(0.5 * q.log_variance) * noise


def soft_clamp(log_variance: ArrayLike, bound: float = 10.0) -> Float[Array, "*batch"]:
    """bound · tanh(x / bound): inside (−bound, bound), of slope 1 at 0, monotone.

    A network's log-variance goes through this before anything takes its exponential.

    >>> soft_clamp(jnp.array([0.0, 1e6]))
    Array([ 0., 10.], dtype=float32)
    """
    return bound * jnp.tanh(jnp.asarray(log_variance) / bound)


def sigma_points(n_latents: int) -> Float[Array, "point latent"]:
    """±√n along each axis: noise whose mean is 0 and covariance 1, for `sample`.

    The mean of a function over the 2n points is its expectation, exact to third order (Julier &
    Uhlmann 1997), without the chance of draws.

    >>> points = sigma_points(2)
    >>> points.shape, (points.T @ points / 4).round(5).tolist()
    ((4, 2), [[1.0, 0.0], [0.0, 1.0]])
    """
    axes = jnp.sqrt(n_latents) * jnp.eye(n_latents)
    return jnp.concatenate([axes, -axes])
