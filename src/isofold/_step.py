"""The compiled part of training: a chunk of steps as one program.

Learning rates, temperature, dropout, Adam's constants, the number of steps and the seed are traced
arguments: another value of any of them runs the same program.
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax

from .networks import Encoder
from .objectives import infonce

MASK_ROWS = 64
"""Rows that share one channel-dropout mask when a whole pool is encoded."""


class Hyper(NamedTuple):
    """Traced settings of a step."""

    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    weight_decay: float = 0.0
    channel_dropout: float = 0.0
    min_temperature: float = 0.0


class Params(NamedTuple):
    """What can be trained: the encoder's arrays and a = log(1/τ)."""

    encoder: Encoder
    log_inverse_temperature: jax.Array | np.floating


class Fixed:
    """The parts of an encoder that are not arrays, hashable: they choose the compiled program."""

    def __init__(self, encoder: Encoder):
        self.encoder = encoder
        leaves, tree = jax.tree.flatten(encoder)
        self._key = (tree, tuple(leaves))

    def __eq__(self, other) -> bool:
        return isinstance(other, Fixed) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)


def encode_at(
    encoder: Encoder, rows: jax.Array, index: jax.Array, whole: bool, keep: jax.Array | None = None
) -> jax.Array:
    """Embedding of the windows centred on the given rows.

    `whole` encodes all rows and reads off the result; otherwise each window is gathered. `keep`
    multiplies the input: one row of channels per `MASK_ROWS` rows, or per window.
    """
    left, right = encoder.offset
    if whole:
        if keep is not None:
            rows = (rows.reshape(-1, MASK_ROWS, rows.shape[1]) * keep[:, None]).reshape(rows.shape)
        return encoder(rows)[index - left]
    windows = rows[index[:, None] + jnp.arange(-left, right)]
    if keep is not None:
        windows = windows * keep[:, None]
    # Windows end to end, encoded as one array: the rows at the seams are computed and not read.
    return encoder(windows.reshape(-1, rows.shape[1]))[:: left + right]


def _keep(key: jax.Array, rate: jax.Array | float, shape: tuple[int, int]) -> jax.Array:
    """Channel dropout: channels are zeroed, those that stay make up for it."""
    return jax.random.bernoulli(key, 1 - rate, shape) / (1 - rate)


def _loss(
    params: Params, fixed: Fixed, rows, index, hyper: Hyper, key, n_ref, distance, whole, dropout
):
    keep = None
    if dropout:
        n = rows.shape[0] // MASK_ROWS if whole else index.shape[0]
        keep = _keep(key, hyper.channel_dropout, (n, rows.shape[1]))
    z = encode_at(eqx.combine(params.encoder, fixed.encoder), rows, index, whole, keep)
    temperature = jnp.exp(-params.log_inverse_temperature)
    return infonce(z[:n_ref], z[n_ref : 2 * n_ref], z[2 * n_ref :], temperature, distance)


@partial(jax.jit, static_argnames=("fixed", "n_ref", "distance", "whole", "dropout"))
def run_chunk(
    params: Params,
    adam_state,
    rows: jax.Array,
    index: jax.Array,
    rates: jax.Array,
    n_steps: jax.Array,
    seed: jax.Array,
    first_step: jax.Array,
    hyper: Hyper,
    trainable: Params,
    *,
    fixed: Fixed,
    n_ref: int,
    distance: str,
    whole: bool,
    dropout: bool,
):
    """`n_steps` steps of Adam.

    `index` (step, reference ‖ positive ‖ negative) are rows; `trainable` has a 0 or 1 for every
    array. Returns parameters, Adam's state, and loss and temperature of every step.
    """
    key = jax.random.fold_in(jax.random.key(seed), first_step)
    adam = optax.scale_by_adam(hyper.beta1, hyper.beta2, hyper.epsilon)

    def step(i, carry):
        params, adam_state, losses, temperatures = carry
        loss, gradient = jax.value_and_grad(_loss)(
            params, fixed, rows, index[i], hyper, jax.random.fold_in(key, i),
            n_ref, distance, whole, dropout,
        )  # fmt: skip
        gradient = jax.tree.map(lambda g, p: g + hyper.weight_decay * p, gradient, params)
        update, adam_state = adam.update(gradient, adam_state)
        params = jax.tree.map(lambda p, u, on: p - rates[i] * on * u, params, update, trainable)
        # The floor is applied to the parameter after the step, so its gradient never dies.
        a = jnp.minimum(params.log_inverse_temperature, -jnp.log(hyper.min_temperature))
        params = params._replace(log_inverse_temperature=a)
        return params, adam_state, losses.at[i].set(loss), temperatures.at[i].set(jnp.exp(-a))

    empty = jnp.zeros(index.shape[0])
    return jax.lax.fori_loop(0, n_steps, step, (params, adam_state, empty, empty))


@partial(jax.jit, static_argnames="fixed")
def encode_rows(arrays: Encoder, rows: jax.Array, *, fixed: Fixed) -> jax.Array:
    """The encoder on one block of rows."""
    return eqx.combine(arrays, fixed.encoder)(rows)


@partial(jax.jit, static_argnames="distance")
def information(reference, positive, negative, temperature, *, distance: str) -> jax.Array:
    """log₂ M − InfoNCE / ln 2 of every batch of (batch, pair, latent) arrays, in bits."""

    def bits(batch):
        loss = infonce(batch[0], batch[1], batch[2], temperature, distance)
        return (jnp.log(negative.shape[1]) - loss) / jnp.log(2)

    return jax.lax.map(bits, (reference, positive, negative))
