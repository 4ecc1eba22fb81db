"""How units see a two-dimensional latent: the maps z → m(z) behind label-conditioned simulators.

"nonlinear" is the common lift of the pi-VAE and CI-iVAE simulations, a RealNVP on the latent padded
with zeros to one dimension a unit: four blocks of two coupling layers, dimensions permuted between
blocks. A layer with halves a, b of its input gives

    [b · exp(s) + t, a],   s = 0.1 · tanh(first half of MLP(a)),   t = second half of MLP(a)

It is injective, but does not preserve volume.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError

Floats = NDArray[np.float64]
Lift = Callable[[Floats], Floats]
"""Latents (..., 2) → m (..., unit)."""

N_BLOCKS = 4
LAYERS_PER_BLOCK = 2
LARGEST_LOG_SCALE = 0.1


def linear(rng: np.random.Generator, n_units: int, centre: Floats, spread: Floats) -> Lift:
    """m(z) = W (z − centre) / spread: each unit has a random direction, and variance near 1."""
    weights = rng.standard_normal((2, n_units)) / np.sqrt(2)
    return lambda z: (z - centre) / spread @ weights


def coordinates(rng: np.random.Generator, n_units: int, centre: Floats, spread: Floats) -> Lift:
    """m(z) = ±(z_k − centre_k) / spread_k: each unit sees one coordinate."""
    sign = rng.choice([-1.0, 1.0], n_units)
    mine = np.arange(n_units) % 2
    return lambda z: ((z - centre) / spread)[..., mine] * sign


def real_nvp(rng: np.random.Generator, n_units: int) -> Lift:
    """The nonlinear lift with Glorot-uniform weights from `rng` and zero biases."""
    if n_units < 4 or n_units % 2:
        raise DataError(
            f"mixing='nonlinear' splits the units into two equal halves, so n_units must be even "
            f"and at least 4, got {n_units}; use n_units={max(4, n_units + 1)} or mixing='linear'"
        )
    half, hidden = n_units // 2, n_units // 4
    layers = tuple(
        _Coupling(
            _glorot(rng, half, hidden), _glorot(rng, hidden, hidden), _glorot(rng, hidden, n_units)
        )
        for _ in range(N_BLOCKS * LAYERS_PER_BLOCK)
    )
    # The papers' permutations: NumPy's legacy generator, whose stream is frozen, seeds 0, 1, 2.
    permutations = [
        np.random.RandomState(seed).permutation(n_units) for seed in range(N_BLOCKS - 1)
    ]

    def lift(z: Floats) -> Floats:
        x = np.concatenate([z, np.zeros((*z.shape[:-1], n_units - 2))], axis=-1)
        for i, layer in enumerate(layers):
            if i and i % LAYERS_PER_BLOCK == 0:
                x = x[..., permutations[i // LAYERS_PER_BLOCK - 1]]
            x = layer(x)
        return x

    return lift


@dataclass(frozen=True)
class _Coupling:
    first: Floats
    second: Floats
    last: Floats

    def __call__(self, x: Floats) -> Floats:
        half = x.shape[-1] // 2
        a, b = x[..., :half], x[..., half:]
        hidden = np.maximum(np.maximum(a @ self.first, 0) @ self.second, 0) @ self.last
        log_scale = LARGEST_LOG_SCALE * np.tanh(hidden[..., :half])
        return np.concatenate([b * np.exp(log_scale) + hidden[..., half:], a], axis=-1)


def _glorot(rng: np.random.Generator, n_in: int, n_out: int) -> Floats:
    limit = np.sqrt(6 / (n_in + n_out))
    return rng.uniform(-limit, limit, (n_in, n_out))
