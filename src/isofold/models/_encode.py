"""Embeddings of whole recordings by trained encoders."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..networks import Encoder
from ..recording import Recording
from ..sampling import Layout, MemorySource, padded_rows, padded_size
from ..trials import Ints
from ._recipe import POOL_ROWS


def embed(encoder: Encoder, recording: Recording) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """(time, latent), and which samples used a window repeated at an edge of their segment."""
    from ..training import encode

    start, stop = _segments(recording)
    layout = Layout(
        recording.signal, start, stop, encoder.offset, 0,
        padded_size(recording.n_channels),
    )  # fmt: skip
    z = np.concatenate(list(encode(encoder, layout.blocks(POOL_ROWS))))
    return z, at_edge(encoder, recording)


def embed_joined(
    encoder: Encoder, recordings: Sequence[Recording], partners: Sequence[Ints]
) -> NDArray[np.float32]:
    """Embedding of the samples `partners[n][i]` of every recording n, side by side as channels."""
    from ..training import encode_joined

    pools = []
    for recording in recordings:
        start, stop = _segments(recording)
        needed = len(recording) + len(start) * (sum(encoder.offset) - 1)
        layout = Layout(
            recording.signal, start, stop, encoder.offset, padded_rows(needed, None),
            padded_size(recording.n_channels),
        )  # fmt: skip
        pools.append(next(MemorySource(layout).pools(np.random.default_rng(0))))
    return encode_joined(encoder, pools, partners)


def at_edge(encoder: Encoder, recording: Recording) -> NDArray[np.bool_]:
    """Samples whose window reaches beyond their segment."""
    start, stop = _segments(recording)
    left, right = encoder.offset
    place = np.arange(len(recording))
    segment = np.repeat(np.arange(len(start)), stop - start)
    return (place - start[segment] < left) | (stop[segment] - place < right)


def every(stride: int, recording: Recording) -> NDArray[np.bool_]:
    """Each segment's samples 0, stride, 2 stride, …"""
    start, stop = _segments(recording)
    return (np.arange(len(recording)) - np.repeat(start, stop - start)) % stride == 0


def _segments(recording: Recording) -> tuple[Ints, Ints]:
    table = recording.segments
    return table["start"].to_numpy(), table["stop"].to_numpy()
