"""Diagonal Gaussians against quadrature, scipy and their algebra."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import norm

from isofold.objectives.gaussian import Gaussian, kl, log_density, product, sample, soft_clamp

Z = np.linspace(-60, 60, 60_001)
H = Z[1] - Z[0]

means = arrays(float, 4, elements=st.floats(-50, 50))
log_variances = arrays(float, 4, elements=st.floats(-10, 10))
gaussians = st.builds(Gaussian, means, log_variances)


@pytest.fixture(autouse=True)
def float64():
    with jax.enable_x64(True):
        yield


def random_pair(seed=0, n=20):
    rng = np.random.default_rng(seed)
    return (
        Gaussian(jnp.asarray(rng.normal(0, 3, n)), jnp.asarray(rng.uniform(-3, 3, n)))
        for _ in range(2)
    )


def log_pdf(q):
    """(node, latent), by scipy."""
    return norm.logpdf(Z[:, None], np.asarray(q.mean), np.exp(np.asarray(q.log_variance) / 2))


def test_kl_is_its_integral():
    q, p = random_pair()
    expected = np.sum(np.exp(log_pdf(q)) * (log_pdf(q) - log_pdf(p)), axis=0) * H
    np.testing.assert_allclose(kl(q, p), expected, rtol=1e-10)


def test_product_is_the_renormalised_product_of_densities():
    a, b = random_pair(1)
    density = np.exp(log_pdf(a) + log_pdf(b))
    density /= density.sum(axis=0) * H
    both = product(a, b)
    np.testing.assert_allclose(np.exp(log_pdf(both)), density, atol=1e-10)
    np.testing.assert_allclose(both.mean, (Z[:, None] * density).sum(axis=0) * H, atol=1e-10)


def test_log_density_is_that_of_scipy():
    q, p = random_pair(2)
    expected = norm.logpdf(p.mean, q.mean, np.exp(q.log_variance / 2)).sum()
    assert float(log_density(q, p.mean)) == pytest.approx(expected, rel=1e-12)
    assert log_density(q, jnp.zeros((7, 5, 20))).shape == (7, 5)


def test_samples_have_the_mean_and_the_variance():
    q, _ = random_pair(3)
    noise = jnp.asarray([[-1.0], [1.0]])
    low, high = sample(q, noise)
    np.testing.assert_allclose((low + high) / 2, q.mean, atol=1e-12)
    np.testing.assert_allclose(((high - low) / 2) ** 2, np.exp(q.log_variance), rtol=1e-12)


def test_soft_clamp_keeps_small_values_and_bounds_large_ones():
    x = jnp.linspace(-100, 100, 401)
    clamped = soft_clamp(x, bound=4.0)
    np.testing.assert_allclose(clamped, 4 * np.tanh(np.asarray(x) / 4))
    assert np.all(np.abs(clamped) <= 4)
    assert np.all(np.diff(clamped) >= 0)
    assert float(jax.grad(soft_clamp)(0.0)) == 1.0


@settings(max_examples=40, deadline=None)
@given(gaussians, gaussians)
def test_kl_is_never_negative_and_zero_for_equals(q, p):
    q, p = jax.tree.map(jnp.asarray, (q, p))
    assert np.all(kl(q, p) >= -1e-14)
    assert not np.any(kl(q, q))
    apart = abs(q.mean - p.mean) > 1e-3
    assert np.all(kl(q, p)[apart] > 0)


@settings(max_examples=40, deadline=None)
@given(gaussians, gaussians)
def test_product_commutes_and_sharpens(a, b):
    a, b = jax.tree.map(jnp.asarray, (a, b))
    ab, ba = product(a, b), product(b, a)
    np.testing.assert_allclose(ab.mean, ba.mean, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(ab.log_variance, ba.log_variance, rtol=1e-12, atol=1e-12)
    assert np.all(ab.log_variance <= np.minimum(a.log_variance, b.log_variance))
    low, high = np.minimum(a.mean, b.mean), np.maximum(a.mean, b.mean)
    assert np.all((ab.mean >= low - 1e-12) & (ab.mean <= high + 1e-12))


@settings(max_examples=30, deadline=None)
@given(gaussians, means)
def test_a_flat_prior_changes_nothing(q, mean):
    q = jax.tree.map(jnp.asarray, q)
    same = product(q, Gaussian(jnp.asarray(mean), jnp.full(4, jnp.inf)))
    np.testing.assert_allclose(same.mean, q.mean, atol=1e-300)  # XLA flushes subnormals
    np.testing.assert_allclose(same.log_variance, q.log_variance, atol=1e-14)


@pytest.mark.parametrize("a", [-80.0, -10.0, 0.0, 80.0])
@pytest.mark.parametrize("b", [-80.0, 10.0, 80.0])
def test_float32_products_of_unlike_precisions_are_finite(a, b):
    one = jnp.ones(1, jnp.float32)

    def total(log_a, log_b):
        return sum(part.sum() for part in product(Gaussian(one, log_a), Gaussian(-one, log_b)))

    value, slopes = jax.value_and_grad(total, argnums=(0, 1))(a * one, b * one)
    assert np.isfinite(value)
    assert np.all(np.isfinite(slopes))
