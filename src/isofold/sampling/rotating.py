"""A source for recordings larger than memory: pools of stretches, dealt anew for every chunk.

Each epoch cuts all segments into stretches at a new random phase and deals every stretch once, so
that every sample is visited equally often. Where rows are stored singly (NumPy, memmap), a stretch
is read when it is dealt, and a pool holds one from every part of the recording. Where they are
compressed together (Zarr), a stretch would cost a whole chunk: chunks are read in an order that
covers the recording evenly, each for a share of its stretches, and these wait in a buffer until
chance deals them. A pool then holds stretches from as many chunks as have a share in the buffer.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from .._rows import borders, chunked
from ..trials import Ints
from .pool import Layout, Pool

TILE = 256
"""Samples in one stretch: long against a receptive field, short against a session, so that one
pool holds stretches from all of it."""
READ_BYTES = 2**22
"""Small chunks are read together, about so much at a time."""
HELD_BYTES = 2**27
"""Stretches that wait in the buffer."""
SHARES = 32
"""Chunks that should have a share of their stretches in a full buffer."""
MOST_PASSES = 4
"""A chunk is read at most so often an epoch, for a smaller share each time."""
AHEAD = 2
"""Pools that are ready before they are asked for."""

T = TypeVar("T")


class RotatingSource:
    """Stretches of a long recording, dealt anew for every pool; each sample once an epoch.

    The signal may be a memmap or Zarr: only some stretches are in memory. Windows at the ends of a
    stretch see their true neighbours, as far as the segment goes. Pools are read one ahead in a
    thread of their own; which they are follows from the seed alone.
    """

    def __init__(self, layout: Layout, tile: int = TILE):
        self._layout = layout
        context = sum(layout.offset) - 1
        self._tile = min(tile, layout.n_rows - context)
        self._strata = max(layout.n_rows // (tile + context), 1)
        """Parts of the recording that take turns."""
        self._borders = borders(layout.signal, READ_BYTES) if chunked(layout.signal) else None
        self._passes = 1 if self._borders is None else self._shares(np.diff(self._borders).max())

    def _shares(self, block: int) -> int:
        """Passes over the recording an epoch, so that enough chunks have a share in the buffer."""
        signal = self._layout.signal
        row = signal.dtype.itemsize * signal.shape[1]
        if signal.shape[0] * row <= HELD_BYTES:
            return 1
        return int(np.clip(SHARES * block * row / HELD_BYTES, 1, MOST_PASSES).round())

    def pools(self, rng: np.random.Generator) -> Iterator[Pool]:
        # A generator of its own: the thread must not draw between the draws of the training loop.
        return ahead(self._pools(np.random.default_rng(rng.integers(2**63))))

    def _pools(self, rng: np.random.Generator) -> Iterator[Pool]:
        hand: list[_Stretch] = []
        used = 0
        for stretch in self._dealt(rng):
            if used + len(stretch.rows) > self._layout.n_rows:
                yield self._lay(hand)
                hand, used = [], 0
            hand.append(stretch)
            used += len(stretch.rows)

    def _dealt(self, rng: np.random.Generator) -> Iterator[_Stretch]:
        """Every stretch of an epoch once, then of the next."""
        most = 0 if self._borders is None else HELD_BYTES
        while True:
            start, stop, segment = cut(self._layout.start, self._layout.stop, self._tile, rng)
            held: list[_Stretch] = []
            size = 0
            for part in self._reading_order(start, rng):
                for stretch in self._read(start[part], stop[part], segment[part]):
                    held.append(stretch)
                    size += stretch.rows.nbytes
                while size > most:
                    stretch = _pick(held, rng)
                    size -= stretch.rows.nbytes
                    yield stretch
            while held:
                yield _pick(held, rng)

    def _reading_order(self, start: Ints, rng: np.random.Generator) -> Iterator[Ints]:
        """Numbers of stretches to read together: one, or those of a chunk whose turn it is."""
        if self._borders is None:
            yield from in_turns(len(start), self._strata, rng)[:, None]
            return
        block = np.searchsorted(self._borders, start, side="right") - 1
        turn = _rank(block, rng) % self._passes
        for now in range(self._passes):
            mine = np.flatnonzero(turn == now)
            parts = np.split(mine, np.flatnonzero(np.diff(block[mine])) + 1)
            for number in in_turns(len(parts), self._strata, rng):
                yield parts[number]

    def _read(self, start: Ints, stop: Ints, segment: Ints) -> Iterator[_Stretch]:
        """Neighbouring stretches with their context, by one slice of the signal."""
        if not len(start):
            return
        layout, (left, right) = self._layout, self._layout.offset
        low, high = layout.start[segment], layout.stop[segment]
        first = int(np.maximum(start - left, low).min())
        rows = np.asarray(layout.signal[first : int(np.minimum(stop + right - 1, high).max())])
        for a, b, s, l, h in zip(start, stop, segment, low, high, strict=True):
            index = np.clip(np.arange(a - left, b + right - 1), l, h - 1)
            yield _Stretch(int(a), int(b), int(s), rows[index - first])

    def _lay(self, hand: list[_Stretch]) -> Pool:
        start, stop, segment = np.array([(s.start, s.stop, s.segment) for s in hand]).T
        channels = self._layout.signal.shape[1]
        pool = replace(self._layout, signal=_Blank(channels)).lay(start, stop, segment)
        parts = [s.rows for s in hand]
        used = pool.rows[: sum(map(len, parts)), :channels]
        np.concatenate(parts, out=used, casting="unsafe")
        return pool


@dataclass(frozen=True, eq=False)
class _Stretch:
    start: int
    stop: int
    segment: int
    rows: NDArray
    """(stop − start + context, channel): the stretch and what its windows see."""


class _Blank:
    """Stands for a signal whose rows are at hand already."""

    def __init__(self, channels: int):
        self.shape = (0, channels)

    def __getitem__(self, index: NDArray) -> NDArray:
        return np.broadcast_to(np.float32(0), (len(index), self.shape[1]))


def ahead(items: Iterator[T], most: int = AHEAD) -> Iterator[T]:
    """The same items, made `most` ahead in a thread, which ends with this iterator.

    >>> list(ahead(iter(range(5))))
    [0, 1, 2, 3, 4]
    """
    end = object()
    reader = ThreadPoolExecutor(1, thread_name_prefix="isofold-reader")
    try:
        waiting = deque(reader.submit(next, items, end) for _ in range(most))
        while (item := waiting.popleft().result()) is not end:
            waiting.append(reader.submit(next, items, end))
            yield item  # type: ignore[misc]  # all but `end` are items
    finally:
        reader.shutdown(wait=True, cancel_futures=True)


def cut(start: Ints, stop: Ints, tile: int, rng: np.random.Generator) -> tuple[Ints, Ints, Ints]:
    """Every segment cut into stretches of `tile` samples at a random phase: start, stop, segment.

    >>> cut(np.array([0, 5]), np.array([5, 8]), 8, np.random.default_rng(0))
    (array([0, 5]), array([5, 8]), array([0, 1]))
    """
    phase = np.where(stop - start > tile, rng.integers(tile, size=len(start)), 0)
    count = -(-(stop - start + phase) // tile)
    segment = np.repeat(np.arange(len(start)), count)
    number = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    left = (start - phase)[segment] + number * tile
    return np.maximum(left, start[segment]), np.minimum(left + tile, stop[segment]), segment


def in_turns(n: int, strata: int, rng: np.random.Generator) -> Ints:
    """0 … n − 1 shuffled so that any run of `strata` of them comes from all parts of the range.

    >>> np.sort(in_turns(6, 2, np.random.default_rng(0)).reshape(3, 2) // 3)
    array([[0, 1],
           [0, 1],
           [0, 1]])
    """
    turn = _rank(np.arange(n) * min(strata, n) // max(n, 1), rng)
    return np.lexsort((rng.random(n), turn))


def _rank(group: Ints, rng: np.random.Generator) -> Ints:
    """Random order 0, 1, … within each group of a sorted array."""
    rank = np.empty(len(group), np.int64)
    order = np.lexsort((rng.random(len(group)), group))
    rank[order] = np.arange(len(group)) - np.searchsorted(group, group)
    return rank


def _pick(held: list[_Stretch], rng: np.random.Generator) -> _Stretch:
    """Take one out at random; the last takes its place."""
    at = int(rng.integers(len(held)))
    held[at], held[-1] = held[-1], held[at]
    return held.pop()
