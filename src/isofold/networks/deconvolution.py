"""A decoder of windows that mirrors a convolutional encoder: transposed convolutions in time."""

from __future__ import annotations

from collections.abc import Sequence

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..errors import DataError
from .layers import gelu
from .perceptron import Perceptron, perceptron


class Widen(eqx.Module):
    """Transposed convolution: y_t = b + Σ_j x_{t−j} W_j, longer by its taps − 1."""

    weight: Float[Array, "tap _in _out"]
    bias: Float[Array, " _out"]

    def __call__(self, x: Float[Array, "row bin _in"]) -> Float[Array, "row longer _out"]:
        more = self.weight.shape[0] - 1
        x = jnp.pad(x, ((0, 0), (more, more), (0, 0)))
        n = x.shape[1] - more
        pieces = [x[:, more - j : more - j + n] @ w for j, w in enumerate(self.weight)]
        return sum(pieces[1:], pieces[0]) + self.bias


class Deconvolution(eqx.Module):
    """(row, latent) → (row, bin · channel): a short sequence of units, widened to the window.

    Each middle layer has three taps and hands its input on beside its own output, as the residual
    blocks of the encoder do; the last has two.
    """

    start: Perceptron
    middle: tuple[Widen, ...]
    last: Widen

    def __call__(self, z: Float[Array, "row latent"]) -> Float[Array, "row out"]:
        units = self.last.weight.shape[1]
        x = gelu(self.start(z)).reshape(len(z), -1, units)
        for layer in self.middle:
            x = jnp.pad(x, ((0, 0), (1, 1), (0, 0))) + gelu(layer(x))
        return self.last(x).reshape(len(z), -1)


def deconvolution(
    n_latents: int,
    n_channels: int,
    bins: int,
    units: int,
    bias: Sequence[float],
    rng: np.random.Generator,
) -> Deconvolution:
    """Draw one for windows of `bins`, whose output is near `bias` (channel,)."""
    if bins < 2:
        raise DataError(
            f"decoder='conv' explains a window of two bins or more, got {bins}; give "
            "encoder='conv', target='window', or decoder='flow'"
        )
    depth = min(3, (bins - 2) // 2)
    first = bins - 1 - 2 * depth
    middle = tuple(_widen(3, units, units, rng) for _ in range(depth))
    last = _widen(2, units, n_channels, rng)
    last = eqx.tree_at(lambda w: w.bias, last, jnp.asarray(bias, jnp.float32))
    return Deconvolution(perceptron((n_latents, first * units), "gelu", rng), middle, last)


def _widen(taps: int, n_in: int, n_out: int, rng: np.random.Generator) -> Widen:
    bound = 1 / np.sqrt(taps * n_in)
    weight = rng.uniform(-bound, bound, (taps, n_in, n_out))
    return Widen(jnp.asarray(weight, jnp.float32), jnp.zeros(n_out))
