"""Rows of two embeddings that belong together: equal samples, or equal bins of labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from ..trials import Ints
from ._datasets import DataSets, bin_means, cells
from ._halves import Pair
from ._inputs import is_embedding
from ._linear import Floats
from .chance import surrogate


@dataclass(frozen=True)
class SameSamples:
    """Two embeddings of the same samples."""

    pair: Pair
    matched_by: ClassVar[str] = "samples"

    @classmethod
    def of(cls, z: Any, reference: Any, groups: Any) -> SameSamples:
        pair = Pair.of(z, reference, groups, in_sample=True, name="reference")
        clocks = [x.coords["time"].values for x in (z, reference) if _has_time(x)]
        if len(clocks) == 2 and not np.array_equal(*clocks):
            raise DataError(
                "without labels the rows of both embeddings must be the same samples, but their "
                "times differ; give labels=[...] to match different recordings"
            )
        return cls(pair)

    def rows(self, rng: np.random.Generator | None = None) -> tuple[Floats, Floats]:
        """(embedding, reference), one row a sample; with a generator one draw of chance."""
        known, trials = self.pair.truth, self.pair.trials
        return self.pair.rows, known if rng is None else known[surrogate(trials, rng)]

    @property
    def trials(self) -> NDArray:
        """Trial of every row."""
        return self.pair.trials


@dataclass(frozen=True)
class SameLabels:
    """Two embeddings matched by their mean in each bin of the labels, where both have samples."""

    sets: DataSets
    cells: list[Ints]
    labels: Sequence[Any] | str
    bins: int | None
    matched_by: ClassVar[str] = "labels"

    @classmethod
    def of(
        cls, z: Any, reference: Any, labels: Sequence[Any] | str, groups: Any, bins: int | None
    ) -> SameLabels:
        sets = DataSets.of([z, reference], labels, groups)
        return cls(sets, cells(sets.values, bins), labels, bins)

    def rows(self, rng: np.random.Generator | None = None) -> tuple[Floats, Floats]:
        """(embedding, reference), one row a bin; with a generator one draw of chance."""
        n_cells = max(int(cell.max()) for cell in self.cells) + 1
        means = []
        for x, cell, trials in zip(self.sets.rows, self.cells, self.sets.trials, strict=True):
            moved = cell if rng is None else cell[surrogate(trials, rng)]
            means.append(bin_means(x, moved, n_cells))
        both = np.isfinite(means[0][:, 0]) & np.isfinite(means[1][:, 0])
        return means[0][both], means[1][both]

    @property
    def named(self) -> bool:
        """Labels are looked up by name, so that other trials have them too."""
        return all(isinstance(name, str) for name in self.labels)


def match(
    z: Any, reference: Any, labels: Any = None, groups: Any = None, bins: int | None = None
) -> SameSamples | SameLabels:
    """Rows that belong together, of the samples or, with labels, of their bins."""
    if labels is None:
        return SameSamples.of(z, reference, groups)
    return SameLabels.of(z, reference, labels, groups, bins)


def _has_time(z: Any) -> bool:
    return is_embedding(z) and "time" in z.coords
