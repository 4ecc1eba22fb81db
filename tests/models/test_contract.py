"""Every method of METHODS through one table."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

import isofold as iso
from isofold import training
from isofold.errors import DataError, MissingValuesError
from isofold.models._variational import Variational

STEPS = {"max_iterations": 40, "batch_size": 64, "num_negatives": 64}
LATENT = {"output_dimension": 2, "max_iterations": 40, "batch_size": 64}
FOREST = {"output_dimension": 2, "n_trees": 5, "min_leaf": 15, "landmarks": 150}
SMALL = {
    "pca": {"output_dimension": 2},
    "cebra-time": {"output_dimension": 3, **STEPS},
    "cebra-behavior": {"output_dimension": 3, **STEPS},
    "cebra-hybrid": {"output_dimension": 3, "hybrid_dimensions": 2, **STEPS},
    "vae": LATENT,
    "ivae": LATENT,
    "pivae": LATENT,
    "conv-pivae": LATENT,
    "ciivae": LATENT,
    "conv-ciivae": LATENT,
    "conv-poisson-ciivae": LATENT,
    "tcl": LATENT,
    "pcl": LATENT,
    "mind": FOREST,
    "mind-nieh-2021": FOREST | {"landmarks": "all"},
    "umap": {"output_dimension": 2, "n_neighbors": 10, "n_epochs": 60},
    "tsne": {"output_dimension": 2, "n_iter": 60, "early_exaggeration_iter": 40},
    "isomap": {"output_dimension": 2, "max_samples": 800},
    "factor-analysis": {"output_dimension": 2},
    "gpfa": {"output_dimension": 2, "em_max_iters": 2},
    "diffusion-map": {"output_dimension": 2},
}
LABELS = ["position", "direction"]
SLOW = {
    "cebra-hybrid",
    "ivae",
    "ciivae",
    "conv-pivae",
    "conv-ciivae",
    "pcl",
    "umap",
    "tsne",
    "gpfa",
    "mind-nieh-2021",
}
"""Another row of the fast tests has the same code under it, or compiling it takes long: these run
in `make test-slow`."""
CLASSICAL = {"pca", "umap", "tsne", "isomap", "factor-analysis", "gpfa", "diffusion-map"}
"""No gradient steps, one recording at a time."""
DETERMINISTIC = CLASSICAL - {"umap"}
"""Another seed is the same model, but for last bits and small numerical differences."""


def test_the_table_holds_every_method():
    assert set(SMALL) == set(iso.METHODS)


@pytest.fixture(scope="module")
def rat():
    return iso.simulate.place_cells(seed=0, n_laps=12, n_units=24)


@pytest.fixture(
    params=[pytest.param(m, marks=[pytest.mark.slow] if m in SLOW else []) for m in sorted(SMALL)]
)
def method(request):
    return request.param


def make(method, **settings):
    return iso.METHODS[method](**{**SMALL[method], "random_state": 0, **settings})


def fitted(method, recording, **settings):
    return make(method, **settings).fit(recording, labels=LABELS)


# -- shapes ---------------------------------------------------------------------------------------


def test_recording_in_embedding_out(method, rat):
    train, test = rat.split(test=0.25)
    z = fitted(method, train).transform(test)
    assert z.dims == ("time", "latent")
    assert z.shape == (len(test), SMALL[method]["output_dimension"])
    assert np.isfinite(z.values).all()
    np.testing.assert_allclose(z["time"], test.time)
    assert (z["trial"].values == test.trial).all()
    assert (z["position"].values == test.labels["position"]).all()
    assert z.attrs["labels_used"] is False


def test_array_in_array_out(method, rat):
    x = np.asarray(rat.signal, np.float32)[:300]
    y = rat.labels["position"][:300]
    z = make(method).fit(x, y).transform(x)
    assert type(z) is np.ndarray
    assert z.shape == (300, SMALL[method]["output_dimension"])


def test_trial_arrays_come_back_as_trials(method, rat):
    x = np.asarray(rat.signal, np.float32)[:300].reshape(6, 50, -1)
    y = rat.labels["position"][:300].reshape(6, 50)
    model = make(method).fit(x, y)
    z = model.transform(x)
    assert z.shape == (6, 50, SMALL[method]["output_dimension"])
    # A trial embeds alone as it does among others: nothing looks across.
    np.testing.assert_allclose(model.transform(x[2:3])[0], z[2], atol=1e-5)


def test_time_array_with_trials_keeps_the_walls(method, rat):
    x = np.asarray(rat.signal, np.float32)[:300]
    table = pd.DataFrame({"start": np.arange(0, 300, 50), "stop": np.arange(50, 301, 50)})
    model = make(method).fit(x, rat.labels["position"][:300], trials=table)
    whole = model.transform(x, trials=table)
    np.testing.assert_allclose(whole[100:150], model.transform(x[100:150]), atol=1e-5)


# -- reproducible, and on disk --------------------------------------------------------------------


def test_same_seed_same_bits_other_seed_other_model(method, rat):
    a, b, c = (fitted(method, rat, random_state=s).transform(rat).values for s in (1, 1, 2))
    assert (a == b).all()
    if method not in DETERMINISTIC:
        assert np.abs(a - c).max() > 1e-3


def test_save_and_load_give_the_same_bits(method, rat, tmp_path):
    model = fitted(method, rat)
    path = model.save(tmp_path / "model.isofold")
    loaded = iso.load(path)
    assert (loaded.transform(rat).values == model.transform(rat).values).all()
    assert loaded.score(rat) == model.score(rat)
    assert loaded.get_params() == model.get_params()
    assert loaded.settings_ == model.settings_
    assert b"pickle" not in path.read_bytes()


def test_files_that_are_not_models_are_refused(tmp_path):
    with pytest.raises(iso.errors.ReadError, match="no model file"):
        iso.load(tmp_path / "none.isofold")
    (tmp_path / "text.isofold").write_text("hello, this is not a model at all")
    with pytest.raises(iso.errors.ReadError, match="not a model saved by isofold"):
        iso.load(tmp_path / "text.isofold")


# -- refusals -------------------------------------------------------------------------------------


def test_refuses_nan_naming_channel_and_time(method, rat):
    signal = np.array(rat.signal, float)
    row = int(rat.trials["start"].iloc[0]) + 3
    signal[row, 5] = np.nan
    broken = iso.Recording(
        signal, rat.rate, labels=rat.labels, trials=rat.trials, channels=rat.channels
    )
    name = broken.channels.index[5]
    found = rf"channel {name!r} .* at {broken.time[row]:.3f} s .*fill\('drop'\)"
    with pytest.raises(MissingValuesError, match=found):
        fitted(method, broken)
    with pytest.raises(MissingValuesError, match=found):
        fitted(method, rat).transform(broken)


def test_refuses_nan_in_arrays(method):
    x = np.ones((50, 4))
    x[3, 2] = np.nan
    with pytest.raises(ValueError, match="Input X contains NaN"):
        make(method).fit(x)


def test_refuses_other_channels(method, rat):
    model = fitted(method, rat)
    other = iso.Recording(np.asarray(rat.signal)[:, :5], rat.rate)
    with pytest.raises(DataError, match=r"has 5 features, but .* is expecting 24"):
        model.transform(other)
    with pytest.raises(ValueError, match=r"has 5 features, but .* is expecting 24"):
        model.transform(np.asarray(rat.signal)[:, :5])


def test_refuses_too_few_samples(method):
    label = {"position": np.zeros(1), "direction": np.zeros(1, int)}
    one = iso.Recording(np.ones((1, 4)), 1.0, labels=label)
    with pytest.raises(DataError, match=r"at least 2 samples; .* has 1 sample"):
        make(method).fit(one, labels=LABELS)
    with pytest.raises(ValueError, match="minimum of 2 is required"):
        make(method).fit(np.ones((1, 4)), np.ones(1))


def test_refuses_labels_of_the_wrong_length(method):
    with pytest.raises(DataError, match=r"label 'y0' must have 50 samples, got shape \(49,\)"):
        make(method).fit(np.ones((50, 4)), np.ones(49))


def test_refuses_unknown_labels_and_mixed_forms(method, rat):
    with pytest.raises(DataError, match=r"no label or trial column 'speed'; labels: \["):
        make(method).fit(rat, labels=["speed"])
    with pytest.raises(TypeError, match="name its labels"):
        make(method).fit(rat, rat.labels["position"])
    with pytest.raises(TypeError, match="labels= names labels of a Recording"):
        make(method).fit(np.ones((50, 4)), labels=["position"])


def test_several_recordings_are_fitted_together_or_refused_with_what_to_do(method, rat):
    other = iso.simulate.place_cells(seed=1, n_laps=12, n_units=17)
    both = [dataclasses.replace(rat, name="a"), dataclasses.replace(other, name="b")]
    if method in {*CLASSICAL, "mind", "mind-nieh-2021", "tcl", "pcl"}:
        with pytest.raises(DataError, match=r"one recording at a time, got 2; .*consistency"):
            make(method).fit(both, labels=LABELS)
    else:
        first, second = make(method).fit(both, labels=LABELS).transform(both)
        assert (first.sizes["time"], second.sizes["time"]) == (len(rat), len(other))
    model = make(method).fit([rat], labels=LABELS)
    first, second = model.transform([rat, rat])
    assert (first.values == second.values).all()
    assert len(first) == len(rat)


# -- truth ----------------------------------------------------------------------------------------


def test_known_truth_is_recovered(method):
    """A circle seen linearly: every method finds it up to a linear map, on held-out trials."""
    circle = iso.simulate.circle(
        seed=0, n_samples=2000, n_units=20, mixing="linear", noise=0.1, n_trials=10
    )
    train, test = circle.split(test=0.3)
    settings = {"max_iterations": 200, "learning_rate": 1e-2}
    if "max_iterations" not in SMALL[method]:
        settings = {}
    if issubclass(iso.METHODS[method].estimator, Variational):
        settings["observation"] = "gaussian"  # the circle has values, not counts
    name = next(iter(circle.labels))
    model = make(method, **settings, output_dimension=2).fit(train, labels=[name])
    assert float(iso.scores.recovery(model.transform(test), test.truth)) > 0.9


# -- compiled once --------------------------------------------------------------------------------


def compiled() -> int:
    return training.run_chunk._cache_size()


@pytest.mark.parametrize(
    "change",
    [
        {"random_state": 9},
        {"temperature": 0.3},
        {"learning_rate": 1e-2},
        {"max_iterations": 61},
        {"channel_dropout": 0.45},
        {"temperature_mode": "auto"},
    ],
    ids=str,
)
def test_other_settings_run_the_same_program(rat, change):
    base = {"channel_dropout": 0.2, "learning_rate": 1e-3}
    fitted("cebra-behavior", rat, **base)
    before = compiled()
    fitted("cebra-behavior", rat, **{**base, **change})
    assert compiled() == before


@pytest.mark.parametrize(("method", "units"), [("cebra-time", 12), ("cebra-behavior", 20)])
def test_five_folds_of_five_seeds_compile_once(method, units):
    recording = iso.simulate.place_cells(seed=1, n_laps=23, n_units=17)
    before = compiled()
    for train, test in recording.folds(5):
        models = iso.fit_seeds(
            make(method, max_iterations=2, num_hidden_units=units),
            train,
            seeds=range(5),
            labels=LABELS,
        )
        assert len({m.loss_[0] for m in models}) == 5
        models[0].transform(test)
    assert compiled() == before + 1
