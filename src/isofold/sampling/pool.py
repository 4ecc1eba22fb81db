"""Source: where the training loop gets its rows. In memory it never changes; else it rotates.

A pool lays segments end to end with their edges repeated, so that the window of every sample is a
run of rows and holds samples of its own segment only. Samplers see sample numbers of the pool;
`centre` turns them into rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from .._rows import take
from ..trials import Ints, expand
from .query import Query


@dataclass(frozen=True, eq=False)
class Pool:
    """Rows as the compiled step receives them, and what samplers need to know of them."""

    rows: NDArray[np.float32]
    """(padded row, padded channel); rows and channels beyond the data are zero."""
    origin: Ints
    """(padded row,) sample of the recording that each row holds; -1 for padding."""
    centre: NDArray[np.int32]
    """(sample,) row at the centre of each sample's window."""
    start: Ints
    stop: Ints
    """Segments, in sample numbers of the pool."""
    sample: Ints
    """(sample,) number in the recording of each sample of the pool."""
    trial: Ints
    """(sample,) number of the trial that each sample lies in."""
    place: Ints
    """(sample,) samples since the start of that trial."""
    continuous: NDArray[np.float64] | None = None
    classes: Ints | None = None


@dataclass(frozen=True, eq=False)
class Targets:
    """Labels of every sample of a recording: continuous columns, class numbers, or none."""

    continuous: NDArray[np.float64] | None = None
    classes: Ints | None = None

    def of(self, sample: Ints) -> Targets:
        """Those of some samples."""
        return Targets(
            None if self.continuous is None else self.continuous[sample],
            None if self.classes is None else self.classes[sample],
        )


class Source(Protocol):
    """What the training loop asks for rows."""

    def pools(self, rng: np.random.Generator) -> Iterator[Pool]:
        """A pool for every chunk of steps; the same object as long as nothing changed."""


class Sampler(Protocol):
    """Which samples of a pool are compared; all arrays are sample numbers of the pool."""

    def all_references(self) -> Ints:
        """Every sample that can be a reference (full batch)."""

    def references(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Ints: ...

    def positives(self, rng: np.random.Generator, reference: Ints) -> Ints: ...

    def negatives(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Ints: ...


class LabelSampler(Sampler, Protocol):
    """A sampler that can ask, and answer, another recording."""

    def wanted(self, rng: np.random.Generator, reference: Ints) -> Query: ...

    def has(self, query: Query) -> NDArray[np.bool_]: ...

    def find(self, rng: np.random.Generator, query: Query) -> Ints: ...


def padded_size(n: int, least: int = 8, parts: int = 4) -> int:
    """The next of 1, 1¼, 1½, 1¾ times a power of two: arrays of similar size share a program.

    More `parts` of a doubling waste less and share less.

    >>> [padded_size(n) for n in (3, 9, 31, 48, 120, 1000)]
    [8, 10, 32, 48, 128, 1024]
    """
    n = max(n, least)
    part = max(2 ** (int(np.ceil(np.log2(n))) - 1) // parts, 1)
    return -(-n // part) * part


def padded_rows(n: int, whole: int | None) -> int:
    """Rows to reserve for n rows.

    Folds of one recording (of `whole` rows) differ a little in length. Steps that lie between the
    usual training shares give all of them one size, hence one compiled program.
    """
    if whole is None or n > whole:
        return -(-padded_size(n, 64, parts=16) // 64) * 64
    share = next(s for s in (0.12, 0.29, 0.45, 0.58, 0.71, 0.86, 1.0) if n <= s * whole)
    return -(-int(np.ceil(share * whole)) // 64) * 64


@dataclass(frozen=True, eq=False)
class Layout:
    """How stretches of a recording become the rows of a pool."""

    signal: Any
    """(time, channel); NumPy, memmap, `Rows` or Zarr."""
    start: Ints
    stop: Ints
    """Segments to train on, in samples of the signal."""
    offset: tuple[int, int]
    n_rows: int
    n_channels: int
    """Padded size of every pool."""
    edges: str = "replicate"
    """"replicate" repeats the first and last sample of a segment; "valid" moves the window of an
    edge sample inside, as the `cebra` package does in training."""
    trial: Ints | None = None
    onset: Ints | None = None
    """Trial of each segment, and samples from the trial's start to the segment's; None: each
    segment is a trial."""

    def lay(self, start: Ints, stop: Ints, segment: Ints) -> Pool:
        """Stretches [start, stop) of the given segments, each with its window's context."""
        left, right = self.offset
        length = stop - start
        with_context = length + left + right - 1
        wanted = expand(start - left, stop + right - 1)
        piece = np.repeat(segment, with_context)
        source = np.clip(wanted, self.start[piece], self.stop[piece] - 1)
        rows = np.zeros((self.n_rows, self.n_channels), np.float32)
        rows[: len(source), : self.signal.shape[1]] = take(self.signal, source)
        origin = np.full(self.n_rows, -1, np.int64)
        origin[: len(source)] = source
        end = np.cumsum(length)
        sample = expand(start, stop)
        first_row = np.cumsum(with_context) - with_context
        centre = expand(first_row + left, first_row + left + length)
        if self.edges == "valid":
            centre += self._inward(sample, np.repeat(segment, length))
        return Pool(
            rows=rows,
            origin=origin,
            centre=centre.astype(np.int32),
            start=end - length,
            stop=end,
            sample=sample,
            trial=self._trial_of(np.repeat(segment, length)),
            place=sample - self._trial_start()[np.repeat(segment, length)],
        )

    def _trial_of(self, segment: Ints) -> Ints:
        return segment if self.trial is None else self.trial[segment]

    def _trial_start(self) -> Ints:
        """(segment,) sample at which the trial of each segment starts."""
        return self.start - (0 if self.onset is None else self.onset)

    def blocks(self, most: int) -> Iterator[Pool]:
        """All segments in order, in pools of about `most` rows: for reading, not for training.

        All pools but those of short recordings have one size, hence one compiled program.
        """
        context = sum(self.offset) - 1
        pieces = [
            (at, min(at + most, b), number)
            for number, (a, b) in enumerate(zip(self.start, self.stop, strict=True))
            for at in range(int(a), int(b), most)
        ]
        rows = np.cumsum([b - a + context for a, b, _ in pieces])
        size = padded_rows(min(int(rows[-1]), 2 * (most + context)), None)
        first = 0
        while first < len(pieces):
            used = rows[first - 1] if first else 0
            last = int(np.searchsorted(rows, used + size, side="right"))
            start, stop, segment = np.array(pieces[first:last]).T
            yield replace(self, n_rows=size).lay(start, stop, segment)
            first = last

    def _inward(self, sample: Ints, segment: Ints) -> Ints:
        """How far the window of each sample moves so that it lies in its segment, if it fits."""
        left, right = self.offset
        low, high = self.start[segment] + left, self.stop[segment] - right
        return np.where(low <= high, np.clip(sample, low, high) - sample, 0)


class MemorySource:
    """The whole recording as one pool that never changes."""

    def __init__(self, layout: Layout):
        self._pool = layout.lay(layout.start, layout.stop, np.arange(len(layout.start)))

    def pools(self, rng: np.random.Generator) -> Iterator[Pool]:
        while True:
            yield self._pool
