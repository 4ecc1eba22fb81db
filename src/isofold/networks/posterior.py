"""q(z | x): what the activity says of the latent, as a diagonal Gaussian."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
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


class Posterior(eqx.Module):
    """Two networks, mean and log-variance, behind a scaling and, if asked, a smoothing in time.

    Rows in, (row, mean ‖ log-variance) out. Like an `Encoder` it sees a window of
    `receptive_field` rows, which never reaches beyond a segment.
    """

    mean: Encoder | Perceptron
    log_variance: Encoder | Perceptron
    shift: Float[Array, " channel"]
    scale: Float[Array, " channel"]
    """Each channel minus `shift`, times `scale`; both are constants."""
    kernel: tuple[float, ...] = eqx.field(static=True, default=(1.0,))
    """Weights of the smoothing; its middle is the sample."""
    causal: bool = eqx.field(static=True, default=False)
    stride: ClassVar[int] = 1

    def __call__(self, rows: Float[Array, "row channel"]) -> Float[Array, "shorter both"]:
        """All windows of one long array."""
        x = self._scaled(rows)
        if len(self.kernel) > 1:
            n = len(x) - len(self.kernel) + 1
            x = jnp.zeros((n, x.shape[1])) + sum(
                w * x[k : k + n] for k, w in enumerate(self.kernel)
            )
        return self._heads(x)

    def at(self, rows: Float[Array, "row channel"], index) -> Float[Array, "draw both"]:
        """The windows around the given rows alone."""
        left, right = self.offset
        x = self._scaled(rows[index[:, None] + jnp.arange(-left, right)].reshape(-1, rows.shape[1]))
        x = x.reshape(len(index), left + right, -1)
        if len(self.kernel) > 1:
            return self._heads(jnp.einsum("dwc,w->dc", x, jnp.asarray(self.kernel)))
        # Windows end to end, encoded as one array: the rows at the seams are computed and not read.
        return self._heads(x.reshape(-1, x.shape[2]))[:: left + right]

    def _scaled(self, rows: Array) -> Array:
        shift, scale = jax.lax.stop_gradient((self.shift, self.scale))
        return (rows[:, : self.n_channels] - shift) * scale

    def _heads(self, x: Array) -> Array:
        return jnp.concatenate([self.mean(x), self.log_variance(x)], axis=1)

    @property
    def receptive_field(self) -> int:
        if len(self.kernel) > 1:
            return len(self.kernel)
        return self.mean.receptive_field if isinstance(self.mean, Encoder) else 1

    @property
    def offset(self) -> tuple[int, int]:
        """(left, right): the window of sample t is t − left … t + right − 1."""
        return window_offset(self.receptive_field, self.causal)

    @property
    def n_channels(self) -> int:
        return self.shift.shape[0]


def gaussian_kernel(width: float) -> tuple[float, ...]:
    """Weights of a Gaussian of standard deviation `width` samples, cut at ±4 widths, sum 1.

    >>> [round(w, 3) for w in gaussian_kernel(0.5)]
    [0.0, 0.106, 0.787, 0.106, 0.0]
    """
    reach = int(np.ceil(4 * width))
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / width) ** 2)
    return tuple((weights / weights.sum()).tolist())


def posterior(
    encoder: str,
    n_channels: int,
    n_latents: int,
    *,
    hidden: tuple[int, ...],
    activation: str,
    architecture: str,
    num_hidden_units: int,
    smoothing: float,
    shift: np.ndarray,
    scale: np.ndarray,
    rng: np.random.Generator,
) -> Posterior:
    """Draw one: `encoder` "mlp", "conv" (a named architecture), or "smooth" (in samples)."""
    fixed = (jnp.asarray(shift, jnp.float32), jnp.asarray(scale, jnp.float32))
    draw: Callable[[], Encoder | Perceptron]
    if encoder == "conv":
        # A latent has any length, whatever the distance that the architecture was made for.
        spec = replace(get_architecture(architecture), normalize=False)
        if spec.stride > 1:
            raise DataError(
                "the encoder of a VAE has an output for every sample: give an architecture that "
                f"does not subsample, got {architecture!r}"
            )

        def draw():
            return build(spec, n_channels, n_channels, num_hidden_units, n_latents, rng)
    else:

        def draw():
            return perceptron((n_channels, *hidden, n_latents), activation, rng)

    kernel = gaussian_kernel(smoothing) if encoder == "smooth" else (1.0,)
    return Posterior(draw(), draw(), *fixed, kernel)
