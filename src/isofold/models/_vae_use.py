"""Fitted latent variable models on recordings: posteriors, evidence, decoded labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..recording import Recording
from ..trials import Ints, expand
from ._encode import embed
from ._inputs import used_segments
from ._label_code import LabelCode, coded
from ._vae_fit import labels_seen, with_codes
from ._watch import Watch

CHANCE_DRAWS = 5


def unit(settings: dict[str, Any]) -> str:
    """What a model's evidence over constant rates is counted in."""
    return "bits per sample" if settings["observation"] == "gaussian" else "bits per spike"


def rows_of(
    params: Any, number: int, recording: Recording, settings: dict[str, Any], code: NDArray | None
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """(time, mean ‖ log-variance) of q(z|x) (or q(z|x,u)), and which windows reach an edge."""
    seen = with_codes(recording, code) if labels_seen(settings) and code is not None else recording
    return embed(params.parts[number].posterior, seen)


def embed_mean(
    model: Any, number: int, recording: Recording, with_labels: bool, posterior: str
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """(time, latent) mean of the posterior asked for, and which windows reach an edge."""
    mean, _, edge = embed_gaussian(model, number, recording, with_labels, posterior)
    return mean, edge


def embed_gaussian(
    model: Any, number: int, recording: Recording, with_labels: bool, posterior: str
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_]]:
    """Mean and variance of the posterior asked for, and which windows reach an edge."""
    import jax.numpy as jnp

    from ..training.evidence_step import posteriors, split

    params, settings = model.params_, model.settings_
    direct = settings["objective"] == "direct"
    code = model.code_.of(recording) if with_labels else None
    if not with_labels and posterior == "marginal":
        return _marginal(model, number, recording)
    both, edge = rows_of(params, number, recording, settings, code)
    if code is None or direct:
        q = split(both)
    else:
        q = posteriors(params.prior, both, jnp.asarray(code))[1]
    return np.asarray(q.mean), np.exp(np.asarray(q.log_variance)), edge


def _marginal(model: Any, number: int, recording: Recording):
    from ._vae_labels import log_posterior, over_labels

    table = model.candidates_
    code = coded(model.code_, table)
    found = label_evidence(model, number, recording, code)
    weight = np.exp(log_posterior(found, table["weight"].to_numpy())[0])
    if labels_seen(model.settings_):
        return _marginal_direct(model, number, recording, code, weight)
    both, edge = rows_of(model.params_, number, recording, model.settings_, None)
    mean, variance = over_labels(model.params_, both, code, weight)
    return mean, variance, edge


def _marginal_direct(model: Any, number: int, recording: Recording, code, weight):
    """Σ p(u|x) q(z|x,u) where the encoder itself takes the label: one pass a candidate."""
    from ..training.evidence_step import split

    mean = square = np.zeros((len(recording), model.output_dimension_))
    edge = np.zeros(len(recording), bool)
    for one, w in zip(code, weight.T, strict=True):
        same = np.broadcast_to(one, (len(recording), len(one)))
        both, edge = rows_of(model.params_, number, recording, model.settings_, same)
        q = split(both)
        m = np.asarray(q.mean)
        mean = mean + w[:, None] * m
        square = square + w[:, None] * (np.exp(np.asarray(q.log_variance)) + m**2)
    variance = np.maximum(square - mean**2, 0)
    return mean.astype(np.float32), variance.astype(np.float32), edge


def label_evidence(
    model: Any, number: int, recording: Recording, code: NDArray, n_samples: int = 100
) -> NDArray[np.float32]:
    """(time, candidate) log p(x|u) in nats, by draws from the label prior."""
    from ._vae_labels import log_likelihoods, targets

    y = targets(model.params_.parts[number], recording, _all_segments(recording))
    return log_likelihoods(model.params_, number, y, code, n_samples)


def evidence_of(
    params: Any,
    number: int,
    recording: Recording,
    code: LabelCode | NDArray,
    settings: dict[str, Any],
    n_samples: int,
    seed: int = 0,
) -> NDArray[np.float64]:
    """(time,) log p(x|u) of what each sample explains, in nats, by importance weighting."""
    from ._vae_evidence import importance_weighted
    from ._vae_labels import targets

    values = code.of(recording) if isinstance(code, LabelCode) else code
    both, _ = rows_of(params, number, recording, settings, values)
    y = targets(params.parts[number], recording, _all_segments(recording))
    return importance_weighted(params, number, both, values, y, settings, n_samples, seed)


def constant_evidence(part: Any, recording: Recording) -> NDArray[np.float64]:
    """(time,) log-likelihood of the same samples under the constant rates (or the Gaussian) that
    the decoder was told of in training."""
    from ._vae_evidence import of_constant
    from ._vae_labels import targets

    return of_constant(part, targets(part, recording, _all_segments(recording)))


def goodness(
    model: Any, number: int, recording: Recording, seed: int, n_samples: int = 20
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Evidence over constant rates of each segment, and its mean with labels of other samples.

    In bits per spike: the bits of a segment over the spikes of the mean segment, so that the mean
    over segments is all bits over all spikes.
    """
    bits = _bits_of_segments(model.params_, number, recording, model.settings_)
    code = model.code_.of(recording)
    found = bits(code, n_samples, seed)
    if not model.code_.parts:
        return found, np.zeros(1)
    used = expand(*_used(recording, model.settings_))
    rng, chance = np.random.default_rng(seed), []
    for _ in range(CHANCE_DRAWS):
        other = code.copy()
        other[used] = code[rng.permutation(used)]
        chance.append(bits(other, n_samples, seed).mean())
    return found, np.asarray(chance)


def _bits_of_segments(
    params: Any, number: int, recording: Recording, settings: dict[str, Any]
) -> Callable[[NDArray, int, int], NDArray[np.float64]]:
    """(coded labels, draws, seed) → evidence over constant rates of each segment, as in
    `goodness`; what no label changes is computed once."""
    part = params.parts[number]
    start, stop = _used(recording, settings)
    null = constant_evidence(part, recording)
    each = _per_segment(part, recording, start, stop, settings)

    def bits(code: NDArray, n_samples: int, seed: int) -> NDArray[np.float64]:
        found = evidence_of(params, number, recording, code, settings, n_samples, seed) - null
        gain = np.append(0, np.cumsum(found / np.log(2)))
        return (gain[stop] - gain[start]) / each

    return bits


def _used(recording: Recording, settings: dict[str, Any]) -> tuple[Ints, Ints]:
    return used_segments(recording, settings["outside_trials"], settings["labels"])


def _per_segment(part: Any, recording: Recording, start: Ints, stop: Ints, settings) -> float:
    """What the bits of a segment are divided by: windows count every bin as often as it has them,
    and so do their spikes."""
    n = len(start)
    if settings["observation"] == "gaussian":
        return float(np.sum(stop - start)) * part.decoder.bins / n
    from ._vae_labels import targets

    total = np.append(0, np.cumsum(targets(part, recording, _all_segments(recording)).sum(axis=1)))
    return max(float(np.sum(total[stop] - total[start])), 1.0) / n


def watch_evidence(
    recordings: Sequence[Recording], code: LabelCode, settings: dict[str, Any]
) -> Watch:
    """Watch the goodness of fit on held-out trials, mean over recordings."""

    codes = [code.of(recording) for recording in recordings]

    def bits(trained: Any) -> float:
        each = [
            _bits_of_segments(trained.params, n, recording, settings)(mine, 10, 0).mean()
            for n, (recording, mine) in enumerate(zip(recordings, codes, strict=True))
        ]
        return float(np.mean(each))

    return Watch(bits, settings["patience"] if settings["schedule"] == "constant" else None)


def log_table(record: Any) -> pd.DataFrame:
    """Step by step: loss, evidence, KL of every latent, weight of the posterior without labels."""
    if record is None:
        return pd.DataFrame({"loss": np.empty(0)})
    columns = {"loss": record.loss, "elbo": np.mean(record.elbo, axis=1)}
    kl = np.mean(record.kl, axis=1)
    columns |= {f"kl_{k}": kl[:, k] for k in range(kl.shape[1])}
    columns |= {"weight": record.weight, "at_zero": record.at_zero, "at_one": record.at_one}
    columns["finite"] = record.finite
    return pd.DataFrame({k: np.asarray(v, float) for k, v in columns.items()})


def _all_segments(recording: Recording) -> tuple[Ints, Ints]:
    table = recording.segments
    return table["start"].to_numpy(), table["stop"].to_numpy()
