"""What VAEs refuse, and what they warn of."""

import warnings
from dataclasses import replace

import jax
import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

import isofold as iso
from isofold.errors import DataError, MissingValuesError

QUICK = {"max_iterations": 25, "batch_size": 32, "decoder_hidden": 8, "random_state": 0}
LABELS = ["position", "direction"]


@pytest.fixture(scope="module")
def rat():
    return iso.simulate.place_cells(seed=0, n_laps=6, n_units=8)


@pytest.fixture(scope="module")
def pivae(rat):
    return iso.PiVAE(**QUICK).fit(rat, labels=LABELS)


def arrays(n=60, units=5, seed=0):
    rng = np.random.default_rng(seed)
    return rng.poisson(1.0, (n, units)).astype(float), rng.uniform(0, 1, n)


# -- refusals -------------------------------------------------------------------------------------


@pytest.mark.parametrize("observation", ["poisson", "negative-binomial"])
@pytest.mark.parametrize(("value", "found"), [(0.5, "0.5"), (-1.0, "-1")])
def test_counts_must_be_counts(rat, observation, value, found):
    signal = np.array(rat.signal, float)
    signal[30, 3] = value
    broken = replace(rat, signal=signal, name="r")
    time = f"{rat.time[30]:.3f}"
    with pytest.raises(
        DataError,
        match=rf"'{observation}' is for counts, .*channel 3 of recording 'r' has {found} at "
        rf"{time} s: use observation='gaussian'",
    ):
        iso.PiVAE(observation=observation, **QUICK).fit(broken, labels=LABELS)


@pytest.mark.parametrize("name", ["IVAE", "PiVAE", "CIiVAE"])
def test_labels_are_needed_for_a_prior_of_labels(name):
    with pytest.raises(DataError, match=rf"{name} needs labels for its prior .*or use VAE"):
        getattr(iso, name)(**QUICK).fit(arrays()[0])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"encoder": "lstm"}, r"encoder must be one of \('mlp', 'conv', 'smooth'\), got 'lstm'"),
        ({"observation": "bernoulli"}, "observation must be one of .* got 'bernoulli'"),
        ({"objective": "iwae"}, "objective must be one of .* got 'iwae'"),
        ({"decoder": "gan"}, "decoder must be one of .* got 'gan'"),
        ({"decoder": "conv"}, "explains a window of two bins or more, got 1"),
        ({"target": "window"}, "needs encoder='conv', got encoder='mlp'; use target='centre'"),
        ({"target": "next"}, r"target must be one of \('centre', 'window'\)"),
        ({"prior": "uniform"}, "prior must be one of .* got 'uniform'"),
        ({"activation": "sine"}, "activation must be one of .* got 'sine'"),
        ({"output_dimension": 0}, "output_dimension must be a whole number >= 1, got 0"),
        ({"output_dimension": 2.5}, "output_dimension must be a whole number >= 1, got 2.5"),
        ({"output_dimension": 5}, "maps 5 latents into more channels .*got 5; use decoder='mlp'"),
        ({"max_iterations": -1}, "max_iterations must be a whole number >= 0"),
        ({"batch_size": 0}, "batch_size must be a whole number >= 1"),
        ({"batch_size": None}, "batch_size must be a whole number >= 1, got None"),
        ({"max_iterations": "many"}, "max_iterations must be a whole number >= 0, got 'many'"),
        ({"learning_rate": 0.0}, "learning_rate must be positive, got 0.0"),
        ({"learning_rate": float("nan")}, "learning_rate must be positive"),
        ({"gradient_clip": -1}, "gradient_clip must be positive"),
        ({"beta": -0.1}, "beta must be 0 or more"),
        ({"warm_up": -5}, "warm_up must be a whole number of steps >= 0"),
        ({"encoder_hidden": 60}, r"encoder_hidden must be widths of layers, like .*got 60"),
        ({"prior_hidden": (0,)}, "prior_hidden must be widths of layers"),
        ({"decoder_hidden": 0}, "decoder_hidden must be None or a width >= 1"),
        ({"smoothing": 0}, "smoothing must be a positive time in seconds"),
        ({"mixture_draws": 0}, "mixture_draws must be a whole number >= 1"),
        ({"validation": 1.0}, "validation must be None or a share of the trials"),
        ({"n_init": 0}, "n_init must be a whole number >= 1"),
        ({"patience": 0}, "patience must be a whole number >= 1"),
        ({"encoder": "conv", "model_architecture": "offset20-model-4x-subsample"}, "not subsample"),
        ({"encoder": "conv", "model_architecture": "offset9"}, "model_architecture must be one of"),
    ],
    ids=str,
)  # fmt: skip
def test_settings_that_break_a_rule(settings, message):
    with pytest.raises(DataError, match=message):
        iso.PiVAE(**(QUICK | settings)).fit(*arrays())


