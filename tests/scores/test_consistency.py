import numpy as np
import pytest
from scores_helpers import curve, embedding, laps, noise, smooth_noise
from sklearn.linear_model import LinearRegression

from isofold.errors import DataError, MissingValuesError
from isofold.scores import consistency


def noisy(position, seed, scale=0.3):
    rng = np.random.default_rng(seed)
    turned = curve(position) @ rng.normal(size=(3, 3)) + rng.normal(size=3)
    return turned + scale * rng.normal(size=turned.shape)


def by_hand(a, b, trials):
    """Least squares on odd trials scored on even trials, and back."""
    odd = trials % 2 == 0  # the first, third, ... trial
    return [
        LinearRegression().fit(a[odd], b[odd]).score(a[~odd], b[~odd]),
        LinearRegression().fit(a[~odd], b[~odd]).score(a[odd], b[odd]),
    ]


# -- runs -------------------------------------------------------------------------------------


def test_runs_are_held_out_regression_of_scikit_learn():
    position, trials = laps()
    zs = [noisy(position, seed) for seed in range(3)]
    score = consistency(zs, groups=trials, n_chance=0)
    assert score.parts.index.names == ["from", "to", "fold"]
    for i in range(3):
        for j in set(range(3)) - {i}:
            assert np.allclose(score.parts.loc[i, j], by_hand(zs[i], zs[j], trials))
    assert score.value == pytest.approx(score.parts.mean())
    assert score.interval[0] <= score.value <= score.interval[1]


def test_runs_in_sample_are_the_definition_of_the_peer():
    zs = [noise(200, seed=s) + noise(200, seed=9) for s in range(3)]
    score = consistency(zs, in_sample=True, n_chance=0)
    expected = [LinearRegression().fit(a, b).score(a, b) for a in zs for b in zs if a is not b]
    assert np.allclose(score.parts, expected)
    assert score.parts.index.names == ["from", "to"]


def test_affine_changes_of_the_source_and_scale_of_the_target_change_nothing():
    position, trials = laps()
    a, b = noisy(position, 0), noisy(position, 1)
    turn = noise(3, 3)
    plain = consistency([a, b], groups=trials, n_chance=0)
    turned = consistency([a @ turn * 7 - 3, b], groups=trials, n_chance=0)
    scaled = consistency([a, b * 1e-3 + 5], groups=trials, n_chance=0)
    assert np.allclose(turned.parts.loc[0, 1], plain.parts.loc[0, 1])
    assert scaled.value == pytest.approx(plain.value)


def test_what_is_scored_cannot_change_the_map():
    position, trials = laps()
    a, b = noisy(position, 0), noisy(position, 1)
    spoilt = b.copy()
    spoilt[trials % 2 == 1] += 100 * noise(np.sum(trials % 2 == 1), seed=3)
    mapped = LinearRegression().fit(a[trials % 2 == 0], b[trials % 2 == 0])
    found = consistency([a, spoilt], groups=trials, n_chance=0).parts.loc[0, 1, 0]
    assert found == pytest.approx(mapped.score(a[trials % 2 == 1], spoilt[trials % 2 == 1]))


def test_noise_rises_with_dimension_in_sample_but_not_held_out():
    zs = [noise(200, 40, seed=s) for s in range(2)]
    assert consistency(zs, in_sample=True, n_chance=0).value > 0.1
    assert consistency(zs, n_chance=0).value < 0.0


def test_chance_on_stereotyped_laps_is_nothing():
    position, trials = laps()
    score = consistency([noisy(position, s) for s in range(3)], groups=trials)
    assert score.value > 0.4
    assert score.chance_hi < 0.1
    assert score.p == pytest.approx(1 / 101)


def test_p_is_uniform_for_unrelated_runs():
    p = []
    for seed in range(80):
        zs = [noise(120, 2, seed=(seed, k)) for k in range(2)]
        groups = np.repeat(np.arange(12), 10)
        p.append(consistency(zs, groups=groups, n_chance=19, seed=seed).p)
    assert 0.35 < np.mean(p) < 0.65
    assert np.mean(np.asarray(p) <= 0.1) < 0.25


