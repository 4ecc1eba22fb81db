"""Training by classification: examples of the samples, their classes, and a regression."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from ..sampling import Pool, Source
from .classify_step import Batch, Hyper, Params, Program
from .loop import Callback, padded, run

Deal = Callable[[np.random.Generator, tuple[int, int]], tuple[NDArray, NDArray]]
"""(generator, shape) → samples of the pool (*shape, view) and classes (*shape)."""


@dataclass(frozen=True)
class ClassifyPlan:
    """What to train and for how long."""

    rates: NDArray[np.float64]
    """One learning rate a step."""
    batch_size: int
    """Examples in a step."""
    hyper: Hyper = field(default_factory=Hyper)


@dataclass(frozen=True)
class TrainedClassifier:
    """Features and regression as they are now, and the record of all steps so far."""

    params: Params
    loss: NDArray[np.float64]
    """(step,) cross entropy in nats."""
    finite: NDArray[np.float64]
    """(step,) 1, or 0 for a step that was left out."""
    interrupted: bool = False


def train_classifier(
    params: Params,
    source: Source,
    examples: Callable[[Pool], Deal],
    plan: ClassifyPlan,
    rng: np.random.Generator,
    callback: Callback | None = None,
    callback_frequency: int | None = None,
    tick: Callable[[int, float], None] | None = None,
) -> TrainedClassifier:
    """Train on examples of one recording, drawn anew each step."""
    problem = _Classify(params, examples, plan)
    return run(problem, [source], rng, callback, callback_frequency, tick)


class _Classify:
    """Features, examples and plan as the loop wants them."""

    def __init__(self, params: Params, examples: Callable[[Pool], Deal], plan: ClassifyPlan):
        self.params, self.rates, self.hyper = params, plan.rates, plan.hyper
        self._examples, self._plan = examples, plan

    def trainable(self, arrays: Params) -> Params:
        """All but the scaling of the channels."""
        ones = jax.tree.map(lambda _: np.float32(1), arrays)
        constants = lambda p: [p.features.shift, p.features.scale]  # noqa: E731
        return eqx.tree_at(constants, ones, replace_fn=lambda _: np.float32(0))

    def device_rows(self, number: int, pool: Pool) -> jax.Array:
        return jnp.asarray(pool.rows)

    def drawer(self, pools):
        (pool,) = pools
        deal = self._examples(pool)

        def draw(rng: np.random.Generator, first: int, count: int):
            sample, target = deal(rng, (count, self._plan.batch_size))
            batch = Batch(padded(pool.centre[sample]), padded(target.astype(np.int32)))
            return batch, Program()

        return draw

    def loss(self, done: int, record) -> float:
        return float(record[0])

    def result(self, params: Params, record, interrupted: bool) -> TrainedClassifier:
        loss, finite = record or (np.empty(0), np.empty(0))
        params = jax.block_until_ready(params)
        return TrainedClassifier(params, np.asarray(loss, float), finite, interrupted)
