"""Layers on one long array of rows: (row, channel) → (fewer rows, unit).

Nothing here has a batch axis. Trials (or single windows) are laid end to end with their edges
repeated, the whole array is encoded in one pass, and only rows whose window lies in one trial are
read from the result. That is several times faster on a CPU than convolving a batch of windows:
every sample is multiplied once, by one matrix that holds all taps.

Every layer has `taps`, the input rows that one output row sees, and `stride`, how many input rows
lie between two output rows. The receptive field of an encoder follows from these two.
"""

from __future__ import annotations

from typing import ClassVar, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float


class Noise(NamedTuple):
    """What a random layer draws from: masks are shared by runs of `window` consecutive rows."""

    key: jax.Array
    window: int


class Conv(eqx.Module):
    """Convolution in time, no padding: y_t = b + Σ_j x_{st+j} W_j with stride s.

    One tap is a linear layer.
    """

    weight: Float[Array, "tap channel unit"]
    bias: Float[Array, " unit"]
    stride: int = eqx.field(static=True, default=1)

    def __call__(
        self, x: Float[Array, "row channel"], noise: Noise | None = None
    ) -> Float[Array, "shorter unit"]:
        x, weight = (x, self.weight) if self.stride == 1 else self._folded(x)
        taps, channels, units = weight.shape
        if taps == 1:
            return x @ weight[0] + self.bias
        rows = x.shape[0] - taps + 1
        # One product for all taps, then shifted sums: no copies of overlapping windows.
        y = x @ jnp.moveaxis(weight, 0, 1).reshape(channels, taps * units)
        return self.bias + sum(y[j : j + rows, j * units : (j + 1) * units] for j in range(taps))

    def _folded(self, x: Array) -> tuple[Array, Array]:
        """Rows and taps in groups of `stride`, side by side: the stride becomes 1."""
        taps, channels, units = self.weight.shape
        groups = -(-taps // self.stride)
        weight = jnp.pad(self.weight, ((0, groups * self.stride - taps), (0, 0), (0, 0)))
        length = (x.shape[0] - taps) // self.stride + groups
        x = jnp.pad(x, ((0, max(length * self.stride - x.shape[0], 0)), (0, 0)))
        x = x[: length * self.stride].reshape(length, self.stride * channels)
        return x, weight.reshape(groups, self.stride * channels, units)

    @property
    def taps(self) -> int:
        return self.weight.shape[0]


@jax.custom_jvp
def gelu(x: Array) -> Array:
    """GELU in its exact form, x Φ(x)."""
    return x * (1 + jax.lax.erf(x * np.sqrt(0.5).astype(np.float32))) / 2


@gelu.defjvp
def _gelu_jvp(primals, tangents):
    """Derivative Φ(x) + x φ(x), found on the way forward, where Φ is at hand: a quarter of the
    time of a training step lies here."""
    (x,), (dx,) = primals, tangents
    below = (1 + jax.lax.erf(x * np.sqrt(0.5).astype(np.float32))) / 2
    density = jnp.exp(-x * x / 2) / np.sqrt(2 * np.pi).astype(np.float32)
    return x * below, (below + x * density) * dx


class Gelu(eqx.Module):
    """GELU as a layer."""

    taps: ClassVar[int] = 1
    stride: ClassVar[int] = 1

    def __call__(
        self, x: Float[Array, "row unit"], noise: Noise | None = None
    ) -> Float[Array, "row unit"]:
        return gelu(x)


class Tanh(eqx.Module):
    """Hyperbolic tangent."""

    taps: ClassVar[int] = 1
    stride: ClassVar[int] = 1

    def __call__(
        self, x: Float[Array, "row unit"], noise: Noise | None = None
    ) -> Float[Array, "row unit"]:
        return jnp.tanh(x)


class Clip(eqx.Module):
    """Values below −`below` or over `above` become these."""

    below: float = eqx.field(static=True)
    above: float = eqx.field(static=True)
    taps: ClassVar[int] = 1
    stride: ClassVar[int] = 1

    def __call__(
        self, x: Float[Array, "row unit"], noise: Noise | None = None
    ) -> Float[Array, "row unit"]:
        return jnp.clip(x, -self.below, self.above)


class Dropout(eqx.Module):
    """Zeroes whole units for every run of rows, and multiplies the others by 1/(1 − rate).

    Without noise it does nothing.
    """

    rate: float = eqx.field(static=True)
    taps: ClassVar[int] = 1
    stride: ClassVar[int] = 1

    def __call__(
        self, x: Float[Array, "row unit"], noise: Noise | None = None
    ) -> Float[Array, "row unit"]:
        if noise is None:
            return x
        rows, units = x.shape
        runs = -(-rows // noise.window)
        keep = jax.random.bernoulli(noise.key, 1 - self.rate, (runs, units)) / (1 - self.rate)
        return x * jnp.repeat(keep, noise.window, axis=0)[:rows]


class Skip(eqx.Module):
    """x (cropped to the rows that remain) + GELU(conv(dropout(x)))."""

    conv: Conv
    dropout: Dropout | None = None
    stride: ClassVar[int] = 1

    def __call__(
        self, x: Float[Array, "row unit"], noise: Noise | None = None
    ) -> Float[Array, "shorter unit"]:
        left = (self.taps - 1) // 2
        right = self.taps - 1 - left
        kept = x if self.dropout is None else self.dropout(x, noise)
        return x[left : x.shape[0] - right] + gelu(self.conv(kept))

    @property
    def taps(self) -> int:
        return self.conv.taps


class Residual(eqx.Module):
    """x, cut or filled up with zeros to the width of the output, + linear(x)."""

    linear: Conv
    taps: ClassVar[int] = 1
    stride: ClassVar[int] = 1

    def __call__(
        self, x: Float[Array, "row channel"], noise: Noise | None = None
    ) -> Float[Array, "row unit"]:
        y = self.linear(x)
        missing = max(y.shape[1] - x.shape[1], 0)
        return y + jnp.pad(x[:, : y.shape[1]], ((0, 0), (0, missing)))


class Subsample(eqx.Module):
    """A convolution with a stride, and beside its units the first row of each of its windows."""

    conv: Conv

    def __call__(
        self, x: Float[Array, "row channel"], noise: Noise | None = None
    ) -> Float[Array, "shorter both"]:
        y = self.conv(x)
        return jnp.concatenate([y, x[:: self.stride][: y.shape[0]]], axis=1)

    @property
    def taps(self) -> int:
        return self.conv.taps

    @property
    def stride(self) -> int:
        return self.conv.stride


Layer = Conv | Gelu | Tanh | Clip | Dropout | Skip | Residual | Subsample
