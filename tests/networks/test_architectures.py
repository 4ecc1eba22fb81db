"""Layers against a textbook convolution, and the table against published counts."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from isofold.errors import DataError
from isofold.networks import ARCHITECTURES, Conv, build, get_architecture

# Parameters for 100 channels, 32 hidden units, 8 outputs (cebra 0.6.1), and receptive field.
PUBLISHED = {
    "offset1-model": (4_952, 1),
    "offset1-model-mse": (102_008, 1),
    "offset10-model": (16_520, 10),
    "offset10-model-mse": (16_520, 10),
}


def textbook(weight, bias, x):
    """Loop over time and taps."""
    taps = len(weight)
    rows = range(len(x) - taps + 1)
    return np.array([bias + sum(x[t + j] @ weight[j] for j in range(taps)) for t in rows])


def gelu(x):
    from scipy.special import erf

    return x * 0.5 * (1 + erf(x / np.sqrt(2)))


@pytest.mark.parametrize("taps", [1, 2, 3, 5])
def test_convolution_is_the_textbook_one(taps):
    rng = np.random.default_rng(taps)
    weight, bias = rng.standard_normal((taps, 4, 3)), rng.standard_normal(3)
    x = rng.standard_normal((20, 4))
    got = Conv(jnp.asarray(weight, jnp.float32), jnp.asarray(bias, jnp.float32))(
        jnp.asarray(x, jnp.float32)
    )
    np.testing.assert_allclose(got, textbook(weight, bias, x), atol=1e-5)


def test_offset10_is_the_published_stack():
    rng = np.random.default_rng(0)
    encoder = build(ARCHITECTURES["offset10-model"], 5, 8, 6, 3, rng)
    x = np.zeros((30, 8))
    x[:, :5] = rng.standard_normal((30, 5))
    first, _, *skips, last = encoder.layers
    h = gelu(textbook(np.asarray(first.weight), np.asarray(first.bias), x))
    for skip in skips:
        h = h[1:-1] + gelu(textbook(np.asarray(skip.conv.weight), np.asarray(skip.conv.bias), h))
    h = textbook(np.asarray(last.weight), np.asarray(last.bias), h)
    h /= np.linalg.norm(h, axis=1, keepdims=True)
    np.testing.assert_allclose(encoder(jnp.asarray(x, jnp.float32)), h, atol=1e-5)


@pytest.mark.parametrize("name", sorted(ARCHITECTURES))
def test_receptive_field_and_size_are_the_published_ones(name):
    parameters, receptive_field = PUBLISHED[name]
    encoder = build(ARCHITECTURES[name], 100, 100, 32, 8, np.random.default_rng(0))
    assert sum(leaf.size for leaf in jax.tree.leaves(encoder)) == parameters
    assert encoder.receptive_field == ARCHITECTURES[name].receptive_field == receptive_field
    assert encoder(jnp.ones((40, 100))).shape == (40 - receptive_field + 1, 8)


@pytest.mark.parametrize("name", sorted(ARCHITECTURES))
def test_only_normalised_models_have_unit_length(name):
    encoder = build(ARCHITECTURES[name], 4, 8, 16, 3, np.random.default_rng(0))
    z = np.asarray(encoder(jax.random.normal(jax.random.key(0), (50, 8))))
    assert np.allclose(np.linalg.norm(z, axis=1), 1, atol=1e-5) == ARCHITECTURES[name].normalize


def test_a_row_of_zeros_has_a_finite_gradient():
    encoder = build(ARCHITECTURES["offset1-model"], 4, 8, 16, 3, np.random.default_rng(0))
    zero = jax.tree.map(jnp.zeros_like, encoder)
    assert np.isfinite(jax.grad(lambda x: zero(x).sum())(jnp.zeros((3, 8)))).all()


def test_padded_channels_change_nothing():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((20, 5)).astype(np.float32)
    z = []
    for padded in (5, 8):
        encoder = build(ARCHITECTURES["offset10-model"], 5, padded, 8, 2, np.random.default_rng(1))
        z.append(encoder(jnp.asarray(np.pad(x, ((0, 0), (0, padded - 5))))))
    np.testing.assert_allclose(*z, atol=1e-6)


def test_unknown_name_suggests_the_nearest():
    with pytest.raises(DataError, match="did you mean 'offset10-model'"):
        get_architecture("offset10model")
