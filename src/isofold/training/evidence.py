"""Training by evidence: samples, their labels, and a model of both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from ..sampling import Pool, Source
from .evidence_step import Batch, Hyper, Params, Part, Program, Record, Rows
from .loop import CHUNK, Callback, padded, run


@dataclass(frozen=True)
class EvidencePlan:
    """What to train and for how long."""

    rates: NDArray[np.float64]
    """One learning rate a step."""
    beta: NDArray[np.float64]
    """Weight of the KL in each step."""
    batch_size: int
    """Samples of each recording in a step."""
    program: Program
    hyper: Hyper = field(default_factory=Hyper)
    keep_prior: bool = False
    """Leave the label prior as it is: a new recording joins those of a fit."""


@dataclass(frozen=True)
class TrainedEvidence:
    """The model as it is now, and the record of all steps so far."""

    params: Params
    record: Record | None
    """Of NumPy arrays with a leading axis of steps; None before the first."""
    interrupted: bool = False

    @property
    def loss(self) -> NDArray[np.float64]:
        """(step,) minus the evidence, in nats a channel and bin."""
        return np.empty(0) if self.record is None else np.asarray(self.record.loss, float)


def train_evidence(
    params: Params,
    sources: Sequence[Source],
    labels: Sequence[NDArray[np.float32]],
    plan: EvidencePlan,
    rng: np.random.Generator,
    callback: Callback | None = None,
    callback_frequency: int | None = None,
    tick: Callable[[int, float], None] | None = None,
) -> TrainedEvidence:
    """Train on every sample of the sources, each once an epoch.

    `labels` are coded, (sample, column) of every whole recording.
    """
    problem = _Evidence(params, labels, plan)
    return run(problem, sources, rng, callback, callback_frequency, tick)


class _Evidence:
    """Model, labels and plan as the loop wants them."""

    def __init__(self, params: Params, labels: Sequence[NDArray[np.float32]], plan: EvidencePlan):
        self.params, self.rates, self.hyper = params, plan.rates, plan.hyper
        self._labels, self._plan = labels, plan

    def trainable(self, arrays: Params) -> Params:
        """All but the scaling of the channels; nor the prior where the plan keeps it."""
        ones = jax.tree.map(lambda _: np.float32(1), arrays)
        if self._plan.keep_prior:
            ones = ones._replace(prior=jax.tree.map(lambda _: np.float32(0), arrays.prior))
        constants = lambda params: [  # noqa: E731
            value
            for part in params.parts
            for value in (
                part.posterior.shift, part.posterior.scale,
                part.decoder.shift, part.decoder.scale, part.mean,
            )
        ]  # fmt: skip
        return eqx.tree_at(constants, ones, replace_fn=lambda _: np.float32(0))

    def device_rows(self, number: int, pool: Pool) -> Rows:
        return device_rows(self.params.parts[number], pool)

    def drawer(self, pools: Sequence[Pool]):
        decks = [_Deck(len(pool.sample)) for pool in pools]
        plan = self._plan

        def draw(rng: np.random.Generator, first: int, count: int):
            index, labels = [], []
            for deck, pool, known in zip(decks, pools, self._labels, strict=True):
                at = deck.deal(rng, (count, plan.batch_size))
                index.append(padded(pool.centre[at]))
                labels.append(padded(known[pool.sample[at]]))
            beta = np.ones(CHUNK, np.float32)
            beta[:count] = plan.beta[first : first + count]
            return Batch(tuple(index), tuple(labels), beta), plan.program

        return draw

    def loss(self, done: int, record: Record) -> float:
        return float(record.loss)

    def result(self, params: Params, record: Record | None, interrupted: bool) -> TrainedEvidence:
        return TrainedEvidence(jax.block_until_ready(params), record, interrupted)


def device_rows(part: Part, pool: Pool) -> Rows:
    """A pool's rows, and the part of their log-likelihood that no model changes."""
    n = part.decoder.n_channels
    constant = np.zeros(len(pool.rows), np.float32)
    if part.decoder.observation != "gaussian":
        constant = -gammaln(pool.rows[:, :n] + 1.0).sum(axis=1).astype(np.float32)
    return Rows(jnp.asarray(pool.rows), jnp.asarray(constant))


class _Deck:
    """Numbers 0 … n − 1 in random order, all dealt before one comes again."""

    def __init__(self, n: int):
        self._n, self._hand = n, np.empty(0, np.int64)

    def deal(self, rng: np.random.Generator, shape: tuple[int, int]) -> NDArray[np.int64]:
        size = shape[0] * shape[1]
        while len(self._hand) < size:
            self._hand = np.concatenate([self._hand, rng.permutation(self._n)])
        dealt, self._hand = self._hand[:size], self._hand[size:]
        return dealt.reshape(shape)
