"""Samples in chunks of bounded memory, all of one size, hence one compiled program."""

from __future__ import annotations

from collections.abc import Iterator

import jax
import jax.numpy as jnp
import numpy as np

from ..networks import Encoder
from ..recording import Recording
from ..trials import Ints
from ._encoder import windows_at

CHUNK_VALUES = 2**22
"""Most values of a chunk's attributions: 16 MB, and a few times that while they are computed."""


def window_chunks(
    encoder: Encoder, recording: Recording, sample: Ints
) -> Iterator[tuple[int, jax.Array]]:
    """(number of real windows, windows); the last chunk is filled up with zeros."""
    shape = (1, *windows_at(recording, sample[:1], encoder).shape[1:])
    latents = jax.eval_shape(encoder, jax.ShapeDtypeStruct(shape[1:], np.float32)).shape[-1]
    size = max(1, min(len(sample), CHUNK_VALUES // (latents * int(np.prod(shape)))))
    for first in range(0, len(sample), size):
        windows = windows_at(recording, sample[first : first + size], encoder)
        n = len(windows)
        filled = np.zeros((size, *windows.shape[1:]), np.float32)
        filled[:n] = windows
        yield n, jnp.asarray(filled)
