"""The Jacobian regulariser against closed forms, brute force and finite differences."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from isofold.errors import DataError
from isofold.networks import ARCHITECTURES, build
from isofold.objectives import jacobian_penalty


def tanh_net(seed=0, channels=6, hidden=5, latents=3):
    rng = np.random.default_rng(seed)
    first = jnp.asarray(rng.standard_normal((channels, hidden)), jnp.float32)
    second = jnp.asarray(rng.standard_normal((hidden, latents)), jnp.float32)
    return first, second, lambda rows: jnp.tanh(rows @ first) @ second


def windows_of(n, lag, channels, seed=1):
    rng = np.random.default_rng(seed)
    return jnp.asarray(rng.standard_normal((n, lag, channels)), jnp.float32)


def encoder_on_windows(lag, seed=0, channels=4, latents=3):
    name = {1: "offset1-model", 10: "offset10-model"}[lag]
    rng = np.random.default_rng(seed)
    encoder = build(ARCHITECTURES[name], channels, channels, 8, latents, rng)
    return encoder, lambda rows: encoder(rows)[::lag]


def test_tanh_net_has_its_closed_form():
    """J = W₂ᵀ diag(1 − tanh²) W₁ᵀ."""
    first, second, f = tanh_net()
    x = windows_of(40, 1, 6)
    slope = 1 - np.tanh(np.asarray(x[:, 0] @ first, float)) ** 2
    jacobian = np.einsum("hd,bh,ch->bdc", second, slope, first)
    expected = 0.5 * np.mean(np.sum(jacobian**2, axis=(1, 2)))
    assert float(jacobian_penalty(f, x)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("lag", [1, 10])
def test_exact_form_is_the_norm_of_every_windows_jacobian(lag):
    _, f = encoder_on_windows(lag)
    x = windows_of(4, lag, 4)
    forward = jax.jit(lambda w: f(w)[0])
    h, size = 1e-2, 0.0
    for window in np.asarray(x):
        for place in np.ndindex(window.shape):
            step = np.zeros_like(window)
            step[place] = h
            size += np.sum((forward(window + step) - forward(window - step)) ** 2 / (4 * h * h))
    expected = 0.5 * float(size) / len(x)
    assert float(jacobian_penalty(f, x)) == pytest.approx(expected, rel=2e-3)


@pytest.mark.parametrize("projections", [1, 3])
def test_random_form_is_unbiased(projections):
    _, f = encoder_on_windows(10)
    x = windows_of(16, 10, 4)
    draw = jax.jit(lambda key: jacobian_penalty(f, x, key, projections))
    draws = np.array([draw(k) for k in jax.random.split(jax.random.key(0), 150)], float)
    error = draws.std(ddof=1) / np.sqrt(len(draws))
    assert error > 0
    assert abs(draws.mean() - float(jacobian_penalty(f, x))) < 4 * error


def test_one_latent_needs_no_luck():
    x = windows_of(8, 1, 4)
    random = jacobian_penalty(lambda rows: 2 * rows[:, :1], x, jax.random.key(0), 1)
    assert float(random) == pytest.approx(2.0)


@pytest.mark.parametrize("lag", [1, 10])
def test_its_gradient_agrees_with_finite_differences(lag):
    """GELU has a derivative of its own making; here it is differentiated once more."""
    import equinox as eqx

    encoder, _ = encoder_on_windows(lag)
    x = windows_of(6, lag, 4)
    arrays, static = eqx.partition(encoder, eqx.is_array)

    def penalty(arrays, x):
        return jacobian_penalty(lambda rows: eqx.combine(arrays, static)(rows)[::lag], x)

    with jax.enable_x64(True):
        wide = jax.tree.map(lambda a: jnp.asarray(a, jnp.float64), (arrays, x))
        gradient = jax.jit(jax.grad(penalty))(*wide)
        value = jax.jit(penalty)
        direction = jax.tree.map(
            lambda a: jnp.asarray(np.random.default_rng(a.size).standard_normal(a.shape)), wide[0]
        )
        slope = sum(
            jnp.sum(g * d)
            for g, d in zip(jax.tree.leaves(gradient), jax.tree.leaves(direction), strict=True)
        )

        def along(h):
            moved = jax.tree.map(lambda a, d: a + h * d, wide[0], direction)
            return float(value(moved, wide[1]))

        h = 1e-4
        difference = (along(h) - along(-h)) / (2 * h)
    # The constants of GELU are float32, whatever its input.
    assert float(slope) == pytest.approx(difference, rel=2e-3)
    assert abs(difference) > 1e-4


def test_a_constant_embedding_costs_nothing():
    x = windows_of(4, 1, 3)
    assert float(jacobian_penalty(lambda rows: 0 * rows[:, :2] + 1.0, x)) == 0.0


def test_half_a_random_form_is_refused():
    x = windows_of(4, 1, 3)
    with pytest.raises(DataError, match="need both key and projections"):
        jacobian_penalty(lambda r: r, x, key=jax.random.key(0))
    with pytest.raises(DataError, match="need both key and projections"):
        jacobian_penalty(lambda r: r, x, projections=2)
    with pytest.raises(DataError, match=r"at least 1 .* got 0"):
        jacobian_penalty(lambda r: r, x, jax.random.key(0), 0)
