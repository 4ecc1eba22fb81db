"""What a positive should be like, said without naming a sample: any recording can answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..trials import Ints

NO_SAMPLE = -1
"""Answer of `find` where the pool holds no sample that is asked for."""

NO_TRIAL = np.iinfo(np.int64).min
"""A number that no trial has: partner of a trial that has none, or no trial to leave out."""


@dataclass(frozen=True, eq=False)
class Query:
    """What is asked of each positive; None where the rule does not ask.

    All fields have the shape of the references; `label` has the label columns as one axis more.

    >>> query = Query(label=np.zeros((2, 5, 3)), number=np.arange(10).reshape(2, 5))
    >>> query[1].label.shape, query[1].number.tolist()
    ((5, 3), [5, 6, 7, 8, 9])
    >>> Query.stack([query, query]).label.shape
    (2, 2, 5, 3)
    """

    label: NDArray[np.float64] | None = None
    """As near as possible to these label values."""
    number: Ints | None = None
    """Of this class; numbers mean the same in all recordings."""
    place: Ints | None = None
    """Within the time window around this many samples after its trial's start."""
    other_than: Ints | None = None
    """Not in this trial of the recording that asks."""
    within: Ints | None = None
    """In this trial of the recording that asks, and no other."""

    def __getitem__(self, index: Any) -> Query:
        return self._map(lambda values: values[index])

    def elsewhere(self) -> Query:
        """The same, for another recording: trial numbers mean nothing there."""
        return Query(self.label, self.number, self.place)

    @staticmethod
    def stack(queries: Sequence[Query]) -> Query:
        """Queries of several recordings, of one shape and one rule, along a new first axis."""
        names = [f.name for f in fields(Query)]
        columns = {name: [getattr(query, name) for query in queries] for name in names}
        return Query(**{k: None if v[0] is None else np.stack(v) for k, v in columns.items()})

    def _map(self, change: Callable[[NDArray], NDArray]) -> Query:
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        return Query(**{k: None if v is None else change(v) for k, v in values.items()})
