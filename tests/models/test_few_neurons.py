"""Few neurons: no fit ends in NaN, and a latent that has collapsed is said to have."""

import warnings

import jax
import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

import isofold as iso

FEW = 0.01
"""Nats of KL below which a latent has collapsed."""


def check(model, recording, labels):
    """Fit; nothing is NaN; what has collapsed or was left out is in a warning."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(recording, labels=labels)
    told = " ".join(str(w.message) for w in caught if w.category is ConvergenceWarning)
    values = [v for v in jax.tree.leaves(model.params_) if hasattr(v, "shape")]
    assert all(np.isfinite(v).all() for v in values)
    for with_labels in (False, True):
        assert np.isfinite(model.transform(recording, with_labels=with_labels).values).all()
    assert np.isfinite(model.score(recording))
    assert np.isfinite(model.log_[model.log_["finite"] == 1]).all().all()
    assert ("not finite" in told) == (model.log_["finite"] == 0).any()
    kl = model.log_[["kl_0", "kl_1"]].iloc[-max(len(model.log_) // 10, 1) :].mean()
    gone = np.flatnonzero(kl < FEW).tolist()
    assert (f"latent(s) {gone} are collapsed" in told) == bool(gone)


@pytest.fixture(scope="module")
def sparse():
    """Thirty units, many of which are nearly silent, as sorted units are."""
    rat = iso.simulate.place_cells(seed=3, n_laps=6, n_units=30)
    rng = np.random.default_rng(0)
    keep = rng.uniform(0.02, 1, 30)
    keep[:3] = 0  # silent in training
    return np.asarray(rat.signal), rng.binomial(np.asarray(rat.signal, int), keep), rat


def with_units(rat, signal, n):
    return iso.Recording(
        np.asarray(signal, float)[:, :n], rat.rate, labels=rat.labels, trials=rat.trials
    )


@pytest.mark.parametrize("units", [10, pytest.param(20, marks=pytest.mark.slow), 30])
@pytest.mark.parametrize("method", ["pivae", "conv-poisson-ciivae"])
def test_no_fit_ends_in_nan_or_silence(sparse, method, units):
    _, thinned, rat = sparse
    recording = with_units(rat, thinned, units)
    for seed in range(3):
        model = iso.METHODS[method](max_iterations=60, batch_size=64, random_state=seed)
        check(model, recording, ["position", "direction"])


@pytest.mark.slow
@pytest.mark.parametrize("method", ["ivae", "ciivae", "conv-ciivae", "conv-pivae"])
def test_ten_units_of_every_other_method(sparse, method):
    _, thinned, rat = sparse
    model = iso.METHODS[method](max_iterations=60, batch_size=64, random_state=0)
    check(model, with_units(rat, thinned, 10), ["position", "direction"])


def test_three_units_at_a_rate_far_too_high(sparse):
    recording = with_units(sparse[2], sparse[0], 3)
    model = iso.PiVAE(max_iterations=60, learning_rate=10.0, random_state=0)
    check(model, recording, ["position"])
