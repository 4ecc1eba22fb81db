"""InfoNCE against loops and its known values."""

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import iv, loggamma

from isofold.objectives import infonce


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
