"""Layers against textbook forms of them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import erf

from isofold.networks import Clip, Conv, Dropout, Residual, Skip, Subsample, Tanh
from isofold.networks.layers import Gelu, Noise


def textbook(weight, bias, x, stride=1):
    """Loop over time and taps."""
    taps = len(weight)
    rows = range(0, len(x) - taps + 1, stride)
    return np.array([bias + sum(x[t + j] @ weight[j] for j in range(taps)) for t in rows])


def gelu(x):
    return x * 0.5 * (1 + erf(x / np.sqrt(2)))


def drawn(taps, channels, units, stride=1):
    rng = np.random.default_rng(taps)
    weight, bias = rng.standard_normal((taps, channels, units)), rng.standard_normal(units)
    conv = Conv(jnp.asarray(weight, jnp.float32), jnp.asarray(bias, jnp.float32), stride)
    return conv, weight, bias


def rows(n, channels):
    x = np.random.default_rng(n).standard_normal((n, channels))
    return x, jnp.asarray(x, jnp.float32)


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("taps", [1, 2, 3, 5])
@pytest.mark.parametrize("n", [5, 20])
def test_convolution_is_the_textbook_one(taps, stride, n):
    conv, weight, bias = drawn(taps, 4, 3, stride)
    x, given = rows(n, 4)
    np.testing.assert_allclose(conv(given), textbook(weight, bias, x, stride), atol=1e-5)


@pytest.mark.parametrize("taps", [1, 3])
def test_skip_adds_the_middle_of_its_input(taps):
    conv, weight, bias = drawn(taps, 4, 4)
    x, given = rows(12, 4)
    middle = x[taps // 2 : 12 - taps // 2]
    np.testing.assert_allclose(
        Skip(conv)(given), middle + gelu(textbook(weight, bias, x)), atol=1e-5
    )


@pytest.mark.parametrize(("channels", "units"), [(3, 5), (4, 4), (5, 3)])
def test_residual_cuts_or_fills_up_its_input(channels, units):
    linear, weight, bias = drawn(1, channels, units)
    x, given = rows(6, channels)
    want = textbook(weight, bias, x)
    common = min(channels, units)
    want[:, :common] += x[:, :common]
    np.testing.assert_allclose(Residual(linear)(given), want, atol=1e-5)


@pytest.mark.parametrize("n", [4, 13])
def test_subsample_has_the_first_row_of_each_window_beside_its_units(n):
    conv, weight, bias = drawn(4, 3, 2, stride=2)
    x, given = rows(n, 3)
    y = textbook(weight, bias, x, stride=2)
    want = np.concatenate([y, np.array([x[2 * k] for k in range(len(y))])], axis=1)
    np.testing.assert_allclose(Subsample(conv)(given), want, atol=1e-5)


@pytest.mark.parametrize(
    ("layer", "form"),
    [
        (Gelu(), gelu),
        (Tanh(), np.tanh),
        (Clip(0.5, 1.5), lambda x: np.minimum(np.maximum(x, -0.5), 1.5)),
    ],
    ids=["gelu", "tanh", "clip"],
)
def test_pointwise_layers(layer, form):
    x, given = rows(30, 4)
    np.testing.assert_allclose(layer(given), form(x), atol=1e-6)


def test_derivative_of_gelu_is_that_of_its_formula():
    x, given = rows(30, 1)
    step = 1e-5
    slope = (gelu(x + step) - gelu(x - step)) / (2 * step)
    np.testing.assert_allclose(jax.grad(lambda x: Gelu()(x).sum())(given), slope, atol=1e-5)


def test_dropout_zeroes_whole_units_of_a_run_and_keeps_the_mean():
    n_runs, window, units, rate = 2_000, 3, 4, 0.2
    ones = jnp.ones((n_runs * window - 1, units))  # the last run is cut off
    y = np.asarray(Dropout(rate)(ones, Noise(jax.random.key(0), window)))
    assert set(np.unique(y)) == {0, np.float32(1 / (1 - rate))}
    runs = y[: (n_runs - 1) * window].reshape(n_runs - 1, window, units)
    assert (runs == runs[:, :1]).all()
    dropped = (runs[:, 0] == 0).astype(float)
    error = np.sqrt(rate * (1 - rate) / dropped.size)
    assert abs(dropped.mean() - rate) < 4 * error
    # Units and neighbouring runs know nothing of each other: correlations are noise.
    pairs = [np.corrcoef(dropped[:, 0], dropped[:, 1])[0, 1]]
    pairs.append(np.corrcoef(dropped[:-1, 0], dropped[1:, 0])[0, 1])
    assert np.abs(pairs).max() < 4 / np.sqrt(n_runs)


def test_without_noise_dropout_does_nothing():
    x = rows(10, 3)[1]
    assert (np.asarray(Dropout(0.9)(x)) == np.asarray(x)).all()
