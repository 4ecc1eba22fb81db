"""What activity says of its label: p(u|x) by Monte Carlo over the label prior, and what follows."""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import gammaln
from numpy.typing import NDArray

from ..networks import Decoder
from ..objectives.gaussian import Gaussian, product, sample
from ..objectives.observation import LOG_SIZE_BOUND, rate
from ..training.chunk import Fixed, is_array
from ..training.evidence_step import Params, split

BLOCK_BYTES = 2**26
"""Size of a block of (sample, candidate, draw) log-likelihoods."""


class Answers(NamedTuple):
    """log p(y|z) = y · slope + offset + (a part of y alone), for every candidate and draw."""

    slope: jax.Array
    """(candidate · draw, bin · channel)"""
    offset: jax.Array
    """(candidate · draw,)"""


def log_likelihoods(
    params: Params, number: int, y: NDArray, code: NDArray, n_samples: int, seed: int = 0
) -> NDArray[np.float32]:
    """(time, candidate) log p(y|u) = log mean over draws z ~ p(z|u) of p(y|z), in nats.

    `y` (time, bin · channel) as the decoder explains it, `code` (candidate, column).
    """
    arrays, static = eqx.partition((params.prior, params.parts[number].decoder), is_array)
    fixed = Fixed(static)
    answers = _answers(arrays, code, np.uint32(seed), fixed=fixed, n_samples=n_samples)
    size = int(np.clip(BLOCK_BYTES // (4 * n_samples * len(code)), 8, 1024))
    parts = []
    for first in range(0, len(y), size):
        block = np.zeros((size, y.shape[1]), np.float32)
        mine = y[first : first + size]
        block[: len(mine)] = mine
        found = _block(arrays, answers, block, fixed=fixed, n_samples=n_samples)
        parts.append(np.asarray(found)[: len(mine)])
    return np.concatenate(parts) if parts else np.zeros((0, len(code)), np.float32)


@partial(jax.jit, static_argnames=("fixed", "n_samples"))
def _answers(arrays, code, seed, *, fixed: Fixed, n_samples: int) -> Answers:
    prior, decoder = eqx.combine(arrays, fixed.modules)
    p = split(prior(code))
    # The same draws for every candidate: their likelihoods then differ by the label alone.
    noise = jax.random.normal(jax.random.key(seed), (n_samples, p.mean.shape[1]))

    def one(candidate):
        z = sample(Gaussian(*candidate), noise)
        return natural(decoder, decoder(z))

    slope, offset = jax.lax.map(one, p, batch_size=8)
    return Answers(slope.reshape(-1, slope.shape[-1]), offset.ravel())


@partial(jax.jit, static_argnames=("fixed", "n_samples"))
def _block(arrays, answers: Answers, y, *, fixed: Fixed, n_samples: int) -> jax.Array:
    _, decoder = eqx.combine(arrays, fixed.modules)
    each = centred(decoder, y) @ answers.slope.T + answers.offset
    each = each.reshape(len(y), -1, n_samples)
    mean = jax.nn.logsumexp(each, axis=2) - jnp.log(n_samples)
    return mean + of_data(decoder, y)[:, None]


def centred(decoder: Decoder, y: jax.Array) -> jax.Array:
    """Gaussian channels in units of their own deviation, so that squares do not cancel."""
    if decoder.observation != "gaussian":
        return y
    return (y - jnp.tile(decoder.shift, decoder.bins)) / jnp.tile(decoder.scale, decoder.bins)


def natural(decoder: Decoder, drive: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Slope and offset of log p(y|z) in `centred` y."""
    if decoder.observation == "poisson":
        r = rate(drive)
        return jnp.log(r), -r.sum(axis=-1)
    if decoder.observation == "gaussian":
        spread = jnp.tile(jnp.clip(decoder.spread, -12, 12), decoder.bins)
        slope = drive * jnp.exp(-spread)
        return slope, -0.5 * (slope * drive).sum(axis=-1)
    mean, k = rate(drive), _size(decoder)
    return jnp.log(mean) - jnp.log(k + mean), -(k * jnp.log1p(mean / k)).sum(axis=-1)


def of_data(decoder: Decoder, y: jax.Array) -> jax.Array:
    """(sample,) the part of log p(y|z) that no latent changes, constants included."""
    if decoder.observation == "poisson":
        return -gammaln(y + 1).sum(axis=-1)
    if decoder.observation == "gaussian":
        spread = jnp.tile(jnp.clip(decoder.spread, -12, 12), decoder.bins)
        square = centred(decoder, y) ** 2 * jnp.exp(-spread)
        return -0.5 * (square + decoder.log_variance() + jnp.log(2 * jnp.pi)).sum(axis=-1)
    k = _size(decoder)
    return (gammaln(y + k) - gammaln(k) - gammaln(y + 1)).sum(axis=-1)


def _size(decoder: Decoder) -> jax.Array:
    # Beyond e⁹ the gamma functions of float32 cancel, and the counts are Poisson.
    return jnp.exp(jnp.clip(decoder.log_size(), -LOG_SIZE_BOUND, 9.0))


def over_labels(
    params: Params, both: NDArray, code: NDArray, weight: NDArray, block: int = 2048
) -> tuple[NDArray, NDArray]:
    """Mean and variance of Σ_u p(u|x) p(z|x,u), with p(z|x,u) the product of q(z|x) and p(z|u).

    `both` (time, mean ‖ log-variance) of q(z|x), `weight` (time, candidate) of p(u|x).
    """
    prior = split(params.prior(jnp.asarray(code)))
    means, variances = [], []
    for first in range(0, len(both), block):
        q = split(jnp.asarray(both[first : first + block])[:, None])
        z = product(q, Gaussian(prior.mean[None], prior.log_variance[None]))
        w = jnp.asarray(weight[first : first + block])[:, :, None]
        mean = (w * z.mean).sum(axis=1)
        square = (w * (jnp.exp(z.log_variance) + z.mean**2)).sum(axis=1)
        means.append(np.asarray(mean))
        variances.append(np.maximum(np.asarray(square - mean**2), 0))
    return np.concatenate(means), np.concatenate(variances)


def log_posterior(
    log_likelihood: NDArray, weight: NDArray
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """log p(u|x) of candidates with prior `weight`, and log p(x) of every sample, in nats."""
    with np.errstate(divide="ignore"):  # a candidate of weight 0 is impossible
        joint = log_likelihood + np.log(np.asarray(weight, float))
    evidence = np.logaddexp.reduce(joint, axis=1)
    return joint - evidence[:, None], evidence


def targets(part: Any, recording, segments) -> NDArray[np.float32]:
    """(time, bin · channel) what the decoder explains of every sample."""
    signal = np.asarray(recording.signal, np.float32)
    if part.decoder.bins == 1:
        return signal
    left, right = part.posterior.offset
    start, stop = segments
    length = stop - start
    at = np.arange(len(signal))[:, None] + np.arange(-left, right)
    at = np.clip(at, np.repeat(start, length)[:, None], np.repeat(stop - 1, length)[:, None])
    return signal[at].reshape(len(signal), -1)
