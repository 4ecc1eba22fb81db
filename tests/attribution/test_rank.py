"""Channels ranked by label: a known truth, additivity, chance, every kind of label."""

import numpy as np
import pandas as pd
import pytest
from attribution_helpers import GROUPS, TRUTH, fitted, halves, mixed

import isofold as iso
from isofold.attribution import auc, rank
from isofold.attribution._read_out import ReadOut, encoded
from isofold.attribution.ranking import COLUMNS
from isofold.errors import DataError, MissingValuesError


@pytest.fixture
def parts():
    return halves()


@pytest.fixture
def cebra():
    return fitted("cebra")


@pytest.fixture
def pca():
    return fitted("pca")


def by_channel(table, label, column="share"):
    part = table[table["label"] == label]
    return part.set_index("channel")[column].sort_index().to_numpy()


@pytest.fixture(scope="module")
def ranked():
    return rank(fitted("cebra"), halves()[1], ["a", "b", "side", "angle"], n_samples=512)


def test_the_table(ranked):
    assert list(ranked.columns) == COLUMNS
    assert ranked["label"].drop_duplicates().tolist() == ["a", "b", "side", "angle"]
    for _, part in ranked.groupby("label"):
        assert part["rank"].tolist() == list(range(1, 19))
        assert part["share"].is_monotonic_decreasing
        assert part["share"].sum() == pytest.approx(1)
        assert part["sensitivity"].sum() == pytest.approx(1)
        assert (part["chance_mean"] <= part["chance"]).all()


@pytest.mark.parametrize(("label", "row"), [("a", 0), ("b", 1), ("side", 0)])
def test_each_label_finds_its_own_channels(ranked, label, row):
    """Not just those that drive the embedding: a's for a, b's for b."""
    share = by_channel(ranked, label)
    assert auc(share, TRUTH[row]) >= 0.9
    assert share[TRUTH[row]].sum() > 0.6
    assert (share > by_channel(ranked, label, "chance"))[TRUTH[row]].all()
    assert auc(by_channel(ranked, label, "sensitivity"), TRUTH.any(axis=0)) >= 0.9


def test_an_angle_of_both_needs_both(ranked):
    share = by_channel(ranked, "angle")
    assert auc(share, TRUTH.any(axis=0)) >= 0.9
    assert share[GROUPS["a"]].sum() > 0.2
    assert share[GROUPS["b"]].sum() > 0.2


def test_labels_of_nothing_stay_within_chance(cebra, parts):
    """Four labels unrelated to the signal: about one share in twenty lies beyond chance."""
    test = parts[1]
    labels = {f"x{k}": mixed(seed=50 + k, n=len(test)).labels["a"] for k in range(4)}
    unrelated = iso.Recording(test.signal, rate=40.0, labels=labels, trials=test.trials)
    table = rank(cebra, unrelated, list(labels), n_samples=512)
    beyond = table["share"] > table["chance"]
    assert 0 < beyond.mean() < 0.25  # shares of one label are not independent
    assert table["r2"].max() < 0.3


def test_pca_shares_are_those_of_the_linear_read_out(pca, parts):
    """ŷ = Σ_c (w·W_c) x_c: the share of c is the covariance of its term with the label."""
    test = parts[1]
    table = rank(pca, test, "a", n_samples=None)
    y = encoded(test, "a", np.arange(len(test)))
    readout = ReadOut(pca.transform(test).values, test.trial)
    weights, r2 = readout.fit(y)
    slope = (weights @ pca.components_)[0]
    x = np.asarray(test.signal)
    given = np.abs(slope * ((x - x.mean(axis=0)).T @ y)[:, 0])
    np.testing.assert_allclose(by_channel(table, "a"), given / given.sum(), atol=1e-4)
    sensitivity = np.abs(slope) * x.std(axis=0)
    expected = sensitivity / sensitivity.sum()
    np.testing.assert_allclose(by_channel(table, "a", "sensitivity"), expected, atol=1e-4)
    assert table["r2"].iloc[0] == pytest.approx(r2)
    assert r2 > 0.8


