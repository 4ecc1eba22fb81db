"""The group with the nearest label among those that hold an eligible sample."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ..trials import Ints, expand
from .nearest import BLOCK, Index, index_of

MOST_BLOCKS = 128

Eligible = Callable[[Ints, Ints], NDArray[np.bool_]]
"""(group, number of the query), of any one shape → whether that group may answer that query."""


class LabelGroups:
    """Samples of one class with exactly the same label are a group; groups are numbered from 0.

    Repeated trials of one stimulus share their label to the last bit. A draw must then choose
    among all of them, never the first.
    """

    def __init__(self, labels: NDArray[np.float64], classes: Ints):
        # + 0.0 makes -0.0 and 0.0 the same bytes.
        row = np.column_stack([labels, classes]).astype(np.float64) + 0.0
        as_bytes = row.view(np.dtype((np.void, row.itemsize * row.shape[1])))[:, 0]
        _, first, self.of_sample = np.unique(as_bytes, return_index=True, return_inverse=True)
        self._mean = labels.mean(axis=0)
        self.labels = labels[first] - self._mean
        self.classes = classes[first]

    def centred(self, labels: NDArray[np.float64]) -> NDArray[np.float64]:
        return labels - self._mean


class NearestGroup:
    """Search trees over the labels, one for every class and block of places.

    A block's tree holds every group that has a sample in reach of some place of the block, so that
    most of what it finds lies within the window of the query.
    """

    def __init__(self, groups: LabelGroups, place: Ints, window: int):
        self._groups = groups
        n_places = int(place.max()) + 1
        window = min(window, n_places)
        self._size = max(window + 1, -(-n_places // MOST_BLOCKS))
        self._n_blocks = -(-n_places // self._size)
        block, group = self._reached(place, window)
        tree = groups.classes[group] * self._n_blocks + block
        keys, first = np.unique(tree, return_index=True)
        self._trees = {
            int(key): (mine, index_of(groups.labels[mine]))
            for key, mine in zip(keys, np.split(group, first[1:]), strict=True)
        }

    def among(self, label: NDArray[np.float64], samples: Ints, low: Ints, high: Ints) -> Ints:
        """The group nearest to each query among samples[low:high]; -1 where that is empty."""
        query = self._groups.centred(label)
        width = int((high - low).max(initial=0))
        found = np.full(len(query), -1, np.int64)
        step = max(BLOCK // max(width * query.shape[1], 1), 1)
        for at in range(0, len(query) if width else 0, step):
            part = slice(at, at + step)
            column = low[part, None] + np.arange(width)
            group = self._groups.of_sample[samples[np.minimum(column, len(samples) - 1)]]
            distance = ((self._groups.labels[group] - query[part, None]) ** 2).sum(axis=2)
            best = np.where(column < high[part, None], distance, np.inf).argmin(axis=1)
            nearest = np.take_along_axis(group, best[:, None], axis=1)[:, 0]
            found[part] = np.where(high[part] > low[part], nearest, -1)
        return found

    def _reached(self, place: Ints, window: int) -> tuple[Ints, Ints]:
        """Every pair of a block and a group that has a sample in reach, sorted by class, block."""
        first = np.maximum(place - window, 0) // self._size
        last = np.minimum((place + window) // self._size, self._n_blocks - 1)
        length = last - first + 1
        block = expand(first, last + 1)
        group = np.repeat(self._groups.of_sample, length)
        n_groups = len(self._groups.labels)
        block, group = np.divmod(np.unique(block * n_groups + group), n_groups)
        order = np.lexsort((block, self._groups.classes[group]))
        return block[order], group[order]

    def __call__(
        self, label: NDArray[np.float64], number: Ints, place: Ints, eligible: Eligible
    ) -> Ints:
        """The nearest eligible group of each query (one axis); -1 where there is none."""
        query = self._groups.centred(label)
        block = (place // self._size).clip(0, self._n_blocks - 1)
        tree = np.where(number >= 0, number * self._n_blocks + block, -1)
        found = np.full(len(query), -1, np.int64)
        order = np.argsort(tree, kind="stable")
        keys, first = np.unique(tree[order], return_index=True)
        for key, mine in zip(keys, np.split(order, first[1:]), strict=True):
            if int(key) in self._trees:
                groups, index = self._trees[int(key)]
                found[mine] = _nearest_eligible(query[mine], mine, groups, index, eligible)
        return found


def _nearest_eligible(
    query: NDArray[np.float64], number: Ints, groups: Ints, index: Index, eligible: Eligible
) -> Ints:
    """Ask for 2 neighbours, then for four times as many until one is eligible or none is left."""
    found = np.full(len(query), -1, np.int64)
    waiting, k = np.arange(len(query)), 2
    while len(waiting):
        k = min(k, len(groups))
        _, near = index.query(query[waiting], k=k)
        found[waiting] = _first_eligible(groups[near.reshape(-1, k)], number[waiting], eligible)
        if k == len(groups):
            break
        waiting, k = waiting[found[waiting] < 0], 4 * k
    return found


def _first_eligible(candidates: Ints, number: Ints, eligible: Eligible) -> Ints:
    """(query, k) groups from the nearest on → the first that may answer; -1 where none may."""
    good = eligible(candidates, np.broadcast_to(number[:, None], candidates.shape))
    first = np.take_along_axis(candidates, good.argmax(axis=1)[:, None], axis=1)[:, 0]
    return np.where(good.any(axis=1), first, -1)
