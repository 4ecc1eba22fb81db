"""MIND as a whole: walls, known truth, dimension, files, refusals."""

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import cdist

import isofold as iso
from isofold.errors import DataError
from isofold.models import _mind_geodesics

QUICK = {"n_trees": 20, "min_leaf": 20, "landmarks": 150, "random_state": 0}


@pytest.fixture(scope="module")
def lorenz():
    """(train, test): noisy units that see the attractor through a nonlinear mixing."""
    whole = iso.simulate.lorenz(
        seed=0, n_samples=3000, n_units=50, mixing="nonlinear", noise=1.0, n_trials=10, dt=0.02
    )
    return whole.split(test=0.3)


@pytest.fixture(scope="module")
def model(lorenz):
    return iso.MIND(3, **QUICK | {"min_leaf": 40, "landmarks": 250}).fit(lorenz[0])


def r2_of_pca(train, test, d):
    pca = iso.PCA(d).fit(train)
    x = np.asarray(test.signal)
    return 1 - np.var(x - pca.inverse_transform(pca.transform(test))) / np.var(x)


# -- truth ----------------------------------------------------------------------------------------


def test_lorenz_is_found_on_held_out_trials_and_better_than_by_pca(lorenz, model):
    train, test = lorenz
    found = float(iso.scores.recovery(model.transform(test), test.truth))
    linear = float(iso.scores.recovery(iso.PCA(3).fit(train).transform(test), test.truth))
    assert found > 0.88
    assert found > linear + 0.03
    assert model.reconstruction(test)["r2"].mean() > r2_of_pca(train, test, 3)


def test_dimension_is_chosen_by_reconstruction_without_another_forest(lorenz, model, monkeypatch):
    monkeypatch.setattr(_mind_geodesics.Forest, "log_densities", None)
    r2 = {}
    for d in (1, 2, 3):
        other = model.with_dimension(d)
        assert (other.transform(lorenz[1]).sizes["latent"], other.output_dimension) == (d, d)
        assert other.geodesic_distances_ is model.geodesic_distances_
        r2[d] = other.reconstruction(lorenz[1])["r2"].mean()
    assert r2[1] < r2[2] < r2[3]
    assert model.output_dimension == model.embedding_.shape[1] == 3
    again = model.with_dimension(3)
    assert (again.embedding_ == model.embedding_).all()
    assert again.settings_ == model.settings_


def test_geodesics_are_distances_along_the_attractor(lorenz, model):
    """They order pairs as the noiseless trajectory does, more so than the signal's distances."""
    d = model.geodesic_distances_
    assert d.shape == (len(model.landmarks_),) * 2
    np.testing.assert_array_equal(d, d.T)
    assert (np.diag(d) == 0).all()
    # Each way holds the triangle inequality, hence so does their mean.
    assert (d[:, None, :50] + d[None, :, :50]).min(axis=-1).shape == d.shape
    assert (d <= (d[:, None, :50] + d[None, :, :50]).min(axis=-1) + 1e-12).all()
    upper = np.triu_indices(len(d), 1)
    truth = lorenz[0].truth[model.landmarks_]
    close = cdist(truth, truth)[upper]
    ours = np.corrcoef(pd.Series(d[upper]).rank(), pd.Series(close).rank())[0, 1]
    assert ours > 0.75


def test_scores_are_correlations_of_signal_and_reconstruction(lorenz, model):
    test = lorenz[1]
    values, unit, chance = model.goodness_parts(test)
    rebuilt = model.inverse_transform(model.transform(test))
    for value, (_, segment) in zip(values, test.segments.iterrows(), strict=True):
        rows = slice(int(segment["start"]), int(segment["stop"]))
        x, r = np.asarray(test.signal)[rows].ravel(), rebuilt[rows].ravel()
        assert value == pytest.approx(np.corrcoef(x, r)[0, 1], rel=1e-9)
    assert unit == "correlation"
    assert np.mean(values) > 0.65
    assert np.max(chance) < 0.3
    assert model.score(test) == pytest.approx(np.mean(values))
    table = model.reconstruction(test)
    assert list(table["correlation"]) == list(values)
    assert table["r2"].iloc[0] == pytest.approx(
        1 - np.var((np.asarray(test.signal) - rebuilt)[:300]) / np.var(test.signal[:300]), rel=1e-6
    )


@pytest.mark.slow
def test_spikes_that_are_smoothed_say_more_by_mind_than_by_pca():
    for seed in range(3):
        spikes = iso.simulate.lorenz(
            seed=seed, n_samples=8000, n_units=60, mixing="nonlinear", observation="poisson",
            rate=20.0, dt=0.02, n_trials=20,
        )  # fmt: skip
        smooth = iso.preprocess.smooth(iso.preprocess.square_root(spikes), 0.1)
        train, test = smooth.split(test=0.3)
        model = iso.MIND(3, random_state=0, n_trees=50, landmarks=600).fit(train)
        found, linear = (
            float(iso.scores.recovery(m.transform(test), test.truth))
            for m in (model, iso.PCA(3).fit(train))
        )
        assert found > max(0.92, linear)
        assert model.reconstruction(test)["r2"].mean() > r2_of_pca(train, test, 3) + 0.05


