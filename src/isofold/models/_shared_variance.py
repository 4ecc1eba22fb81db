"""What shared latents explain: a likelihood beside that of channels each on their own."""

from __future__ import annotations

import numpy as np

from ..trials import Ints
from ._sample_model import Floats

SMALLEST = 1e-12
"""Variance of a channel that never varied, as in scikit-learn's factor analysis."""


def alone(rows: Floats, mean: Floats, variance: Floats) -> Floats:
    """Log-likelihood, in nats, of each sample if channels were independent Gaussians."""
    variance = np.maximum(variance, SMALLEST)
    return -0.5 * np.sum(np.log(2 * np.pi * variance) + (rows - mean) ** 2 / variance, axis=1)


def torn(rows: Floats, start: Ints, stop: Ints, rng: np.random.Generator) -> Floats:
    """In every segment each channel turned by a random amount of its own: nothing is shared."""
    out = rows.copy()
    for a, b in zip(start, stop, strict=True):
        shift = rng.integers(b - a, size=rows.shape[1])
        index = (np.arange(b - a)[:, None] + shift) % (b - a)
        out[a:b] = np.take_along_axis(rows[a:b], index, axis=0)
    return out
