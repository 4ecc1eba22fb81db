"""A lazy selection of rows of a large array: what a split of a memmap or Zarr signal holds."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from .trials import Ints


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
        pieces = [
            self.base[a + max(first - at, 0) : a + min(last - at, b - a)]
            for a, b, at in zip(self.start, self.stop, self._offset[:-1], strict=True)
            if at < last and at + b - a > first
        ]
        return np.concatenate(pieces) if pieces else np.empty((0, *self.shape[1:]), self.dtype)

    def __array__(self, dtype=None, copy=None) -> NDArray:
        return self._read(0, len(self)).astype(dtype or self.dtype, copy=False)


def take(array, index: NDArray) -> NDArray:
    """Rows by number from NumPy, memmap, `Rows` or Zarr (whose plain indexing is by block)."""
    if hasattr(array, "get_orthogonal_selection"):
        return array.get_orthogonal_selection((index,))
    return np.asarray(array[index])


BLOCK_BYTES = 2**24
"""What is read at a time from a signal that may be larger than memory."""


def blocks(array) -> Iterator[tuple[int, int]]:
    """Borders of blocks of about `BLOCK_BYTES` that cover the rows of an array.

    >>> list(blocks(np.zeros((3, 2))))
    [(0, 3)]
    """
    row = array.dtype.itemsize * max(int(np.prod(array.shape[1:])), 1)
    step = max(BLOCK_BYTES // row, 1)
    for start in range(0, array.shape[0], step):
        yield start, min(start + step, array.shape[0])
