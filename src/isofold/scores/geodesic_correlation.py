"""Are distances along the truth those of the embedding?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy.spatial.distance import cdist
from scipy.stats import rankdata

from ..errors import DataError
from ..trials import Ints
from ._graph import geodesics, neighbor_graph, pieces
from ._halves import Pair
from ._linear import Floats
from ._ranks import thinned
from .chance import surrogate
from .score import Score

DISTANCES = ("euclidean", "geodesic")


def geodesic_correlation(
    z: Any,
    truth: Any,
    groups: Any = None,
    *,
    n_neighbors: int = 10,
    distance: str = "euclidean",
    max_samples: int = 1000,
    n_chance: int = 100,
    seed: int = 0,
) -> Score:
    """Spearman correlation, over pairs of samples, of geodesics in the truth with distances in z.

    Geodesics are shortest paths along the graph of nearest neighbours of the truth. 1: what is far
    along the truth is far in the embedding. Nothing is fitted: give rows of held-out trials.

    Parameters
    ----------
    z, truth
        Embedding (time, latent) and known latents (time, k).
    groups
        Trial of each sample; default the embedding's own.
    n_neighbors
        Of each sample in the graph. Where it falls into pieces, the largest is scored, and
        `also["share"]` says how much of the samples that is.
    distance
        In the embedding: "euclidean", or "geodesic" along its own graph, which also forgives bends.
    max_samples
        Longer input is thinned to so many evenly spaced samples.
    n_chance, seed
        Draws of the null: rows of the embedding move as in `scores.surrogate`.

    Returns
    -------
    Score
        `parts` one a trial, from the pairs with a sample in it. No interval: pairs share samples.

    Raises
    ------
    DataError
        Lengths differ, values are missing, there are too few samples, or fewer than half of them
        are connected.

    Notes
    -----
    Not for a truth that noise shakes by more than neighbours differ: paths then take shortcuts.

    Examples
    --------
    >>> angle = np.linspace(0, 4, 200)
    >>> arc = np.column_stack([np.cos(angle), np.sin(angle)])
    >>> float(geodesic_correlation(angle, arc, n_chance=0)) > 0.999
    True
    """
    if distance not in DISTANCES:
        raise DataError(f"distance must be one of {DISTANCES}, got {distance!r}")
    pair = Pair.of(z, truth, groups, in_sample=True)
    keep = thinned(len(pair.rows), max_samples)
    if not 1 <= n_neighbors < len(keep) or len(keep) < 3:
        raise DataError(
            f"n_neighbors must be 1 or more and less than the {len(keep)} samples (3 or more), "
            f"got {n_neighbors}"
        )
    kept, along, apart = _distances(pair, keep, n_neighbors, distance)
    codes, names = pd.factorize(pair.trials[kept])
    rank, other = _ranked(along), _ranked(apart)
    rng = np.random.default_rng(seed)
    moved = [surrogate(codes, rng) for _ in range(n_chance)]
    return Score(
        value=_correlation(rank, other),
        unit="Spearman correlation",
        parts=pd.Series(
            [_correlation(rank[codes == k], other[codes == k]) for k in range(len(names))],
            index=pd.Index(names, name="trial"),
            name="Spearman correlation",
        ),
        chance=np.array([_correlation(rank, other[np.ix_(i, i)]) for i in moved], float),
        also={"share": len(kept) / len(keep)},
        split=pair.split,
        settings={
            "n_neighbors": n_neighbors,
            "distance": distance,
            "max_samples": max_samples,
            "n_samples": len(kept),
            "n_chance": n_chance,
            "seed": seed,
        },
    )


def _distances(
    pair: Pair, keep: Ints, n_neighbors: int, distance: str
) -> tuple[Ints, Floats, Floats]:
    """Rows that are connected, and their distances along the truth and in the embedding."""
    graph = neighbor_graph(pair.truth[keep], n_neighbors)
    graphs = [graph]
    if distance == "geodesic":
        graphs.append(neighbor_graph(pair.rows[keep], n_neighbors))
    here = np.ones(len(keep), bool)
    for one in graphs:
        here &= pieces(one) == 0
    if here.sum() < max(3, len(keep) / 2):
        raise DataError(
            f"the graph of {n_neighbors} nearest neighbours connects only {int(here.sum())} of "
            f"{len(keep)} samples; raise n_neighbors"
        )
    along, *own = (geodesics(one)[np.ix_(here, here)] for one in graphs)
    rows = pair.rows[keep[here]]
    return keep[here], along, own[0] if own else cdist(rows, rows)


def _ranked(distances: Floats) -> Floats:
    """Ranks of the pairs, as a symmetric matrix; NaN on the diagonal."""
    n = len(distances)
    upper = np.triu_indices(n, 1)
    rank = np.full((n, n), np.nan)
    rank[upper] = rankdata((distances + distances.T)[upper])
    rank.T[upper] = rank[upper]
    return rank


def _correlation(a: Floats, b: Floats) -> float:
    """Of the entries that both have; 0 where one of them is constant."""
    both = np.isfinite(a) & np.isfinite(b)
    x, y = a[both] - a[both].mean(), b[both] - b[both].mean()
    size = np.sqrt(np.sum(x**2) * np.sum(y**2))
    return float(np.sum(x * y) / size) if size > 0 else 0.0
