"""One step of classification: features of the samples drawn, and a regression on them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from ..networks.features import Features, Head
from .chunk import Fixed


class Params(NamedTuple):
    """What is trained."""

    features: Features
    head: Head


class Hyper(NamedTuple):
    """Traced settings of a step."""

    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    weight_decay: float = 0.0
    clip: float = 1.0


class Batch(NamedTuple):
    """The examples of one step."""

    centre: jax.Array | np.ndarray
    """(example, view) rows at the centre of the windows that make an example."""
    target: jax.Array | np.ndarray
    """(example,) its class."""


@dataclass(frozen=True)
class Program:
    """All that chooses the compiled program besides the shapes of its arrays."""

    packed: ClassVar[int] = 2**14
    bounded: ClassVar[bool] = False
    guarded: ClassVar[bool] = True

    def loss(self, params: Params, fixed: Fixed, rows, batch: Batch, hyper: Hyper, key):
        """Mean cross entropy in nats."""
        features, head = eqx.combine(params, fixed.modules)
        h = features.at(rows[0], batch.centre.ravel()).reshape(*batch.centre.shape, -1)
        loss = cross_entropy(head(h), jnp.asarray(batch.target)).mean()
        return loss, loss

    def settle(self, params: Params, hyper: Hyper) -> Params:
        return params

    def record(self, params: Params, found) -> tuple[jax.Array, jax.Array]:
        """The loss, and 1 or, for a step that was left out, 0."""
        return found


def cross_entropy(logits: jax.Array, target: jax.Array) -> jax.Array:
    """(example,) −log p(target) in nats."""
    log_p = jax.nn.log_softmax(logits, axis=1)
    return -jnp.take_along_axis(log_p, target[:, None], axis=1)[:, 0]
