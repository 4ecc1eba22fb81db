"""Encoders on data that they are not trained on: block by block, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from ..networks import Encoder
from ..sampling import Pool
from .chunk import Fixed
from .contrast_step import encode_at


@partial(jax.jit, static_argnames="fixed")
def encode_rows(arrays: Encoder, rows: jax.Array, *, fixed: Fixed) -> jax.Array:
    """The encoder on one block of rows."""
    return eqx.combine(arrays, fixed.modules)(rows)


@partial(jax.jit, static_argnames="fixed")
def encode_windows(arrays: Encoder, rows, index, *, fixed: Fixed) -> jax.Array:
    """The encoder on windows, several recordings side by side as channels."""
    return encode_at(eqx.combine(arrays, fixed.modules), rows, index, False)


def encode(encoder: Encoder, pools: Iterable[Pool]) -> Iterator[NDArray[np.float32]]:
    """Embedding of every sample of each pool; memory does not grow with the number of pools."""
    arrays, static = eqx.partition(encoder, eqx.is_array)
    fixed = Fixed(static)
    for pool in pools:
        if encoder.stride > 1:
            yield _windows(arrays, fixed, [pool.rows], [pool.centre])
            continue
        z = np.asarray(encode_rows(arrays, pool.rows, fixed=fixed))
        yield z[pool.centre - encoder.offset[0]]


def encode_joined(
    encoder: Encoder, pools: Sequence[Pool], samples: Sequence[NDArray]
) -> NDArray[np.float32]:
    """Embedding of sample `samples[n][i]` of every pool n, side by side as channels."""
    arrays, static = eqx.partition(encoder, eqx.is_array)
    centres = [pool.centre[s] for pool, s in zip(pools, samples, strict=True)]
    return _windows(arrays, Fixed(static), [pool.rows for pool in pools], centres)


def _windows(arrays, fixed: Fixed, rows, centres, block: int = 1024) -> NDArray[np.float32]:
    """Embedding of windows, `block` at a time."""
    n = len(centres[0])
    rows = [jnp.asarray(r) for r in rows]
    parts = []
    for at in range(0, n, block):
        index = [np.resize(c[at : at + block], block) for c in centres]
        parts.append(np.asarray(encode_windows(arrays, rows, index, fixed=fixed)))
    return np.concatenate(parts)[:n]
