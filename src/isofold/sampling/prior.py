"""How often each sample is drawn as reference or negative."""

from __future__ import annotations

import numpy as np

from ..errors import DataError
from ..trials import Ints

PRIORS = ("empirical", "uniform")
BALANCES = ("samples", "trials")


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

    prior "empirical": every sample alike; "uniform": every class alike. balance "trials": within
    that, every trial alike.
    """

    def __init__(self, among: Ints, classes: Ints | None, trial: Ints, prior: str, balance: str):
        check_choice("prior", prior, PRIORS)
        check_choice("balance", balance, BALANCES)
        if prior == "uniform" and classes is None:
            raise DataError(
                "prior='uniform' draws every class equally often; there is no discrete label: "
                "give one or use prior='empirical'"
            )
        self._among, self._chances = among, None
        if prior == "uniform" or balance == "trials":
            group = np.zeros(len(among), np.int64)
            if prior == "uniform" and classes is not None:
                group = Groups(classes[among]).group
            piece = Groups(trial[among]).group if balance == "trials" else np.arange(len(among))
            self._chances = np.cumsum(_weights(group, piece))

    def __call__(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Ints:
        n = len(self._among)
        if self._chances is None:
            return self._among[rng.integers(n, size=shape)]
        at = np.searchsorted(self._chances, rng.random(shape) * self._chances[-1], side="right")
        return self._among[np.minimum(at, n - 1)]


def check_choice(name: str, given: str, known: tuple[str, ...]) -> None:
    if given not in known:
        raise DataError(f"{name} must be one of {', '.join(map(repr, known))}; got {given!r}")


def _weights(group: Ints, piece: Ints) -> np.ndarray:
    """Weights by which groups are drawn alike, within each its pieces, within each its samples."""
    pair = group * (int(piece.max()) + 1) + piece
    _, first, inverse, size = np.unique(
        pair, return_index=True, return_inverse=True, return_counts=True
    )
    pieces_of_group = np.bincount(group[first])
    return 1 / (pieces_of_group[group] * size[inverse])
