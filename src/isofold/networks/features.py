"""h(x): features of the signal by which a regression tells classes, or true pairs, apart."""

from __future__ import annotations

from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..errors import DataError
from .architectures import get_architecture
from .build import build
from .encoder import Encoder, window_offset
from .perceptron import Perceptron, perceptron

FEATURES = ("linear", "abs", "maxout")
"""What the last layer does: nothing, |·|, or the larger of two linear units."""

UNITS = 8
"""Hidden units of each "general" pair function."""


class Features(eqx.Module):
    """A network behind a scaling of the channels.

    Rows in, (row, latent) out. Like an `Encoder` it sees a window of `receptive_field` rows.
    """

    network: Encoder | Perceptron
    shift: Float[Array, " channel"]
    scale: Float[Array, " channel"]
    """Each channel minus `shift`, times `scale`; both are constants."""
    feature: str = eqx.field(static=True, default="linear")
    stride: ClassVar[int] = 1

    def __call__(self, rows: Float[Array, "row channel"]) -> Float[Array, "shorter latent"]:
        """All windows of one long array."""
        shift, scale = jax.lax.stop_gradient((self.shift, self.scale))
        h = self.network((rows[:, : self.n_channels] - shift) * scale)
        if self.feature == "abs":
            return jnp.abs(h)
        return jnp.maximum(*jnp.split(h, 2, axis=1)) if self.feature == "maxout" else h

    def at(self, rows: Float[Array, "row channel"], index) -> Float[Array, "draw latent"]:
        """The windows around the given rows alone."""
        left, right = self.offset
        # Windows end to end, encoded as one array: the rows at the seams are computed and not read.
        windows = rows[index[:, None] + jnp.arange(-left, right)].reshape(-1, rows.shape[1])
        return self(windows)[:: left + right]

    @property
    def receptive_field(self) -> int:
        return self.network.receptive_field if isinstance(self.network, Encoder) else 1

    @property
    def offset(self) -> tuple[int, int]:
        """(left, right): the window of sample t is t − left … t + right − 1."""
        return window_offset(self.receptive_field)

    @property
    def n_channels(self) -> int:
        return self.shift.shape[0]


class Softmax(eqx.Module):
    """log p(class | h) = w_class · h + b_class + constant."""

    weight: Float[Array, "latent class"]
    bias: Float[Array, " class"]

    def __call__(self, h: Float[Array, "draw 1 latent"]) -> Float[Array, "draw class"]:
        return h[:, 0] @ self.weight + self.bias


class LaplacePairs(eqx.Module):
    """log p(pair) / p(no pair) = c + Σ p |a h + a' h' + b| + q (ā h + b̄)², each latent its own.

    With p = −1, q > 0 what autoregressive sources with Laplace innovations have.
    """

    line: Float[Array, "latent 3"]
    square: Float[Array, "latent 2"]
    weight: Float[Array, "latent 2"]
    bias: Float[Array, " 1"]

    def __call__(self, h: Float[Array, "draw 2 latent"]) -> Float[Array, "draw 2"]:
        now, before = h[:, 0], h[:, 1]
        near = jnp.abs(now * self.line[:, 0] + before * self.line[:, 1] + self.line[:, 2])
        spread = (now * self.square[:, 0] + self.square[:, 1]) ** 2
        ratio = near @ self.weight[:, 0] + spread @ self.weight[:, 1] + self.bias[0]
        return jnp.stack([jnp.zeros_like(ratio), ratio], axis=1)


class GeneralPairs(eqx.Module):
    """log p(pair) / p(no pair) = c + Σ B(h, h'), B a small network of each latent."""

    first: Float[Array, "latent 2 unit"]
    offset: Float[Array, "latent unit"]
    last: Float[Array, "latent unit"]
    bias: Float[Array, " 1"]

    def __call__(self, h: Float[Array, "draw 2 latent"]) -> Float[Array, "draw 2"]:
        hidden = jax.nn.softplus(jnp.einsum("dvk,kvu->dku", h, self.first) + self.offset)
        ratio = jnp.einsum("dku,ku->d", hidden, self.last) + self.bias[0]
        return jnp.stack([jnp.zeros_like(ratio), ratio], axis=1)


Head = Softmax | LaplacePairs | GeneralPairs


def features(
    encoder: str,
    n_channels: int,
    n_latents: int,
    *,
    feature: str,
    hidden: tuple[int, ...],
    activation: str,
    architecture: str,
    num_hidden_units: int,
    shift: np.ndarray,
    scale: np.ndarray,
    rng: np.random.Generator,
) -> Features:
    """Draw one: `encoder` "mlp", or "conv" (a named architecture)."""
    n_out = n_latents * (2 if feature == "maxout" else 1)
    network: Encoder | Perceptron
    if encoder == "conv":
        spec = get_architecture(architecture)
        if spec.normalize or spec.stride > 1:
            raise DataError(
                "features are outputs of any length, one a sample: give an architecture that ends "
                f"in '-mse' and does not subsample, got {architecture!r}"
            )
        network = build(spec, n_channels, n_channels, num_hidden_units, n_out, rng)
    else:
        network = perceptron((n_channels, *hidden, n_out), activation, rng)
    constants = jnp.asarray(shift, jnp.float32), jnp.asarray(scale, jnp.float32)
    return Features(network, *constants, feature)


def softmax(n_latents: int, n_classes: int) -> Softmax:
    """A regression that finds all classes equally likely."""
    return Softmax(jnp.zeros((n_latents, n_classes)), jnp.zeros(n_classes))


def pair_function(kind: str, n_latents: int, rng: np.random.Generator) -> Head:
    """Draw one: "laplace" or "general"."""
    if kind == "laplace":
        signs = jnp.asarray(rng.uniform(0.5, 1.5, (n_latents, 1)), jnp.float32)
        line = signs * jnp.asarray([1.0, -1.0, 0.0])
        square = jnp.tile(jnp.asarray([1.0, 0.0]), (n_latents, 1))
        weight = jnp.tile(jnp.asarray([-1.0, 0.1]), (n_latents, 1))
        return LaplacePairs(line, square, weight, jnp.zeros(1))
    first = jnp.asarray(rng.standard_normal((n_latents, 2, UNITS)), jnp.float32)
    offset = jnp.asarray(rng.standard_normal((n_latents, UNITS)), jnp.float32)
    last = jnp.asarray(rng.standard_normal((n_latents, UNITS)) / UNITS, jnp.float32)
    return GeneralPairs(first, offset, last, jnp.zeros(1))