def test_units_of_a_channel_do_not_matter():
    """A channel in other units, and a model that has learned them, ranks as before."""
    recording = mixed()
    scaled = np.array(recording.signal)
    tables = []
    for factor in (1.0, 1000.0):
        model = iso.PCA(output_dimension=18)
        scaled[:, 4] = np.asarray(recording.signal)[:, 4] * factor
        now = iso.Recording(
            scaled.copy(), rate=40.0, labels=dict(recording.labels), trials=recording.trials
        )
        tables.append(rank(model.fit(now), now, "a", n_chance=2))
    np.testing.assert_allclose(*(by_channel(t, "a") for t in tables), atol=0.01)


def test_read_out_is_ridge_chosen_by_trial(parts):
    """Against scikit-learn on the same folds."""
    from sklearn.linear_model import Ridge

    rng = np.random.default_rng(0)
    z = rng.standard_normal((400, 3)) * [1, 5, 0.1]
    trials = np.repeat(np.arange(8), 50)
    y = z @ rng.standard_normal((3, 2)) + rng.standard_normal((400, 2))
    y = (y - y.mean(axis=0)) / y.std(axis=0)
    readout = ReadOut(z, trials)
    weights, r2 = readout.fit(y)
    deviation = z.std(axis=0)
    z = (z - z.mean(axis=0)) / deviation
    found = []
    for alpha in 10.0 ** np.arange(-6.0, 3.0):
        error = 0.0
        for fold in range(5):
            held = trials % 5 == fold
            model = Ridge(alpha=alpha * (~held).sum(), fit_intercept=False).fit(z[~held], y[~held])
            error += np.sum((y[held] - model.predict(z[held])) ** 2)
        found.append((1 - error / np.sum(y**2), alpha))
    best, alpha = max(found)
    assert r2 == pytest.approx(best, abs=1e-9)
    whole = Ridge(alpha=alpha * len(z), fit_intercept=False).fit(z, y)
    np.testing.assert_allclose(weights * deviation, whole.coef_, rtol=1e-6)


def test_same_seed_same_table(pca, parts):
    one, same = (rank(pca, parts[1], "a", n_samples=100, n_chance=5, seed=3) for _ in range(2))
    pd.testing.assert_frame_equal(one, same)
    other = rank(pca, parts[1], "a", n_samples=100, n_chance=5, seed=4)
    assert not np.allclose(one["share"], other["share"])


def test_trial_columns_are_labels_and_blocks_stand_in_for_trials(pca, parts):
    table = rank(pca, parts[1], "odd", n_samples=50, n_chance=5)
    assert table["share"].sum() == pytest.approx(1)
    plain = iso.Recording(parts[1].signal, rate=40.0, labels={"a": parts[1].labels["a"]})
    assert rank(pca, plain, "a", n_samples=50, n_chance=5)["r2"].iloc[0] > 0.5


def test_bad_labels_are_refused(pca, parts):
    test = parts[1]
    with pytest.raises(DataError, match="no label or trial column 'speed'"):
        rank(pca, test, "speed")
    with pytest.raises(DataError, match=r"needs labels and n_chance >= 2, got \(\) and 100"):
        rank(pca, test, [])
    with pytest.raises(DataError, match=r"n_chance >= 2, got .* and 1"):
        rank(pca, test, "a", n_chance=1)

    def relabelled(values):
        return iso.Recording(test.signal, rate=40.0, labels={"y": values}, trials=test.trials)

    with pytest.raises(DataError, match="label 'y' must vary over the samples used"):
        rank(pca, relabelled(np.ones(len(test))), "y")
    with pytest.raises(DataError, match="needs at least two classes"):
        rank(pca, relabelled(np.ones(len(test), int)), "y")
    with pytest.raises(MissingValuesError, match="y"):
        rank(pca, relabelled(np.where(np.arange(len(test)) == 3, np.nan, test.labels["a"])), "y")
