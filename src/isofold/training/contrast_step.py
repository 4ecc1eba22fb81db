"""One step of contrast: embed what was drawn, compare it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from ..networks import Encoder
from ..networks.augment import augment
from ..objectives import infonce, jacobian_penalty
from .chunk import Fixed

MASK_ROWS = 64
"""Rows that share one channel mask when a whole pool is encoded."""


class Hyper(NamedTuple):
    """Traced settings of a step."""

    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    weight_decay: float = 0.0
    min_temperature: float = 0.0
    masks: tuple = ()
    """Values of each kind of mask in `Program.masks`."""
    n_channels: tuple = (0,)
    """Channels of each recording; those beyond are padding."""


class Params(NamedTuple):
    """What can be trained: one encoder a recording, and a = log(1/τ) of each objective."""

    encoders: tuple[Encoder, ...]
    log_inverse_temperature: jax.Array | np.ndarray


@dataclass(frozen=True)
class Program:
    """All that chooses the compiled program besides the shapes of its arrays."""

    n_reference: tuple[int, ...]
    """References drawn from each recording; one number where recordings are joined."""
    objectives: tuple[tuple[int, int, str], ...]
    """First and last latent and distance of each objective; it has positives of its own."""
    whole: tuple[bool, ...] = (True,)
    """For each recording: encode all its rows, or only the windows drawn."""
    masks: tuple[tuple[str, ...], ...] = ()
    """Masks put on one after the other; of several kinds in one entry each step picks one."""
    dealt: bool = False
    """Positives may lie in another recording; `partner` says where."""
    shared: bool = False
    """All layers but the first are those of the first encoder."""
    joined: bool = False
    """Recordings are extra channels of one encoder."""
    projections: int | None = None
    """Jacobian penalty: None for none, 0 exact, else the number of random directions."""
    packed: ClassVar[int] = -1
    bounded: ClassVar[bool] = True
    guarded: ClassVar[bool] = False

    def loss(self, params: Params, fixed: Fixed, rows, batch: Batch, hyper: Hyper, key):
        return _loss(params, fixed, rows, batch, hyper, key, self)

    def settle(self, params: Params, hyper: Hyper) -> Params:
        # The floor is applied to the parameter after the step, so its gradient never dies.
        a = jnp.minimum(params.log_inverse_temperature, -jnp.log(hyper.min_temperature))
        return params._replace(log_inverse_temperature=a)

    def record(self, params: Params, found) -> tuple[jax.Array, jax.Array]:
        """Losses of the objectives, and their temperatures after the step."""
        return found, jnp.exp(-params.log_inverse_temperature)


class Batch(NamedTuple):
    """What one step compares."""

    drawn: tuple[jax.Array | np.ndarray, ...]
    """Per recording: rows of reference ‖ positive of each objective ‖ negative."""
    partner: jax.Array | np.ndarray
    """(objective, reference) place of each positive among all positives; empty unless dealt."""
    weight: jax.Array | np.ndarray
    """(objective ‖ Jacobian penalty,)"""


def encode_at(
    encoder: Encoder,
    rows: Any,
    index: Any,
    whole: bool,
    key: jax.Array | None = None,
    masks: tuple[tuple[str, ...], ...] = (),
    values: tuple = (),
    n_channels: jax.Array | int | None = None,
) -> jax.Array:
    """Embedding of the windows centred on the given rows.

    `whole` encodes all rows and reads off the result; otherwise each window is gathered. Masks and
    dropout (with a key) are drawn for every `MASK_ROWS` rows, or for every window.
    """
    left, right = encoder.offset
    if whole:
        x, window = rows, MASK_ROWS
    else:
        x, window = windows_at(rows, index, left, right), left + right
    if key is not None:
        for n, (kinds, mine) in enumerate(zip(masks, values, strict=True)):
            x = augment(jax.random.fold_in(key, n), x, window, kinds, mine, n_channels)
        key = jax.random.fold_in(key, len(masks))
    z = encoder(x, key, window)
    # Windows end to end, encoded as one array: the rows at the seams are computed and not read.
    return z[index - left] if whole else z[:: window // encoder.stride]


def windows_at(rows, index, left: int, right: int) -> jax.Array:
    """(n · window, channel) windows end to end; several recordings stand side by side."""
    several = isinstance(rows, (tuple, list))
    lags = jnp.arange(-left, right)
    pairs = zip(rows, index, strict=True) if several else [(rows, index)]
    x = [r[i[:, None] + lags].reshape(-1, r.shape[1]) for r, i in pairs]
    return jnp.concatenate(x, axis=1) if several else x[0]


def with_one_trunk(encoders: Sequence[Encoder]) -> tuple[Encoder, ...]:
    """All layers behind the input are those of the first encoder."""
    n = encoders[0].input_layers
    trunk = encoders[0].layers[n:]
    return tuple(eqx.tree_at(lambda e: e.layers, e, (*e.layers[:n], *trunk)) for e in encoders)


def _embed(encoders, rows, batch: Batch, hyper: Hyper, key, program: Program) -> list[jax.Array]:
    """One (draw, latent) array a recording."""
    if program.joined:
        z = encode_at(encoders[0], rows, batch.drawn, False, key, program.masks, hyper.masks)
        return [z]
    return [
        encode_at(e, r, i, whole, jax.random.fold_in(key, n), program.masks, hyper.masks, channels)
        for n, (e, r, i, whole, channels) in enumerate(
            zip(encoders, rows, batch.drawn, program.whole, hyper.n_channels, strict=True)
        )
    ]


def _loss(params: Params, fixed: Fixed, rows, batch: Batch, hyper: Hyper, key, program: Program):
    """Weighted sum, and (objective ‖ penalty,) its parts."""
    params = eqx.combine(params, fixed.modules)
    encoders = params.encoders
    if program.shared:
        encoders = with_one_trunk(encoders)
    z = _embed(encoders, rows, batch, hyper, key, program)
    drawn = list(zip(z, program.n_reference, strict=True))
    reference = jnp.concatenate([part[:n] for part, n in drawn])
    negative = jnp.concatenate([part[(1 + len(program.objectives)) * n :] for part, n in drawn])
    temperature = jnp.exp(-params.log_inverse_temperature)
    parts = []
    for number, (first, last, distance) in enumerate(program.objectives):
        at = 1 + number
        positive = jnp.concatenate([part[at * n : (at + 1) * n] for part, n in drawn])
        if program.dealt:
            positive = positive[batch.partner[number]]
        latents = slice(first, last)
        parts.append(
            infonce(
                reference[:, latents], positive[:, latents], negative[:, latents],
                temperature[number], distance,
            )
        )  # fmt: skip
    parts.append(_penalty(encoders, rows, batch, key, program))
    losses = jnp.stack(parts)
    return jnp.sum(batch.weight * losses), losses


def _penalty(encoders, rows, batch: Batch, key, program: Program) -> jax.Array:
    """Jacobian penalty of the references, mean over recordings."""
    if program.projections is None:
        return jnp.zeros(())
    n = program.n_reference
    if program.joined:
        drawn: list = [(encoders[0], rows, [i[: n[0]] for i in batch.drawn])]
    else:
        at = [i[:m] for i, m in zip(batch.drawn, n, strict=True)]
        drawn = list(zip(encoders, rows, at, strict=True))
    random = {"key": key, "projections": program.projections} if program.projections else {}
    found = jnp.zeros(())
    for encoder, r, i in drawn:
        left, right = encoder.offset
        step = (left + right) // encoder.stride
        x = windows_at(r, i, left, right)
        x = x.reshape(-1, left + right, x.shape[1])
        found += jacobian_penalty(partial(_every, encoder, step), x, **random)
    return found / len(drawn)


def _every(encoder: Encoder, step: int, x: jax.Array) -> jax.Array:
    """Embedding of windows end to end."""
    return encoder(x)[::step]


@partial(jax.jit, static_argnames="distance")
def information(reference, positive, negative, temperature, *, distance: str) -> jax.Array:
    """log₂ M − InfoNCE / ln 2 of every batch of (batch, pair, latent) arrays, in bits."""

    def bits(batch):
        loss = infonce(batch[0], batch[1], batch[2], temperature, distance)
        return (jnp.log(negative.shape[1]) - loss) / jnp.log(2)

    return jax.lax.map(bits, (reference, positive, negative))
