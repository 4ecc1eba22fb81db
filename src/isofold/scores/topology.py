"""Topology: how many parts, loops and voids an embedding has, beside what chance shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from ..errors import DataError
from ..trials import Ints
from ._inputs import split_of, whole
from ._linear import Floats
from ._persistence import Cloud, lifespans, persistence


@dataclass(frozen=True, eq=False)
class Topology:
    """Betti numbers of an embedding, and the bars that they count. Made by `betti`.

    Parameters
    ----------
    betti
        Number of bars longer than chance in dimension 0 (parts), 1 (loops), 2 (voids).
    diagrams
        One array (bar, 2) of birth and death a dimension, in units of the embedding.
    chance
        (shuffle, dimension): longest lifespan in each shuffled embedding.
    landmarks
        Samples that stand for all others, of those inside trials.
    split
        Which part of the data was looked at.
    settings
        How it was computed.

    Examples
    --------
    >>> bars = (np.array([[0.0, np.inf]]), np.array([[0.1, 1.5], [0.1, 0.2]]))
    >>> topology = Topology((1, 1), bars, np.array([[0.2, 0.3]]), np.arange(9))
    >>> topology.thresholds, topology.is_like((1, 1, 0)), topology.is_like((1,))
    ((0.2, 0.3), False, False)
    >>> topology.bars()["lifespan"].round(3).tolist()
    [inf, 1.4, 0.1]
    """

    betti: tuple[int, ...]
    diagrams: tuple[Floats, ...]
    chance: Floats
    landmarks: Ints
    split: str = "as given"
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def thresholds(self) -> tuple[float, ...]:
        """The lifespan that a bar must exceed to count, in each dimension.

        The longest lifespan of any shuffle; for voids, of voids and loops: in a plane shuffles have
        no voids at all, while the complex of any loop has short ones where it closes.
        """
        return tuple(_thresholds(self.chance))

    def is_like(self, betti: Sequence[int]) -> bool:
        """Whether these are the Betti numbers, for example (1, 2, 1) of a torus; all of them must
        have been looked for."""
        return tuple(int(b) for b in betti) == self.betti

    def bars(self) -> pd.DataFrame:
        """Every bar: `dimension`, `birth`, `death`, `lifespan`, `real` (longer than chance)."""
        tables = []
        for k, diagram in enumerate(self.diagrams):
            life = lifespans(diagram)
            order = np.argsort(-life, kind="stable")
            columns = {
                "dimension": np.full(len(life), k),
                "birth": diagram[order, 0],
                "death": diagram[order, 1],
                "lifespan": life[order],
                "real": life[order] > self.thresholds[k],
            }
            tables.append(pd.DataFrame(columns))
        return pd.concat(tables, ignore_index=True)

    def __repr__(self) -> str:
        limits = ", ".join(f"{t:.3g}" for t in self.thresholds)
        return f"Topology(betti {self.betti}, longest by chance ({limits}), split: {self.split})"


def betti(
    z: Any,
    *,
    max_dimension: int = 1,
    n_points: int = 300,
    n_shuffles: int = 20,
    coefficient: int = 47,
    reduce: int | None = None,
    outliers: float = 0.0,
    seed: int = 0,
) -> Topology:
    """Betti numbers: the bars of the Vietoris–Rips complex that outlive all those of chance.

    β_k = #{bars in dimension k : death − birth > max over shuffles of the longest lifespan}; voids
    must also outlive the loops of the shuffles. A circle has (1, 1, 0), a torus (1, 2, 1), a sphere
    (1, 0, 1), a filled ball (1, 0, 0).
    Chance is the same embedding with the values of every column permuted in time, each on its own:
    it keeps the columns' distributions and loses the shape.

    Parameters
    ----------
    z
        (time, latent). Samples outside every trial are left out.
    max_dimension
        1: parts and loops; 2: voids also, some seconds for each shuffle.
    n_points
        Landmarks, by farthest-point sampling from a random sample on.
    n_shuffles
        20 hold the chance of one bar too many below about 1/21 for each dimension; published: 500
        (Schneider et al.).
    coefficient
        Prime p of the field Z/p of the homology. 2 does not see that a Klein bottle has torsion.
    reduce
        Number of principal components that the columns are reduced to first (and shuffled as):
        needed for activity of many units, where noise in all directions hides the shape.
    outliers
        Share of samples that is left out, those with the fewest others near. Farthest points are
        outliers first; but the sparse parts of a shape that is visited unevenly look like them,
        and leaving these out tears holes.

    Raises
    ------
    DataError
        A setting is not what it must be, or there are too few samples.
    MissingDependencyError
        ripser is not installed.

    Notes
    -----
    Says nothing of shapes finer than the distance between landmarks, nor of a shape that the
    trajectory has not covered: a short walk on a sphere has loops. Reads distances, so a model that
    puts all its outputs on a sphere (unit norm) can show that sphere.

    References
    ----------
    Ripser: Bauer, J. Appl. Comput. Topology 5, 391 (2021). Landmarks: de Silva & Carlsson (2004).
    The threshold: Schneider, Lee & Mathis, Nature 617, 360 (2023).

    Examples
    --------
    >>> turn = np.random.default_rng(0).uniform(0, 2 * np.pi, 500)
    >>> betti(np.column_stack([np.cos(turn), np.sin(turn)]), n_points=100).betti
    (1, 1)
    """
    whole("max_dimension", max_dimension, at_least=0)
    if max_dimension > 2:
        raise DataError(f"max_dimension must be 0, 1 or 2, got {max_dimension}")
    whole("n_shuffles", n_shuffles)
    cloud = Cloud(n_points, outliers, reduce, coefficient)
    rows = cloud.rows(z)
    rng = np.random.default_rng(seed)
    chosen = cloud.landmarks(rows, rng)
    diagrams = tuple(persistence(rows[chosen], max_dimension, coefficient)[1]["dgms"])
    chance = np.empty((n_shuffles, max_dimension + 1))
    for draw in range(n_shuffles):
        shuffled = rng.permuted(rows, axis=0)
        points = shuffled[cloud.landmarks(shuffled, rng)]
        found = persistence(points, max_dimension, coefficient)[1]["dgms"]
        chance[draw] = [_longest(diagram) for diagram in found]
    limits = _thresholds(chance)
    numbers = [int((lifespans(d) > t).sum()) for d, t in zip(diagrams, limits, strict=True)]
    settings = {
        "max_dimension": max_dimension,
        "n_points": n_points,
        "n_shuffles": n_shuffles,
        "coefficient": coefficient,
        "reduce": reduce,
        "outliers": outliers,
        "seed": seed,
    }
    return Topology(tuple(numbers), diagrams, chance, chosen, split_of([z]), settings)


def _thresholds(chance: Floats) -> list[float]:
    longest = chance.max(axis=0)
    longest[2:] = np.maximum(longest[2:], longest[1:2])
    return longest.tolist()


def _longest(diagram: Floats) -> float:
    """Longest lifespan that ends; 0 where there is none."""
    life = lifespans(diagram)
    return float(max(life[np.isfinite(life)], default=0.0))
