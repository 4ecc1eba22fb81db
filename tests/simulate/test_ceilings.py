"""Ceilings: grid posterior against quadrature, the order of the estimates, the published values."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats
from scipy.special import logsumexp

import isofold as iso
from isofold.errors import DataError
from isofold.scores import beyond_labels, recovery
from isofold.simulate import Ceilings, _grid_posterior, ceilings
from isofold.simulate.ceilings import SIMULATORS, _rebuilt

# Linear R² to the true latent: labels alone, E[z|x], E[z|x,u].
PUBLISHED = {
    "pivae_continuous": (0.90, 0.92, 0.95),
    "pivae_discrete": (0.84, 0.965, 0.97),
    "sine": (0.91, 0.86, 0.94),
    "quadratic": (0.72, 0.62, 0.81),
    "two_circles": (0.96, 0.65, 0.965),
}


def r2(x, y):
    design = np.column_stack([x, np.ones(len(x))])
    residual = y - design @ np.linalg.lstsq(design, y, rcond=None)[0]
    return np.mean(1 - residual.var(axis=0) / y.var(axis=0))


@pytest.fixture(scope="module")
def found() -> dict[str, list[Ceilings]]:
    return {name: [ceilings(name, seed, n_samples=1200) for seed in range(3)] for name in PUBLISHED}


# -- the numbers ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PUBLISHED)
def test_ceilings_are_those_of_the_reference(found, name):
    """The reference has three random nets of its own: means over three may differ by this much."""
    got = [
        [r2(z, c.recording.truth) for z in (c.labels_only, c.without_labels, c.with_labels)]
        for c in found[name]
    ]
    np.testing.assert_allclose(np.mean(got, axis=0), PUBLISHED[name], atol=0.03)


@pytest.mark.parametrize("name", PUBLISHED)
def test_more_known_is_less_error(found, name):
    """The posterior mean has the least squared error of all that see the same."""
    for c in found[name]:
        error = {
            key: np.mean((getattr(c, key) - c.recording.truth) ** 2)
            for key in ("labels_only", "without_labels", "with_labels")
        }
        assert error["with_labels"] < error["labels_only"]
        assert error["with_labels"] < error["without_labels"]
        scaled = c.labels_only + 0.8 * (c.with_labels - c.labels_only)
        assert error["with_labels"] < np.mean((scaled - c.recording.truth) ** 2)


@pytest.mark.parametrize("name", PUBLISHED)
def test_errors_of_posterior_means_are_uncorrelated_with_them(found, name):
    """Orthogonality of the posterior mean, over all samples of three data sets."""
    for key in ("without_labels", "with_labels"):
        z = np.concatenate([getattr(c, key) - getattr(c, key).mean(axis=0) for c in found[name]])
        error = np.concatenate([c.recording.truth - getattr(c, key) for c in found[name]])
        product = z * error
        assert np.all(np.abs(product.mean(axis=0)) < 4 * product.std(axis=0) / np.sqrt(len(z)))


@pytest.mark.parametrize("name", PUBLISHED)
def test_recording_is_the_simulators_and_arrays_fit_it(found, name):
    c = found[name][2]
    plain = getattr(iso.simulate, name)(2, n_samples=1200)
    np.testing.assert_array_equal(c.recording.signal, plain.signal)
    np.testing.assert_array_equal(c.recording.truth, plain.truth)
    for z in (c.labels_only, c.without_labels, c.with_labels):
        assert z.shape == (1200, 2)
        assert np.isfinite(z).all()
    assert c.log_likelihood.shape == (1200,)
    by_function = ceilings(getattr(iso.simulate, name), 2, n_samples=1200)
    np.testing.assert_array_equal(by_function.with_labels, c.with_labels)


def test_arrays_fit_the_scores(found):
    c = found["pivae_discrete"][0]
    truth, labels = c.recording.truth, c.recording.label("u")
    full = beyond_labels(c.with_labels, truth, labels, oracle=c.with_labels, n_chance=0)
    none = beyond_labels(c.labels_only, truth, labels, oracle=c.with_labels, n_chance=0)
    assert float(full) == pytest.approx(1.0)
    assert float(none) == pytest.approx(0.0, abs=0.02)
    assert full.also["within_label"] > 0.5
    assert float(recovery(c.without_labels, truth, n_chance=0)) > 0.9


# -- against independent computations ---------------------------------------------------------


def by_quadrature(data, row, n=161):
    """E[z|x,u] and log p(x|u) of one sample on a fine grid of its own, densities by scipy."""
    labels = {name: values[[row]] for name, values in data.recording.labels.items()}
    mean, sd = data.prior.mean(labels)[0], np.sqrt(data.prior.variance(labels)[0])
    axes = mean + sd * np.linspace(-7, 7, n)[:, None]
    z = np.stack(np.meshgrid(*axes.T, indexing="ij"), -1).reshape(-1, 2)
    m, x = data.lift(z), np.asarray(data.recording.signal[row], float)
    if data.observation == "poisson":
        log_p = stats.poisson.logpmf(x, np.exp(data.prior.gain * np.tanh(m))).sum(axis=1)
    else:
        log_p = stats.norm.logpdf(x, m, data.noise).sum(axis=1)
    log_p = log_p + stats.norm.logpdf(z, mean, sd).sum(axis=1)
    log_cell = np.log(np.diff(axes, axis=0)[0]).sum()
    weight = np.exp(log_p - logsumexp(log_p))
    return weight @ z, logsumexp(log_p) + log_cell


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("pivae_continuous", {}),
        ("pivae_discrete", {}),
        ("sine", {}),
        ("quadratic", {"noise": 0.5}),
        ("two_circles", {}),
        ("two_circles", {"observation": "poisson", "n_units": 30}),
        ("pivae_continuous", {"mixing": "linear", "n_units": 21}),
        ("pivae_continuous", {"observation": "gaussian", "mixing": "none", "n_units": 9}),
    ],
)
def test_grid_is_as_good_as_quadrature(name, options):
    options = {"n_samples": 8, "n_units": 40} | options
    c, data = ceilings(name, 4, **options), _rebuilt(name, 4, options)
    for row in range(4):
        z, log_p = by_quadrature(data, row)
        np.testing.assert_allclose(c.with_labels[row], z, atol=0.01)
        assert c.log_likelihood[row] == pytest.approx(log_p, abs=0.03)


def test_linear_gaussian_units_have_the_textbook_posterior():
    """z|u, x|z both Gaussian and m linear: precision Σ⁻¹ + W Wᵀ / noise², evidence a Gaussian."""
    options = {"n_samples": 200, "n_units": 12, "mixing": "linear"}
    c, data = ceilings("sine", 1, **options), _rebuilt("sine", 1, options)
    shift = data.lift(np.zeros(2))
    weights = data.lift(np.eye(2)) - shift
    labels = dict(data.recording.labels)
    mean, variance = data.prior.mean(labels), data.prior.variance(labels)
    for row in range(200):
        covariance = weights.T @ np.diag(variance[row]) @ weights + np.eye(12)
        centre = mean[row] @ weights + shift
        exact = stats.multivariate_normal.logpdf(data.recording.signal[row], centre, covariance)
        gain = np.diag(variance[row]) @ weights @ np.linalg.inv(covariance)
        z = mean[row] + gain @ (data.recording.signal[row] - centre)
        assert c.log_likelihood[row] == pytest.approx(exact, abs=0.05)
        np.testing.assert_allclose(c.with_labels[row], z, atol=0.01)


def test_without_labels_is_the_mixture_over_labels():
    """E[z|x] = Σ_u p(u|x) E[z|x,u], the classes one by one."""
    options = {"n_samples": 40, "n_units": 30}
    c, data = ceilings("pivae_discrete", 3, **options), _rebuilt("pivae_discrete", 3, options)
    grid = _grid_posterior.Grid.of(data.prior)
    likelihood = _grid_posterior.Likelihood.of(data.lift(grid.points), data)
    p, _ = likelihood.scaled(np.asarray(data.recording.signal, float))
    parts = []
    for k in range(5):
        first, second = grid.weights(data.prior, {"u": np.full(40, k)})
        parts.append(_grid_posterior.with_labels(p, first, second, grid.axes))
    evidence = np.array([e for e, _ in parts])
    mixture = sum(e[:, None] * z for e, z in parts) / evidence.sum(axis=0)[:, None]
    np.testing.assert_allclose(c.without_labels, mixture, atol=1e-10)


@settings(max_examples=40, deadline=None)
@given(st.floats(-3, 3), st.floats(1e-3, 2))
def test_hat_weights_are_the_integrals_of_hats(mean, sd):
    nodes = np.linspace(-2, 2, 9)
    weights = _grid_posterior.hat_weights(nodes, np.array([mean]), np.array([sd]))[0]
    assert weights.sum() == pytest.approx(1)
    assert weights.min() >= 0
    for k in (0, 4, 5, 8):
        hat = np.eye(9)[k]
        expected, _ = integrate.quad(
            lambda z, hat=hat: np.interp(z, nodes, hat) * stats.norm.pdf(z, mean, sd),
            mean - 9 * sd,
            mean + 9 * sd,
            points=sorted({z for z in (*nodes, mean) if abs(z - mean) < 9 * sd}),
            epsabs=1e-10,
            limit=200,
        )
        assert weights[k] == pytest.approx(expected, abs=1e-8)


def test_a_prior_without_width_is_a_point():
    nodes = np.linspace(0, 1, 5)
    weights = _grid_posterior.hat_weights(nodes, np.array([0.3, 0.25]), np.zeros(2))
    np.testing.assert_allclose(weights, [[0, 0.8, 0.2, 0, 0], [0, 1, 0, 0, 0]], atol=1e-6)


# -- what it refuses --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("simulator", "options", "message"),
    [
        ("lorenz", {}, "there are ceilings for pivae_continuous, .*; got 'lorenz'"),
        (iso.simulate.circle, {}, "there are ceilings for"),
        (None, {}, "there are ceilings for .*; got None"),
        ("sine", {"n_units": None}, "n_units=None shows the latent itself: give n_units"),
        ("sine", {"noise": 0.0}, "without noise Gaussian units have no density"),
        ("pivae_discrete", {"noise": 0.1}, "noise=0.1 on the log rate have no closed likelihood"),
        ("sine", {"noise": 0.05}, "wider than a cell.* use fewer units or more noise"),
        ("sine", {"n_units": 7}, "must be even and at least 4"),
    ],
)
def test_refuses(simulator, options, message):
    with pytest.raises(DataError, match=message):
        ceilings(simulator, 0, **({"n_samples": 10} | options))


def test_an_unknown_keyword_is_a_type_error():
    with pytest.raises(TypeError, match="n_laps"):
        ceilings("sine", 0, n_laps=3)


def test_every_simulator_of_the_table_is_public():
    for name, (function, _) in SIMULATORS.items():
        assert getattr(iso.simulate, name) is function
