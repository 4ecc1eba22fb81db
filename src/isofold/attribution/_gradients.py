"""Attributions of single windows, compiled.

(window, lag, channel) → (window, latent, channel, lag).

An encoder maps one window of its receptive field to one row.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

PATH_STEPS = 50
"""Gauss–Legendre nodes of the path of integrated gradients."""
_ABLATED_TOGETHER = 128

Windows = Float[Array, "window lag channel"]
Attributions = Float[Array, "window latent channel lag"]


@eqx.filter_jit
def jacobian(encoder: Any, windows: Windows, baseline: Array) -> Attributions:
    """∂f/∂x, one backward pass a latent; the baseline is there for a common signature."""
    each = jax.vmap(jax.jacrev(partial(_one, encoder)))(windows)
    return jnp.swapaxes(each, 2, 3)


@eqx.filter_jit
def integrated_gradients(
    encoder: Any, windows: Windows, baseline: Array, steps: int = PATH_STEPS
) -> Attributions:
    """(x − x₀) · ∫₀¹ ∂f/∂x (x₀ + a(x − x₀)) da; over inputs it sums to f(x) − f(x₀)."""
    nodes, weights = np.polynomial.legendre.leggauss(steps)
    path = jnp.asarray(np.stack([(nodes + 1) / 2, weights / 2]).T, windows.dtype)
    away = windows - baseline

    def add(total, node):
        return total + node[1] * jacobian(encoder, baseline + node[0] * away, baseline), None

    first = jnp.zeros_like(jax.eval_shape(jacobian, encoder, windows, baseline))
    total, _ = jax.lax.scan(add, first, path)
    return total * jnp.swapaxes(away, 1, 2)[:, None]


@eqx.filter_jit
def ablation(encoder: Any, windows: Windows, baseline: Array) -> Attributions:
    """f(x) − f(x with one channel at one lag put to its baseline), for each of them."""
    lags, channels = windows.shape[1:]

    def of_window(window):
        z = _one(encoder, window)

        def without(place):
            lag, channel = place // channels, place % channels
            return z - _one(encoder, window.at[lag, channel].set(baseline[channel]))

        lost = jax.lax.map(without, jnp.arange(lags * channels), batch_size=_ABLATED_TOGETHER)
        return lost.reshape(lags, channels, -1).transpose(2, 1, 0)

    return jax.lax.map(of_window, windows)


def _one(encoder: Any, window: Array) -> Array:
    return encoder(window)[0]


@eqx.filter_jit
def embedded(encoder: Any, windows: Windows) -> Float[Array, "window latent"]:
    """f of each window."""
    return jax.vmap(partial(_one, encoder))(windows)


METHODS: dict[str, Callable[..., Array]] = {
    "jacobian": jacobian,
    "neuron-gradient": jacobian,
    "ablation": ablation,
    "integrated-gradients": integrated_gradients,
}
"""(encoder, windows, baseline). The gradient of one output unit is a row of the Jacobian: two names
for one computation."""
