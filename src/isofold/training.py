"""The one training loop. It sees a source (pools of rows), a sampler of pairs, and an encoder.

Pairs are drawn on the host, in NumPy, for a chunk of steps ahead, while the chunk before is being
computed (`_step.run_chunk`).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from numpy.typing import NDArray

from ._cache import enable_cache
from ._step import (
    Batch,
    Fixed,
    Hyper,
    Params,
    Program,
    encode_rows,
    encode_windows,
    run_chunk,
    with_one_trunk,
)
from .networks import Encoder
from .sampling import Draw, Pairs, Pool, Source

__all__ = [
    "Hyper", "Plan", "Program", "Trained", "enable_cache", "encode",
    "encode_joined", "one_cycle", "train"]  # fmt: skip

CHUNK = 25
"""Steps in one compiled call: long against its overhead, short for Ctrl-C and progress."""

Callback = Callable[[int, "Trained"], bool | None]
"""(steps done, what is trained so far) → True to stop."""


@dataclass(frozen=True)
class Plan:
    """What to train and for how long."""

    rates: NDArray[np.float64]
    """One learning rate a step."""
    batch_size: int | None
    """References in a step of each recording; None: every possible one, and as many negatives."""
    num_negatives: int
    objectives: tuple[tuple[int, int, str], ...]
    """First and last latent, and distance, of each objective."""
    temperature: tuple[float, ...]
    """τ of each objective."""
    weights: NDArray[np.float64] | None = None
    """(step, objective ‖ Jacobian penalty); None: every objective 1, no penalty."""
    hyper: Hyper = field(default_factory=Hyper)
    whole: tuple[bool, ...] = (True,)
    """For each recording: encode the whole pool each step (each sample once) rather than one window
    a draw."""
    masks: tuple[tuple[str, ...], ...] = ()
    sessions: str = "separate"
    """"separate" encoders, one "trunk" behind separate input layers, or recordings "joined" as
    channels of one encoder."""
    projections: int | None = None
    """Random directions of the Jacobian penalty, 0 for all latents, None for no penalty."""
    learn_temperature: bool = False
    first_layer_only: bool = False

    def program(self, n_reference: tuple[int, ...], dealt: bool) -> Program:
        return Program(
            n_reference, self.objectives, self.whole, self.masks, dealt,
            self.sessions == "trunk", self.sessions == "joined", self.projections,
        )  # fmt: skip


@dataclass(frozen=True)
class Trained:
    """Encoders as they are now, and the record of all steps so far."""

    encoders: tuple[Encoder, ...]
    temperature: NDArray[np.float64]
    """(objective,)"""
    losses: NDArray[np.float64]
    """(step, objective ‖ Jacobian penalty)"""
    temperatures: NDArray[np.float64]
    """(step, objective)"""
    weights: NDArray[np.float64]
    interrupted: bool = False

    @property
    def loss(self) -> NDArray[np.float64]:
        """(step,) what was minimised."""
        return (self.weights[: len(self.losses)] * self.losses).sum(axis=1)


def one_cycle(steps: int, peak: float) -> NDArray[np.float64]:
    """Learning rates that rise from peak/25 over 30 % of the steps and fall to nearly nothing.

    Both ways along half a cosine (Smith & Topin 2018).

    >>> rates = one_cycle(101, 1e-2)
    >>> int(rates.argmax()), float(rates.max())
    (30, 0.01)
    """
    at = np.arange(steps) / max(steps - 1, 1)
    up, down = at / 0.3, (at - 0.3) / 0.7
    low, end = peak / 25, peak / 1e4
    rise = low + (peak - low) * (1 - np.cos(np.pi * up)) / 2
    fall = end + (peak - end) * (1 + np.cos(np.pi * down)) / 2
    return np.where(at <= 0.3, rise, fall)


def train(
    encoders: tuple[Encoder, ...],
    sources: Sequence[Source],
    pairs: Callable[[Sequence[Pool]], Pairs],
    plan: Plan,
    rng: np.random.Generator,
    callback: Callback | None = None,
    callback_frequency: int | None = None,
    tick: Callable[[int, float], None] | None = None,
) -> Trained:
    """Train and return the encoders after the last step, or after the last chunk before Ctrl-C.

    `callback` runs every `callback_frequency` steps and after the last, `tick` (steps done, loss)
    after every chunk.
    """
    run = _Run(encoders, plan, rng)
    every = callback_frequency if callback else None
    try:
        for first, count, rows, batch, dealt in _chunks(sources, pairs, plan, rng, every):
            run.advance(first, count, rows, batch, dealt)
            done = first + count
            if tick:
                tick(done, run.last_loss())
            look = done == len(plan.rates) or (every and done % every == 0)
            if callback and look and callback(done, run.result()):
                break
    except KeyboardInterrupt:
        warnings.warn(
            f"interrupted after {run.steps} of {len(plan.rates)} steps; the model is usable, "
            "trained so far",
            RuntimeWarning,
            stacklevel=2,
        )
        return run.result(interrupted=True)
    return run.result()


class _Run:
    """Parameters after the newest chunk, and the record of all."""

    def __init__(self, encoders: tuple[Encoder, ...], plan: Plan, rng: np.random.Generator):
        arrays, static = eqx.partition(encoders, eqx.is_array)
        self._plan, self._fixed = plan, Fixed(static)
        # NumPy, not jax.numpy, wherever a value is made: every small operation outside the chunk
        # would be a program of its own to trace and load.
        self._params = Params(arrays, -np.log(np.asarray(plan.temperature, np.float32)))
        zeros = jax.tree.map(lambda a: np.zeros(a.shape, a.dtype), self._params)
        self._adam = optax.ScaleByAdamState(count=np.int32(0), mu=zeros, nu=zeros)
        self._seed = np.uint32(rng.integers(2**31))
        self._weights = np.ones((len(plan.rates), len(plan.objectives) + 1))
        self._weights[:, -1] = 0
        if plan.weights is not None:
            self._weights = plan.weights
        self._chunk = partial(
            run_chunk,
            hyper=jax.tree.map(_traced, plan.hyper),
            trainable=_trainable(self._params, plan),
            fixed=self._fixed,
        )
        self._record: list[tuple[int, jax.Array, jax.Array]] = []
        """Steps, losses and temperatures of every chunk."""

    def advance(
        self,
        first: int,
        count: int,
        rows: tuple[jax.Array, ...],
        draw: Draw,
        dealt: bool,
    ) -> None:
        plan, k = self._plan, len(self._plan.objectives)
        rates = np.zeros(CHUNK, np.float32)
        rates[:count] = plan.rates[first : first + count]
        weight = np.zeros((CHUNK, k + 1), np.float32)
        weight[:count] = self._weights[first : first + count]
        n_reference = tuple(plan.batch_size or i.shape[1] // (k + 2) for i in draw.drawn)
        if plan.sessions == "joined":
            n_reference = n_reference[:1]
        params, adam, losses, temperatures = self._chunk(
            self._params, self._adam, rows, Batch(draw.drawn, draw.partner, weight), rates, count,
            self._seed, first, program=plan.program(n_reference, dealt),
        )  # fmt: skip
        if self._record:
            # At most one chunk runs ahead of the host, so that Ctrl-C and progress are prompt.
            self._record[-1][1].block_until_ready()
        self._params, self._adam = params, adam
        self._record.append((count, losses, temperatures))

    @property
    def steps(self) -> int:
        return sum(count for count, _, _ in self._record)

    def last_loss(self) -> float:
        count, losses, _ = self._record[-1]
        return float(np.sum(self._weights[self.steps - 1] * np.asarray(losses)[count - 1]))

    def result(self, interrupted: bool = False) -> Trained:
        k = len(self._plan.objectives)
        empty = np.empty((0, k + 1)), np.empty((0, k))
        losses = [np.asarray(x)[:n] for n, x, _ in self._record]
        temperatures = [np.asarray(x)[:n] for n, _, x in self._record]
        encoders = eqx.combine(self._params.encoders, self._fixed.encoders)
        if self._plan.sessions == "trunk":
            encoders = with_one_trunk(encoders)
        return Trained(
            encoders=jax.block_until_ready(encoders),
            temperature=np.exp(-np.asarray(self._params.log_inverse_temperature, float)),
            losses=np.concatenate([empty[0], *losses]),
            temperatures=np.concatenate([empty[1], *temperatures]),
            weights=self._weights,
            interrupted=interrupted,
        )


def _traced(value):
    """Numbers as arrays, so that another value runs the same program."""
    return np.asarray(value, np.int32 if isinstance(value, int) else np.float32)


def _trainable(params: Params, plan: Plan) -> Params:
    """1 for every array that learns, 0 for those that stay."""
    ones = jax.tree.map(lambda _: np.float32(1), params.encoders)
    if plan.first_layer_only:
        (encoder,), n = ones, params.encoders[0].input_layers
        zeros = jax.tree.map(lambda _: np.float32(0), encoder.layers)
        layers = (*encoder.layers[:n], *zeros[n:])
        ones = (eqx.tree_at(lambda e: e.layers, encoder, layers),)
    return Params(ones, np.asarray(plan.learn_temperature, np.float32))


def _chunks(
    sources: Sequence[Source],
    pairs: Callable[[Sequence[Pool]], Pairs],
    plan: Plan,
    rng: np.random.Generator,
    every: int | None,
) -> Iterator[tuple[int, int, tuple[jax.Array, ...], Draw, bool]]:
    """First step, number of steps, rows on the device, rows to compare (for CHUNK steps), and
    whether positives may lie in another recording."""
    first, total = 0, len(plan.rates)
    pools: list[Pool] = []
    rows: list[jax.Array] = []
    for new in zip(*[source.pools(rng) for source in sources], strict=True):
        if first >= total:
            return
        if not pools or any(a is not b for a, b in zip(new, pools, strict=True)):
            rows = [
                rows[n] if pools and pool is pools[n] else jnp.asarray(pool.rows)
                for n, pool in enumerate(new)
            ]
            pools, drawer = list(new), pairs(new)
        count = min(CHUNK, total - first, every - first % every if every else CHUNK)
        drawn = drawer.draw(rng, count, plan.batch_size, plan.num_negatives)
        index = tuple(_padded(pool.centre[i]) for pool, i in zip(pools, drawn.drawn, strict=True))
        partner = _padded(drawn.partner.astype(np.int32))
        yield first, count, tuple(rows), Draw(index, partner), drawn.partner.shape[1] > 0
        first += count


def _padded(steps: NDArray) -> NDArray:
    """CHUNK entries; steps that do not run repeat the first."""
    return np.concatenate([steps, np.repeat(steps[:1], CHUNK - len(steps), axis=0)])


def encode(encoder: Encoder, pools: Iterable[Pool]) -> Iterator[NDArray[np.float32]]:
    """Embedding of every sample of each pool; memory does not grow with the number of pools."""
    arrays, static = eqx.partition(encoder, eqx.is_array)
    fixed = Fixed(static)
    for pool in pools:
        if encoder.stride > 1:
            yield _windows(arrays, fixed, [pool.rows], [pool.centre])
            continue
        z = np.asarray(encode_rows(arrays, pool.rows, fixed=fixed))
        yield z[pool.centre - encoder.offset[0]]


def encode_joined(
    encoder: Encoder, pools: Sequence[Pool], samples: Sequence[NDArray]
) -> NDArray[np.float32]:
    """Embedding of sample `samples[n][i]` of every pool n, side by side as channels."""
    arrays, static = eqx.partition(encoder, eqx.is_array)
    centres = [pool.centre[s] for pool, s in zip(pools, samples, strict=True)]
    return _windows(arrays, Fixed(static), [pool.rows for pool in pools], centres)


def _windows(arrays, fixed: Fixed, rows, centres, block: int = 1024) -> NDArray[np.float32]:
    """Embedding of windows, `block` at a time."""
    n = len(centres[0])
    rows = [jnp.asarray(r) for r in rows]
    parts = []
    for at in range(0, n, block):
        index = [np.resize(c[at : at + block], block) for c in centres]
        parts.append(np.asarray(encode_windows(arrays, rows, index, fixed=fixed)))
    return np.concatenate(parts)[:n]
