"""Embeddings of whole recordings by trained encoders."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .._rows import InOrder, chunked
from ..networks import Encoder
from ..recording import Recording
from ..sampling import Layout, MemorySource, ahead, padded_rows, padded_size
from ..trials import Ints, expand
from ._recipe import POOL_ROWS


def embed(encoder: Encoder, recording: Recording) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """(time, latent), and which samples used a window repeated at an edge of their segment."""
    from ..training import encode

    start, stop = _segments(recording)
    signal = InOrder(recording.signal) if chunked(recording.signal) else recording.signal
    layout = Layout(signal, start, stop, encoder.offset, 0, padded_size(recording.n_channels))
    z, done = np.empty((0, 0), np.float32), 0
    for part in encode(encoder, ahead(layout.blocks(POOL_ROWS))):
        if not done:
            z = np.empty((len(recording), part.shape[1]), np.float32)
        z[done : done + len(part)] = part
        done += len(part)
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
    edge = np.zeros(len(recording), bool)
    edge[expand(start, np.minimum(start + left, stop))] = True
    edge[expand(np.maximum(stop - right + 1, start), stop)] = True
    return edge


def every(stride: int, recording: Recording) -> NDArray[np.bool_]:
    """Each segment's samples 0, stride, 2 stride, …"""
    start, stop = _segments(recording)
    return (np.arange(len(recording)) - np.repeat(start, stop - start)) % stride == 0


def _segments(recording: Recording) -> tuple[Ints, Ints]:
    table = recording.segments
    return table["start"].to_numpy(), table["stop"].to_numpy()
