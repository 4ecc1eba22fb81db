"""Arrays as hdmf writes them: block by block where they are long, compressed."""

from __future__ import annotations

from typing import Any

import numpy as np

CHUNK_BYTES = 1 << 20
BLOCK_CHUNKS = 32
"""Chunks that are in memory at a time."""


def stored(values: Any) -> Any:
    """What to hand to pynwb: text as objects, short arrays as they are, long ones in blocks."""
    if values.dtype.kind in "US":
        return np.asarray(values[:]).astype(object)
    if values.dtype.kind not in "biuf" or values.size * values.dtype.itemsize <= CHUNK_BYTES:
        return np.asarray(values[:])
    from hdmf.data_utils import GenericDataChunkIterator

    class Blocks(GenericDataChunkIterator):
        def __init__(self, array: Any, **shapes: Any):
            self.array = array
            super().__init__(**shapes)

        def _get_data(self, selection: tuple[slice, ...]) -> Any:
            return np.asarray(self.array[selection])

        def _get_maxshape(self) -> tuple[int, ...]:
            return tuple(self.array.shape)

        def _get_dtype(self) -> Any:
            return self.array.dtype

    chunk = _chunk(values)
    block = (min(chunk[0] * BLOCK_CHUNKS, values.shape[0]), *chunk[1:])
    return Blocks(values, chunk_shape=chunk, buffer_shape=block)


def _chunk(values: Any) -> tuple[int, ...]:
    """Some rows of all columns."""
    row = values.dtype.itemsize * int(np.prod(values.shape[1:]))
    return (int(np.clip(CHUNK_BYTES // row, 1, values.shape[0])), *values.shape[1:])
