"""The covariate-informed bound against quadrature on one-dimensional toys that nothing solves."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats
from scipy.special import expit, logsumexp

from isofold.objectives import observation
from isofold.objectives.evidence import (
    RELEASED_GRID,
    approximate_weight,
    covariate_informed,
    mixture_kls,
    optimal_weight,
    released,
)
from isofold.objectives.gaussian import Gaussian, kl, product, sample

TOYS = 50
NODES = np.linspace(-12, 12, 4001)[:, None, None]
WEIGHTS = np.exp(-0.5 * NODES.ravel() ** 2) / np.exp(-0.5 * NODES**2).sum()
GRID = np.linspace(0, 1, 101)
Z = np.linspace(-25, 25, 20_001)[:, None]
H = Z[1, 0] - Z[0, 0]


class Toys:
    """z ~ N(m_u, v_u), x ~ Poisson(softplus(slope·z + bias)) of three channels, and an encoder
    that guesses: q1. Every expectation is a quadrature over the nodes."""

    def __init__(self):
        rng = np.random.default_rng(0)

        def gaussian(spread):
            shape = (TOYS, 1)
            mean, log_variance = rng.normal(0, spread, shape), rng.normal(0, 0.7, shape)
            return Gaussian(jnp.asarray(mean), jnp.asarray(log_variance))

        self.prior, self.q1 = gaussian(1.5), gaussian(1.5)
        self.q0 = product(self.q1, self.prior)
        # Slopes that keep clear of the floor of the rate: a kink is hard on a quadrature.
        self.slope, self.bias = rng.uniform(-1, 1, (2, TOYS, 3))
        told = np.where(np.arange(TOYS)[:, None] % 2, self.prior.mean, self.q1.mean)
        z = told + rng.normal(0, 1, (TOYS, 1))
        self.x = rng.poisson(np.logaddexp(0, z * self.slope + self.bias))
        self.nodes, self.weights = jnp.asarray(NODES), jnp.asarray(WEIGHTS)
        self.e1, self.e0 = self.evidence(self.q1), self.evidence(self.q0)

    def evidence(self, q, beta=1.0):
        """E_q log p(x|z) − β KL(q‖p), from the parts that are shipped."""
        drive = sample(q, self.nodes) * self.slope + self.bias
        likelihood = observation.poisson(self.x, drive).sum(-1)
        return self.weights @ likelihood - beta * kl(q, self.prior).sum(-1)

    def kls(self, a):
        a = jnp.broadcast_to(jnp.asarray(a, float), (TOYS,))
        return mixture_kls(a, self.q1, self.q0, self.nodes, self.weights)

    def bound(self, a):
        """a E1 + (1−a) E0 + J(a)."""
        from_q1, from_q0 = self.kls(a)
        return np.asarray(a * (self.e1 + from_q1) + (1 - a) * (self.e0 + from_q0))

    def best(self, difference, n_bisections=20):
        return optimal_weight(
            difference, self.q1, self.q0, self.nodes, self.weights, n_bisections=n_bisections
        )

    def log_joint(self):
        """log p(x|z) + log p(z|u) on the grid Z, by scipy: (node, toy)."""
        rate = np.logaddexp(0, Z[:, :, None] * self.slope + self.bias)
        return stats.poisson.logpmf(self.x, rate).sum(-1) + log_pdf(self.prior)


def log_pdf(q):
    mean, log_variance = (np.asarray(part)[:, 0] for part in q)
    return stats.norm.logpdf(Z, mean, np.exp(log_variance / 2))


@pytest.fixture(autouse=True)
def float64():
    with jax.enable_x64(True):
        yield


@pytest.fixture(scope="module")
def toys():
    with jax.enable_x64(True):
        return Toys()


@pytest.fixture(scope="module")
def chosen(toys):
    """(ELBO(a*), a*) of every toy."""
    with jax.enable_x64(True):
        return tuple(
            np.asarray(part)
            for part in covariate_informed(
                toys.e1, toys.e0, toys.q1, toys.q0, toys.nodes, weights=toys.weights
            )
        )


def test_proposition_5_is_the_evidence_bound_of_the_mixture(toys, chosen):
    log_joint, log_q1, log_q0 = toys.log_joint(), log_pdf(toys.q1), log_pdf(toys.q0)

    def by_definition(a):
        with np.errstate(divide="ignore"):
            log_q = np.logaddexp(np.log(a) + log_q1, np.log1p(-a) + log_q0)
        log_q = np.maximum(log_q, -700)
        return np.sum(np.exp(log_q) * (log_joint - log_q), axis=0) * H

    for a in (0.0, 0.01, 0.3, 0.5, 0.9, 1.0):
        np.testing.assert_allclose(toys.bound(a), by_definition(a), rtol=0, atol=1e-10)
    best, a = chosen
    np.testing.assert_allclose(best, by_definition(a), rtol=0, atol=1e-10)


def test_bounds_of_the_best_mixture(toys, chosen):
    best, _ = chosen
    log_evidence = logsumexp(toys.log_joint(), axis=0) + np.log(H)
    either = np.stack([toys.e0, toys.e1])
    assert np.all(best >= either.max(axis=0) - 1e-10)
    assert np.all(best <= logsumexp(either, axis=0) + 1e-12)
    assert np.all(best <= log_evidence + 1e-10)
    assert np.max(best - either.max(axis=0)) > 0.04  # the mixture is worth having


def test_the_gap_is_between_zero_and_the_entropy(toys):
    for a in GRID[1:-1]:
        from_q1, from_q0 = toys.kls(a)
        gap = a * from_q1 + (1 - a) * from_q0
        assert np.all(gap >= 0)
        assert np.all(gap <= stats.entropy([a, 1 - a]) + 1e-12)


def test_optimal_weight_is_the_best_of_a_fine_grid(toys, chosen):
    best, a = chosen
    on_grid = np.stack([toys.bound(g) for g in GRID])
    assert np.all(best >= on_grid.max(axis=0) - 1e-9)
    assert np.all(np.abs(a - GRID[on_grid.argmax(axis=0)]) <= GRID[1])
    assert np.all(np.diff(on_grid, 2, axis=0) <= 1e-9)  # concave
    assert min(np.sum(a == 0), np.sum(a == 1), np.sum((a > 0) & (a < 1))) >= 5


def test_the_ends_are_where_the_closed_forms_say(toys, chosen):
    low, high = -kl(toys.q1, toys.q0).sum(-1), kl(toys.q0, toys.q1).sum(-1)
    difference = np.asarray(toys.e1 - toys.e0)
    np.testing.assert_array_equal(chosen[1] == 0, difference <= low)
    np.testing.assert_array_equal(chosen[1] == 1, difference >= high)
    assert np.all(toys.best(low) == 0)
    assert np.all(toys.best(high) == 1)
    # A little inside, the mixture with a little of the other is already better.
    assert np.all(toys.best(low * 0.99) > 0)
    assert np.all(toys.best(high * 0.99) < 1)
    np.testing.assert_allclose(toys.kls(0.0)[0], -low, rtol=1e-10)
    np.testing.assert_allclose(toys.kls(1.0)[1], high, rtol=1e-10)
    assert not np.any(toys.kls(0.0)[1])
    assert not np.any(toys.kls(1.0)[0])


def test_inside_the_slope_is_zero(toys):
    low, high = -kl(toys.q1, toys.q0).sum(-1), kl(toys.q0, toys.q1).sum(-1)
    difference = 0.5 * low + 0.5 * high
    from_q1, from_q0 = toys.kls(toys.best(difference, n_bisections=52))
    np.testing.assert_allclose(difference + from_q1 - from_q0, 0, atol=1e-12)


@pytest.mark.parametrize("beta", [0.0, 0.3, 4.0])
def test_beta_weighs_the_whole_divergence(toys, beta):
    """The mixture's own E − β KL, not E's with a gap of weight 1; 0 is the first step of a
    warm-up, where nothing is left but the better reconstruction."""
    e1, e0 = (toys.evidence(q, beta) for q in (toys.q1, toys.q0))
    best, a = covariate_informed(
        e1, e0, toys.q1, toys.q0, toys.nodes, beta=beta, weights=toys.weights
    )
    if beta == 0:
        np.testing.assert_array_equal(best, np.maximum(e1, e0))
        assert np.all((a == 0) | (a == 1))
        return
    on_grid = []
    for g in GRID:
        from_q1, from_q0 = toys.kls(g)
        on_grid.append(g * (e1 + beta * from_q1) + (1 - g) * (e0 + beta * from_q0))
    assert np.all(best >= np.max(on_grid, axis=0) - 1e-9)
    assert np.all(np.abs(a - GRID[np.argmax(on_grid, axis=0)]) <= GRID[1])


def test_the_released_rule_switches_hard_and_never_wins(toys, chosen):
    quantiles = jnp.asarray(stats.norm.ppf((np.arange(400) + 0.5) / 400))[:, None, None]
    value, a = released(toys.e1, toys.e0, toys.q1, toys.q0, quantiles)
    ends = RELEASED_GRID[0], RELEASED_GRID[-1]
    assert (len(RELEASED_GRID), *ends) == (39, 0.025, 0.975)
    assert np.all(np.isin(a, ends))
    its_bound = toys.bound(np.asarray(a))
    assert np.all(value <= its_bound)
    assert np.all(its_bound <= chosen[0] + 1e-9)
    assert np.max(chosen[0] - its_bound) > 0.05


def test_gradient_is_that_of_the_best_bound(toys):
    """The envelope theorem: moving q moves a*, which changes nothing to first order."""
    direction = [jnp.asarray(d) for d in np.random.default_rng(1).normal(0, 1, (2, TOYS, 1))]

    @jax.jit
    def total(step):
        q1 = Gaussian(
            *(part + step * d for part, d in zip(toys.q1, direction, strict=True)),
        )
        q0 = product(q1, toys.prior)
        e1, e0 = toys.evidence(q1), toys.evidence(q0)
        return covariate_informed(e1, e0, q1, q0, toys.nodes, weights=toys.weights)[0]

    h = 1e-4
    slope = jax.jit(jax.jacfwd(total))(0.0)
    np.testing.assert_allclose(slope, (total(h) - total(-h)) / (2 * h), atol=1e-4)
    assert np.median(np.abs(slope)) > 0.05


def test_draws_agree_with_the_quadrature(toys):
    noise = jax.random.normal(jax.random.key(0), (20_000, 1, 1))  # shared by the batch
    a = jnp.full(TOYS, 0.3)
    for draws, exact in zip(mixture_kls(a, toys.q1, toys.q0, noise), toys.kls(a), strict=True):
        np.testing.assert_allclose(draws, exact, atol=0.03)


def test_a_latent_that_both_share_adds_nothing(toys):
    def with_another(q):
        return Gaussian(*(jnp.concatenate([part, 0 * part + 0.7], axis=1) for part in q))

    nodes = jnp.concatenate([toys.nodes, jnp.sin(9 * toys.nodes)], axis=2)
    both = mixture_kls(
        jnp.full(TOYS, 0.4), with_another(toys.q1), with_another(toys.q0), nodes, toys.weights
    )
    np.testing.assert_allclose(both, toys.kls(0.4), atol=1e-12)


@pytest.mark.parametrize("apart", [0.0, 1.0, 1e3])
@pytest.mark.parametrize("log_variances", [(0.0, 0.0), (-10.0, 10.0), (10.0, -10.0)])
def test_float32_is_finite_with_its_gradient_everywhere(apart, log_variances):
    one = jnp.ones((5, 2), jnp.float32)
    q1 = Gaussian(apart * one, log_variances[0] * one)
    q0 = Gaussian(0 * one, log_variances[1] * one)
    noise = jax.random.normal(jax.random.key(0), (10, 5, 2), jnp.float32)
    e1 = jnp.array([-1e9, -1.0, 0.0, 1.0, 1e9], jnp.float32)

    def at(weight, q1, q0):
        return jnp.sum(jnp.stack(mixture_kls(jnp.full(5, weight, jnp.float32), q1, q0, noise)))

    def best(q1, q0):
        return covariate_informed(e1, 0 * e1, q1, q0, noise)[0].sum()

    def worse(q1, q0):
        return released(e1, 0 * e1, q1, q0, noise)[0].sum()

    for f in (lambda *q: at(0.0, *q), lambda *q: at(1.0, *q), lambda *q: at(0.5, *q), best, worse):
        result = jax.value_and_grad(f, argnums=(0, 1))(q1, q0)
        assert all(np.all(np.isfinite(part)) for part in jax.tree.leaves(result))
    a = optimal_weight(e1, q1, q0, noise)
    assert a.dtype == jnp.float32
    assert np.all((a >= 0) & (a <= 1))
    assert (a[0], a[-1]) == (0, 1) or apart == 1e3


def test_far_apart_the_weight_is_the_logistic_function():
    q1, q0 = (Gaussian(jnp.full((9, 1), m), jnp.zeros((9, 1))) for m in (0.0, 40.0))
    difference = jnp.linspace(-6, 6, 9)
    a = optimal_weight(difference, q1, q0, jnp.asarray(NODES), jnp.asarray(WEIGHTS))
    np.testing.assert_allclose(a, expit(difference), atol=1e-5)
    np.testing.assert_allclose(approximate_weight(difference, 0.0), expit(difference), rtol=1e-12)


def test_approximate_weight_solves_its_equation_inside_and_stays_a_weight():
    """d log-odds: E1 − E0 = (1/c) log (a + (c−1)/2) / ((c+1)/2 − a)."""
    epsilon, a = 0.05, jnp.linspace(0.01, 0.99, 21)
    c = np.sqrt(1 + 4 * epsilon)
    difference = jnp.log((a + (c - 1) / 2) / ((c + 1) / 2 - a)) / c
    np.testing.assert_allclose(approximate_weight(difference, epsilon), a, rtol=1e-12)
    ends = approximate_weight(jnp.array([-1e6, 1e6]), epsilon)
    np.testing.assert_array_equal(ends, [0, 1])
