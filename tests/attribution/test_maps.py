"""Attribution maps against closed forms, finite differences, completeness and a known truth."""

import jax
import numpy as np
import pandas as pd
import pytest
from attribution_helpers import TRUTH, fitted, halves

import isofold as iso
from isofold.attribution import METHODS, Attribution, attribution, auc, of_samples
from isofold.attribution.maps import pseudo_inverse
from isofold.errors import DataError, MissingValuesError

SAMPLES = [0, 1, 99, 100, 350]  # at both sides of a wall, and inside


@pytest.fixture
def parts():
    return halves()


@pytest.fixture
def cebra():
    return fitted("cebra")


@pytest.fixture
def flat_cebra():
    return fitted("flat_cebra")


@pytest.fixture
def pca():
    return fitted("pca")


def transformed(model, recording, sample, change):
    """Embedding of one sample after a change of the signal."""
    signal = np.array(recording.signal, np.float32)
    change(signal)
    return model.transform(signal, trials=recording.trials[["start", "stop"]])[sample]


# -- what single samples get ----------------------------------------------------------------------


def test_pca_has_its_components_for_a_jacobian(pca, parts):
    each = of_samples(pca, parts[1], SAMPLES)
    assert each.shape == (5, 2, 18, 1)
    np.testing.assert_allclose(each[..., 0], np.tile(pca.components_, (5, 1, 1)), atol=1e-6)


@pytest.mark.parametrize("sample", [0, 99, 350])
def test_jacobian_is_what_transform_answers_to_a_nudge(cebra, parts, sample):
    """Also at a wall: an edge sample is seen by every lag that repeats it."""
    test, h = parts[1], 1e-2
    each = of_samples(cebra, test, [sample])[0]
    lags = np.arange(-5, 5)
    start = sample // 100 * 100
    seen = np.clip(sample + lags, start, start + 99)
    for channel, row in [(0, seen[0]), (7, seen[-1]), (13, seen[5])]:

        def nudge(by, row=row, channel=channel):
            return transformed(
                cebra, test, sample, lambda x: x.__setitem__((row, channel), x[row, channel] + by)
            )

        slope = (nudge(h) - nudge(-h)) / (2 * h)
        expected = each[:, channel, seen == row].sum(axis=1)
        np.testing.assert_allclose(slope, expected, atol=2e-3 * np.abs(each).max() + 2e-4)


def test_other_trials_get_nothing(cebra, parts):
    test = parts[1]
    before = of_samples(cebra, test, [99])
    signal = np.array(test.signal)
    signal[100:] += 10.0
    changed = iso.Recording(signal, rate=test.rate, trials=test.trials)
    np.testing.assert_array_equal(of_samples(cebra, changed, [99]), before)


@pytest.mark.parametrize("name", ["cebra", "flat_cebra", "pca"])
@pytest.mark.parametrize("baseline", ["mean", "zeros"])
def test_integrated_gradients_are_complete(name, baseline, parts, request):
    """Σ over inputs = f(x) − f(x₀); a path that passes the origin takes more nodes."""
    model, test = request.getfixturevalue(name), parts[1]
    how = {"method": "integrated-gradients", "baseline": baseline}
    each = of_samples(model, test, SAMPLES, **how, steps=400 if name == "cebra" else 50)
    signal = np.asarray(test.signal)
    start = signal.mean(axis=0) if baseline == "mean" else np.zeros(18)
    z0 = model.transform(np.tile(start.astype(np.float32), (40, 1)))[20]
    gained = model.transform(test).values[SAMPLES] - z0
    assert np.abs(gained).max() > 0.1
    np.testing.assert_allclose(each.sum(axis=(2, 3)), gained, atol=2e-3 * np.abs(gained).max())


def test_the_gap_of_too_few_nodes_is_told(cebra, parts):
    gap = [
        attribution(
            cebra, parts[1], method="integrated-gradients", n_samples=50, steps=steps
        ).settings["gap"]
        for steps in (2, 100)
    ]
    assert gap[1] < 0.05 * gap[0]


def test_ablation_is_the_difference_that_an_input_makes(cebra, parts):
    test, sample = parts[1], 350
    each = of_samples(cebra, test, [sample], method="ablation", baseline="zeros")[0]
    z = cebra.transform(test).values[sample]
    for channel, lag in [(0, -5), (7, 0), (17, 4)]:
        without = transformed(
            cebra, test, sample, lambda x, c=channel, k=lag: x.__setitem__((sample + k, c), 0.0)
        )
        np.testing.assert_allclose(each[:, channel, lag + 5], z - without, atol=1e-5)


def test_neuron_gradient_is_the_jacobian(cebra, parts):
    one = of_samples(cebra, parts[1], SAMPLES, method="neuron-gradient")
    np.testing.assert_array_equal(one, of_samples(cebra, parts[1], SAMPLES))


