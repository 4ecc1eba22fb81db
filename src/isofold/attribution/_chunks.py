"""Samples in chunks of bounded memory, all of one size, hence one compiled program."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..recording import Recording
from ..trials import Ints
from ._encoder import windows_at

CHUNK_VALUES = 2**22
"""Most values of a chunk's attributions: 16 MB, and a few times that while they are computed."""
_LEAST = 64
"""Sizes are powers of two from here on, so that few programs are compiled."""


def window_chunks(
    encoder: Any, recording: Recording, sample: Ints
) -> Iterator[tuple[int, jax.Array]]:
    """(number of real windows, windows); the last chunk is filled up with zeros."""
    shape = (1, *windows_at(recording, sample[:1], encoder).shape[1:])
    latents = jax.eval_shape(encoder, jax.ShapeDtypeStruct(shape[1:], np.float32)).shape[-1]
    most = max(1, CHUNK_VALUES // (latents * int(np.prod(shape))))
    size = min(most, max(_LEAST, 1 << (len(sample) - 1).bit_length()))
    for first in range(0, len(sample), size):
        windows = windows_at(recording, sample[first : first + size], encoder)
        n = len(windows)
        filled = np.zeros((size, *windows.shape[1:]), np.float32)
        filled[:n] = windows
        yield n, jnp.asarray(filled)
