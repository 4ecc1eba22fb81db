"""A lazy selection of rows of a large array: what a split of a memmap or Zarr signal holds."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from .trials import Ints, expand


class Rows:
    """Rows [start, stop) of `base` joined in order; nothing is read before it is indexed.

    >>> rows = Rows(np.arange(20).reshape(10, 2), np.array([1, 6]), np.array([3, 7]))
    >>> rows.shape
    (3, 2)
    >>> rows[1:3]
    array([[ 4,  5],
           [12, 13]])
    """

    def __init__(self, base, start: Ints, stop: Ints):
        self.base, self.start, self.stop = base, np.asarray(start), np.asarray(stop)
        self._offset = np.concatenate([[0], np.cumsum(self.stop - self.start)])
        self.shape = (int(self._offset[-1]), *base.shape[1:])
        self.dtype, self.ndim = base.dtype, len(self.shape)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key) -> NDArray:
        rows, rest = (key[0], key[1:]) if isinstance(key, tuple) else (key, ())
        if isinstance(rows, slice):
            first, last, step = rows.indices(len(self))
            block = self._read(first, max(first, last)) if step > 0 else self._read(0, len(self))
            rows = slice(None, None, step) if step > 0 else rows
            return block[(rows, *rest)]
        index = np.arange(len(self))[rows]
        piece = np.searchsorted(self._offset, index, side="right") - 1
        return take(self.base, self.start[piece] + index - self._offset[piece])[(..., *rest)]

    def _read(self, first: int, last: int) -> NDArray:
        if last <= first:
            return np.empty((0, *self.shape[1:]), self.dtype)
        low = np.searchsorted(self._offset, first, side="right") - 1
        high = np.searchsorted(self._offset, last, side="left")
        start, stop = self.start[low:high].copy(), self.stop[low:high].copy()
        start[0] += first - self._offset[low]
        stop[-1] -= self._offset[high] - last
        if chunked(self.base):
            return take(self.base, expand(start, stop))
        return np.concatenate([self.base[a:b] for a, b in zip(start, stop, strict=True)])

    def moved(self, at: Ints) -> Ints:
        """Borders in rows of `base` as borders in these rows, with both ends."""
        piece = np.searchsorted(self.stop, at, side="right")
        into = at[piece < len(self.stop)]
        piece = piece[piece < len(self.stop)]
        mine = self._offset[piece] + np.maximum(into - self.start[piece], 0)
        return np.unique(np.concatenate([[0], mine, [len(self)]]))

    def __array__(self, dtype=None, copy=None) -> NDArray:
        return self._read(0, len(self)).astype(dtype or self.dtype, copy=False)


def take(array, index: NDArray) -> NDArray:
    """Rows by number, in any order, from NumPy, memmap, `Rows` or Zarr.

    What is stored in chunks is read chunk by chunk, each decompressed once.
    """
    rows = _chunk_rows(array)
    if rows is None or np.ndim(index) == 0:
        return np.asarray(array[index])
    out = np.empty((len(index), *array.shape[1:]), array.dtype)
    order = np.argsort(index, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(index[order] // rows)) + 1, len(index))
    for first, last in itertools.pairwise([0, *ends] if len(index) else []):
        part = order[first:last]
        wanted = index[part]
        out[part] = array[wanted[0] : wanted[-1] + 1][wanted - wanted[0]]
    return out


# -- blocks --------------------------------------------------------------------------------------

BLOCK_BYTES = 2**24
"""What is read at a time from a signal that may be larger than memory."""
MOST_BYTES = 2**27
"""A chunk of more is read in parts, although each part decompresses all of it."""


def chunked(array) -> bool:
    """Are rows stored, hence decompressed, many together (Zarr)? Not so in NumPy or a memmap."""
    return chunked(array.base) if isinstance(array, Rows) else _chunk_rows(array) is not None


def _chunk_rows(array) -> int | None:
    chunks = getattr(array, "chunks", None)
    return int(chunks[0]) if chunks and np.ndim(chunks[0]) == 0 else None


def borders(array, size: int | None = None) -> Ints:
    """Where blocks of about `size` bytes (`BLOCK_BYTES`) begin and end: whole chunks, if chunked.

    >>> borders(np.zeros((3, 2)))
    array([0, 3])
    """
    size = BLOCK_BYTES if size is None else size
    if isinstance(array, Rows) and chunked(array):
        return array.moved(borders(array.base, size))
    row = array.dtype.itemsize * max(int(np.prod(array.shape[1:])), 1)
    step = max(size // row, 1)
    rows = _chunk_rows(array)
    if rows is not None:
        step = rows * max(step // rows, 1) if rows * row <= MOST_BYTES else MOST_BYTES // row
    n = array.shape[0]
    return np.append(np.arange(0, n, max(step, 1)), n)


def blocks(array) -> Iterator[tuple[int, int]]:
    """Start and stop of blocks that cover the rows of an array, to read one at a time.

    >>> list(blocks(np.zeros((3, 2))))
    [(0, 3)]
    """
    return itertools.pairwise(borders(array).tolist())


class InOrder:
    """An array that is read from front to back in pieces that do not end with its chunks.

    The blocks of the newest piece stay in memory, so that each chunk is decompressed once.
    """

    def __init__(self, base):
        self.base, self.shape, self.dtype, self.ndim = base, base.shape, base.dtype, 2
        self._borders = borders(base)
        self._held: dict[int, NDArray] = {}

    def __getitem__(self, index: NDArray) -> NDArray:
        block = np.searchsorted(self._borders, index, side="right") - 1
        self._hold(np.unique(block).tolist())
        out = np.empty((len(index), *self.shape[1:]), self.dtype)
        for number, rows in self._held.items():
            here = np.flatnonzero(block == number)
            out[here] = rows[index[here] - self._borders[number]]
        return out

    def _hold(self, wanted: list[int]) -> None:
        self._held = {b: rows for b, rows in self._held.items() if b in wanted}
        for b in wanted:
            if b not in self._held:
                self._held[b] = np.asarray(self.base[self._borders[b] : self._borders[b + 1]])
