"""log p(x|u) of a fitted model by importance weighting, and that of constant rates beside it."""

from __future__ import annotations

from functools import partial
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from ..objectives.gaussian import log_density, sample
from ..training.chunk import Fixed, is_array
from ..training.evidence_step import Params, log_likelihood, posteriors
from ._vae_labels import of_data

BLOCK = 256


def importance_weighted(
    params: Params, number: int, both: NDArray, code: NDArray, y: NDArray,
    settings: dict[str, Any], n_samples: int, seed: int,
) -> NDArray[np.float64]:  # fmt: skip
    """(time,) log mean over z ~ q of p(y|z) p(z|u) / q(z): a bound on log p(y|u) that rises with
    the number of samples (Burda et al. 2016), in nats.

    q is half q(z|x,u), half q(z|x), so that it covers the posterior if either does; where the
    model has one posterior, that one.
    """
    decoder = params.parts[number].decoder
    arrays, static = eqx.partition((params.prior, decoder), is_array)
    fixed, out = Fixed(static), []
    single = settings["objective"] == "direct"
    for first in range(0, len(y), BLOCK):
        rows = np.arange(first, first + BLOCK) % len(y)
        found = _block(
            arrays, both[rows], code[rows], y[rows], np.uint32(seed), np.int32(first),
            fixed=fixed, n_samples=n_samples, single=single,
        )  # fmt: skip
        out.append(np.asarray(found, float)[: len(y) - first])
    return np.concatenate(out)


@partial(jax.jit, static_argnames=("fixed", "n_samples", "single"))
def _block(arrays, both, code, y, seed, first, *, fixed: Fixed, n_samples: int, single: bool):
    prior, decoder = eqx.combine(arrays, fixed.modules)
    q1, q0, p = posteriors(prior, both, code)
    key = jax.random.fold_in(jax.random.key(seed), first)
    # Every other draw is of q(z|x): the density of the mixture has the shares of the draws.
    share = (n_samples // 2) / n_samples

    def one(k):
        noise = jax.random.normal(jax.random.fold_in(key, k), q1.mean.shape)
        z = sample(q1, noise) if single else jnp.where(k % 2, sample(q1, noise), sample(q0, noise))
        log_q = log_density(q1, z)
        if not single:
            log_q = jnp.logaddexp(jnp.log(share) + log_q, jnp.log1p(-share) + log_density(q0, z))
        return log_likelihood(decoder, decoder(z), y) + log_density(p, z) - log_q

    each = jax.lax.map(one, jnp.arange(n_samples))
    constant = of_data(decoder, y) if decoder.observation == "poisson" else 0.0
    if decoder.observation == "negative-binomial":
        constant = -jax.scipy.special.gammaln(y + 1).sum(axis=-1)
    return jax.nn.logsumexp(each, axis=0) - jnp.log(n_samples) + constant


def of_constant(part: Any, y: NDArray) -> NDArray[np.float64]:
    """(time,) log-likelihood of y under the mean rate of every channel, or its Gaussian."""
    from scipy.special import gammaln

    decoder = part.decoder
    mean = np.tile(np.asarray(part.mean, float), decoder.bins)
    if decoder.observation == "gaussian":
        scale = np.tile(np.asarray(decoder.scale, float), decoder.bins)
        square = ((y - mean) / scale) ** 2
        return -0.5 * (square + 2 * np.log(scale) + np.log(2 * np.pi)).sum(axis=1)
    rate = np.maximum(mean, 1e-7)
    return (y * np.log(rate) - rate - gammaln(y + 1.0)).sum(axis=1)
