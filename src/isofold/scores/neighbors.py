"""Trustworthiness and continuity: are neighbours in the embedding those of the signal?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ._halves import Pair
from ._linear import Floats, percentiles, resampled
from ._ranks import nearest, ranks, require_room, thinned, trust
from .chance import surrogate
from .score import Score


def trustworthiness(
    z: Any,
    original: Any,
    n_neighbors: int = 10,
    groups: Any = None,
    *,
    max_samples: int = 1500,
    n_chance: int = 100,
    seed: int = 0,
) -> Score:
    """T(k) = 1 − 2/(nk(2n − 3k − 1)) Σ_i Σ_j max(0, rank_ij − k), j the k neighbours of i in z.

    rank_ij is 1 + the number of samples nearer to i than j is in the original. 1: no false
    neighbours; .5 (more if samples repeat): any rows at random. Nothing is fitted: give rows of
    held-out trials.

    Parameters
    ----------
    z, original
        Embedding and what it is of (signal, or known latents), (time, latent) and (time, channel).
    n_neighbors
        k, less than half of the samples.
    groups
        Trial of each sample; default the embedding's own.
    max_samples
        Longer input is thinned to so many evenly spaced samples (time and memory grow with their
        square). Compare only scores of one k and one number of samples.
    n_chance, seed
        Draws of the null: rows of the embedding move as in `scores.surrogate`.

    Returns
    -------
    Score
        `parts` one a trial; `interval` resamples trials.

    Raises
    ------
    DataError
        Lengths differ, values are missing, or there are too few samples for k.

    Notes
    -----
    Distances are Euclidean: bring channels to one scale first. Noise in the original has neighbours
    too, which no embedding should keep: compare methods, not with 1. Equal to
    `sklearn.manifold.trustworthiness` where no samples are equal. Source: Venna & Kaski, ICANN
    2001.

    Examples
    --------
    >>> signal = np.random.default_rng(0).normal(size=(200, 3))
    >>> float(trustworthiness(signal[:, ::-1], signal, n_chance=0))
    1.0
    """
    pair = Pair.of(z, original, groups, in_sample=True, name="original")
    near = (pair.rows, pair.truth)
    return _compared(pair, near, "trustworthiness", n_neighbors, max_samples, n_chance, seed)


def continuity(
    z: Any,
    original: Any,
    n_neighbors: int = 10,
    groups: Any = None,
    *,
    max_samples: int = 1500,
    n_chance: int = 100,
    seed: int = 0,
) -> Score:
    """`trustworthiness` with the spaces swapped: are neighbours in the original kept together?

    1: no neighbours torn apart. High trustworthiness with low continuity: the embedding cuts what
    belongs together (an opened loop); the reverse: it folds apart things onto each other.
    Parameters, result and errors are those of `trustworthiness`.

    Examples
    --------
    >>> angle = np.random.default_rng(0).uniform(0, 6.28, 300)
    >>> circle = np.column_stack([np.cos(angle), np.sin(angle)])
    >>> folded = circle[:, :1]
    >>> float(continuity(folded, circle, n_chance=0)) > float(
    ...     trustworthiness(folded, circle, n_chance=0)
    ... )
    True
    """
    pair = Pair.of(z, original, groups, in_sample=True, name="original")
    near = (pair.truth, pair.rows)
    return _compared(pair, near, "continuity", n_neighbors, max_samples, n_chance, seed)


def _compared(
    pair: Pair,
    spaces: tuple[Floats, Floats],
    unit: str,
    n_neighbors: int,
    max_samples: int,
    n_chance: int,
    seed: int,
) -> Score:
    """Neighbours in the first space judged by ranks in the second."""
    keep = thinned(len(pair.rows), max_samples)
    require_room(len(keep), n_neighbors)
    near, rank = spaces[0][keep], ranks(spaces[1][keep])
    codes, names = pd.factorize(pair.trials[keep])
    values = trust(rank, nearest(near, n_neighbors))
    rng = np.random.default_rng(seed)
    draws = [
        trust(rank, nearest(near[surrogate(codes, rng)], n_neighbors)).mean()
        for _ in range(n_chance)
    ]
    count, total = (np.bincount(codes, w).astype(float) for w in (None, values))
    return Score(
        value=float(values.mean()),
        unit=unit,
        parts=pd.Series(total / count, index=pd.Index(names, name="trial"), name=unit),
        interval=_interval(total, count, seed),
        chance=np.asarray(draws, float),
        split=pair.split,
        settings={
            "n_neighbors": n_neighbors,
            "max_samples": max_samples,
            "n_samples": len(keep),
            "n_chance": n_chance,
            "seed": seed,
            "interval_over": "trials",
        },
    )


def _interval(total: Floats, count: Floats, seed: int) -> tuple[float, float]:
    if len(count) < 2:
        return (float("nan"), float("nan"))
    weights = resampled(len(count), seed)
    return percentiles(weights @ total / (weights @ count))
