"""Time-contrastive pairs: the positive is the sample a fixed time after its reference."""

from __future__ import annotations

import numpy as np

from ..errors import DataError
from ..trials import Ints, expand
from .pool import Pool


class TimeSampler:
    """positive = reference + Δ inside the same segment; references uniform over all that have one.

    Segments of Δ samples or fewer hold no pair; their samples still serve as negatives.
    """

    def __init__(self, pool: Pool, time_offset: int):
        length = pool.stop - pool.start
        usable = length > time_offset
        if not usable.any():
            raise DataError(
                f"time_offsets={time_offset} needs a segment longer than {time_offset} samples; "
                f"the longest has {length.max(initial=0)}; use a smaller time_offsets"
            )
        self._partnered = expand(pool.start[usable], pool.stop[usable] - time_offset)
        self._time_offset, self._n = time_offset, len(pool.sample)

    def all_references(self) -> Ints:
        return self._partnered

    def references(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Ints:
        return self._partnered[rng.integers(len(self._partnered), size=shape)]

    def positives(self, rng: np.random.Generator, reference: Ints) -> Ints:
        return reference + self._time_offset

    def negatives(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Ints:
        return rng.integers(self._n, size=shape)