def test_trials_come_from_the_embedding_and_outside_samples_are_left_out():
    position, trials = laps()
    outside = np.concatenate([trials, np.full(30, -1)])
    zs = [np.concatenate([noisy(position, s), 50 * noise(30, seed=s)]) for s in range(2)]
    inside = consistency([z[:-30] for z in zs], groups=trials, n_chance=0)
    whole = consistency([embedding(z, outside) for z in zs], n_chance=0)
    assert whole.value == pytest.approx(inside.value)


def test_alternating_laps_are_fitted_in_both_directions():
    position, trials = laps()
    direction = np.where(trials % 2, 1, -1)
    z = curve(position) * np.column_stack([direction, np.ones_like(direction), direction])
    zs = [z + 0.05 * noise(len(z), seed=s) for s in range(2)]
    held = consistency([embedding(x, trials, direction=direction) for x in zs], n_chance=0)
    assert held.value > 0.95


def test_methods_are_matched_on_the_times_they_share():
    position, trials = laps()
    full = embedding(noisy(position, 0, 0.01), trials, attrs={"method": "A"})
    every_second = embedding(noisy(position, 1, 0.01), trials, attrs={"method": "B"})[::2, :2]
    score = consistency([full, every_second], between="methods", n_chance=0)
    assert score.parts.loc["A", "B"].min() > 0.9
    with pytest.raises(DataError, match="share no time point"):
        consistency([full[::2], full[1::2]], between="methods")


def test_a_mapping_names_the_embeddings():
    z = noise(100)
    score = consistency({"CEBRA": z, "PCA": z[:, :2]}, between="methods", n_chance=0)
    assert score.parts.loc["CEBRA", "PCA"].min() > 0.999


# -- data sets --------------------------------------------------------------------------------


def animals(n=3, scale=0.3):
    out = []
    for k in range(n):
        position, trials = laps(N[k], 50)
        out.append((noisy(position, k, scale), position, trials))
    return tuple(zip(*out, strict=True))


N = (20, 26, 15)


def test_data_sets_of_different_length_are_matched_by_label():
    zs, labels, groups = animals()
    score = consistency(zs, between="datasets", labels=labels, groups=groups)
    assert score.value > 0.75
    assert score.chance_hi < 0.3
    assert score.p == pytest.approx(1 / 101)


def test_bin_means_are_those_of_a_loop():
    zs, labels, groups = animals(2)
    score = consistency(zs, between="datasets", labels=labels, groups=groups, bins=7, n_chance=0)
    pooled = np.concatenate(labels)
    edges = np.linspace(pooled.min(), pooled.max(), 8)
    means = {}
    for k, (z, y, g) in enumerate(zip(zs, labels, groups, strict=True)):
        bins = np.clip(np.digitize(y, edges) - 1, 0, 6)
        for odd in (0, 1):
            means[k, odd] = np.array([z[(bins == b) & (g % 2 == odd)].mean(0) for b in range(7)])
    expected = LinearRegression().fit(means[0, 0], means[1, 0]).score(means[0, 1], means[1, 1])
    assert score.parts.loc[0, 1, 0] == pytest.approx(expected)


def test_names_of_labels_and_crossed_classes():
    position, trials = laps(24, 50)
    direction = np.where(trials % 2, "left", "right")
    zs = []
    for k in range(2):
        z = noisy(position, k, 0.2) + 2 * (direction == "left")[:, None]
        attrs = {"recording": f"rat{k}"}
        zs.append(embedding(z, trials, attrs, position=position, direction=direction))
    score = consistency(zs, between="datasets", labels=["position", "direction"], n_chance=0)
    assert score.value > 0.85
    assert set(score.parts.index.get_level_values("from")) == {"rat0", "rat1"}


