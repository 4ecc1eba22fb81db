"""InfoNCE against loops and its known values."""

import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import iv, loggamma

from isofold.objectives import infonce

infonce_module = sys.modules["isofold.objectives.infonce"]


def loops(r, p, n, temperature, distance):
    """The formula, one pair at a time."""

    def similarity(a, b):
        return a @ b / temperature if distance == "cosine" else -((a - b) ** 2).sum() / temperature

    terms = []
    for i in range(len(r)):
        negatives = np.array([similarity(r[i], x) for x in n])
        terms.append(-similarity(r[i], p[i]) + np.log(np.exp(negatives).sum()))
    return np.mean(terms)


def unit(rng, *shape):
    x = rng.standard_normal(shape)
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


@pytest.mark.parametrize("distance", ["cosine", "euclidean"])
@pytest.mark.parametrize("temperature", [0.2, 1.0, 3.0])
def test_equals_the_loops(distance, temperature):
    rng = np.random.default_rng(0)
    r, p, n = unit(rng, 7, 3), unit(rng, 7, 3), unit(rng, 11, 3)
    got = infonce(*(jnp.asarray(a, jnp.float32) for a in (r, p, n)), temperature, distance)
    assert float(got) == pytest.approx(loops(r, p, n, temperature, distance), rel=1e-4)


def test_collapsed_embedding_gives_the_log_of_the_negatives():
    z = jnp.ones((64, 4)) / 2
    assert float(infonce(z, z, z, 1.0, "cosine")) == pytest.approx(np.log(64), rel=1e-6)


def test_euclidean_at_tau_is_cosine_at_half_of_it():
    rng = np.random.default_rng(1)
    z = [jnp.asarray(unit(rng, 20, 3), jnp.float32) for _ in range(3)]
    a, b = infonce(*z, 1.0, "euclidean"), infonce(*z, 0.5, "cosine")
    assert float(a) == pytest.approx(float(b), abs=1e-5)


def test_best_embedding_reaches_the_closed_form_ceiling():
    """D = 3, τ = 1: 1.210 bits (perfect alignment, uniform on the sphere)."""
    rng = np.random.default_rng(2)
    z, n = (jnp.asarray(unit(rng, 4000, 3), jnp.float32) for _ in range(2))
    bits = (np.log(4000) - float(infonce(z, z, n, 1.0, "cosine"))) / np.log(2)
    expectation = loggamma(1.5) + 0.5 * np.log(2) + np.log(iv(0.5, 1.0))
    assert bits == pytest.approx((1 - expectation) / np.log(2), abs=0.01)
    assert (1 - expectation) / np.log(2) == pytest.approx(1.210, abs=0.001)


def test_large_similarities_do_not_overflow():
    z = jnp.ones((4, 2)) * 100
    assert np.isfinite(float(infonce(z, z, z, 0.01, "cosine")))


@pytest.mark.parametrize("distance", ["cosine", "euclidean"])
@pytest.mark.parametrize("n", [12, 13])
def test_blocks_of_references_give_the_loss_and_gradient_of_one(monkeypatch, distance, n):
    """Memory-linear: 11 negatives a reference and room for 40 pairs are blocks of 3."""
    rng = np.random.default_rng(3)
    r, p, m = (jnp.asarray(unit(rng, k, 3), jnp.float32) for k in (n, n, 11))

    def both():
        def loss(r, p, m, temperature):
            return infonce(r, p, m, temperature, distance)

        slopes = jax.value_and_grad(loss, argnums=(0, 1, 2, 3))
        return jax.jit(slopes)(r, p, m, jnp.float32(0.4))

    (direct, slopes) = both()
    monkeypatch.setattr(infonce_module, "PAIRS", 40)
    (blocked, blocked_slopes) = both()
    assert float(blocked) == pytest.approx(float(direct), rel=1e-6)
    for a, b in zip(slopes, blocked_slopes, strict=True):
        assert np.abs(a).max() > 1e-4
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_blocks_hold_no_square_array(monkeypatch):
    """The compiled loss and its gradient have no array of all pairs."""
    monkeypatch.setattr(infonce_module, "PAIRS", 640)
    z = jnp.ones((96, 4)) / 2
    text = str(jax.make_jaxpr(jax.grad(lambda r: infonce(r, z, z, 1.0, "cosine")))(z))
    assert "96,96" not in text
    assert "6,96" in text


def test_more_negatives_than_references_raise_chance_by_their_log():
    z = jnp.ones((8, 4)) / 2
    many = jnp.ones((64, 4)) / 2
    assert float(infonce(z, z, many, 0.3, "cosine")) == pytest.approx(np.log(64), rel=1e-5)
