"""TCL and PCL: sources found, scores against what is knowable, examples, walls, refusals."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.metrics import log_loss

import isofold as iso
from isofold.errors import DataError
from isofold.models.pcl import _pairs
from isofold.networks.features import pair_function
from isofold.sampling import Layout

QUICK = {"max_iterations": 400, "random_state": 0}
AUTOREGRESSIVE = {"n_segments": 1, "sources": "laplace", "autocorrelation": 0.7}
ALL_STEPS = {"max_iterations": 5, "batch_size": 16, "random_state": 0}


def mcc(z, truth) -> float:
    return float(iso.scores.mcc(z, truth, n_chance=0))


def bits(classes, log2_p, log2_prior) -> float:
    return float(np.mean((log2_p - log2_prior)[np.arange(len(classes)), classes]))


@pytest.fixture(scope="module")
def changing():
    """Two sources, 20 segments of 8 trials each; every other trial is held out."""
    data = iso.simulate.segments(
        seed=0, n_samples=16_000, n_segments=20, n_latents=2, n_layers=2, noise=0.01, n_trials=160
    )
    return data, *data.split(test=0.5, how="interleaved")


@pytest.fixture(scope="module")
def tcl(changing):
    return iso.TCL(2, **QUICK).fit(changing[1], labels=["segment"])


@pytest.fixture(scope="module")
def stationary():
    data = iso.simulate.segments(
        seed=1, n_samples=16_000, n_latents=2, n_layers=2, noise=0.01, n_trials=20, **AUTOREGRESSIVE
    )
    return data, *data.split(test=0.5)


@pytest.fixture(scope="module")
def pcl(stationary):
    return iso.PCL(2, **QUICK).fit(stationary[1])


# -- truth ----------------------------------------------------------------------------------------


def test_tcl_finds_squared_sources_of_unseen_trials(changing, tcl):
    _, _, test = changing
    found = mcc(tcl.transform(test), test.truth**2)
    assert found > 0.9
    assert found > mcc(np.asarray(test.signal) ** 2, test.truth**2) + 0.1
    assert mcc(tcl.transform(test), test.truth) < 0.3  # the sign is not there


def test_pcl_finds_sources_of_unseen_trials(stationary, pcl):
    _, _, test = stationary
    found = mcc(pcl.transform(test), test.truth)
    assert found > 0.9
    assert found > mcc(test.signal, test.truth) + 0.1


def test_linear_ica_is_what_names_the_sources(changing, tcl):
    _, train, test = changing
    mixed = iso.TCL(2, ica=False, feature="linear", **QUICK).fit(train, labels=["segment"])
    z = mixed.transform(test)
    assert mcc(z, test.truth**2) < mcc(tcl.transform(test), test.truth**2) - 0.03
    weak = iso.scores.mcc(z, test.truth**2, kind="weak", n_chance=0)
    assert float(weak) > 0.85


@pytest.mark.slow
def test_tcl_on_five_sources_of_forty_segments():
    data = iso.simulate.segments(seed=0, n_layers=2, noise=0.01)
    model = iso.TCL(5, random_state=0).fit(data, labels=["segment"])
    assert mcc(model.transform(data), data.truth**2) > 0.9
    assert mcc(np.asarray(data.signal) ** 2, data.truth**2) < 0.6


@pytest.mark.slow
def test_pcl_on_five_sources():
    data = iso.simulate.segments(seed=0, n_layers=2, noise=0.01, **AUTOREGRESSIVE)
    model = iso.PCL(5, random_state=0).fit(data)
    assert mcc(model.transform(data), data.truth) > 0.75
    assert mcc(data.signal, data.truth) < 0.6


# -- scores ---------------------------------------------------------------------------------------


def test_tcl_bits_are_nearly_those_of_the_true_densities(changing, tcl):
    """log₂ p(u|s) of the Gaussians that made the data is the ceiling."""
    data, _, test = changing
    u = data.label("segment")
    deviation = np.stack([data.truth[u == k].std(axis=0) for k in range(20)])
    s = test.truth[:, None]
    log_p = (-0.5 * (s / deviation) ** 2 - np.log(deviation)).sum(axis=2)
    log2_p = (log_p - np.logaddexp.reduce(log_p, axis=1)[:, None]) / np.log(2)
    ceiling = bits(test.label("segment"), log2_p, -np.log2(20))
    assert 0.85 * ceiling < tcl.score(test) < ceiling + 0.02
    score = iso.scores.goodness_of_fit(tcl, test)
    assert score.unit == "bits"
    assert score.value > 0.1 > 0 > np.max(score.chance)
    assert len(score.parts) == len(test.trials)


def test_tcl_score_is_that_of_a_multinomial_regression_by_hand(changing, tcl):
    _, _, test = changing
    h = tcl._h(test)
    head = tcl.params_.head
    logits = h @ np.asarray(head.weight) + np.asarray(head.bias)
    p = np.exp(logits - np.logaddexp.reduce(logits, axis=1)[:, None]).astype(float)
    p /= p.sum(axis=1, keepdims=True)
    u = test.label("segment")
    by_hand = np.log2(20) - log_loss(u, p, labels=range(20)) / np.log(2)
    assert tcl.score(test) == pytest.approx(by_hand, abs=1e-3)


def test_pcl_bits_are_below_those_of_the_true_densities(stationary, pcl):
    """log p(s_t|s_{t−1}) − log p(s_t), the marginal from a histogram."""
    data, _, test = stationary
    scale = data.truth.std(axis=0)
    s = test.truth / scale
    b = np.sqrt((1 - 0.7**2) / 2)
    edges = np.linspace(-8, 8, 161)
    density = [np.histogram(c, edges, density=True)[0] + 1e-5 for c in (data.truth / scale).T]

    def ratio(now, before):
        out = -np.abs(now - 0.7 * before) / b - np.log(2 * b)
        at = np.clip(np.digitize(now, edges) - 1, 0, 159)
        return (out - np.log(np.stack([d[a] for d, a in zip(density, at.T, strict=True)], 1))).sum(
            1
        )

    rng = np.random.default_rng(0)
    inner = np.flatnonzero(test.trial[1:] == test.trial[:-1]) + 1
    true, false = ratio(s[inner], s[inner - 1]), ratio(s[inner], s[rng.permutation(inner)])
    ceiling = 1 - (np.logaddexp(0, -true).mean() + np.logaddexp(0, false).mean()) / 2 / np.log(2)
    score = iso.scores.goodness_of_fit(pcl, test)
    assert 0.8 * ceiling < score.value < ceiling + 0.02
    assert score.value > 0.1 > 0 > np.max(score.chance)
    assert pcl.score(test) == score.value


def test_models_that_learned_nothing_score_nothing(changing, stationary):
    model = iso.TCL(2, max_iterations=0, random_state=0).fit(changing[1], labels=["segment"])
    assert abs(model.score(changing[2])) < 1e-3
    still = iso.TCL(2, segments=5, **QUICK).fit(stationary[1])  # its trials are all alike
    assert abs(still.score(stationary[2])) < 0.05


def test_rare_classes_are_no_gain(changing):
    """A regression that knows only how common the classes are scores 0."""
    recording = changing[1]
    rare = (np.arange(len(recording)) % 10 == 0).astype(int)
    x = np.random.default_rng(0).standard_normal((len(recording), 3))
    model = iso.TCL(2, max_iterations=100, batch_size=256, random_state=0).fit(x, rare)
    assert abs(model.score(x, rare)) < 0.05


# -- examples -------------------------------------------------------------------------------------


def pool_of(lengths):
    stop = np.cumsum(lengths)
    start = stop - lengths
    x = np.arange(stop[-1], dtype=float)[:, None]
    layout = Layout(x, start, stop, (0, 1), int(stop[-1]), 1)
    return layout.lay(start, stop, np.arange(len(lengths)))


@pytest.mark.parametrize("lag", [1, 3])
def test_true_pairs_lie_in_one_segment_and_false_ones_anywhere(lag):
    lengths = [5, 3, 9, 4]
    pool = pool_of(np.array(lengths))
    segment = np.repeat(np.arange(4), lengths)
    pair, real = _pairs(pool, lag)(np.random.default_rng(0), (40, 500))
    now, other = pair[..., 0], pair[..., 1]
    true = real == 1
    assert true.mean() == pytest.approx(0.5, abs=0.02)
    assert (now - other == lag)[true].all()
    assert (segment[now] == segment[other])[true].all()
    possible = [t for t in range(lag, 21) if segment[t] == segment[t - lag]]
    count = np.bincount(now[true], minlength=21)
    assert set(np.flatnonzero(count)) == set(possible)
    assert count[possible] / true.sum() == pytest.approx(1 / len(possible), rel=0.25)
    anywhere = np.bincount(other[~true], minlength=21) / (~true).sum()
    assert anywhere == pytest.approx(1 / 21, rel=0.25)
    assert set(np.flatnonzero(np.bincount(now[~true]))) == set(possible)


def test_pair_functions_are_the_formulas():
    rng = np.random.default_rng(0)
    h = rng.standard_normal((6, 2, 3)).astype(np.float32)
    laplace, general = (pair_function(kind, 3, rng) for kind in ("laplace", "general"))
    for head, ratio in ((laplace, by_laplace), (general, by_network)):
        expected = np.array([ratio(head, now, before) for now, before in h])
        found = np.asarray(head(jnp.asarray(h)))
        np.testing.assert_allclose(found[:, 0], 0)
        np.testing.assert_allclose(found[:, 1], expected, rtol=2e-5, atol=1e-5)


def by_laplace(head, now, before):
    line, square, weight = (np.asarray(a) for a in (head.line, head.square, head.weight))
    return float(head.bias[0]) + sum(
        weight[i, 0] * abs(line[i, 0] * now[i] + line[i, 1] * before[i] + line[i, 2])
        + weight[i, 1] * (square[i, 0] * now[i] + square[i, 1]) ** 2
        for i in range(3)
    )


def by_network(head, now, before):
    first, offset, last = (np.asarray(a) for a in (head.first, head.offset, head.last))
    return float(head.bias[0]) + sum(
        last[i, u]
        * np.log1p(np.exp(now[i] * first[i, 0, u] + before[i] * first[i, 1, u] + offset[i, u]))
        for i in range(3)
        for u in range(first.shape[2])
    )


def test_classes_that_the_fit_has_not_seen_are_refused(changing, tcl):
    _, _, test = changing
    other = iso.Recording(
        test.signal, test.rate, labels={"segment": np.full(len(test), 77)}, trials=test.trials
    )
    with pytest.raises(DataError, match=r"classes that the fit has not seen: \[77\]"):
        tcl.score(other)
    tcl.transform(other)  # which needs no labels


# -- use ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("estimator", [iso.TCL, iso.PCL])
def test_windows_stay_in_their_trial(estimator, tmp_path):
    x = np.random.default_rng(0).standard_normal((6, 40, 5))
    model = estimator(2, encoder="conv", **ALL_STEPS).fit(x)
    assert model.offset_ == (5, 5)
    z = model.transform(x)
    np.testing.assert_allclose(model.transform(x[2:3])[0], z[2], atol=1e-5)
    moved = x.copy()
    moved[3] += 5
    np.testing.assert_array_equal(model.transform(moved)[[0, 1, 2, 4, 5]], z[[0, 1, 2, 4, 5]])
    loaded = iso.load(model.save(tmp_path / "model.isofold"))
    np.testing.assert_array_equal(loaded.transform(x), z)
    if estimator is iso.PCL:
        assert model.settings_["time_offsets"] == 10


@pytest.mark.parametrize("estimator", [iso.TCL, iso.PCL])
def test_latents_have_unit_variance_and_a_shift_of_the_signal_is_nothing(estimator):
    x = np.random.default_rng(0).standard_normal((400, 3))
    a, b = (estimator(2, **ALL_STEPS).fit_transform(v) for v in (x, 8 * x + 4))
    np.testing.assert_allclose(a.std(axis=0), 1, rtol=1e-3)
    np.testing.assert_allclose(a, b, atol=2e-2)


def test_callbacks_see_a_model_that_works(stationary):
    seen = []

    def look(step, model):
        seen.append((step, model.transform(stationary[2]).shape, len(model.loss_)))

    model = iso.PCL(2, max_iterations=60, random_state=0)
    model.fit(stationary[1], callback=look, callback_frequency=25)
    shape = (len(stationary[2]), 2)
    assert seen == [(n, shape, n) for n in (25, 50, 60)]
    with pytest.raises(DataError, match="give callback too"):
        model.fit(stationary[1], callback_frequency=5)


def test_the_unit_of_the_signal_does_not_matter(stationary):
    x = np.asarray(stationary[1].signal)[:2000]
    for factor in (1e-6, 1e12):
        loss = iso.PCL(2, **ALL_STEPS).fit(factor * x).loss_
        np.testing.assert_allclose(loss, iso.PCL(2, **ALL_STEPS).fit(x).loss_, rtol=1e-3)


def test_features_without_full_rank_are_not_unmixed():
    x = np.repeat(np.random.default_rng(0).standard_normal((300, 1)), 2, axis=1)
    with pytest.warns(UserWarning, match="do not have 3 independent directions"):
        model = iso.TCL(
            3, feature="linear", encoder_hidden=(), max_iterations=3, random_state=0
        ).fit(x)
    assert np.isfinite(model.transform(x)).all()


# -- what they refuse -----------------------------------------------------------------------------


@pytest.mark.parametrize("estimator", [iso.TCL, iso.PCL])
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"output_dimension": 0}, "output_dimension must be a whole number >= 1, got 0"),
        ({"encoder": "smooth"}, r"encoder must be one of \('mlp', 'conv'\), got 'smooth'"),
        ({"encoder_hidden": (0,)}, "encoder_hidden must be widths of layers"),
        ({"encoder_hidden": 64}, "encoder_hidden must be widths of layers"),
        ({"activation": "sine"}, "activation must be one of"),
        ({"max_iterations": -1}, "max_iterations must be a whole number >= 0"),
        ({"batch_size": 0}, "batch_size must be a whole number >= 1"),
        ({"learning_rate": 0}, "learning_rate must be positive, got 0"),
        ({"num_hidden_units": 1}, "num_hidden_units must be a whole number >= 2"),
        ({"device": "tpu"}, "device must be"),
        ({"encoder": "conv", "model_architecture": "offset10-model"}, "ends in '-mse'"),
    ],
    ids=str,
)
def test_refuses_settings(estimator, settings, message):
    with pytest.raises(DataError, match=message):
        estimator(**settings).fit(np.random.default_rng(0).standard_normal((60, 3)))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"segments": 1}, "segments must be 'auto' or a whole number >= 2, got 1"),
        ({"segments": "many"}, "segments must be 'auto'"),
        ({"feature": "square"}, r"feature must be one of \('linear', 'abs', 'maxout'\)"),
    ],
    ids=str,
)
def test_tcl_refuses(settings, message):
    with pytest.raises(DataError, match=message):
        iso.TCL(**settings).fit(np.ones((60, 3)))


def test_tcl_needs_two_classes():
    with pytest.raises(DataError, match=r"needs two or more; label.* have one value"):
        iso.TCL().fit(np.ones((60, 3)), np.zeros(60, int))


def test_pcl_needs_segments_longer_than_its_lag():
    x = np.random.default_rng(0).standard_normal((10, 6, 3))
    found = r"5 sample\(s\) apart in one segment; the longest .* has 5: use a smaller time_offsets"
    model = iso.PCL(time_offsets=5, **ALL_STEPS)
    with pytest.raises(DataError, match=found):
        model.fit(x[:, :5])
    model.fit(x)
    with pytest.raises(DataError, match=found):
        model.score(x[:, :5])
    with pytest.raises(DataError, match="time_offsets must be a whole number of samples >= 1"):
        iso.PCL(time_offsets=0).fit(x)
    with pytest.raises(DataError, match="pair_function must be one of"):
        iso.PCL(pair_function="gauss").fit(x)


def test_score_asks_for_the_labels_of_the_fit():
    x = np.random.default_rng(0).standard_normal((60, 3))
    model = iso.TCL(**ALL_STEPS).fit(x, np.arange(60) % 3)
    with pytest.raises(DataError, match=r"fitted with 1 label\(s\); give score\(\) as many, got 0"):
        model.score(x)
