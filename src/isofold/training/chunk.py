"""The compiled part of training: a chunk of steps of Adam as one program.

Learning rates, weights, Adam's constants, the number of steps and the seed are traced arguments:
another value of any of them runs the same program. What is minimised is the program's own affair.
"""

from __future__ import annotations

from typing import Any, Protocol

import jax
import jax.numpy as jnp
import numpy as np
import optax


class Program(Protocol):
    """All that chooses the compiled program besides the shapes of its arrays; hashable."""

    guarded: bool
    """Clip gradients at `hyper.clip`; leave out steps whose gradient is not finite."""

    def loss(self, params, fixed: Fixed, rows, batch, hyper, key) -> tuple[jax.Array, Any]:
        """What is minimised, and what of it is recorded."""

    def settle(self, params, hyper) -> Any:
        """Parameters after a step, inside their bounds."""

    def record(self, params, found) -> Any:
        """What the log keeps of a step: arrays of fixed shape."""


class Fixed:
    """The parts of modules that are not arrays, hashable: they choose the compiled program."""

    def __init__(self, modules):
        self.modules = modules
        leaves, tree = jax.tree.flatten(modules)
        self._key = (tree, tuple(leaves))
        self._hash = hash(self._key)

    def __eq__(self, other) -> bool:
        return isinstance(other, Fixed) and self._key == other._key

    def __hash__(self) -> int:
        return self._hash


def is_array(value: Any) -> bool:
    """Is it trained or computed with, rather than a part of the program?"""
    return isinstance(value, (jax.Array, np.ndarray))


def _chunk(
    params,
    adam_state,
    rows,
    batches,
    rates: jax.Array,
    n_steps: jax.Array,
    seed: jax.Array,
    first_step: jax.Array,
    hyper,
    trainable,
    *,
    fixed: Fixed,
    program: Program,
):
    """`n_steps` steps of Adam.

    `batches` has a leading axis of steps; `trainable` has a 0 or 1 for every array. Returns
    parameters, Adam's state, and the record of every step.
    """
    key = jax.random.fold_in(jax.random.key(seed), first_step)
    adam = optax.scale_by_adam(hyper.beta1, hyper.beta2, hyper.epsilon)

    def one(i, params, adam_state):
        batch = jax.tree.map(lambda x: x[i], batches)
        (loss, found), gradient = jax.value_and_grad(program.loss, has_aux=True)(
            params, fixed, rows, batch, hyper, jax.random.fold_in(key, i)
        )
        rate = rates[i]
        if program.guarded:
            gradient, finite = _guarded(gradient, loss, hyper.clip)
            rate = rate * finite
            found = (found, finite)
        gradient = jax.tree.map(lambda g, p: g + hyper.weight_decay * p, gradient, params)
        update, adam_state = adam.update(gradient, adam_state)
        params = jax.tree.map(lambda p, u, on: p - rate * on * u, params, update, trainable)
        params = program.settle(params, hyper)
        return params, adam_state, program.record(params, found)

    def step(i, carry):
        params, adam_state, record = carry
        params, adam_state, new = one(i, params, adam_state)
        return params, adam_state, jax.tree.map(lambda r, x: r.at[i].set(x), record, new)

    shapes = jax.eval_shape(one, 0, params, adam_state)[2]
    record = jax.tree.map(lambda s: jnp.zeros((len(rates), *s.shape), s.dtype), shapes)
    return jax.lax.fori_loop(0, n_steps, step, (params, adam_state, record))


def _guarded(gradient, loss, clip):
    """Gradients of length `clip` at most, and 1, or zeros and 0 where they are not finite."""
    length = jnp.sqrt(sum(jnp.sum(g * g) for g in jax.tree.leaves(gradient)))
    finite = jnp.isfinite(length) & jnp.isfinite(loss)
    scale = jnp.minimum(1, clip / jnp.maximum(length, 1e-30))
    gradient = jax.tree.map(lambda g: jnp.where(finite, g * scale, 0), gradient)
    return gradient, finite.astype(jnp.float32)


run_chunk = jax.jit(_chunk, static_argnames=("fixed", "program"))
