"""Uniform draws among the samples of a group at about one time, in trials other than one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..trials import Ints
from .query import NO_SAMPLE


class Runs:
    """Entries sorted by group and place: those of a group within a window of places are a run.

    The entries of one trial lie scattered in the run. A second order, by trial, group and place,
    says where, so that the u-th entry of a run without them is found by bisection: draws need no
    second try. Groups and trials are numbered from 0; an unknown one (-1) has no entries.
    """

    def __init__(self, group: Ints, place: Ints, trial: Ints, window: int):
        n = len(group)
        self._window, self._n, self._n_places = window, n, int(place.max()) + 1
        self._n_groups = int(group.max()) + 1
        pair = trial * self._n_groups + group
        by_group = group * self._n_places + place
        by_trial = pair * self._n_places + place
        self._order = np.argsort(by_group, kind="stable")
        self._trial_order = np.argsort(by_trial, kind="stable")
        self._by_group = _Before(by_group[self._order])
        self._by_trial = _Before(by_trial[self._trial_order])
        rank = np.empty(n, np.int64)
        rank[self._order] = np.arange(n)
        # Entries of other trials that precede it in the run, up to a constant of each search.
        before = rank[self._trial_order] - np.arange(n)
        self._before = self._keyed(pair[self._trial_order], before)

    def count(self, group: Ints, place: Ints, other_than: Ints | None = None) -> Ints:
        """Entries of the group within the window of the place, in any other trial."""
        low, high = self._span(self._by_group, group, place)
        if other_than is None:
            return high - low
        own_low, own_high = self._own(other_than, group, place)
        return (high - low) - (own_high - own_low)

    def draw(
        self, rng: np.random.Generator, group: Ints, place: Ints, other_than: Ints | None = None
    ) -> Ints:
        """One of them with equal chances; `NO_SAMPLE` where there is none."""
        low, high = self._span(self._by_group, group, place)
        if other_than is None:
            return _pick(rng, self._order, low, high)
        own_low, own_high = self._own(other_than, group, place)
        count = (high - low) - (own_high - own_low)
        at = low + (rng.random(count.shape) * count).astype(np.int64)
        passed = np.searchsorted(
            self._before, self._keyed(self._pair(other_than, group), at - own_low), side="right"
        )
        at = at + passed.clip(own_low, own_high) - own_low
        return np.where(count > 0, self._order[np.minimum(at, self._n - 1)], NO_SAMPLE)

    def within(self, trial: Ints, group: Ints, place: Ints) -> tuple[Ints, Ints]:
        """Where `sorted_by_trial` holds those of one trial: first and one past the last."""
        return self._own(trial, group, place)

    @property
    def sorted_by_trial(self) -> Ints:
        return self._trial_order

    def draw_within(self, rng: np.random.Generator, trial: Ints, group: Ints, place: Ints) -> Ints:
        """One of those of one trial with equal chances; `NO_SAMPLE` where there is none."""
        return _pick(rng, self._trial_order, *self._own(trial, group, place))

    def _own(self, trial: Ints, group: Ints, place: Ints) -> tuple[Ints, Ints]:
        return self._span(self._by_trial, self._pair(trial, group), place)

    def _pair(self, trial: Ints, group: Ints) -> Ints:
        known = (trial >= 0) & (group >= 0)
        return np.where(known, trial * self._n_groups + group, -1)

    def _span(self, before: _Before, block: Ints, place: Ints) -> tuple[Ints, Ints]:
        low = (place - self._window).clip(0, self._n_places)
        high = (place + self._window + 1).clip(0, self._n_places)
        first = block * self._n_places
        return before(first + low), before(first + high)

    def _keyed(self, pair: Ints, before: Ints) -> Ints:
        return pair * (2 * self._n + 1) + before + self._n


class _Before:
    """How many of some sorted keys are smaller than a query: from a table where it is not large."""

    def __init__(self, keys: Ints):
        self._keys, self._table = keys, None
        if keys[-1] < 8 * len(keys):
            self._table = np.searchsorted(keys, np.arange(keys[-1] + 2))

    def __call__(self, query: Ints) -> Ints:
        if self._table is None:
            return np.searchsorted(self._keys, query)
        return self._table[query.clip(0, len(self._table) - 1)]


def _pick(rng: np.random.Generator, order: Ints, low: Ints, high: Ints) -> Ints:
    count = high - low
    at = low + (rng.random(count.shape) * count).astype(np.int64)
    return np.where(count > 0, order[np.minimum(at, len(order) - 1)], NO_SAMPLE)


class Others:
    """Draws of a sample of a group, within the window of a place, in trials other than one.

    balance "samples": every such sample has equal chances. "trials": every trial that holds one
    has, and then every such sample of it.
    """

    def __init__(self, group: Ints, place: Ints, trial: Ints, window: int, balance: str):
        self._samples = Runs(group, place, trial, window)
        self._place, self._trial, self._window = place, trial, window
        _, self._first, self._size = np.unique(group, return_index=True, return_counts=True)
        self._trials = None
        if balance == "trials":
            self._covered = _covered(group, place, trial, window)
            self._trials = Runs(*self._covered, window=0)

    def any(self, group: Ints, place: Ints, other_than: Ints | None = None) -> NDArray[np.bool_]:
        """Whether there is such a sample; the group must exist."""
        # Most groups of a label that varies in time hold one sample: one look answers.
        first = self._first[group]
        found = np.abs(self._place[first] - place) <= self._window
        if other_than is not None:
            found &= self._trial[first] != other_than
        more = ~found & (self._size[group] > 1)
        if more.any():
            other = None if other_than is None else other_than[more]
            found[more] = self._samples.count(group[more], place[more], other) > 0
        return found

    def draw(
        self, rng: np.random.Generator, group: Ints, place: Ints, other_than: Ints | None = None
    ) -> Ints:
        if self._trials is None:
            return self._samples.draw(rng, group, place, other_than)
        entry = self._trials.draw(rng, group, place, other_than)
        trial = np.where(entry == NO_SAMPLE, -1, self._covered[2][entry])
        return self._samples.draw_within(rng, trial, group, place)

    @property
    def samples(self) -> Runs:
        return self._samples


def _covered(group: Ints, place: Ints, trial: Ints, window: int) -> tuple[Ints, Ints, Ints]:
    """Group, place and trial, once each, wherever the trial has a sample of the group in reach."""
    order = np.lexsort((place, group, trial))
    group, place, trial = group[order], place[order], trial[order]
    last = int(place.max())
    start, stop = np.maximum(place - window, 0), np.minimum(place + window, last) + 1
    follows = (group[1:] == group[:-1]) & (trial[1:] == trial[:-1])
    start[1:] = np.where(follows, np.maximum(start[1:], stop[:-1]), start[1:])
    length = stop - start
    first = np.cumsum(length) - length
    places = np.arange(length.sum()) - np.repeat(first - start, length)
    return np.repeat(group, length), places, np.repeat(trial, length)
