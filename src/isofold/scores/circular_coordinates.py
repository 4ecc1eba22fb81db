"""Circular coordinates: the angle along a loop of an embedding, from its topology alone."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.linalg import lsqr
from scipy.spatial import cKDTree

from ..errors import DataError
from ..trials import Ints
from ._inputs import whole
from ._linear import Floats
from ._persistence import Cloud, lifespans, persistence

NEAR = 8
"""Landmarks whose angles a sample's angle is the mean of."""

WITHIN_BAR = 0.75
"""Where in the bar's life the complex is taken: late, when many edges smooth the angle."""


def circular_coordinates(
    z: Any,
    *,
    loop: int = 0,
    n_points: int = 300,
    coefficient: int = 47,
    reduce: int | None = None,
    outliers: float = 0.0,
    seed: int = 0,
) -> Floats:
    """Angle θ(t) in [0, 2π) along a loop of the embedding.

    A loop is a cocycle α of H¹ over Z/p: a number on each edge of the complex of landmarks, lifted
    to whole numbers from −p/2 to p/2. f = argmin Σ_edges (α_ij − (f_j − f_i))² smooths it, and
    θ = 2π f modulo 2π. A sample between landmarks has the mean angle of its nearest, weighted by
    1 − d²/d_k² (nothing at the farthest of them, so that θ does not jump).

    Parameters
    ----------
    z
        (time, latent).
    loop
        0: the loop that lives longest, 1: the next (a torus has two), …
    n_points, coefficient, reduce, outliers, seed
        As in `betti`.

    Returns
    -------
    angle
        (time,), one for each sample inside trials. Where it starts and which way it runs are
        arbitrary.

    Raises
    ------
    DataError
        There is no such loop, or it dies before it has a coordinate.
    MissingDependencyError
        ripser is not installed.

    Notes
    -----
    There is always some longest loop: ask `betti` first whether it is longer than chance. The two
    loops of a torus may be any two that make up all others, not those of the labels.

    References
    ----------
    De Silva, Morozov & Vejdemo-Johansson, Discrete Comput. Geom. 45, 737 (2011).

    Examples
    --------
    >>> turn = np.random.default_rng(0).uniform(0, 2 * np.pi, 500)
    >>> found = circular_coordinates(np.column_stack([np.cos(turn), np.sin(turn)]), n_points=60)
    >>> off = [np.abs(np.mean(np.exp(1j * (found - way * turn)))) for way in (1, -1)]
    >>> bool(max(off) > 0.99)
    True
    """
    whole("loop", loop, at_least=0)
    cloud = Cloud(n_points, outliers, reduce, coefficient)
    if coefficient < 3:
        raise DataError("circular coordinates need signs: coefficient must be a prime above 2")
    rows = cloud.rows(z)
    points = rows[cloud.landmarks(rows, np.random.default_rng(seed))]
    distances, found = persistence(points, 1, coefficient, cocycles=True)
    bars = found["dgms"][1]
    if loop >= len(bars):
        raise DataError(f"the embedding has {len(bars)} loops at any scale; there is no {loop}")
    which = int(np.argsort(-lifespans(bars), kind="stable")[loop])
    birth, death = bars[which]
    scale = birth + WITHIN_BAR * (death - birth)
    cocycle = np.asarray(found["cocycles"][1][which], np.int64)
    return _spread(points, _smoothed(distances, cocycle, scale, coefficient), rows)


def _smoothed(distances: Floats, cocycle: Ints, scale: float, coefficient: int) -> Floats:
    """2π f of each landmark, by least squares over all edges no longer than `scale`."""
    first, second = np.nonzero(np.triu(distances <= scale, 1))
    n = len(distances)
    alpha = np.zeros((n, n))
    value = np.where(2 * cocycle[:, 2] > coefficient, cocycle[:, 2] - coefficient, cocycle[:, 2])
    alpha[cocycle[:, 0], cocycle[:, 1]] = value
    alpha[cocycle[:, 1], cocycle[:, 0]] = -value
    edge = np.arange(len(first))
    ends = np.concatenate([first, second])
    signs = np.repeat([-1.0, 1.0], len(edge))
    step = csr_matrix((signs, (np.tile(edge, 2), ends)), (len(edge), n))
    return 2 * np.pi * lsqr(step, alpha[first, second], atol=1e-10, btol=1e-10)[0]


def _spread(points: Floats, angle: Floats, rows: Floats) -> Floats:
    """Angle of every row from those of the landmarks near it."""
    far, who = cKDTree(points).query(rows, min(NEAR + 1, len(points)))
    reach = np.maximum(far[:, -1:], np.finfo(float).tiny)
    weight = np.maximum(1 - (far / reach) ** 2, 0) + 1e-12  # all as far as the farthest: equal
    return np.mod(np.angle((weight * np.exp(1j * angle[who])).sum(axis=1)), 2 * np.pi)
