"""Label-contrastive pairs: the positive is a sample whose labels are near those wanted.

"time_delta": wanted = c_ref + (c_j − c_{j−Δ}), the change that some other moment j showed over Δ
samples of its own segment. "delta_normal": wanted ~ Normal(c_ref, δ² I). The positive is the sample
whose label is nearest (unweighted Euclidean over all columns, so scaling matters).
Rules as in Schneider, Lee & Mathis, Nature 2023, and the `cebra` package 0.6.1, trial-aware.

Each sampler has two halves, so that the positive may come from another recording: `wanted` says
what the positive should be like, `find` gives a sample of this pool that answers.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from ..trials import Ints, expand
from .nearest import Nearest
from .pool import Pool
from .prior import PRIORS, Groups, check_choice
from .query import NO_SAMPLE, Query


class ContinuousSampler:
    """References and negatives uniform, positive by label change or by a Gaussian around it.

    `changes` (change, k) replaces the label changes of this pool, for instance by those of all
    recordings together.
    """

    def __init__(
        self,
        pool: Pool,
        conditional: str,
        time_offset: int,
        delta: float | None,
        changes: NDArray[np.float64] | None = None,
    ):
        assert pool.continuous is not None
        self._labels, self._delta = pool.continuous, delta
        self._nearest = Nearest(self._labels)
        self.changes = None
        if conditional == "time_delta":
            self.changes = label_changes(pool, time_offset) if changes is None else changes

    def wanted(self, rng: np.random.Generator, reference: Ints) -> Query:
        """The label that each positive should have."""
        around = self._labels[reference]
        if self.changes is None:
            assert self._delta is not None
            return Query(label=around + self._delta * rng.standard_normal(around.shape))
        change = self.changes[rng.integers(len(self.changes), size=reference.shape)]
        return Query(label=around + change)

    def has(self, query: Query) -> NDArray[np.bool_]:
        """Some label is always the nearest."""
        assert query.label is not None
        return np.ones(query.label.shape[:-1], bool)

    def find(self, rng: np.random.Generator, query: Query) -> Ints:
        """The sample with the nearest label."""
        assert query.label is not None
        return self._nearest(query.label)

    def all_references(self) -> Ints:
        return np.arange(len(self._labels))

    def references(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Ints:
        return rng.integers(len(self._labels), size=shape)

    def positives(self, rng: np.random.Generator, reference: Ints) -> Ints:
        return self.find(rng, self.wanted(rng, reference))

    negatives = references


class DiscreteSampler:
    """Positive: any sample of the reference's class, itself included.

    References and negatives: prior "empirical" draws every sample equally often, "uniform" every
    class, and within a class every sample.
    """

    def __init__(self, pool: Pool, prior: str = "empirical"):
        assert pool.classes is not None
        check_choice("prior", prior, PRIORS)
        self._classes, self._prior = pool.classes, prior
        self.members = Groups(pool.classes)

    def wanted(self, rng: np.random.Generator, reference: Ints) -> Query:
        """The class of each reference."""
        return Query(number=self._classes[reference])

    def has(self, query: Query) -> NDArray[np.bool_]:
        """Where this pool has the class."""
        assert query.number is not None
        return self.members.find(query.number) >= 0

    def find(self, rng: np.random.Generator, query: Query) -> Ints:
        """A random sample of the class; `NO_SAMPLE` where the pool lacks it."""
        assert query.number is not None
        group = self.members.find(query.number)
        return np.where(group >= 0, self.members.draw(rng, group), NO_SAMPLE)

    def all_references(self) -> Ints:
        return np.arange(len(self._classes))

    def references(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Ints:
        if self._prior == "uniform":
            return self.members.draw(rng, rng.integers(len(self.members), size=shape))
        return rng.integers(len(self._classes), size=shape)

    def positives(self, rng: np.random.Generator, reference: Ints) -> Ints:
        return self.members.draw(rng, self.members.group[reference])

    negatives = references


class MixedSampler:
    """Positive: nearest wanted label among samples of the reference's class.

    References and negatives are drawn with equal weight for every class (prior "uniform") or every
    sample ("empirical"); negatives do not depend on the class of the reference.
    """

    def __init__(
        self,
        pool: Pool,
        conditional: str,
        time_offset: int,
        delta: float | None,
        changes: NDArray[np.float64] | None = None,
        prior: str = "uniform",
    ):
        assert pool.classes is not None
        assert pool.continuous is not None
        self._continuous = ContinuousSampler(pool, conditional, time_offset, delta, changes)
        self._discrete = DiscreteSampler(pool, prior)
        labels, members = pool.continuous, self._discrete.members.members()
        self._within = [(mine, Nearest(labels[mine])) for mine in members]

    @property
    def changes(self) -> NDArray[np.float64] | None:
        return self._continuous.changes

    def wanted(self, rng: np.random.Generator, reference: Ints) -> Query:
        """The label that each positive should have, and its class."""
        label = self._continuous.wanted(rng, reference).label
        return Query(label, self._discrete.wanted(rng, reference).number)

    def has(self, query: Query) -> NDArray[np.bool_]:
        """Where this pool has the class."""
        return self._discrete.has(query)

    def find(self, rng: np.random.Generator, query: Query) -> Ints:
        """The sample of the class with the nearest label; `NO_SAMPLE` where there is none."""
        assert query.label is not None
        assert query.number is not None
        group = self._discrete.members.find(query.number)
        positive = np.full(group.shape, NO_SAMPLE, np.int64)
        for c, (mine, nearest) in enumerate(self._within):
            here = group == c
            positive[here] = mine[nearest(query.label[here])]
        return positive

    def all_references(self) -> Ints:
        return self._discrete.all_references()

    def references(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Ints:
        return self._discrete.references(rng, shape)

    def positives(self, rng: np.random.Generator, reference: Ints) -> Ints:
        return self.find(rng, self.wanted(rng, reference))

    negatives = references


def label_changes(pool: Pool, time_offset: int) -> NDArray[np.float64]:
    """c_t − c_{t−Δ} for every t whose partner lies in its own segment."""
    assert pool.continuous is not None
    usable = pool.stop - pool.start > time_offset
    if not usable.any():
        raise DataError(
            f"time_offsets={time_offset} needs a segment longer than {time_offset} samples; the "
            f"longest has {(pool.stop - pool.start).max(initial=0)}; use a smaller time_offsets"
        )
    later = expand(pool.start[usable] + time_offset, pool.stop[usable])
    return pool.continuous[later] - pool.continuous[later - time_offset]
