"""p(z | u): how the latent is distributed given the label, as a diagonal Gaussian.

Coded labels in, (row, mean ‖ log-variance) out.
"""

from __future__ import annotations

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .perceptron import Perceptron, perceptron


class Standard(eqx.Module):
    """N(0, 1), whatever the label: the prior of an ordinary VAE."""

    n_latents: int = eqx.field(static=True)

    def __call__(self, u: Float[Array, "row label"]) -> Float[Array, "row both"]:
        return jnp.zeros((u.shape[0], 2 * self.n_latents))


class Smooth(eqx.Module):
    """Mean and log-variance from one network of u: for labels with a continuous part."""

    net: Perceptron
    zero_mean: bool = eqx.field(static=True, default=False)

    def __call__(self, u: Float[Array, "row label"]) -> Float[Array, "row both"]:
        return _without_mean(self.net(u)) if self.zero_mean else self.net(u)


class Table(eqx.Module):
    """A mean and log-variance for every class; u is one-hot."""

    values: Float[Array, "class both"]
    zero_mean: bool = eqx.field(static=True, default=False)

    def __call__(self, u: Float[Array, "row class"]) -> Float[Array, "row both"]:
        values = u @ self.values
        return _without_mean(values) if self.zero_mean else values


def _without_mean(both: Array) -> Array:
    return both.at[:, : both.shape[1] // 2].set(0)


Prior = Standard | Smooth | Table


def prior(
    n_labels: int,
    discrete: bool,
    n_latents: int,
    hidden: tuple[int, ...],
    activation: str,
    zero_mean: bool,
    rng: np.random.Generator,
) -> Prior:
    """Draw one for coded labels of `n_labels` columns; all one-hot if `discrete`."""
    if n_labels == 0:
        return Standard(n_latents)
    if discrete:
        draw = rng.uniform(-0.05, 0.05, (n_labels, 2 * n_latents)).astype(np.float32)
        return Table(draw, zero_mean)
    return Smooth(perceptron((n_labels, *hidden, 2 * n_latents), activation, rng), zero_mean)
