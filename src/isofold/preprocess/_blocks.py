"""A trace in few numbers: blocks that grow with time, so that slow curves are fitted fast.

An exponential with time constant τ is gone by t = 10 τ. What is left at t varies with τ > t / 10,
and over a block of t / 200 the mean of e^(−t/τ) is its value at the block's mean time to 1 part in
10⁴ of what is left of it, mostly much less. So the 72,000 samples of an hour become about 1,500
weighted blocks.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

GROWTH = 1 / 200
"""Length of a block over its time since the start."""


class Blocks(NamedTuple):
    """Weighted means of time and trace, and the weight of each block."""

    t: Floats
    y: Floats
    weight: Floats


def block_edges(t: Floats) -> NDArray[np.int64]:
    """First sample of every block; t is increasing and begins near 0."""
    n = len(t)
    step = (t[-1] - t[0]) / max(n - 1, 1)
    edges, at = [], 0
    while at < n:
        edges.append(at)
        length = max(1, int(GROWTH * (t[at] - t[0]) / step)) if step > 0 else 1
        at += length
    return np.array(edges, dtype=np.int64)


def blocks(t: Floats, y: Floats, edges: NDArray[np.int64], weight: Floats | None = None) -> Blocks:
    """Weighted block means; blocks without weight are left out."""
    w = np.ones(len(t)) if weight is None else weight
    total = np.add.reduceat(w, edges)
    kept = total > 1e-12
    mean = lambda x: np.add.reduceat(w * x, edges)[kept] / total[kept]  # noqa: E731
    return Blocks(mean(t), mean(y), total[kept])
