"""A stack of layers, and the windows that it sees."""

from __future__ import annotations

from collections.abc import Iterable

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ..errors import DataError
from .layers import Dropout, Layer, Noise, Subsample


class Encoder(eqx.Module):
    """Layers in order, then (optionally) each row divided by its length.

    Row k of the output has seen input rows k·stride … k·stride + receptive_field − 1. With stride 1
    these are samples c − left … c + right − 1 of the centre c = k + left. Windows of
    `receptive_field` rows laid end to end have their embeddings at every
    (receptive_field / stride)-th row.
    """

    layers: tuple[Layer, ...]
    normalize: bool = eqx.field(static=True)
    causal: bool = eqx.field(static=True, default=False)

    def __call__(
        self, rows: Float[Array, "row channel"], key: jax.Array | None = None, window: int = 64
    ) -> Float[Array, "shorter latent"]:
        """The embedding of one long array.

        With a `key` dropout layers are active: a mask of units for every run of `window` rows of
        the input (a multiple of the stride), drawn anew by each layer.
        """
        if rows.shape[0] < self.receptive_field:
            raise DataError(
                f"an encoder needs at least its receptive field, {self.receptive_field} rows, got "
                f"{rows.shape[0]}; repeat the edges of short trials, or use a shorter architecture"
            )
        x, every = rows, 1
        for number, layer in enumerate(self.layers):
            noise = None
            if key is not None:
                noise = Noise(jax.random.fold_in(key, number), window // every)
            x = layer(x, noise)
            every *= layer.stride
        if self.normalize:
            # The tiny constant keeps the gradient finite for a row of zeros.
            x = x * jax.lax.rsqrt(jnp.sum(x * x, axis=1, keepdims=True) + 1e-12)
        return x

    @property
    def receptive_field(self) -> int:
        """Samples that one embedding point sees."""
        return span((layer.taps, layer.stride) for layer in self.layers)[0]

    @property
    def stride(self) -> int:
        """Input rows from one output row to the next."""
        return span((layer.taps, layer.stride) for layer in self.layers)[1]

    @property
    def offset(self) -> tuple[int, int]:
        """(left, right): the window of sample t is t − left … t + right − 1."""
        return window_offset(self.receptive_field, self.causal)

    @property
    def has_dropout(self) -> bool:
        """Whether a key makes a difference."""
        parts = jax.tree.leaves(self.layers, is_leaf=lambda part: isinstance(part, Dropout))
        return any(isinstance(part, Dropout) for part in parts)

    @property
    def input_layers(self) -> int:
        """How many of the first layers have a size that depends on the number of channels.

        A subsampling layer hands the channels on, so that the next layer has them too.
        """
        return 2 if isinstance(self.layers[0], Subsample) else 1


def span(extents: Iterable[tuple[int, int]]) -> tuple[int, int]:
    """Receptive field and stride of layers with these (taps, stride).

    >>> span([(2, 1), (3, 1), (3, 1), (3, 1), (3, 1)])
    (10, 1)
    >>> span([(4, 2), (3, 2), (3, 1), (2, 1)])
    (20, 4)
    """
    field, every = 1, 1
    for taps, stride in extents:
        field += (taps - 1) * every
        every *= stride
    return field, every


def window_offset(receptive_field: int, causal: bool = False) -> tuple[int, int]:
    """(left, right) of a centred window, or of one that ends with its sample.

    >>> window_offset(10), window_offset(5), window_offset(1)
    ((5, 5), (2, 3), (0, 1))
    >>> window_offset(10, causal=True)
    (9, 1)
    """
    left = receptive_field - 1 if causal else receptive_field // 2
    return left, receptive_field - left
