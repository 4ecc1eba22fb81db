"""Landmarks of MIND: samples that cover the states, far from each other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..trials import Ints


def choose_landmarks(
    points: NDArray[np.float64], count: int | None, rng: np.random.Generator
) -> Ints:
    """Row numbers of `count` landmarks in order; None: every state once.

    The first is random, each next the row farthest from those chosen (greedy max–min). Rows equal
    to a landmark never become one: fewer than `count` come back where states repeat.
    """
    if count is None:
        return np.sort(np.unique(points, axis=0, return_index=True)[1])
    chosen = np.empty(count, np.int64)
    nearest = np.full(len(points), np.inf)
    new = int(rng.integers(len(points)))
    for i in range(count):
        chosen[i] = new
        offset = points - points[new]
        np.minimum(nearest, np.einsum("ij,ij->i", offset, offset), out=nearest)
        new = int(np.argmax(nearest))
        if nearest[new] == 0:
            return np.sort(chosen[: i + 1])
    return np.sort(chosen)
