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

    packed: int
    """Arrays of at most so many numbers are trained as one vector."""
    bounded: bool
    """Parameters have bounds, which `settle` keeps."""
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
    pack = Pack(params, program.packed)
    on = pack(jax.tree.map(jnp.broadcast_to, trainable, jax.tree.map(jnp.shape, params)))

    def minimised(packed, batch, key):
        return program.loss(pack.undo(packed), fixed, rows, batch, hyper, key)

    def one(i, packed, adam_state):
        batch = jax.tree.map(lambda x: x[i], batches)
        (loss, found), gradient = jax.value_and_grad(minimised, has_aux=True)(
            packed, batch, jax.random.fold_in(key, i)
        )
        rate = rates[i]
        if program.guarded:
            gradient, finite = _guarded(gradient, loss, hyper.clip)
            rate = rate * finite
            found = (found, finite)
        gradient = jax.tree.map(lambda g, p: g + hyper.weight_decay * p, gradient, packed)
        update, adam_state = adam.update(gradient, adam_state)
        packed = jax.tree.map(lambda p, u, on: p - rate * on * u, packed, update, on)
        if program.bounded:
            packed = pack(program.settle(pack.undo(packed), hyper))
        return packed, adam_state, program.record(pack.undo(packed), found)

    def step(i, carry):
        packed, adam_state, record = carry
        packed, adam_state, new = one(i, packed, adam_state)
        return packed, adam_state, jax.tree.map(lambda r, x: r.at[i].set(x), record, new)

    packed = pack(params)
    state = adam_state._replace(mu=pack(adam_state.mu), nu=pack(adam_state.nu))
    shapes = jax.eval_shape(one, 0, packed, state)[2]
    record = jax.tree.map(lambda s: jnp.zeros((len(rates), *s.shape), s.dtype), shapes)
    packed, state, record = jax.lax.fori_loop(0, n_steps, step, (packed, state, record))
    state = state._replace(mu=pack.undo(state.mu), nu=pack.undo(state.nu))
    return pack.undo(packed), state, record


class Pack:
    """Arrays of at most `most` numbers as one vector, the others as they are.

    Adam on one vector is a few operations; on fifty small arrays it is hundreds, and each costs a
    microsecond: half of a step of a small model.
    """

    def __init__(self, tree: Any, most: int):
        leaves, self._tree = jax.tree.flatten(tree)
        self._shapes = [leaf.shape for leaf in leaves]
        self._small = [leaf.size <= most for leaf in leaves]
        sizes = [leaf.size for leaf, small in zip(leaves, self._small, strict=True) if small]
        self._ends = np.cumsum(sizes)[:-1].tolist()

    def __call__(self, tree: Any) -> tuple[jax.Array | None, list[jax.Array]]:
        leaves = jax.tree.leaves(tree)
        small = [jnp.ravel(x) for x, s in zip(leaves, self._small, strict=True) if s]
        large = [x for x, s in zip(leaves, self._small, strict=True) if not s]
        return (jnp.concatenate(small) if small else None), large

    def undo(self, packed: tuple[jax.Array | None, list[jax.Array]]) -> Any:
        vector, large = packed
        small = iter([] if vector is None else jnp.split(vector, self._ends))
        rest = iter(large)
        leaves = [
            jnp.reshape(next(small if s else rest), shape)
            for s, shape in zip(self._small, self._shapes, strict=True)
        ]
        return jax.tree.unflatten(self._tree, leaves)


def _guarded(gradient, loss, clip):
    """Gradients of length `clip` at most, and 1, or zeros and 0 where they are not finite."""
    length = jnp.sqrt(sum(jnp.sum(g * g) for g in jax.tree.leaves(gradient)))
    finite = jnp.isfinite(length) & jnp.isfinite(loss)
    scale = jnp.minimum(1, clip / jnp.maximum(length, 1e-30))
    gradient = jax.tree.map(lambda g: jnp.where(finite, g * scale, 0), gradient)
    return gradient, finite.astype(jnp.float32)


run_chunk = jax.jit(_chunk, static_argnames=("fixed", "program"))
