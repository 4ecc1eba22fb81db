"""Information of embeddings about their pairs: the goodness of fit of contrastive models."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
    from ..training.contrast_step import information as bits_of

    found = []
    sizes = (batches, batch_size, num_negatives)
    drawn = _pairs(z, recording, objectives, outside_trials, seed, *sizes)
    for one, temperature, (reference, positive, chance, negative) in zip(
        objectives, temperatures, drawn, strict=True
    ):
        for partner in (positive, chance):
            bits = bits_of(reference, partner, negative, temperature, distance=one["distance"])
            found.append(np.asarray(bits, float))
    return np.mean(found[::2], axis=0), np.mean(found[1::2], axis=0), negative.shape[1]


def nearer(
    z: NDArray,
    recording: Recording,
    objectives: Sequence[dict[str, Any]],
    outside_trials: bool,
    seed: int = 0,
    batches: int = 20,
) -> float:
    """How often a positive is nearer to its reference than a negative; ties count half.

    The area under the ROC curve, mean over objectives: .5 for a collapsed embedding, and, unlike
    the information, on one scale for all temperatures.
    """
    found = []
    drawn = _pairs(z, recording, objectives, outside_trials, seed, batches)
    for one, (reference, positive, _, negative) in zip(objectives, drawn, strict=True):
        for r, p, n in zip(reference, positive, negative, strict=True):
            if one["distance"] == "cosine":
                own, other = (r * p).sum(axis=1)[:, None], r @ n.T
            else:
                own = 2 * (r * p).sum(axis=1)[:, None] - (p * p).sum(axis=1)[:, None]
                other = 2 * r @ n.T - (n * n).sum(axis=1)
            found.append(np.mean((own > other) + 0.5 * (own == other)))
    return float(np.mean(found))


def _pairs(
    z: NDArray,
    recording: Recording,
    objectives: Sequence[dict[str, Any]],
    outside_trials: bool,
    seed: int,
    batches: int,
    batch_size: int | None = EVALUATION["batch_size"],
    num_negatives: int = EVALUATION["num_negatives"],
) -> Iterator[tuple[NDArray, NDArray, NDArray, NDArray]]:
    """For each objective (batch, pair, latent) references, positives, chance and negatives."""
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
    for positive, one in zip(positives, objectives, strict=True):
        latents = slice(*one["dimensions"])
        all_four = (reference, positive, rng.permuted(positive, axis=1), negative)
        yield tuple(pool.rows[i][..., latents] for i in all_four)  # type: ignore[misc]
