"""Observation models against scipy.stats, and at the ends of float32."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.special import gammaln

from isofold.objectives import observation
from isofold.objectives.observation import RATE_CEILING, RATE_FLOOR, negative_binomial, poisson

RATES = np.array([1e-6, 1e-3, 0.1, 1.0, 7.3, 40.0, 1e3, 1e5])
COUNTS = np.array([0, 1, 2, 5, 30, 1000, 100_000])
EXTREMES = np.array([-1e4, -100.0, -20.0, 0.0, 20.0, 100.0, 1e4], np.float32)


@pytest.fixture
def float64():
    with jax.enable_x64(True):
        yield


def drive_of(rate):
    """The inverse of softplus."""
    return jnp.asarray(rate + np.log(-np.expm1(-rate)))


def float32_value_and_gradients(f, *arguments):
    arguments = [jnp.asarray(a, jnp.float32) for a in arguments]
    places = tuple(range(len(arguments)))
    value = f(*arguments)
    return value, jax.grad(lambda *a: jnp.sum(f(*a)), argnums=places)(*arguments)


def test_rate_is_softplus_between_its_bounds(float64):
    np.testing.assert_allclose(observation.rate(drive_of(RATES)), RATES, rtol=1e-10)
    held = observation.rate(jnp.array([-1e4, -20.0, 1e9]))
    np.testing.assert_allclose(held, [RATE_FLOOR, RATE_FLOOR, RATE_CEILING])


@pytest.mark.parametrize("drive", [-15.0, -3.0, 0.0, 3.0, 50.0])
def test_slope_of_the_rate_is_the_logistic_function(float64, drive):
    slope = float(jax.grad(observation.rate)(drive))
    assert slope == pytest.approx(1 / (1 + np.exp(-drive)), rel=1e-12)


def test_poisson_is_that_of_scipy(float64):
    got = poisson(jnp.asarray(COUNTS)[:, None], drive_of(RATES))
    expected = stats.poisson.logpmf(COUNTS[:, None], RATES)
    np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-9)


def test_poisson_below_the_floor_is_at_the_floor(float64):
    got = poisson(jnp.array([0.0, 3.0]), -1e4)
    np.testing.assert_allclose(got, stats.poisson.logpmf([0, 3], RATE_FLOOR), rtol=1e-12)


def test_a_known_factorial_changes_nothing():
    x = jnp.arange(20.0)
    for f in (poisson, lambda *a: negative_binomial(a[0], a[1], 0.3, *a[2:])):
        np.testing.assert_allclose(f(x, 1.0, gammaln(np.arange(20.0) + 1)), f(x, 1.0), rtol=1e-5)


def test_poisson_is_finite_in_float32_at_any_drive():
    for x in (0.0, 1.0, 50.0):
        value, (slope,) = float32_value_and_gradients(lambda d, x=x: poisson(x, d), EXTREMES)
        assert np.all(np.isfinite(value))
        assert np.all(np.isfinite(slope))
        assert slope[-1] == pytest.approx(x / 1e4 - 1, abs=1e-6)


def test_poisson_of_small_rates_is_exact_in_float32():
    rates = np.array([1e-6, 1e-5, 1e-4, 1e-2])
    x = np.array([0, 1, 2, 4])[:, None]
    log_factorial = jnp.asarray(gammaln(x + 1), jnp.float32)
    got = poisson(x, jnp.asarray(np.log(np.expm1(rates)), jnp.float32), log_factorial)
    np.testing.assert_allclose(got, stats.poisson.logpmf(x, rates), rtol=3e-6)


def test_gaussian_is_that_of_scipy(float64):
    rng = np.random.default_rng(0)
    x, mean, log_variance = rng.normal(0, 5, (3, 40, 6))
    got = observation.gaussian(jnp.asarray(x), jnp.asarray(mean), jnp.asarray(log_variance))
    np.testing.assert_allclose(got, stats.norm.logpdf(x, mean, np.exp(log_variance / 2)))


def test_gaussian_is_finite_in_float32_at_the_log_variance_bounds():
    for log_variance in (-10.0, 10.0):
        value, slopes = float32_value_and_gradients(
            observation.gaussian, EXTREMES, -EXTREMES, np.full(7, log_variance)
        )
        assert all(np.all(np.isfinite(part)) for part in (value, *slopes))


@pytest.mark.parametrize("log_size", [-15.0, -6.0, -1.0, 0.0, 0.7, 3.0, 8.0, 15.0])
def test_negative_binomial_is_that_of_scipy(float64, log_size):
    k = np.exp(log_size)
    got = negative_binomial(jnp.asarray(COUNTS)[:, None], drive_of(RATES), log_size)
    # In p = k/(k+μ) near 1, scipy's own 1 − p rounds: its log-likelihood is then good to 1e-5.
    expected = stats.nbinom.logpmf(COUNTS[:, None], k, k / (k + RATES))
    exact = 1e-4 * k < RATES
    np.testing.assert_allclose(got[:, exact], expected[:, exact], rtol=1e-7, atol=1e-7)
    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-4)


def test_negative_binomial_sums_to_one_with_its_mean_and_variance(float64):
    x, mean, k = np.arange(3000), 4.0, 1.7
    p = np.exp(negative_binomial(jnp.asarray(x), drive_of(mean), np.log(k)))
    assert p.sum() == pytest.approx(1, rel=1e-10)
    assert p @ x == pytest.approx(mean, rel=1e-10)
    assert p @ x**2 - (p @ x) ** 2 == pytest.approx(mean + mean**2 / k, rel=1e-9)


@pytest.mark.parametrize("log_size", [18.0, 1e4])
def test_negative_binomial_of_large_size_is_poisson_in_float32(log_size):
    x = jnp.asarray(COUNTS[:5], jnp.float32)[:, None]
    drive = jnp.asarray(drive_of(RATES[:6]), jnp.float32)
    got = negative_binomial(x, drive, log_size)
    np.testing.assert_allclose(got, poisson(x, drive), rtol=2e-5, atol=2e-4)


@pytest.mark.parametrize("log_size", [-1e4, -15.0, 0.0, 15.0, 1e4])
def test_negative_binomial_is_finite_in_float32_at_any_drive(log_size):
    for x in (0.0, 1.0, 1e4):
        value, slopes = float32_value_and_gradients(
            lambda d, s, x=x: negative_binomial(x, d, s), EXTREMES, np.full(7, log_size)
        )
        assert all(np.all(np.isfinite(part)) for part in (value, *slopes))


def test_slope_in_the_size_agrees_with_finite_differences(float64):
    x, h = jnp.asarray(COUNTS[:5]), 1e-5

    @jax.jit
    def total(log_size):
        return jnp.sum(negative_binomial(x, drive_of(3.0), log_size))

    slope = jax.jit(jax.grad(total))
    for log_size in (-3.0, 0.0, 2.0, 6.0):
        difference = (total(log_size + h) - total(log_size - h)) / (2 * h)
        assert float(slope(log_size)) == pytest.approx(float(difference), rel=1e-6)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.floats(-50, 50), st.floats(-30, 30))
def test_probabilities_are_at_most_one(x, drive, log_size):
    assert float(poisson(x, drive)) < 0.1
    assert float(negative_binomial(x, drive, log_size)) < 0.1
