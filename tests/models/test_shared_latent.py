"""Animals with one latent and different cells: fitted together they need no alignment."""

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

import isofold as iso

UNITS = (24, 20, 30)
SETTINGS = {
    "max_iterations": 200, "learning_rate": 5e-3, "batch_size": 128, "random_state": 0,
    "decoder": "mlp", "observation": "poisson",
}  # fmt: skip


def animal(number, n_units, n_samples=900):
    """The latent of the pi-VAE simulation, seen by units of this animal alone."""
    bare = iso.simulate.pivae_continuous(
        seed=100 + number, n_samples=n_samples, n_units=None, n_trials=9
    )
    rng = np.random.default_rng([6, number])
    z = (bare.truth - [np.pi, 0]) / [1.9, 1.45]
    features = np.tanh(z @ rng.standard_normal((2, 60)) + rng.standard_normal(60))
    drive = features @ rng.standard_normal((60, n_units)) / np.sqrt(30)
    counts = rng.poisson(np.exp(np.clip(drive, -4, 2))).astype(np.float32)
    return iso.Recording(
        counts, 40.0, labels=bare.labels, trials=bare.trials, truth=bare.truth,
        name=f"animal {number}",
    )  # fmt: skip


@pytest.fixture(scope="module")
def animals():
    return [animal(number, n) for number, n in enumerate(UNITS)]


def across(embeddings, animals):
    """R² of the truth of every animal, by the map that is fitted on the first alone."""
    embeddings = [np.asarray(z) for z in embeddings]
    first = LinearRegression().fit(embeddings[0], animals[0].truth)
    return [first.score(z, a.truth) for z, a in zip(embeddings, animals, strict=True)]


@pytest.mark.parametrize("estimator", [iso.PiVAE, pytest.param(iso.CIiVAE, marks=pytest.mark.slow)])
def test_together_latents_are_aligned_and_apart_they_are_not(animals, estimator):
    joint = estimator(**SETTINGS).fit(animals, labels=["u"])
    # q(z|x) itself is hardly trained here by either objective (the best weight of CI is near 0).
    for how in ({"with_labels": True}, {"posterior": "marginal"}):
        assert min(across(joint.transform(animals, **how), animals)) > 0.8
    fits = [
        estimator(**SETTINGS | {"random_state": 10 + n}).fit(a, labels=["u"])
        for n, a in enumerate(animals)
    ]
    apart = [m.transform(a, posterior="marginal") for m, a in zip(fits, animals, strict=True)]
    own = [
        LinearRegression().fit(z, a.truth).score(z, a.truth)
        for z, a in zip(apart, animals, strict=True)
    ]
    assert min(own) > 0.7
    assert min(across(apart, animals)) < 0.5


def test_an_animal_that_joins_later_is_aligned_too(animals):
    model = iso.PiVAE(**SETTINGS).fit(animals[0], labels=["u"])
    for other in animals[1:]:
        model.fit(other, labels=["u"], adapt=True)
    assert min(across(model.transform(animals), animals)) > 0.8


@pytest.mark.slow
def test_most_seeds_are_aligned(animals):
    """Any one of three animals may still end mirrored; begun together, two of three fits do."""
    worst = []
    for seed in range(6):
        model = iso.PiVAE(**SETTINGS | {"random_state": seed}).fit(animals, labels=["u"])
        worst.append(min(across(model.transform(animals), animals)))
    assert np.sum(np.array(worst) > 0.75) >= 5