def test_labels_of_any_dimension_with_empty_bins():
    rng = np.random.default_rng(0)
    labels, zs, groups = [], [], []
    for k in range(2):
        xy = rng.uniform(0, 1, (1200, 2))
        xy = xy[xy.sum(axis=1) < 1.5 - 0.1 * k]  # a corner that no animal visits
        labels.append(np.column_stack([xy, rng.integers(0, 2, len(xy)).astype(float)]))
        zs.append(labels[-1] @ rng.normal(size=(3, 3)))
        groups.append(np.arange(len(xy)) // 50)
    score = consistency(zs, between="datasets", labels=labels, groups=groups, n_chance=0)
    assert score.value > 0.95


def test_a_linear_map_of_any_size_is_found_without_normalisation():
    position, trials = laps(20, 50)
    z = curve(position) + 0.05 * noise(1000)
    kwargs = {
        "between": "datasets",
        "labels": [position] * 2,
        "groups": [trials] * 2,
        "n_chance": 0,
    }
    assert consistency([z, 1e4 * z + 7], **kwargs).value == pytest.approx(
        consistency([z, z], **kwargs).value
    )


def test_p_is_uniform_for_data_sets_that_do_not_know_the_label():
    p = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        zs = [rng.normal(size=(n * 20, 2)) for n in (12, 16)]
        labels = [smooth_noise(rng, n, 20, 5) for n in (12, 16)]
        groups = [np.repeat(np.arange(n), 20) for n in (12, 16)]
        score = consistency(
            zs, between="datasets", labels=labels, groups=groups, bins=8, n_chance=19, seed=seed
        )
        p.append(score.p)
    assert 0.33 < np.mean(p) < 0.67
    assert np.mean(np.asarray(p) <= 0.1) < 0.3


def test_data_sets_in_sample_are_the_definition_of_the_peer():
    zs, labels, _ = animals(2)
    score = consistency(zs, between="datasets", labels=labels, in_sample=True, n_chance=0)
    edges = np.linspace(0, 1, 100)
    means = []
    for z, y in zip(zs, labels, strict=True):
        digits, rows = np.digitize(y, edges), []
        for b in range(1, 100):
            for reach in (0, 1, 2):
                near = np.abs(digits - b) <= reach
                if near.any():
                    break
            mean = z[near].mean(axis=0)
            rows.append(mean / np.linalg.norm(mean))
        means.append(np.array(rows))
    expected = LinearRegression().fit(means[0], means[1]).score(means[0], means[1])
    assert score.parts.loc[0, 1] == pytest.approx(expected)


# -- bad input --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zs", "options", "message"),
    [
        ([noise(50)], {}, "at least two embeddings, got 1"),
        ([noise(50), noise(49)], {}, "50 rows against 49"),
        ([noise(50)] * 2, {"between": "rats"}, "between must be one of"),
        ([noise(50)] * 2, {"labels": [np.arange(50.0)] * 2}, "labels match data sets only"),
        ([noise(50)] * 2, {"between": "datasets"}, "needs labels="),
        ([noise(50)] * 2, {"groups": np.zeros(50)}, "at least two trials, got 1"),
        ([noise(50)] * 2, {"groups": np.zeros(9)}, "trial of each of the 50 samples"),
        ([noise(50)] * 2, {"between": "datasets", "labels": [np.arange(50.0)]}, "one entry an"),
        ([noise(50)] * 2, {"between": "datasets", "labels": ["x"]}, "xarray"),
        ([noise(50), noise(50)[None]], {}, r"\(time, latent\)"),
        (
            [noise(50)] * 2,
            {"between": "datasets", "labels": [np.arange(50.0), 1e3 + np.arange(50.0)]},
            "share 0 filled label bins",
        ),
        (
            [noise(50)] * 2,
            {"between": "datasets", "labels": [np.arange(49.0), np.arange(50.0)]},
            "embedding 0 and its label label",
        ),
        (
            [noise(50)] * 2,
            {"between": "datasets", "labels": [np.ones((50, 2))] * 2, "in_sample": True},
            "takes one label column",
        ),
    ],
)
def test_refuses(zs, options, message):
    with pytest.raises(DataError, match=message):
        consistency(zs, **options)


def test_missing_values_are_named_with_the_first_sample():
    z = noise(50)
    z[7, 1] = np.nan
    with pytest.raises(MissingValuesError, match=r"embedding 1 .*first at sample 7, column 1"):
        consistency([noise(50), z])
    label = np.arange(50.0)
    label[3] = np.nan
    with pytest.raises(MissingValuesError, match=r"label must not be missing.*first at sample 3"):
        consistency([noise(50)] * 2, between="datasets", labels=[label, np.arange(50.0)])


def test_a_label_that_the_embedding_lacks_is_named():
    z = embedding(noise(40), np.repeat([0, 1], 20), position=np.arange(40.0))
    with pytest.raises(DataError, match=r"no label 'speed' in embedding 0; it holds .*'position'"):
        consistency([z, z], between="datasets", labels=["speed"])