# -- walls ----------------------------------------------------------------------------------------


def test_transitions_never_cross_a_trial(monkeypatch):
    """The forest sees each sample with its own successor, in trials only, and no other pair."""
    signal = np.random.default_rng(0).standard_normal((60, 3))
    trials = pd.DataFrame({"start": [5, 25, 40], "stop": [25, 40, 55]})
    seen = []
    whole = _mind_geodesics.Forest.log_densities

    def watch(self, x, y, landmarks, seed):
        seen.append((x, y, landmarks))
        return whole(self, x, y, landmarks, seed)

    monkeypatch.setattr(_mind_geodesics.Forest, "log_densities", watch)
    settings = {"n_trees": 3, "min_leaf": 5, "pca_variance": 1.0, "random_state": 0}
    recording = iso.Recording(signal, 10.0, trials=trials)
    model = iso.MIND(2, landmarks="all", **settings).fit(recording)
    leaving = [*range(5, 24), *range(25, 39), *range(40, 54)]
    x, y, landmarks = seen[0]
    scores = (signal - model.mean_) @ model.components_.T
    np.testing.assert_allclose(x, scores[leaving], atol=1e-12)
    np.testing.assert_allclose(y, scores[np.array(leaving) + 1], atol=1e-12)
    assert model.landmarks_.tolist() == leaving
    np.testing.assert_allclose(landmarks, x, atol=0)
    model.set_params(outside_trials=True, landmarks=20).fit(recording)
    assert len(seen[1][0]) == 60 - 5
    assert np.isin(model.landmarks_, [4, 24, 39, 54, 59]).sum() == 0


def test_order_of_trials_changes_nothing_but_the_draws():
    """Trials put in another order have the same transitions: one tree of one leaf says the same."""
    x = np.random.default_rng(0).standard_normal((4, 30, 3))
    settings = {"n_trees": 1, "min_leaf": 100, "landmarks": "all", "random_state": 0}
    with pytest.warns(UserWarning, match="one leaf"):
        a = iso.MIND(2, **settings).fit(x).geodesic_distances_
    with pytest.warns(UserWarning, match="one leaf"):
        b = iso.MIND(2, **settings).fit(x[::-1]).geodesic_distances_
    turned = np.arange(4 * 29).reshape(4, 29)[::-1].ravel()
    np.testing.assert_allclose(b[np.ix_(turned, turned)], a, atol=1e-9)


def test_missing_values_outside_trials_matter_to_nothing(lorenz, model):
    signal = np.array(lorenz[1].signal)
    signal[:100] = np.nan
    trials = pd.DataFrame({"start": [100, 500], "stop": [450, 900]})
    score = model.goodness_parts(iso.Recording(signal, 100.0, trials=trials))[0]
    assert len(score) == 2
    known = model.goodness_parts(iso.Recording(signal[500:], 100.0))[0]
    assert score[1] == pytest.approx(known[0], rel=1e-9)
    iso.MIND(2, **QUICK | {"n_trees": 2}).fit(iso.Recording(signal, 100.0, trials=trials))


def test_embedding_of_a_sample_depends_on_nothing_else(lorenz, model):
    x = np.asarray(lorenz[1].signal)[:40]
    whole = model.transform(x)
    alone = np.concatenate([model.transform(row[None]) for row in x])
    np.testing.assert_allclose(alone, whole, atol=1e-6)
    rebuilt = model.inverse_transform(whole.reshape(4, 10, 3))
    assert rebuilt.shape == (4, 10, 50)
    np.testing.assert_allclose(rebuilt.reshape(40, 50), model.inverse_transform(whole), atol=1e-6)


# -- settings -------------------------------------------------------------------------------------


def test_bits_do_not_depend_on_the_number_of_threads(lorenz, monkeypatch):
    settings = QUICK | {"n_trees": 6}
    a = iso.MIND(2, **settings).fit(lorenz[0])
    monkeypatch.setenv("NPROC", "1")
    b = iso.MIND(2, **settings).fit(lorenz[0])
    assert (a.geodesic_distances_ == b.geodesic_distances_).all()
    assert (a.embedding_ == b.embedding_).all()
    assert a.settings_ == b.settings_


def test_presets_are_those_of_the_papers():
    low, nieh = iso.METHODS["mind"](), iso.METHODS["mind-nieh-2021"]()
    names = ("pca_variance", "n_trees", "n_directions", "min_leaf", "leaf_variance", "landmarks")
    assert [getattr(low, n) for n in names] == [0.95, 100, 2, 40, 0.95, "auto"]
    assert [getattr(nieh, n) for n in names] == [0.95, 100, 20, 500, 0.95, "all"]


