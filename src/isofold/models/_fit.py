"""A contrastive fit: sources, plan, training, and the watch on held-out trials."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .._rows import blocks
from ..errors import DataError
from ..networks import Encoder, check_counts, parse_masking
from ..recording import Recording
from ._contrast import PairsOf, hyper_settings, source_of
from ._encode import embed
from ._information import information
from ._inputs import used_segments
from ._objectives import weight_over
from ._progress import progress
from ._watch import Watch
from ._watch import hook as watch_hook

BATCHES = 20
"""Evaluation batches at each look at held-out trials: the same pairs every time."""


def watch_information(recordings: Sequence[Recording], settings: dict[str, Any]) -> Watch:
    """Watch the information on held-out trials, mean over recordings."""

    def bits(trained) -> float:
        each = [
            information(
                embed(encoder, recording)[0], recording, settings["objectives"],
                trained.temperature, settings["outside_trials"], batches=BATCHES,
            )[0].mean()
            for encoder, recording in zip(trained.encoders, recordings, strict=True)
        ]  # fmt: skip
        return float(np.mean(each))

    # A one-cycle fit is at its best when the rate has fallen: it is never cut short.
    return Watch(bits, settings["patience"] if settings["schedule"] == "constant" else None)


def split_off(
    recordings: Sequence[Recording], share: float | None
) -> tuple[list[Recording], list[Recording]]:
    """Training and validation parts: every k-th trial of each recording is held out."""
    if share is None:
        return list(recordings), []
    parts = [recording.split(test=share, how="interleaved") for recording in recordings]
    return [train for train, _ in parts], [held for _, held in parts]


def fit_encoders(
    encoders: tuple[Encoder, ...],
    recordings: Sequence[Recording],
    settings: dict[str, Any],
    steps: int,
    rng: np.random.Generator,
    *,
    adapt: bool = False,
    held_out: Watch | None = None,
    callback: Callable[[int, Any], Any] | None = None,
    callback_frequency: int | None = None,
    verbose: bool = False,
):
    """Train the encoders; a fit whose loss is not finite is an error."""
    from .. import training

    names = [name for one in settings["objectives"] for name in one["labels"]]
    joined = settings["sessions"] == "joined"
    sources, whole = [], []
    for n, recording in enumerate(recordings):
        start, stop = used_segments(recording, settings["outside_trials"], names)
        encoder = encoders[0 if joined else n]
        source, all_rows = source_of(recording, encoder, settings, start, stop)
        sources.append(source)
        whole.append(all_rows)
    channels = tuple(recording.n_channels for recording in recordings)
    _check_masks(settings, recordings)
    plan = _plan(settings, steps, tuple(whole), channels, adapt)
    hook, every = watch_hook(held_out, callback, callback_frequency, steps)
    with progress(steps, verbose) as tick:
        trained = training.train(
            encoders,
            sources,
            PairsOf(recordings, settings["objectives"], settings["sessions"], _seed(settings)),
            plan,
            rng,
            callback=hook,
            callback_frequency=every,
            tick=tick,
        )
    _require_finite(trained.loss, steps, settings["learning_rate"])
    return trained


def _plan(
    settings: dict[str, Any],
    steps: int,
    whole: tuple[bool, ...],
    channels: tuple[int, ...],
    adapt: bool,
):
    from .. import training

    objectives = settings["objectives"]
    rate = float(settings["learning_rate"])
    masks = []
    if settings["channel_dropout"]:
        masks.append(parse_masking({"ChannelDropout": float(settings["channel_dropout"])}))
    if settings["masking_kwargs"]:
        masks.append(parse_masking(settings["masking_kwargs"]))
    weights = [weight_over(steps, one["weight"]) for one in objectives]
    penalty = weight_over(steps, settings["jacobian"])
    return training.Plan(
        rates=np.full(steps, rate)
        if settings["schedule"] == "constant"
        else training.one_cycle(steps, rate),
        batch_size=settings["batch_size"],
        num_negatives=settings["num_negatives"] or 0,
        objectives=tuple((*one["dimensions"], one["distance"]) for one in objectives),
        temperature=tuple(float(one["temperature"]) for one in objectives),
        weights=np.stack([*weights, penalty], axis=1),
        hyper=hyper_settings(settings, tuple(values for _, values in masks), channels),
        whole=whole,
        masks=tuple(kinds for kinds, _ in masks),
        sessions=settings["sessions"],
        projections=settings["jacobian_projections"] if penalty.any() else None,
        learn_temperature=settings["temperature_mode"] == "auto",
        first_layer_only=adapt,
    )


def _check_masks(settings: dict[str, Any], recordings: Sequence[Recording]) -> None:
    """Only counts can be thinned."""
    kinds, _ = parse_masking(settings["masking_kwargs"])
    if "PoissonThinning" not in kinds:
        return
    for recording in recordings:
        for first, last in blocks(recording.signal):
            check_counts(kinds, np.asarray(recording.signal[first:last]))


def _seed(settings: dict[str, Any]) -> int:
    """Seed of what is drawn once a fit: the partners of trials."""
    given = settings["random_state"]
    return int(given) if isinstance(given, (int, np.integer)) else 0


def _require_finite(loss, steps: int, rate: float) -> None:
    finite = np.isfinite(loss)
    if not finite.all():
        raise DataError(
            f"training diverged at step {int(np.argmin(finite))} of {steps}; "
            "bring the signal to a common scale (preprocess.zscore) or give a smaller "
            f"learning_rate than {rate:g}"
        )
