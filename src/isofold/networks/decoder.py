"""p(x | z): from a latent to every channel of every bin explained, and the spread around it."""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .deconvolution import Deconvolution, deconvolution
from .flow import Flow, flow
from .perceptron import Perceptron, perceptron

DECODERS = ("flow", "mlp", "conv")
Net = Flow | Perceptron | Deconvolution
OBSERVATIONS = ("poisson", "gaussian", "negative-binomial")


class Decoder(eqx.Module):
    """(row, latent) → drive of every channel of every bin of the target, (row, bin · channel).

    Counts have the rate softplus(drive) a bin; values the mean shift + scale · drive.
    """

    net: Net
    spread: Float[Array, " channel"] | None
    """Log-variance in units of `scale`² (Gaussian), log k (negative binomial), or none."""
    observation: str = eqx.field(static=True)
    bins: int = eqx.field(static=True)
    shift: Float[Array, " channel"]
    scale: Float[Array, " channel"]
    """Mean and deviation of the channels in training; constants."""

    def __call__(self, z: Float[Array, "row latent"]) -> Float[Array, "row out"]:
        return self.net(z)

    def mean(self, drive: Float[Array, "row out"]) -> Float[Array, "row out"]:
        """Expected value of a Gaussian channel."""
        return self._tiled(self.shift) + self._tiled(self.scale) * drive

    def log_variance(self) -> Float[Array, " out"]:
        """Log-variance of every Gaussian channel, within e^±12 of its variance in training."""
        assert self.spread is not None
        return jnp.tile(jnp.clip(self.spread, -12, 12), self.bins) + 2 * jnp.log(
            self._tiled(self.scale)
        )

    def log_size(self) -> Float[Array, " out"]:
        """Log of the size k of every negative binomial channel."""
        assert self.spread is not None
        return jnp.tile(self.spread, self.bins)

    @property
    def n_channels(self) -> int:
        return self.shift.shape[0]

    def _tiled(self, values: Array) -> Array:
        return jnp.tile(jax.lax.stop_gradient(values), self.bins)


def decoder(
    kind: str,
    observation: str,
    n_latents: int,
    *,
    bins: int,
    hidden: int | None,
    activation: str,
    mean: np.ndarray,
    deviation: np.ndarray,
    rng: np.random.Generator,
) -> Decoder:
    """Draw one that begins at the mean of every channel.

    `hidden` None: max(60, a quarter of the outputs), where published models have max(30, …); 32
    units of "conv".
    """
    n_out = len(mean) * bins
    counts = observation != "gaussian"
    bias = np.zeros(len(mean))
    if counts:  # the inverse of softplus, which overflows as log(expm1(mean)) from 710 spikes on
        start = np.maximum(mean, 1e-3)
        bias = start + np.log(-np.expm1(-start))
    tiled = np.tile(bias, bins).astype(np.float32)
    width = max(60, n_out // 4) if hidden is None else hidden
    net: Net
    if kind == "conv":
        net = deconvolution(
            n_latents, len(mean), bins, 32 if hidden is None else hidden, bias.tolist(), rng
        )
    elif kind == "flow":
        net = flow(n_latents, n_out, width, activation, rng, tiled)
    else:
        net = perceptron((n_latents, width, width, n_out), activation, rng)
        net = eqx.tree_at(lambda p: p.biases, net, (*net.biases[:-1], jnp.asarray(tiled)))
    # Counts begin with k = e³: hardly more spread than a Poisson.
    first = {"poisson": None, "gaussian": 0.0, "negative-binomial": 3.0}[observation]
    spread = None if first is None else jnp.full(len(mean), first, jnp.float32)
    shift = np.zeros(len(mean)) if counts else mean
    scale = np.ones(len(mean)) if counts else deviation
    return Decoder(
        net, spread, observation, bins, jnp.asarray(shift, jnp.float32),
        jnp.asarray(scale, jnp.float32),
    )  # fmt: skip
