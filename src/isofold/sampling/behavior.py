"""Label-contrastive pairs: the positive is a sample whose labels are near those wanted.

"time_delta": wanted = c_ref + (c_j − c_{j−Δ}), the change that some other moment j showed over Δ
samples of its own segment. "delta_normal": wanted ~ Normal(c_ref, δ² I). The positive is the sample
whose label is nearest (unweighted Euclidean over all columns, so scaling matters).
Rules as in Schneider, Lee & Mathis, Nature 2023, and the `cebra` package 0.6.1, trial-aware.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from ..errors import DataError
from ..trials import Ints, expand
from .pool import Pool


class Nearest:
    """The sample with the label nearest to each query; the first of equals in one dimension."""

    def __init__(self, labels: NDArray[np.float64]):
        # Centred, in double precision: large offsets must not cost resolution.
        self._mean = labels.mean(axis=0)
        points = labels - self._mean
        self._tree = None
        if labels.shape[1] > 1:
            self._tree = cKDTree(points)
        else:
            self._values, self._first = np.unique(points[:, 0], return_index=True)

    def __call__(self, query: NDArray[np.float64]) -> Ints:
        query = query - self._mean
        if self._tree is not None:
            _, found = self._tree.query(query.reshape(-1, query.shape[-1]))
            return np.asarray(found).reshape(query.shape[:-1])
        value = query[..., 0]
        right = np.searchsorted(self._values, value).clip(1, max(len(self._values) - 1, 1))
        right = np.minimum(right, len(self._values) - 1)
        left = np.maximum(right - 1, 0)
        nearer = value - self._values[left] <= self._values[right] - value
        return self._first[np.where(nearer, left, right)]


class ContinuousSampler:
    """References and negatives uniform, positive by label change or by a Gaussian around it."""

    def __init__(self, pool: Pool, conditional: str, time_offset: int, delta: float | None):
        assert pool.continuous is not None
        self._labels, self._delta = pool.continuous, delta
        self._nearest = Nearest(self._labels)
        self._changes = _changes(pool, time_offset) if conditional == "time_delta" else None

    def wanted(self, rng: np.random.Generator, reference: Ints) -> NDArray[np.float64]:
        """The label that each positive should have."""
        around = self._labels[reference]
        if self._changes is None:
            assert self._delta is not None
            return around + self._delta * rng.standard_normal(around.shape)
        return around + self._changes[rng.integers(len(self._changes), size=reference.shape)]

    def all_references(self) -> Ints:
        return np.arange(len(self._labels))

    def references(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Ints:
        return rng.integers(len(self._labels), size=shape)

    def positives(self, rng: np.random.Generator, reference: Ints) -> Ints:
        return self._nearest(self.wanted(rng, reference))

    negatives = references


class DiscreteSampler:
    """Positive: any sample of the reference's class. References and negatives uniform."""

    def __init__(self, pool: Pool):
        assert pool.classes is not None
        self._members = _Members(pool.classes)

    def all_references(self) -> Ints:
        return np.arange(len(self._members.number))

    def references(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Ints:
        return rng.integers(len(self._members.number), size=shape)

    def positives(self, rng: np.random.Generator, reference: Ints) -> Ints:
        return self._members.draw(rng, self._members.number[reference])

    negatives = references


class MixedSampler:
    """Positive: nearest wanted label among samples of the reference's class.

    References and negatives are drawn with equal weight for every class; negatives do not depend
    on the class of the reference.
    """

    def __init__(self, pool: Pool, conditional: str, time_offset: int, delta: float | None):
        assert pool.classes is not None
        assert pool.continuous is not None
        self._continuous = ContinuousSampler(pool, conditional, time_offset, delta)
        self._members = _Members(pool.classes)
        self._within = [(mine, Nearest(pool.continuous[mine])) for mine in self._members.of_class()]

    def all_references(self) -> Ints:
        return self._continuous.all_references()

    def references(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Ints:
        return self._members.draw(rng, rng.integers(len(self._within), size=shape))

    def positives(self, rng: np.random.Generator, reference: Ints) -> Ints:
        wanted = self._continuous.wanted(rng, reference)
        number = self._members.number[reference]
        positive = np.empty_like(reference)
        for c, (mine, nearest) in enumerate(self._within):
            here = number == c
            positive[here] = mine[nearest(wanted[here])]
        return positive

    negatives = references


class _Members:
    """Samples sorted by class, so that a uniform draw within a class is one look-up."""

    def __init__(self, classes: Ints):
        _, self.number, self._count = np.unique(classes, return_inverse=True, return_counts=True)
        self._order = np.argsort(self.number, kind="stable")
        self._first = np.cumsum(self._count) - self._count

    def of_class(self) -> list[Ints]:
        return np.split(self._order, self._first[1:])

    def draw(self, rng: np.random.Generator, number: Ints) -> Ints:
        pick = (rng.random(number.shape) * self._count[number]).astype(np.int64)
        return self._order[self._first[number] + pick]


def _changes(pool: Pool, time_offset: int) -> NDArray[np.float64]:
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
