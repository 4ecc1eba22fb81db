"""How often each sample is drawn as reference or negative."""

from __future__ import annotations

import numpy as np

from ..errors import DataError
from ..trials import Ints

PRIORS = ("empirical", "uniform")


class Groups:
    """Samples sorted by a number (class), so that a uniform draw within one is one look-up.

    Numbers may be any integers or booleans, with gaps.
    """

    def __init__(self, number: Ints):
        self.numbers, self.group, self._count = np.unique(
            number, return_inverse=True, return_counts=True
        )
        self._order = np.argsort(self.group, kind="stable")
        self._first = np.cumsum(self._count) - self._count

    def __len__(self) -> int:
        return len(self.numbers)

    def members(self) -> list[Ints]:
        return np.split(self._order, self._first[1:])

    def find(self, number: Ints) -> Ints:
        """Position of each number among those that occur; -1 where it does not."""
        at = np.searchsorted(self.numbers, number).clip(0, len(self.numbers) - 1)
        return np.where(self.numbers[at] == number, at, -1)

    def draw(self, rng: np.random.Generator, group: Ints) -> Ints:
        """A sample of each group; any sample where the group is -1."""
        pick = (rng.random(group.shape) * self._count[group]).astype(np.int64)
        return self._order[self._first[group] + pick]


class Draws:
    """Independent draws of samples.

    prior "empirical": every sample alike; "uniform": every class, within one every sample;
    "trials": every trial, within one every sample.
    """

    def __init__(self, among: Ints, prior: str, classes: Ints | None, trial: Ints):
        check_choice("prior", prior, (*PRIORS, "trials"))
        self._among, self._groups = among, None
        if prior == "uniform":
            if classes is None:
                raise DataError(
                    "prior='uniform' draws every class equally often; there is no discrete label: "
                    "give one or use prior='empirical'"
                )
            self._groups = Groups(classes[among])
        elif prior == "trials":
            self._groups = Groups(trial[among])

    def __call__(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Ints:
        if self._groups is None:
            return self._among[rng.integers(len(self._among), size=shape)]
        return self._among[self._groups.draw(rng, rng.integers(len(self._groups), size=shape))]


def check_choice(name: str, given: str, known: tuple[str, ...]) -> None:
    if given not in known:
        raise DataError(f"{name} must be one of {', '.join(map(repr, known))}; got {given!r}")
