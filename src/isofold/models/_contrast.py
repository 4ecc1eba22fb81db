"""From settings to what the training loop takes: pairs, rows, constants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..errors import DataError
from ..networks import Encoder
from ..recording import Recording
from ..sampling import (
    ACROSS_TRIALS,
    TILE,
    AcrossTrialsSampler,
    ContinuousSampler,
    DealtPairs,
    DiscreteSampler,
    JoinedPairs,
    Layout,
    MemorySource,
    MixedSampler,
    OwnPairs,
    Pairs,
    Pool,
    RotatingSource,
    Sampler,
    Source,
    Targets,
    TimeSampler,
    label_changes,
    padded_rows,
    padded_size,
)
from ..trials import Ints
from ._inputs import targets_of, trials_of
from ._recipe import POOL_ROWS, encode_whole

IN_MEMORY = 2**28
"""Bytes of a memmap or Zarr signal beyond which training goes through a rotating pool."""


class PairsOf:
    """Pairs for any pools of some recordings. Called by the training loop for new pools."""

    def __init__(
        self,
        recordings: Sequence[Recording],
        objectives: Sequence[dict[str, Any]],
        sessions: str = "separate",
        seed: int = 0,
    ):
        """`seed` of the partners that trials keep, where they keep one."""
        self._objectives, self._sessions, self._seed = objectives, sessions, seed
        self._targets = [targets_of(recordings, one["labels"]) for one in objectives]

    def __call__(self, pools: Sequence[Pool]) -> Pairs:
        views = [_views(pools, targets) for targets in self._targets]
        by_objective = [
            samplers(view, one, self._seed)
            for view, one in zip(views, self._objectives, strict=True)
        ]
        if self._sessions == "joined":
            return JoinedPairs(by_objective[0], views[0])  # type: ignore[arg-type]  # rules of labels
        by_recording = list(zip(*by_objective, strict=True))
        if len(pools) > 1 and any(one["labels"] for one in self._objectives):
            return DealtPairs(by_recording)
        return OwnPairs(by_recording)


def _views(pools: Sequence[Pool], targets: Sequence[Targets]) -> list[Pool]:
    """The pools as one objective sees them: with its labels."""
    return [
        replace(pool, continuous=mine.continuous, classes=mine.classes)
        for pool, mine in ((p, t.of(p.sample)) for p, t in zip(pools, targets, strict=True))
    ]


def samplers(pools: Sequence[Pool], objective: dict[str, Any], seed: int = 0) -> list[Sampler]:
    """One sampler a recording; label changes are those of all recordings."""
    changes = None
    if objective["conditional"] == "time_delta" and len(pools) > 1:
        lag = int(objective["time_offsets"])
        changes = np.concatenate([label_changes(pool, lag) for pool in pools])
    dealt = len(pools) > 1 and objective["labels"]
    return [
        # A recording of one trial finds other trials in the other recordings.
        _sampler(pool, objective | {"same_trial": True}, changes, seed)
        if dealt and (pool.trial == pool.trial[0]).all()
        else _sampler(pool, objective, changes, seed)
        for pool in pools
    ]


def _sampler(pool: Pool, objective: dict[str, Any], changes, seed: int) -> Sampler:
    rule, lag, prior = objective["conditional"], int(objective["time_offsets"]), objective["prior"]
    if rule == "time":
        return TimeSampler(pool, lag)
    if rule in ACROSS_TRIALS:
        return AcrossTrialsSampler(
            pool, rule, objective["time_window"], objective["delta"], objective["same_trial"],
            objective["balance"], prior, objective["fixed_partner"], seed,
        )  # fmt: skip
    if rule == "discrete":
        return DiscreteSampler(pool, prior)
    if pool.classes is None:
        return ContinuousSampler(pool, rule, lag, objective["delta"], changes)
    return MixedSampler(pool, rule, lag, objective["delta"], changes, prior)


def source_of(
    recording: Recording,
    encoder: Encoder,
    settings: dict[str, Any],
    start: Ints,
    stop: Ints,
) -> tuple[Source, bool]:
    """Where training gets its rows, and whether to encode all of them each step."""
    # A full batch was asked for in so many words: it is never a part of the recording. Pairs across
    # trials need the trials side by side, which stretches dealt at random seldom are.
    across = any(one["conditional"] in ACROSS_TRIALS for one in settings["objectives"])
    may_rotate = (
        not across
        and settings["batch_size"] is not None
        and (settings["schedule"] == "one-cycle" or on_disk(recording.signal))
    )
    # Most partners of a sample Δ later must lie in its own stretch.
    tile = max(TILE, *(4 * int(one["time_offsets"]) for one in settings["objectives"]))
    source, n_rows = pool_source(
        recording, encoder.offset, start, stop, may_rotate, settings["edges"], tile
    )
    rotate, context = not isinstance(source, MemorySource), sum(encoder.offset) - 1
    joined = settings["sessions"] == "joined"
    windows_only = encoder.stride > 1 or joined or settings["masking_kwargs"]
    whole = not windows_only and (rotate or encode_whole(settings, n_rows, context + 1))
    return source, whole


def pool_source(
    recording: Recording,
    offset: tuple[int, int],
    start: Ints,
    stop: Ints,
    may_rotate: bool,
    edges: str = "replicate",
    tile: int = TILE,
) -> tuple[Source, int]:
    """The segments as one pool or, where they are long and `may_rotate`, as rotating stretches;
    and the rows of a pool."""
    context = sum(offset) - 1
    needed = int((stop - start).sum()) + len(start) * context
    whole_size = None
    if recording.whole is not None:
        whole_size = recording.whole[0] + recording.whole[1] * context
    n_rows = padded_rows(needed, whole_size)
    rotate = may_rotate and n_rows > POOL_ROWS * 3 // 2
    if rotate:
        n_rows = POOL_ROWS
    trial, onset = trials_of(recording, start)
    layout = Layout(
        recording.signal, start, stop, offset, n_rows,
        padded_size(recording.n_channels), edges, trial, onset,
    )  # fmt: skip
    return (RotatingSource(layout, tile) if rotate else MemorySource(layout)), n_rows


def on_disk(signal: Any) -> bool:
    """Is the signal too large to be read whole without being asked to?"""
    size = signal.dtype.itemsize * int(np.prod(signal.shape))
    return type(signal) is not np.ndarray and size > IN_MEMORY


def hyper_settings(settings: dict[str, Any], masks: tuple, channels: tuple[int, ...]):
    """Adam's constants and the values of the masks, as traced settings of a step."""
    from ..training import Hyper

    given = dict(settings["optimizer_kwargs"])
    betas = given.pop("betas", (0.9, 0.999))
    learned = settings["temperature_mode"] == "auto"
    hyper = Hyper(
        beta1=betas[0],
        beta2=betas[1],
        epsilon=given.pop("eps", 1e-8),
        weight_decay=given.pop("weight_decay", 0.0),
        min_temperature=(settings["min_temperature"] or 0.0) if learned else 0.0,
        masks=masks,
        n_channels=channels,
    )
    if given.pop("amsgrad", False) or given:
        raise DataError(
            f"optimizer_kwargs knows betas, eps and weight_decay; got {sorted(given) or 'amsgrad'}"
        )
    return hyper