def test_a_loaded_model_goes_on_like_the_saved_one(lorenz, tmp_path):
    saved = iso.MIND(2, **QUICK | {"n_trees": 5}).fit(lorenz[0])
    loaded = iso.load(saved.save(tmp_path / "mind.isofold"))
    for name in ("geodesic_distances_", "landmarks_", "embedding_"):
        np.testing.assert_array_equal(getattr(loaded, name), getattr(saved, name))
    assert (loaded.stress_, loaded.density_ratio_) == (saved.stress_, saved.density_ratio_)
    a, b = (m.with_dimension(3).transform(lorenz[1]).values for m in (saved, loaded))
    assert (a == b).all()


def test_components_keep_their_share_of_variance():
    rng = np.random.default_rng(0)
    x = np.cumsum(rng.standard_normal((300, 4)), axis=0)
    x = np.linalg.qr(x - x.mean(axis=0))[0] * np.sqrt([0.6, 0.3, 0.08, 0.02])
    kept = [
        len(iso.MIND(1, **QUICK | {"pca_variance": share, "n_trees": 2}).fit(x).components_)
        for share in (0.5, 0.7, 0.95, 1.0)
    ]
    assert kept == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"output_dimension": 0}, "output_dimension must be a whole number of at least 1, got 0"),
        ({"output_dimension": 2.5}, "output_dimension must be a whole number .* got 2.5"),
        ({"pca_variance": 1.1}, "pca_variance must be a share .* at most 1, got 1.1"),
        ({"leaf_variance": -0.1}, "leaf_variance must be a share of at least 0"),
        ({"leaf_variance": "most"}, "leaf_variance must be a share .* got 'most'"),
        ({"n_trees": 0}, "n_trees must be a whole number of at least 1, got 0"),
        ({"n_directions": True}, "n_directions must be .* got True"),
        ({"min_leaf": 0}, "min_leaf must be a whole number of at least 1, got 0"),
        ({"mds_iterations": -1}, "mds_iterations must be a whole number of at least 0, got -1"),
        ({"landmarks": "most"}, "landmarks must be 'auto', 'all' or a whole .* got 'most'"),
        ({"landmarks": 1}, "landmarks must be .* got 1"),
        ({"min_leaf": 99}, r"min_leaf must be at most .* 98 transitions \(100 samples in 2 segm"),
        ({"landmarks": 99}, "landmarks must be at most the number of transitions; got 99 and 98"),
        ({"output_dimension": 12, "landmarks": 12}, "12 latents need at least 13 .* got 12"),
    ],
    ids=str,
)
def test_settings_that_cannot_be_are_refused(setting, message):
    x = np.random.default_rng(0).standard_normal((2, 50, 4))
    with pytest.raises(DataError, match=message):
        iso.MIND(**{"output_dimension": 2, "min_leaf": 10, "n_trees": 2, **setting}).fit(x)


def test_a_signal_that_never_changes_is_refused():
    with pytest.raises(DataError, match="needs a signal that changes"):
        iso.MIND(1, min_leaf=5).fit(np.ones((50, 3)))


def test_trials_of_one_sample_hold_no_transition():
    trials = pd.DataFrame({"start": range(0, 20, 2), "stop": range(1, 21, 2)})
    one = iso.Recording(np.random.default_rng(0).standard_normal((20, 3)), 1.0, trials=trials)
    with pytest.raises(DataError, match=r"0 transitions \(10 samples in 10 segments\)"):
        iso.MIND(1, min_leaf=1).fit(one)


def test_few_transitions_make_one_leaf_with_a_warning_and_enough_make_none(lorenz):
    x = np.asarray(lorenz[0].signal)[:60]
    with pytest.warns(UserWarning, match="59 transitions .* min_leaf=30: every tree is one leaf"):
        iso.MIND(1, min_leaf=30, n_trees=2, random_state=0).fit(x)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        iso.MIND(1, min_leaf=29, n_trees=2, random_state=0).fit(x)


def test_silent_bins_are_survived():
    """States that repeat exactly have no finite density; nothing becomes NaN."""
    rng = np.random.default_rng(0)
    drive = np.cumsum(0.3 * rng.standard_normal((400, 1)), axis=0) - 2
    counts = rng.poisson(np.exp(drive), (400, 6))
    model = iso.MIND(2, **QUICK | {"landmarks": "all", "n_trees": 10}).fit(counts.astype(float))
    assert len(model.landmarks_) < 400
    assert np.isfinite(model.transform(counts.astype(float))).all()
    assert np.isfinite(model.score(counts.astype(float)))


def test_more_channels_than_samples_and_single_precision():
    x = np.cumsum(np.random.default_rng(0).standard_normal((80, 200)), axis=0).astype(np.float32)
    model = iso.MIND(2, **QUICK | {"landmarks": 40, "min_leaf": 10}).fit(x)
    assert len(model.components_) < 80
    assert np.isfinite(model.transform(x)).all()


def test_settings_say_what_was_used(model):
    assert model.settings_["components"] == len(model.components_)
    assert model.settings_["landmarks"] == len(model.landmarks_) == 250
    for found, name in ((model.map_, "map"), (model.inverse_map_, "inverse_map")):
        used = {"n_neighbors": found.n_neighbors, "ridge": found.ridge}
        assert model.settings_[name] == used
        assert 1 < found.n_neighbors <= 50
