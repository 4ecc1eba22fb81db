"""Information of embeddings about their pairs: the goodness of fit of contrastive models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..recording import Recording
from ..sampling import Layout
from ._contrast import PairsOf
from ._inputs import trials_of, used_segments

EVALUATION = {"batches": 100, "batch_size": 512, "num_negatives": 512}
"""How `score` draws pairs: fixed, so that scores of one temperature and dimension compare."""


def information(
    z: NDArray,
    recording: Recording,
    objectives: Sequence[dict[str, Any]],
    temperatures: Sequence[float],
    outside_trials: bool,
    seed: int = 0,
    batches: int = EVALUATION["batches"],
    batch_size: int | None = EVALUATION["batch_size"],
    num_negatives: int = EVALUATION["num_negatives"],
) -> tuple[NDArray[np.float64], NDArray[np.float64], int]:
    """log₂ M − InfoNCE/ln 2 of each batch in bits, mean over objectives; the same by chance; and M.

    Pairs follow the rules of the fit within this recording. Chance pairs every reference with a
    random sample. 0 is a collapsed embedding. `batch_size=None`: every sample is a reference.
    """
    from .._step import information as bits_of

    names = [name for one in objectives for name in one["labels"]]
    start, stop = used_segments(recording, outside_trials, names)
    trial, onset = trials_of(recording, start)
    pool = Layout(
        z, start, stop, (0, 1), int((stop - start).sum()), z.shape[1],
        trial=trial, onset=onset,
    ).lay(start, stop, np.arange(len(start)))  # fmt: skip
    rng = np.random.default_rng(seed)
    pairs = PairsOf([recording], objectives)([pool])
    (index,), _ = pairs.draw(rng, batches, batch_size, num_negatives)
    size = batch_size or index.shape[1] // (len(objectives) + 2)
    parts = np.split(index, np.arange(1, len(objectives) + 2) * size, axis=1)
    reference, *positives, negative = parts
    found = []
    for positive, one, temperature in zip(positives, objectives, temperatures, strict=True):
        latents = slice(*one["dimensions"])
        for partner in (positive, rng.permuted(positive, axis=1)):
            rows = (pool.rows[i][..., latents] for i in (reference, partner, negative))
            found.append(np.asarray(bits_of(*rows, temperature, distance=one["distance"]), float))
    return np.mean(found[::2], axis=0), np.mean(found[1::2], axis=0), negative.shape[1]
