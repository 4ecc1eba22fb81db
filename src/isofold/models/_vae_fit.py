"""A fit of a latent variable model: its parts drawn, trained, and watched on held-out trials."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning

from .._rows import blocks
from ..errors import DataError
from ..networks import decoder, posterior, prior
from ..recording import Recording
from ._contrast import on_disk, pool_source
from ._inputs import used_segments
from ._label_code import LabelCode
from ._progress import progress
from ._watch import Watch, hook

_log = logging.getLogger(__name__)

FEW_NATS = 0.01
"""Mean KL of a latent below which it says nothing of the data."""


def labels_seen(settings: dict[str, Any]) -> bool:
    """Does the encoder itself take the labels, beside the signal?"""
    return settings["objective"] == "direct" and settings["prior"] != "none"


def with_codes(recording: Recording, code: NDArray[np.float32]) -> Recording:
    """The coded labels as further channels."""
    signal = np.hstack([np.asarray(recording.signal, np.float32), code])
    return replace(recording, signal=signal, channels=None)  # type: ignore[arg-type]


def draw_params(
    recordings: Sequence[Recording], code: LabelCode, settings: dict[str, Any], rng
) -> Any:
    """A new model: one label prior, and posterior and decoder for each recording."""
    from ..training.evidence_step import Params

    return Params(_prior(code, settings, rng), draw_parts(recordings, code.width, settings, rng))


def draw_parts(
    recordings: Sequence[Recording], columns: int, settings: dict[str, Any], rng
) -> tuple:
    """Posterior and decoder of each recording, scaled to its channels."""
    parts = []
    for recording in recordings:
        mean, deviation = moments(recording, settings["outside_trials"])
        parts.append(_part(mean, deviation, columns, settings, rng))
    return tuple(parts)


def skeleton(settings: dict[str, Any], code: LabelCode, channels: Sequence[int]) -> Any:
    """A model of the right shape, to be filled from a file."""
    from ..training.evidence_step import Params

    rng = np.random.default_rng(0)
    columns = code.width
    parts = [_part(np.ones(n), np.ones(n), columns, settings, rng) for n in channels]
    return Params(_prior(code, settings, rng), tuple(parts))


def _prior(code: LabelCode, settings: dict[str, Any], rng):
    return prior(
        code.width, code.discrete, int(settings["output_dimension"]),
        tuple(settings["prior_hidden"]), "tanh", not settings["prior_mean"], rng,
    )  # fmt: skip


def _part(mean: NDArray, deviation: NDArray, columns: int, settings: dict[str, Any], rng):
    import jax.numpy as jnp

    from ..training.evidence_step import Part

    counts = settings["observation"] != "gaussian"
    shift = np.zeros_like(mean) if counts else mean
    # A unit that fires rarely is not blown up: a spike counts as much as in a busier one.
    scale = 1 / np.maximum(deviation, 0.3) if counts else 1 / deviation
    extra = columns if labels_seen(settings) else 0
    shift, scale = np.append(shift, np.zeros(extra)), np.append(scale, np.ones(extra))
    n_latents = int(settings["output_dimension"])
    look = posterior(
        settings["encoder"], len(shift), n_latents, hidden=tuple(settings["encoder_hidden"]),
        activation="tanh", architecture=settings["model_architecture"],
        num_hidden_units=int(settings["num_hidden_units"]),
        smoothing=settings["smoothing"] * settings["rate"], shift=shift, scale=scale, rng=rng,
    )  # fmt: skip
    say = decoder(
        settings["decoder"], settings["observation"], n_latents,
        bins=look.receptive_field if settings["target"] == "window" else 1,
        hidden=settings["decoder_hidden"], activation=settings["activation"],
        mean=mean, deviation=deviation, rng=rng,
    )  # fmt: skip
    return Part(look, say, jnp.asarray(mean, jnp.float32))


def moments(recording: Recording, outside_trials: bool) -> tuple[NDArray, NDArray]:
    """Mean and standard deviation of every channel over the samples of a fit."""
    start, stop = used_segments(recording, outside_trials)
    edges = np.zeros(len(recording) + 1, np.int64)
    edges[start] += 1
    edges[stop] -= 1
    used = np.cumsum(edges[:-1]) > 0
    total, square, n = 0.0, 0.0, int(used.sum())
    for first, last in blocks(recording.signal):
        x = np.asarray(recording.signal[first:last], float)[used[first:last]]
        total, square = total + x.sum(axis=0), square + (x**2).sum(axis=0)
    mean = np.asarray(total) / n
    deviation = np.sqrt(np.maximum(np.asarray(square) / n - mean**2, 0))
    return mean, np.where(deviation > 1e-9 * np.maximum(np.abs(mean), 1), deviation, 1.0)


def check_counts(recordings: Sequence[Recording], settings: dict[str, Any]) -> None:
    """Counts are whole numbers of 0 or more."""
    if settings["observation"] == "gaussian":
        return
    for recording in recordings:
        for first, last in blocks(recording.signal):
            x = np.asarray(recording.signal[first:last])
            bad = ~((x >= 0) & (x == np.rint(x)) | np.isnan(x))
            if bad.any():
                row, channel = np.argwhere(bad)[0]
                raise DataError(
                    f"observation={settings['observation']!r} is for counts, whole numbers of 0 or "
                    f"more; channel {recording.channels.index[channel]!r} of recording "
                    f"{recording.name!r} has {x[row, channel]:.4g} at "
                    f"{recording.time[first + row]:.3f} s: use observation='gaussian'"
                )


def train_together(
    params: Any,
    recordings: Sequence[Recording],
    code: LabelCode,
    settings: dict[str, Any],
    rng: np.random.Generator,
    *,
    keep_prior: bool = False,
    verbose: bool = False,
    **watched: Any,
):
    """`train_params`; of several recordings the one with most channels begins alone.

    Begun together, each recording unfolds its latent for itself before the label prior has a
    shape, and some end as mirror images of others (simulated animals of one latent: R² across them
    .4 in every second fit, .9 with a prior that one of them has settled). A prior that has its
    shape needs no warm-up, which would let go of it again.
    """
    settled = {**settings, "warm_up": 0}
    if len(recordings) > 1:
        first = int(np.argmax([r.n_channels for r in recordings]))
        alone = train_params(
            params._replace(parts=(params.parts[first],)), [recordings[first]], code, settings, rng,
            verbose=verbose, tell=False,
        )  # fmt: skip
        parts = (*params.parts[:first], *alone.params.parts, *params.parts[first + 1 :])
        params = alone.params._replace(parts=parts)
        if alone.interrupted:
            return replace(alone, params=params)
    used = settled if keep_prior or len(recordings) > 1 else settings
    return train_params(
        params, recordings, code, used, rng, keep_prior=keep_prior, verbose=verbose, **watched
    )


def train_params(
    params: Any,
    recordings: Sequence[Recording],
    code: LabelCode,
    settings: dict[str, Any],
    rng: np.random.Generator,
    *,
    keep_prior: bool = False,
    watch: Watch | None = None,
    callback: Callable[[int, Any], Any] | None = None,
    callback_frequency: int | None = None,
    verbose: bool = False,
    tell: bool = True,
):
    """Train the model on the recordings; warns where it did not converge, if to `tell`."""
    from .. import training
    from ..training.evidence_step import Hyper, Program

    codes = [code.of(recording) for recording in recordings]
    sources = []
    for recording, mine, part in zip(recordings, codes, params.parts, strict=True):
        names = [p.name for p in code.parts if code.source == "labels"]
        start, stop = used_segments(recording, settings["outside_trials"], names)
        seen = with_codes(recording, mine) if labels_seen(settings) else recording
        rotate = on_disk(recording.signal)
        sources.append(pool_source(seen, part.posterior.offset, start, stop, rotate)[0])
    steps, rate = int(settings["max_iterations"]), float(settings["learning_rate"])
    constant = settings["schedule"] == "constant"
    up = np.arange(1, steps + 1) / max(settings["warm_up"], 1)
    plan = training.EvidencePlan(
        rates=np.full(steps, rate) if constant else training.one_cycle(steps, rate),
        beta=settings["beta"] * np.minimum(up, 1),
        batch_size=int(settings["batch_size"]),
        program=Program(settings["objective"], int(settings["mixture_draws"])),
        hyper=Hyper(clip=float(settings["gradient_clip"])),
        keep_prior=keep_prior,
    )
    look, every = hook(watch, callback, callback_frequency, steps)
    with progress(steps, verbose) as tick:
        trained = training.train_evidence(
            params, sources, codes, plan, rng, callback=look, callback_frequency=every, tick=tick
        )
    if tell and trained.record is not None and not trained.interrupted:
        _warn(trained.record, settings)
    return trained


def _warn(record: Any, settings: dict[str, Any]) -> None:
    """Say what went wrong: steps left out, no convergence, collapsed latents."""
    tell: list[str] = []
    left_out = int(np.sum(record.finite == 0))
    if left_out:
        tell.append(
            f"{left_out} of {len(record.finite)} steps had a gradient that is not finite and were "
            "left out: lower learning_rate, or bring the signal to a common scale"
        )
    elbo = np.asarray(record.elbo, float).mean(axis=1)
    n = len(elbo) // 10
    if n >= 25 and settings["warm_up"] < 8 * n:
        last, before = elbo[-n:], elbo[-2 * n : -n]
        error = np.sqrt((last.var() + before.var()) / n)
        change = last.mean() - before.mean()
        if not np.isfinite(change) or abs(change) > max(4 * error, 0.01 * abs(before.mean())):
            tell.append(
                f"the evidence was still changing when training ended ({before.mean():.4g} → "
                f"{last.mean():.4g} nats a sample over the last tenths): raise max_iterations or "
                "lower learning_rate"
            )
    kl = np.asarray(record.kl, float)[-max(n, 1) :].mean(axis=(0, 1))
    if settings["prior"] != "none" and (kl < FEW_NATS).any():
        gone = np.flatnonzero(kl < FEW_NATS).tolist()
        tell.append(
            f"latent(s) {gone} are collapsed: with labels the posterior is the label prior and "
            "says nothing of the data (KL below .01 nats); see model.diagnose()"
        )
    for text in tell:
        _log.info(text)
        warnings.warn(text, ConvergenceWarning, stacklevel=2)