def test_linear_models_agree_by_every_method(pca, parts):
    """A linear map has one attribution: slope times distance from the baseline."""
    test = parts[1]
    away = np.asarray(test.signal)[SAMPLES] - np.linspace(0, 1, 18)
    expected = pca.components_[None] * away[:, None]
    for method in ("integrated-gradients", "ablation"):
        each = of_samples(pca, test, SAMPLES, method=method, baseline=np.linspace(0, 1, 18))
        np.testing.assert_allclose(each[..., 0], expected, atol=1e-4)


# -- the pseudo-inverse ---------------------------------------------------------------------------


def test_pseudo_inverse_meets_the_four_moore_penrose_conditions(cebra, parts):
    """Unit-length latents make J one short of full rank: a plain inverse would be rounding."""
    jacobians = of_samples(cebra, parts[1], range(0, 400, 7)).mean(axis=3).astype(np.float64)
    for j, inverse in zip(jacobians, pseudo_inverse(jacobians), strict=True):
        x = inverse.T
        small = {"atol": 1e-4 * np.abs(j).max()}
        np.testing.assert_allclose(j @ x @ j, j, **small)
        np.testing.assert_allclose(x @ j @ x, x, atol=1e-4 * np.abs(x).max())
        np.testing.assert_allclose(j @ x, (j @ x).T, atol=1e-4)
        np.testing.assert_allclose(x @ j, (x @ j).T, atol=1e-4)
        assert np.linalg.matrix_rank(j, tol=1e-4 * np.linalg.norm(j)) == 2


def test_least_squares_and_singular_values_agree(cebra, parts):
    jacobians = of_samples(cebra, parts[1], range(0, 400, 40)).mean(axis=3)
    for j, inverse in zip(jacobians, pseudo_inverse(jacobians), strict=True):
        solution = np.linalg.lstsq(j.astype(float), np.eye(3), rcond=1e-4)[0]
        np.testing.assert_allclose(inverse.T, solution, atol=1e-3 * np.abs(solution).max())


# -- the average ----------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
def test_maps_are_means_over_samples(cebra, parts, method, monkeypatch):
    """Small chunks too, of which the last is not full."""
    test = parts[1].split(test=0.5)[1]
    found = attribution(cebra, test, method=method, n_samples=None)
    each = of_samples(cebra, test, range(len(test)), method=method).astype(float)
    close = {"rtol": 1e-3, "atol": 1e-5 * np.abs(each).max()}
    np.testing.assert_allclose(found.values, each.mean(axis=(0, 3)), **close)
    np.testing.assert_allclose(found.absolute, np.abs(each).mean(axis=(0, 3)), **close)
    np.testing.assert_allclose(found.lags, np.abs(each).mean(axis=0), **close)
    key = {"jacobian": "jf"}.get(method, method)
    np.testing.assert_allclose(found.maps[key], np.abs(each.mean(axis=3)).mean(axis=0), **close)
    assert (found.maps[f"{key}-convabs"] == found.absolute).all()
    if method in ("jacobian", "neuron-gradient"):
        inverse = np.abs(pseudo_inverse(each.mean(axis=3))).mean(axis=0)
        np.testing.assert_allclose(found.inverse, inverse, rtol=1e-2)
        inverse = np.abs(pseudo_inverse(np.abs(each).mean(axis=3))).mean(axis=0)
        np.testing.assert_allclose(found.maps[f"{key}-convabs-inv-svd"], inverse, rtol=1e-2)
        assert (found.maps[f"{key}-inv-lsq"] == found.inverse).all()
    else:
        assert found.inverse is None
        assert set(found.maps) == {key, f"{key}-convabs"}
    monkeypatch.setattr("isofold.attribution._chunks.CHUNK_VALUES", 3 * 10 * 20 * 64)
    again = attribution(cebra, test, method=method, n_samples=None)
    np.testing.assert_allclose(again.absolute, found.absolute, rtol=1e-4)


def test_channels_that_drive_the_embedding_are_found(cebra, parts):
    """Known truth: each latent hears a and b, none hears the noise, which is as loud."""
    found = attribution(cebra, parts[1], n_samples=512)
    heard = np.tile(TRUTH.any(axis=0), (3, 1))
    for key in ("jf", "jf-convabs"):
        assert auc(found.maps[key], heard) >= 0.9
    for method in ("ablation", "integrated-gradients"):
        found = attribution(cebra, parts[1], method=method, n_samples=60)
        assert auc(found.absolute, heard) >= 0.9


def test_pseudo_inverse_finds_the_channels_of_the_latents(pca, flat_cebra, parts):
    for model in (pca, flat_cebra):
        found = attribution(model, parts[1], n_samples=512)
        assert auc(found.inverse.sum(axis=0), TRUTH.any(axis=0)) >= 0.9


def test_an_untrained_encoder_does_not_know_the_channels(parts):
    model = iso.CEBRA(output_dimension=3, max_iterations=0, random_state=0).fit(parts[0])
    found = attribution(model, parts[1], n_samples=512)
    assert auc(found.maps["jf"].sum(axis=0), TRUTH.any(axis=0)) < 0.85


