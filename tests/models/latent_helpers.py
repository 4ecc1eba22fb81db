"""Latent variable models with parameters set by hand."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pandas as pd

import isofold as iso
from isofold.networks import perceptron

CLASSES = 3


def labelled(n=60, channels=4, seed=0, counts=True, trials=6):
    """Noise with a label of three classes: only the model made of it matters."""
    rng = np.random.default_rng(seed)
    x = rng.poisson(1.5, (n, channels)) if counts else rng.standard_normal((n, channels))
    edges = np.linspace(0, n, trials + 1).astype(int)
    table = {"start": edges[:-1], "stop": edges[1:]}
    return iso.Recording(
        x.astype(float), 40.0, labels={"u": np.arange(n) % CLASSES}, trials=pd.DataFrame(table)
    )


def by_hand(recording, latents=1, prior=None, linear=True, estimator=iso.PiVAE, **settings):
    """An untrained model: a prior of (class, mean ‖ log-variance), and a decoder without hidden
    layers unless `linear` is off."""
    options = {"decoder": "mlp", "decoder_hidden": 5, "random_state": 0} | settings
    model = estimator(latents, max_iterations=0, **options).fit(recording, labels=["u"])
    rng = np.random.default_rng(1)
    if prior is None:
        mean = rng.standard_normal((CLASSES, latents))
        prior = np.hstack([mean, np.log(rng.uniform(0.3, 1.0, (CLASSES, latents)))])
    params = model.params_
    table = jnp.asarray(prior, jnp.float32)
    params = eqx.tree_at(lambda p: p.prior.values, params, table)
    if linear:
        net = params.parts[0].decoder.net
        straight = perceptron((latents, len(net.biases[-1])), "tanh", rng)
        bias = jnp.asarray(rng.standard_normal(len(net.biases[-1])), jnp.float32)
        straight = eqx.tree_at(lambda n: n.biases, straight, (bias,))
        params = eqx.tree_at(lambda p: p.parts[0].decoder.net, params, straight)
    model.params_ = params
    return model


def with_encoder(model, mean, bias, log_variance):
    """The encoder x ↦ N(x · mean + bias, exp(log_variance)); `mean` (channel, latent)."""
    net = perceptron(mean.shape, "tanh", np.random.default_rng(0))

    def straight(weight, add):
        new = (jnp.asarray(weight, jnp.float32),), (jnp.asarray(add, jnp.float32),)
        return eqx.tree_at(lambda n: (n.weights, n.biases), net, new)

    look = model.params_.parts[0].posterior
    plain = (jnp.zeros_like(look.shift), jnp.ones_like(look.scale))
    look = eqx.tree_at(
        lambda q: (q.mean, q.log_variance, q.shift, q.scale),
        look,
        (straight(mean, bias), straight(np.zeros_like(mean), log_variance), *plain),
    )
    model.params_ = eqx.tree_at(lambda p: p.parts[0].posterior, model.params_, look)
    return model
