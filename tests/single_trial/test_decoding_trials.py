"""Decoding of trials: injected effects are found when and where they are, null data stay null."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from sklearn.linear_model import Ridge
from trial_simulations import noise, plausible, tensor, two_conditions

from isofold import single_trial
from isofold.errors import DataError
from isofold.single_trial._ridge import PENALTIES, RidgeClassifier

FLMM = Path(__file__).parents[2] / "../shared/data/photometry_flmm/binary.csv"


# -- the classifier -------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(40, 6), (30, 80)])
def test_the_classifier_is_ridge_regression_of_indicators(shape):
    rng = np.random.default_rng(0)
    x, held = rng.normal(size=shape), rng.normal(size=(25, shape[1]))
    y = rng.integers(0, 3, size=(shape[0], 4))
    x[:, 0] += y[:, 0]
    guess = RidgeClassifier(x, held).predict(y, 3)
    s = np.linalg.svd(x - x.mean(axis=0), compute_uv=False)
    unit = np.sum(s**2) / np.sum(s > 1e-9)
    for draw in range(4):
        target = (y[:, [draw]] == np.arange(3)).astype(float)
        errors = []
        for penalty in PENALTIES * unit:  # one left out, by brute force
            left = []
            for i in range(len(x)):
                rest = np.delete(np.arange(len(x)), i)
                centred = x[rest] - x.mean(axis=0)  # the closed form centres once
                model = Ridge(penalty).fit(centred, target[rest])
                left.append(model.predict(x[[i]] - x.mean(axis=0))[0])
            errors.append(np.sum((np.array(left) - target) ** 2))
        best = PENALTIES[int(np.argmin(errors))] * unit
        want = Ridge(best).fit(x, target).predict(held).argmax(axis=1)
        assert np.mean(guess[:, draw] == want) > 0.95


def test_balanced_decisions_do_not_follow_the_majority():
    rng = np.random.default_rng(1)
    side = np.r_[np.repeat("rare", 20), np.repeat("usual", 180)]
    x = noise(rng, 200, 10, 1)
    x[:20] += 0.6
    plain = single_trial.decode_trials(x, side, n_chance=0)
    fair = single_trial.decode_trials(x, side, n_chance=30, balanced=True)
    assert fair.unit == "balanced accuracy"
    recall = fair.parts.groupby("label").mean()
    assert fair.value == pytest.approx(recall.mean())
    assert recall["rare"] > plain.parts.groupby("label").mean()["rare"] + 0.2
    assert fair.chance_mean == pytest.approx(0.5, abs=0.06)


# -- whole trials ---------------------------------------------------------------------------------


@pytest.mark.parametrize("n_channels", [1, 3, 200])
def test_trials_are_told_apart(n_channels):
    data = two_conditions(np.random.default_rng(2), n_channels=n_channels, effect=2.0)
    if n_channels == 200:
        data = data + data.sel(channel=["ch0"]).values * (np.arange(200) % 4 == 0)
    score = single_trial.decode_trials(data, "side", n_chance=40, window=(0, 1))
    assert score.value > 0.85
    assert score.p == pytest.approx(1 / 41)
    assert score.interval[0] < score.value < score.interval[1]
    assert score.value == score.also["pooled"] == score.parts.mean()
    assert list(score.parts.index.names) == ["fold", "trial", "label"]
    before = single_trial.decode_trials(data, "side", n_chance=40, window=(-1, 0))
    assert before.p > 0.05


def test_leaving_one_animal_out():
    """Animals differ in size and offset; scaling without labels makes them one."""
    rng = np.random.default_rng(3)
    data = two_conditions(rng, n_trials=180, n_channels=1, effect=2.0)
    size = dict(zip("abcdef", [0.2, 0.5, 1.0, 2.0, 5.0, 9.0], strict=True))
    scale = np.array([size[a] for a in data.animal.values])[:, None, None]
    data = data.copy(data=data.values * scale + 3 * scale)
    raw = single_trial.decode_trials(data, "side", groups="animal", n_chance=0, window=(0, 1))
    score = single_trial.decode_trials(
        data, "side", groups="animal", scale="group", n_chance=40, window=(0, 1)
    )
    assert score.value > 0.95 > raw.value + 0.1
    animals = score.parts.groupby("group").mean()
    assert animals.index.tolist() == list("abcdef")
    assert score.value == pytest.approx(animals.mean())
    assert score.settings["interval_over"] == "groups, then trials"
    mean = single_trial.decode_trials(
        data, "side", groups="animal", scale="group", features="mean", n_chance=0, window=(0, 1)
    )
    assert mean.value > 0.9


def test_no_animal_is_in_its_own_training():
    """Each animal has a signal of its own that tells all of its trials; it must be of no use."""
    rng = np.random.default_rng(4)
    animal = np.repeat(np.arange(6), 30)
    side = rng.permuted(np.tile([0, 1], (6, 15)), axis=1).ravel()
    x = 0.3 * rng.normal(size=(180, 1, 6))
    x[np.arange(180), 0, animal] += 2 * side - 1
    out = single_trial.decode_trials(x, side, groups=animal, n_chance=0)
    inside = single_trial.decode_trials(x, side, n_chance=0)
    assert inside.value > 0.9
    assert out.value < 0.65


@pytest.mark.parametrize("grouped", [False, True])
def test_the_rate_of_null_data_is_alpha(grouped):
    hits, n = 0, 100
    for seed in range(n):
        rng = np.random.default_rng(seed)
        x = noise(rng, 40, 10, 2)
        animal = np.repeat(np.arange(4), 10) if grouped else None
        if grouped:
            x += 2 * rng.normal(size=(4, 1, 2))[animal]  # animals differ, and in how often
        side = rng.random(40) < (np.array([0.2, 0.4, 0.6, 0.8])[animal] if grouped else 0.5)
        scale = "group" if grouped else None
        score = single_trial.decode_trials(
            x, side, groups=animal, scale=scale, n_chance=19, seed=seed
        )
        hits += score.p <= 0.05
    assert hits <= 13  # ties in accuracy make it lower than .05, never higher


def test_windows_that_share_samples_are_in_one_fold():
    """Pairs of identical trials with labels at random: only a leak could tell them."""
    rng = np.random.default_rng(5)
    x = np.repeat(noise(rng, 40, 10, 8), 2, axis=0)
    side = np.repeat(rng.permutation(np.resize([0, 1], 40)), 2)
    leak = single_trial.decode_trials(x, side, n_chance=0)
    pairs = tensor(x, overlap=np.repeat(np.arange(40), 2))
    kept = single_trial.decode_trials(pairs, side, n_chance=0)
    assert leak.value > kept.value + 0.1
    assert kept.parts.groupby(["trial"]).size().max() == 1
    fold = kept.parts.index.get_level_values("fold").to_numpy()
    np.testing.assert_array_equal(fold[::2], fold[1::2])


def test_missing_samples_and_labels():
    data = two_conditions(np.random.default_rng(6), effect=2.5)
    data.values[::4, 30:] = np.nan
    side = data.side.values.astype(object)
    side[[3, 8]] = None
    data = data.assign_coords(side=("trial", side))
    for features in ("trajectory", "mean"):
        score = single_trial.decode_trials(data, "side", features=features, n_chance=0)
        assert len(score.parts) == 58
        assert score.value > 0.75
    data.values[0] = np.nan  # a trial without any sample is guessed
    assert len(single_trial.decode_trials(data, "side", n_chance=0).parts) == 58


# -- over time ------------------------------------------------------------------------------------


def test_decoding_rises_when_the_effect_does():
    data = two_conditions(np.random.default_rng(7), effect=2.0)
    found = single_trial.decode_over_time(data, "side", n_chance=60)
    late, early = found.sel(time=slice(0.1, None)), found.sel(time=slice(None, -0.1))
    assert (late["p_max"] < 0.05).mean() > 0.9
    assert (early["p_max"] > 0.05).all()
    assert (found["accuracy"] > found["band"]).sel(time=slice(0.1, None)).mean() > 0.9
    assert ((found["low"] <= found["accuracy"]) & (found["accuracy"] <= found["high"])).all()
    assert (found["chance_mean"] - 0.5).max() < 0.1
    assert (found["band"] >= found["chance_mean"]).all()
    assert (found["n"] == 60).all()


def test_the_course_of_one_fiber_tells_more_than_its_value():
    """Both classes pass through the same values, one rising and one falling."""
    rng = np.random.default_rng(8)
    side = np.resize([0, 1], 100)
    t = np.arange(30) / 20
    x = np.sin(2 * np.pi * t + rng.uniform(0, 2 * np.pi, (100, 1)))
    slow = np.where(side[:, None] == 0, 1.0, 1.6)
    x = np.cumsum(np.abs(x) * slow, axis=1) + rng.normal(0, 20, size=(100, 1))
    data = tensor(x[:, :, None])
    value = single_trial.decode_over_time(data, side, n_chance=20)["accuracy"][-1]
    course = single_trial.decode_over_time(data, side, n_chance=20, width=1.0)["accuracy"][-1]
    assert course > value + 0.15


def test_the_rate_over_all_times_is_alpha():
    hits, n = 0, 60
    for seed in range(n):
        rng = np.random.default_rng(seed)
        x, side = noise(rng, 30, 8, 1), rng.permutation(np.resize([0, 1], 30))
        found = single_trial.decode_over_time(x, side, n_chance=39, n_folds=3, seed=seed)
        hits += bool((found["p_max"] <= 0.1).any())
    assert plausible(hits, n, 0.1)


def test_times_at_which_trials_are_missing():
    data = two_conditions(np.random.default_rng(9), effect=2.0)
    data.values[:20, 35:], data.values[:, -1] = np.nan, np.nan
    data.values[data.side.values == "go", -2] = np.nan
    found = single_trial.decode_over_time(data, "side", n_chance=20)
    assert found["n"].values[[0, 35, -2, -1]].tolist() == [60, 40, 20, 0]
    assert np.isnan(found["accuracy"].values[-2:]).all()
    assert np.isfinite(found["band"].values[:-2]).all()
    grouped = single_trial.decode_over_time(
        data, "side", groups="animal", scale="group", n_chance=20, window=(0, 0.2)
    )
    assert grouped.sizes["time"] == 4
    assert (grouped["accuracy"] > 0.6).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda d: single_trial.decode_trials(d, "nose"), "label='nose' is no column"),
        (lambda d: single_trial.decode_trials(d, ["a"] * 60), "two classes or more, got only a"),
        (lambda d: single_trial.decode_trials(d, np.arange(60) + 0.5), "label must name classes"),
        (lambda d: single_trial.decode_trials(d, "side", groups=[1] * 60), "groups must hold two"),
        (lambda d: single_trial.decode_trials(d, "side", scale="group"), "scale='group' needs"),
        (lambda d: single_trial.decode_trials(d, "side", scale="all"), "scale must be None or"),
        (lambda d: single_trial.decode_trials(d, "side", features="peak"), "features must be one"),
        (lambda d: single_trial.decode_trials(d, "side", n_folds=1), "n_folds must lie between 2"),
        (lambda d: single_trial.decode_trials(d, "side", n_chance=-1), "n_chance must be a whole"),
        (lambda d: single_trial.decode_over_time(d, "side", n_chance=0), "n_chance must be a wh"),
        (lambda d: single_trial.decode_over_time(d, "side", width=-1), "width is a time in s"),
        (lambda d: single_trial.decode_over_time(d, "side", scale="group"), "needs groups="),
    ],
)
def test_refuses(call, message):
    with pytest.raises(DataError, match=message):
        call(two_conditions(np.random.default_rng(0)))


# -- real trials ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def mice() -> xr.DataArray:
    if not FLMM.exists():
        pytest.skip("real data not found: ../shared/data/photometry_flmm")
    table = pd.read_csv(FLMM)
    x = table.filter(like="photometry.").to_numpy()
    x = x - x[:, :50].mean(axis=1, keepdims=True)
    return xr.DataArray(
        x[:, :, None],
        dims=("trial", "time", "channel"),
        coords={
            "trial": table.index.to_numpy(),
            "time": np.arange(125) / 25 - 2,
            "channel": ["dopamine"],
            "cs": ("trial", table["cs"].to_numpy()),
            "id": ("trial", table["id"].to_numpy()),
        },
    )


def test_the_cue_is_told_in_mice_left_out(mice):
    """One number a trial and the whole trajectory, scaled per mouse without labels."""
    of = {"groups": "id", "scale": "group", "n_chance": 20}
    one = single_trial.decode_trials(mice, "cs", features="mean", window=(0, 1), **of)
    whole = single_trial.decode_trials(mice, "cs", **of)
    assert one.value >= 0.96
    assert whole.value >= 0.96
    for score in (one, whole):
        assert score.parts.groupby("group").size().tolist() == [98, 99, 98, 99, 99, 99, 98]
        assert score.chance.max() < 0.6
        assert score.chance_mean == pytest.approx(0.5, abs=0.02)
    difference = single_trial.compare(whole, one)
    assert difference.n_animals == 7
    assert abs(difference.difference) < 0.02  # the trajectory adds nothing to the one number


def test_shuffled_cues_are_told_at_chance(mice):
    rng, values = np.random.default_rng(0), []
    for _ in range(5):
        cs = mice["cs"].values.copy()
        for mouse in range(1, 8):
            rows = mice["id"].values == mouse
            cs[rows] = rng.permutation(cs[rows])
        score = single_trial.decode_trials(mice, cs, groups="id", scale="group", n_chance=19)
        values.append(score.p)
    assert max(values) > 0.1
    assert np.mean(values) > 0.15
