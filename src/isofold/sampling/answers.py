"""Which samples of a pool answer a query across trials, and a fair draw among them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..trials import Ints
from .nearest_group import LabelGroups, NearestGroup
from .runs import Others, Runs


class Where(NamedTuple):
    """Where an answer may lie; classes and trials as the pool numbers them, -1 if it has none."""

    number: Ints
    place: Ints
    other_than: Ints | None
    within: Ints | None

    def flat(self) -> Where:
        """With one axis."""
        return Where(
            self.number.reshape(-1),
            self.place.reshape(-1),
            None if self.other_than is None else self.other_than.reshape(-1),
            None if self.within is None else self.within.reshape(-1),
        )


class Answers:
    """Samples of a class near a time; with labels, those among them with the nearest label.

    Samples with exactly the same label (without labels: all of a class) form a group. The group is
    settled first, then one of its samples is drawn.
    """

    def __init__(
        self,
        place: Ints,
        trial: Ints,
        classes: Ints,
        labels: NDArray[np.float64] | None,
        window: int,
        balance: str,
    ):
        self._in_reach = Runs(classes, place, trial, window)
        self._nearest, groups = None, classes
        if labels is not None:
            alike = LabelGroups(labels, classes)
            self._nearest, groups = NearestGroup(alike, place, window), alike.of_sample
        self._others = Others(groups, place, trial, window, balance)

    def count(self, where: Where) -> Ints:
        """Samples that may answer, whatever their label."""
        if where.within is None:
            return self._in_reach.count(where.number, where.place, where.other_than)
        low, high = self._in_reach.within(where.within, where.number, where.place)
        return high - low

    def draw(
        self, rng: np.random.Generator, where: Where, label: NDArray[np.float64] | None
    ) -> Ints:
        """One sample that answers each query (one axis); `NO_SAMPLE` where there is none."""
        group = where.number if label is None else self._group(where, label)
        if where.within is not None:
            return self._others.samples.draw_within(rng, where.within, group, where.place)
        return self._others.draw(rng, group, where.place, where.other_than)

    def _group(self, where: Where, label: NDArray[np.float64]) -> Ints:
        assert self._nearest is not None
        if where.within is not None:
            low, high = self._in_reach.within(where.within, where.number, where.place)
            return self._nearest.among(label, self._in_reach.sorted_by_trial, low, high)

        def eligible(group: Ints, query: Ints) -> NDArray[np.bool_]:
            other = None if where.other_than is None else where.other_than[query]
            return self._others.any(group, where.place[query], other)

        return self._nearest(label, where.number, where.place, eligible)