def test_an_encoder_of_signal_and_label_has_no_convolution():
    with pytest.raises(DataError, match=r"'mlp' or 'smooth', got encoder='conv'; use PiVAE or CI"):
        iso.IVAE(encoder="conv", **QUICK).fit(*arrays())


def test_a_callback_frequency_needs_a_callback():
    with pytest.raises(DataError, match="give callback too"):
        iso.PiVAE(**QUICK).fit(*arrays(), callback_frequency=5)


def test_labels_of_transform(rat, pivae):
    with pytest.raises(DataError, match=r"posterior must be 'auto', 'encoder' or 'marginal', got"):
        pivae.transform(rat, posterior="prior")
    with pytest.raises(DataError, match=r"no label or trial column 'position'"):
        pivae.transform(iso.Recording(rat.signal, rat.rate), with_labels=True)
    x, u = arrays()
    model = iso.PiVAE(**QUICK).fit(x, u)
    with pytest.raises(DataError, match=r"fitted with 1 label\(s\), \['y0'\]: give .* got 0"):
        model.transform(x, with_labels=True)
    u[4] = np.nan
    with pytest.raises(MissingValuesError, match=r"label 'y0' .* lacks 1 sample"):
        model.transform(x, u, with_labels=True)
    with pytest.raises(MissingValuesError, match=r"label 'y0' .* lacks 1 sample"):
        iso.PiVAE(**QUICK).fit(x, u)


def test_an_unknown_class_is_refused_where_labels_are_used(rat, pivae):
    direction = np.where(rat.labels["direction"] == 1, 5, rat.labels["direction"])
    other = replace(rat, labels=dict(rat.labels) | {"direction": direction})
    with pytest.raises(DataError, match=r"'direction' has classes .* not seen: \[5\]"):
        pivae.transform(other, with_labels=True)
    assert np.isfinite(pivae.transform(other).values).all()


# -- warnings -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("classes", "latents", "options", "needed"),
    [(4, 2, {}, 5), (5, 2, {}, None), (2, 2, {"prior_mean": False}, 3), (8, 4, {}, 9)],
)
def test_too_few_classes_are_told(classes, latents, options, needed):
    x, _ = arrays(units=6)
    model = iso.PiVAE(latents, **QUICK | {"max_iterations": 0}, **options)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(x, np.arange(60) % classes)
    told = [str(w.message) for w in caught if "identifiable from" in str(w.message)]
    assert len(told) == (needed is not None)
    if needed:
        assert f"{latents} latents are identifiable from {needed} distinct" in told[0]
        assert f"got {classes} classes" in told[0]


def test_joint_classes_that_never_occur_do_not_count():
    x, _ = arrays()
    a, b = np.arange(60) % 3, (np.arange(60) % 3 == 0).astype(int)  # 6 products, 3 occur
    with pytest.warns(UserWarning, match=r"identifiable from 5 .*got 3 classes"):
        iso.PiVAE(**QUICK | {"max_iterations": 0}).fit(x, a, b)


def test_a_collapsed_latent_is_told():
    """A signal without structure: all that is left is the label prior."""
    x, u = arrays(n=400, units=4)
    with pytest.warns(ConvergenceWarning, match=r"latent\(s\) \[.*\] are collapsed: .*diagnose"):
        model = iso.PiVAE(max_iterations=300, warm_up=0, batch_size=100, random_state=0).fit(x, u)
    assert model.log_[["kl_0", "kl_1"]].iloc[-30:].mean().min() < 0.01


def test_steps_that_are_left_out_are_told():
    x, u = arrays()
    x[7, 2] = 1e22  # in float32 its square is infinite
    with pytest.warns(ConvergenceWarning, match=r"of 25 steps had a gradient that is not finite"):
        model = iso.PiVAE(**QUICK, observation="gaussian", decoder="mlp").fit(x, u)
    assert 0 < (model.log_["finite"] == 0).sum() <= 25
    found = [v for v in jax.tree.leaves(model.params_) if hasattr(v, "shape")]
    assert all(np.isfinite(value).all() for value in found)
