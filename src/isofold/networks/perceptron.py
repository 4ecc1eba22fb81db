"""Layers of units, each connected to all of the next."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..errors import DataError
from .layers import gelu

ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "tanh": jnp.tanh,
    "gelu": gelu,
    "relu": jax.nn.relu,
    "softplus": jax.nn.softplus,
    "leaky-relu": lambda x: jnp.maximum(x, 0.2 * x),
    "xtanh": lambda x: jnp.tanh(x) + 0.1 * x,
}
"""Between two layers; all but "relu" and "leaky-relu" are smooth or nearly so."""


class Perceptron(eqx.Module):
    """y = W_k φ(… φ(W_1 x + b_1) …) + b_k, rows in, rows out."""

    weights: tuple[Float[Array, "_ _"], ...]
    biases: tuple[Float[Array, " _"], ...]
    activation: str = eqx.field(static=True)

    def __call__(self, x: Float[Array, "row in"]) -> Float[Array, "row out"]:
        act = ACTIVATIONS[self.activation]
        for number, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            x = (x if number == 0 else act(x)) @ weight + bias
        return x


def perceptron(sizes: Sequence[int], activation: str, rng: np.random.Generator) -> Perceptron:
    """Draw one: weights uniform in ±√(6 / (in + out)) (Glorot & Bengio 2010), biases zero."""
    if activation not in ACTIVATIONS:
        raise DataError(f"activation must be one of {sorted(ACTIVATIONS)}, got {activation!r}")
    if min(sizes) < 1:
        raise DataError(f"every layer needs a unit, got layers of {list(sizes)}")
    weights = []
    for n_in, n_out in pairwise(sizes):
        bound = np.sqrt(6 / (n_in + n_out))
        weights.append(jnp.asarray(rng.uniform(-bound, bound, (n_in, n_out)), jnp.float32))
    biases = [jnp.zeros(n) for n in sizes[1:]]
    return Perceptron(tuple(weights), tuple(biases), activation)
