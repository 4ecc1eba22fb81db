"""Training by contrast: encoders, and pairs of samples that belong together or do not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from ..networks import Encoder
from ..sampling import Draw, Pairs, Pool, Source
from .contrast_step import Batch, Hyper, Params, Program, with_one_trunk
from .loop import CHUNK, Callback, padded, run


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
    return run(_Contrast(encoders, plan, pairs), sources, rng, callback, callback_frequency, tick)


class _Contrast:
    """Encoders, plan and pairs as the loop wants them."""

    def __init__(self, encoders: tuple[Encoder, ...], plan: Plan, pairs):
        # NumPy, not jax.numpy, wherever a value is made: every small operation outside the chunk
        # would be a program of its own to trace and load.
        self.params = Params(encoders, -np.log(np.asarray(plan.temperature, np.float32)))
        self.rates, self.hyper = plan.rates, plan.hyper
        self._plan, self._pairs = plan, pairs
        self._weights = np.ones((len(plan.rates), len(plan.objectives) + 1))
        self._weights[:, -1] = 0
        if plan.weights is not None:
            self._weights = plan.weights

    def trainable(self, arrays: Params) -> Params:
        """1 for every array that learns, 0 for those that stay."""
        ones = jax.tree.map(lambda _: np.float32(1), arrays.encoders)
        if self._plan.first_layer_only:
            (encoder,), n = ones, arrays.encoders[0].input_layers
            zeros = jax.tree.map(lambda _: np.float32(0), encoder.layers)
            layers = (*encoder.layers[:n], *zeros[n:])
            ones = (eqx.tree_at(lambda e: e.layers, encoder, layers),)
        return Params(ones, np.asarray(self._plan.learn_temperature, np.float32))

    def device_rows(self, number: int, pool: Pool) -> jax.Array:
        return jnp.asarray(pool.rows)

    def drawer(self, pools: Sequence[Pool]):
        pairs, plan = self._pairs(pools), self._plan

        def draw(rng: np.random.Generator, first: int, count: int):
            drawn = pairs.draw(rng, count, plan.batch_size, plan.num_negatives)
            index = tuple(p.centre[i] for p, i in zip(pools, drawn.drawn, strict=True))
            return self._batch(first, count, Draw(index, drawn.partner))

        return draw

    def _batch(self, first: int, count: int, draw: Draw) -> tuple[Batch, Program]:
        plan, k = self._plan, len(self._plan.objectives)
        weight = np.zeros((CHUNK, k + 1), np.float32)
        weight[:count] = self._weights[first : first + count]
        n_reference = tuple(plan.batch_size or i.shape[1] // (k + 2) for i in draw.drawn)
        if plan.sessions == "joined":
            n_reference = n_reference[:1]
        dealt = draw.partner.shape[1] > 0
        drawn = tuple(padded(i) for i in draw.drawn)
        batch = Batch(drawn, padded(draw.partner.astype(np.int32)), weight)
        return batch, plan.program(n_reference, dealt)

    def loss(self, done: int, record) -> float:
        """What was minimised in the last of `done` steps."""
        return float(np.sum(self._weights[done - 1] * record[0]))

    def result(self, params: Params, record, interrupted: bool) -> Trained:
        k = len(self._plan.objectives)
        losses, temperatures = record or (np.empty((0, k + 1)), np.empty((0, k)))
        encoders = params.encoders
        if self._plan.sessions == "trunk":
            encoders = with_one_trunk(encoders)
        return Trained(
            encoders=jax.block_until_ready(encoders),
            temperature=np.exp(-np.asarray(params.log_inverse_temperature, float)),
            losses=losses,
            temperatures=temperatures,
            weights=self._weights,
            interrupted=interrupted,
        )
