"""The one training loop. It sees a source (pools of rows), a sampler of pairs, and an encoder.

Pairs are drawn on the host, in NumPy, for a chunk of steps ahead, while the chunk before is being
computed (`_step.run_chunk`).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from numpy.typing import NDArray

from ._cache import enable_cache
from ._step import Fixed, Hyper, Params, encode_rows, run_chunk
from .networks import Encoder
from .sampling import Pool, Sampler, Source

__all__ = ["Hyper", "Plan", "Trained", "enable_cache", "encode", "one_cycle", "train"]

CHUNK = 25
"""Steps in one compiled call: long against its overhead, short for Ctrl-C and progress."""

Callback = Callable[[int, float, Encoder, float], Any]
"""(steps done, loss, encoder, temperature)"""


@dataclass(frozen=True)
class Plan:
    """What to train and for how long."""

    rates: NDArray[np.float64]
    """One learning rate a step."""
    batch_size: int | None
    """References in a step; None: every possible one, and as many negatives."""
    num_negatives: int
    temperature: float
    distance: str
    hyper: Hyper = field(default_factory=Hyper)
    whole: bool = True
    """Encode the whole pool each step (each sample once) rather than one window a draw."""
    learn_temperature: bool = False
    first_layer_only: bool = False


@dataclass(frozen=True)
class Trained:
    encoder: Encoder
    temperature: float
    loss: NDArray[np.float64]
    temperatures: NDArray[np.float64]
    interrupted: bool


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
    encoder: Encoder,
    source: Source,
    sampler: Callable[[Pool], Sampler],
    plan: Plan,
    rng: np.random.Generator,
    callback: Callback | None = None,
    callback_frequency: int | None = None,
    tick: Callable[[int, float], None] | None = None,
) -> Trained:
    """Train and return the encoder after the last step, or after the last chunk before Ctrl-C.

    `callback` runs every `callback_frequency` steps and after the last, `tick` (steps done, loss)
    after every chunk.
    """
    run = _Run(encoder, plan, rng)
    every = callback_frequency if callback else None
    try:
        for first, count, rows, index in _chunks(source, sampler, plan, rng, every):
            run.advance(first, count, rows, index)
            done = first + count
            if callback and (done == len(plan.rates) or (every and done % every == 0)):
                callback(done, *run.look())
            if tick:
                tick(done, run.look()[0])
    except KeyboardInterrupt:
        warnings.warn(
            f"interrupted after {run.steps} of {len(plan.rates)} steps; the model is usable, "
            "trained so far",
            RuntimeWarning,
            stacklevel=2,
        )
        return run.result(interrupted=True)
    return run.result(interrupted=False)


class _Run:
    """Parameters after the newest chunk, and the record of all."""

    def __init__(self, encoder: Encoder, plan: Plan, rng: np.random.Generator):
        arrays, static = eqx.partition(encoder, eqx.is_array)
        self._plan, self._fixed = plan, Fixed(static)
        # NumPy, not jax.numpy, wherever a value is made: every small operation outside the chunk
        # would be a program of its own to trace and load.
        self._params = Params(arrays, np.float32(-np.log(plan.temperature)))
        zeros = jax.tree.map(lambda a: np.zeros(a.shape, a.dtype), self._params)
        self._adam = optax.ScaleByAdamState(count=np.int32(0), mu=zeros, nu=zeros)
        self._seed = np.uint32(rng.integers(2**31))
        self._chunk = partial(
            run_chunk,
            hyper=jax.tree.map(np.float32, plan.hyper),
            trainable=_trainable(self._params, plan),
            fixed=self._fixed,
            distance=plan.distance,
            whole=plan.whole,
            dropout=plan.hyper.channel_dropout > 0,
        )
        self._record: list[tuple[int, jax.Array, jax.Array]] = []
        """Steps, loss and temperature of every chunk."""

    def advance(self, first: int, count: int, rows: jax.Array, index: NDArray[np.int32]) -> None:
        rates = np.zeros(CHUNK, np.float32)
        rates[:count] = self._plan.rates[first : first + count]
        n_ref = self._plan.batch_size or index.shape[1] // 3
        params, adam, loss, temperature = self._chunk(
            self._params, self._adam, rows, index, rates, count, self._seed, first, n_ref=n_ref
        )
        if self._record:
            # At most one chunk runs ahead of the host, so that Ctrl-C and progress are prompt.
            self._record[-1][1].block_until_ready()
        self._params, self._adam = params, adam
        self._record.append((count, loss, temperature))

    @property
    def steps(self) -> int:
        return sum(count for count, _, _ in self._record)

    @property
    def encoder(self) -> Encoder:
        return eqx.combine(self._params.encoder, self._fixed.encoder)

    def look(self) -> tuple[float, Encoder, float]:
        loss, temperature = self._joined(self._record[-1:])
        return float(loss[-1]), self.encoder, float(temperature[-1])

    def result(self, interrupted: bool) -> Trained:
        loss, temperatures = self._joined(self._record)
        return Trained(
            encoder=jax.block_until_ready(self.encoder),
            temperature=float(np.exp(-np.asarray(self._params.log_inverse_temperature))),
            loss=loss,
            temperatures=temperatures,
            interrupted=interrupted,
        )

    @staticmethod
    def _joined(record: list[tuple[int, jax.Array, jax.Array]]) -> NDArray[np.float64]:
        """(loss ‖ temperature, step)"""
        parts = [np.stack([loss, temperature])[:, :n] for n, loss, temperature in record]
        return np.concatenate([np.empty((2, 0)), *parts], axis=1)


def _trainable(params: Params, plan: Plan) -> Params:
    """1 for every array that learns, 0 for those that stay."""
    ones = jax.tree.map(lambda _: np.float32(1), params.encoder)
    if plan.first_layer_only:
        zeros = jax.tree.map(lambda _: np.float32(0), params.encoder.layers)
        ones = eqx.tree_at(lambda e: e.layers, ones, (ones.layers[0], *zeros[1:]))
    return Params(ones, np.float32(plan.learn_temperature))


def _chunks(
    source: Source,
    sampler: Callable[[Pool], Sampler],
    plan: Plan,
    rng: np.random.Generator,
    every: int | None,
) -> Iterator[tuple[int, int, jax.Array, NDArray[np.int32]]]:
    """First step, number of steps, rows on the device, and (CHUNK, draw) row numbers."""
    first, total = 0, len(plan.rates)
    pool = None
    for new in source.pools(rng):
        if first >= total:
            return
        if new is not pool:
            pool, pairs, rows = new, sampler(new), jnp.asarray(new.rows)
        count = min(CHUNK, total - first, every - first % every if every else CHUNK)
        drawn = pool.centre[_draw(pairs, plan, rng, count)]
        # Steps that do not run repeat a valid row.
        index = np.full((CHUNK, drawn.shape[1]), pool.centre[0], np.int32)
        index[:count] = drawn
        yield first, count, rows, index
        first += count


def _draw(pairs: Sampler, plan: Plan, rng: np.random.Generator, steps: int) -> NDArray[np.int64]:
    """(step, reference ‖ positive ‖ negative) sample numbers of a pool."""
    if plan.batch_size is None:
        reference = np.tile(pairs.all_references(), (steps, 1))
        negative = rng.permuted(reference, axis=1)
    else:
        reference = pairs.references(rng, (steps, plan.batch_size))
        negative = pairs.negatives(rng, (steps, plan.num_negatives))
    return np.concatenate([reference, pairs.positives(rng, reference), negative], axis=1)


def encode(encoder: Encoder, pools: Iterable[Pool]) -> Iterator[NDArray[np.float32]]:
    """Embedding of every sample of each pool; memory does not grow with the number of pools."""
    arrays, static = eqx.partition(encoder, eqx.is_array)
    fixed = Fixed(static)
    for pool in pools:
        z = np.asarray(encode_rows(arrays, pool.rows, fixed=fixed))
        yield z[pool.centre - encoder.offset[0]]