def test_the_seed_chooses_the_samples(cebra, parts):
    one, same, other = (attribution(cebra, parts[1], n_samples=50, seed=s) for s in (0, 0, 1))
    np.testing.assert_array_equal(one.values, same.values)
    assert not np.allclose(one.values, other.values)
    assert one.settings["n_samples"] == 50


def test_the_model_is_not_changed(cebra, parts):
    before = cebra.transform(parts[1]).values
    leaves = jax.tree.leaves(cebra.encoder_)
    kept = [np.array(leaf) for leaf in leaves]
    for method in METHODS:
        attribution(cebra, parts[1], method=method, n_samples=5)
    assert all(a is b for a, b in zip(jax.tree.leaves(cebra.encoder_), leaves, strict=True))
    for leaf, copy in zip(leaves, kept, strict=True):
        np.testing.assert_array_equal(leaf, copy)
        assert leaf.dtype == np.float32
    np.testing.assert_array_equal(cebra.transform(parts[1]).values, before)
    assert not jax.config.jax_enable_x64


def test_arrays_and_names_of_channels(pca, parts):
    test = parts[1]
    names = pd.DataFrame(index=[f"unit <{k}>" for k in range(18)])
    named = iso.Recording(np.asarray(test.signal), rate=40.0, channels=names)
    found = attribution(pca, named, n_samples=20)
    table = found.to_frame()
    assert table.shape == (36, 5)
    assert table.loc[table["channel"] == "unit <3>", "value"].tolist() == pytest.approx(
        pca.components_[:, 3].tolist(), abs=1e-6
    )
    assert "unit &lt;3&gt;" in found._repr_html_() or "unit &lt;" in found._repr_html_()
    assert "<Attribution" not in found._repr_html_()
    plain = attribution(pca, np.asarray(test.signal), n_samples=20)
    np.testing.assert_array_equal(plain.values, found.values)
    assert isinstance(plain, Attribution)
    assert attribution(pca, test, method="ablation", n_samples=9).to_frame().shape == (36, 4)


# -- refusals -------------------------------------------------------------------------------------


def test_bad_settings_are_refused(pca, parts):
    test = parts[1]
    with pytest.raises(DataError, match=r"method must be one of \['jacobian'.*got 'gradient'"):
        attribution(pca, test, method="gradient")
    with pytest.raises(DataError, match="n_samples must be at least 1, or None for all, got 0"):
        attribution(pca, test, n_samples=0)
    with pytest.raises(DataError, match=r"baseline must be 'mean', 'zeros' or .* got 'median'"):
        attribution(pca, test, method="ablation", baseline="median")
    with pytest.raises(DataError, match=r"one finite value a channel, \(18,\), got shape \(3,\)"):
        attribution(pca, test, baseline=[0, 0, 0])
    with pytest.raises(DataError, match="steps must be at least 1, got 0"):
        attribution(pca, test, method="integrated-gradients", steps=0)
    with pytest.raises(DataError, match=r"at least one; not so: \[9999\]"):
        of_samples(pca, test, [0, 9999])


def test_wrong_recordings_and_models_are_refused(pca, parts):
    with pytest.raises(DataError, match=r"must have the 18 channels .* got 2"):
        attribution(pca, np.zeros((50, 2)))
    broken = np.array(parts[1].signal)
    broken[5, 3] = np.nan
    with pytest.raises(MissingValuesError):
        attribution(pca, broken)
    with pytest.raises(Exception, match="not fitted"):
        attribution(iso.PCA(), parts[1])

    class Neighbours(iso.PCA):
        components_ = property()  # fitted, but neither encoder nor components

    with pytest.raises(DataError, match=r"needs a model with an encoder .* got Neighbours"):
        attribution(_like(Neighbours, pca), parts[1])


def _like(kind, model):
    made = kind.__new__(kind)
    made.n_features_in_ = model.n_features_in_
    return made


# -- auc ------------------------------------------------------------------------------------------


def test_auc_is_the_chance_that_connected_is_larger():
    rng = np.random.default_rng(0)
    map, truth = rng.standard_normal((3, 7)), rng.random((3, 7)) < 0.4
    true, false = np.abs(map[truth]), np.abs(map[~truth])
    wins = (true[:, None] > false).mean() + 0.5 * (true[:, None] == false).mean()
    assert auc(map, truth) == pytest.approx(wins)
    assert auc(map, truth.astype(int)) == auc(map, truth)


def test_auc_refuses_what_is_no_truth():
    with pytest.raises(DataError, match=r"one shape, got \(2, 3\) and \(3,\)"):
        auc(np.ones((2, 3)), np.ones(3, bool))
    with pytest.raises(DataError, match=r"must be boolean .* got dtype float64"):
        auc(np.ones(3), [0.1, 0.2, 0.3])
    with pytest.raises(DataError, match="only one kind"):
        auc(np.ones(3), np.ones(3, bool))
    with pytest.raises(DataError, match="must be finite"):
        auc([np.nan, 1.0], [True, False])
