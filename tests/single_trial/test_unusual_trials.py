"""Distance to the condition's path, and outliers: injected ones are found, good trials are not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtr
from trial_simulations import noise, plausible, tensor, two_conditions

from isofold import single_trial
from isofold.errors import DataError
from isofold.single_trial._tails import LargestOf, deleted_scores


def test_distance_is_to_the_mean_of_the_others():
    data = two_conditions(np.random.default_rng(0))
    data.values[5, 7, 1] = np.nan
    found = single_trial.path_distance(data, by="side")
    x, side = data.values, data.side.values
    for trial in (0, 5, 9):
        others = (side == side[trial]) & (np.arange(60) != trial)
        away = np.sqrt(((x[trial] - np.nanmean(x[others], axis=0)) ** 2).sum(axis=1))
        np.testing.assert_allclose(found["over_time"][trial], away)
        assert found["distance"][trial].item() == pytest.approx(np.sqrt(np.nanmean(away**2)))
        assert found["to"].sel(condition=side[trial])[trial] == found["distance"][trial]
    assert np.isnan(found["over_time"][5, 7])


def test_swapped_and_deviant_trials_are_found():
    data = two_conditions(np.random.default_rng(1), effect=3.0)
    data.values[10] += 1.2  # off all the time, by little
    side = data.side.values.copy()
    side[7] = "go"  # a "stop" trial with the wrong name
    found = single_trial.path_distance(data.assign_coords(side=("trial", side)), by="side")
    assert found["nearest"].values[7] == "stop"
    assert np.mean(found["nearest"].values == data.side.values) > 0.95
    z = found["z"].values
    assert set(np.argsort(z)[-2:]) == {7, 10}
    assert z[[7, 10]].min() > 3
    assert (found["p"].values[[7, 10]] <= 2 / 29).all()


def test_whitening_finds_what_breaks_the_usual_relation():
    rng = np.random.default_rng(2)
    common = noise(rng, 50, 30, 1)
    x = np.concatenate([common, 100 * common], axis=2) + noise(rng, 50, 30, 2) * [0.1, 10]
    x[4, :, 0] *= -1  # the usual size, against the other channel
    plain = single_trial.path_distance(x)
    white = single_trial.path_distance(x, whiten=True)
    assert np.argmax(white["distance"].values) == 4
    assert white["z"].values[4] > 5 > plain["z"].values[4]
    scaled = single_trial.path_distance(x * [7.0, 0.01], whiten=True)
    np.testing.assert_allclose(scaled["distance"], white["distance"], rtol=1e-6)


def test_distance_p_is_calibrated():
    """p of one given trial of good data is uniform, whitened or not."""
    p = {False: [], True: []}
    for seed in range(150):
        x = noise(np.random.default_rng(seed), 20, 15, 2)
        for whiten in p:
            p[whiten].append(single_trial.path_distance(x, whiten=whiten)["p"].values[0])
    for values in p.values():
        assert plausible(np.sum(np.array(values) <= 0.1), 150, 0.1)
        assert plausible(np.sum(np.array(values) <= 0.5), 150, 0.5)


# -- outliers -------------------------------------------------------------------------------------


@pytest.mark.parametrize("n_channels", [1, 3, 60])
def test_injected_outliers_are_found_with_place_and_sign(n_channels):
    data = two_conditions(np.random.default_rng(3), n_trials=80, n_channels=n_channels, effect=5)
    channel = n_channels - 1
    data.values[11, 22:25, channel] -= 8
    data.values[40, 8, 0] += 9
    found = single_trial.outliers(data, by="side")
    assert found.index[found["outlier"]].tolist() == [11, 40]
    low, high = found.loc[11], found.loc[40]
    assert low["channel"] == f"ch{channel}"
    assert 0.1 - 1e-9 <= low["time"] <= 0.2 + 1e-9
    assert low["size"] < -4
    assert (high["channel"], round(high["time"], 3)) == ("ch0", -0.6)
    assert high["value"] - high["expected"] == pytest.approx(9, abs=3.5)
    assert found["condition"].tolist() == data.side.values.tolist()


def test_many_outliers_do_not_hide_one_another():
    x = noise(np.random.default_rng(4), 60, 40, 2)
    bad = np.arange(0, 60, 7)  # 9 of 60, all at one time and channel
    x[bad, 20, 1] += 12
    found = single_trial.outliers(x)
    assert np.flatnonzero(found["outlier"]).tolist() == bad.tolist()


def test_the_family_wise_rate_of_good_trials_is_alpha():
    hits, n = 0, 120
    for seed in range(n):
        x = noise(np.random.default_rng(1000 + seed), 30, 25, 2)
        hits += single_trial.outliers(x, alpha=0.1, seed=seed)["outlier"].any()
    assert plausible(hits, n, 0.1)


@pytest.mark.slow
@pytest.mark.parametrize("control", ["family", "fdr"])
@pytest.mark.parametrize(
    ("n_trials", "n_channels", "smooth", "gain"),
    [(12, 1, 1.5, 0), (40, 1, 3, 0), (100, 3, 2, 2.0), (60, 40, 1.5, 0), (200, 1, 0.1, 0)],
)
def test_the_rate_holds_for_any_size_and_correlation(n_trials, n_channels, smooth, gain, control):
    hits, n = 0, 300
    for seed in range(n):
        rng = np.random.default_rng(5000 + seed)
        x = noise(rng, n_trials, 40, n_channels, smooth)
        x += gain * rng.normal(size=(n_trials, 1, 1)) * np.sin(np.linspace(0, 3, 40))[:, None]
        hits += single_trial.outliers(x, control=control, seed=seed)["outlier"].any()
    assert plausible(hits, n, 0.05)


def test_fdr_among_true_outliers():
    false = found = 0
    for seed in range(12):
        x = noise(np.random.default_rng(seed), 60, 30, 2)
        x[:8, 10, 0] += np.linspace(5, 9, 8)
        called = single_trial.outliers(x, control="fdr", alpha=0.1)["outlier"].to_numpy()
        false, found = false + called[8:].sum(), found + called.sum()
    assert found > 45
    assert false / found < 0.15


def test_scores_are_standard_normal_without_outliers():
    rng = np.random.default_rng(5)
    x = 5 + 3 * rng.normal(size=(40, 4000))
    x[rng.random(x.shape) < 0.1] = np.nan
    scores, mean = deleted_scores(x)
    known = ~np.isnan(x)
    np.testing.assert_array_equal(np.isnan(scores), ~known)
    for u in (1.0, 2.0, 3.0):
        share = np.mean(np.abs(scores[known]) > u)
        assert share == pytest.approx(2 * ndtr(-u), rel=0.1)
    assert np.nanmean(mean) == pytest.approx(5, abs=0.05)


def test_the_tail_is_that_of_independent_and_of_identical_values():
    rng = np.random.default_rng(6)
    u = np.array([3.0, 4.0])
    one = LargestOf(np.repeat(rng.normal(size=(200, 1)), 50, axis=1), rng).p(u)
    np.testing.assert_allclose(one, 2 * ndtr(-u), rtol=0.4)
    many = LargestOf(rng.normal(size=(200, 50)), rng).p(u)
    np.testing.assert_allclose(many, 1 - (1 - 2 * ndtr(-u)) ** 50, rtol=0.4)


def test_missing_samples_and_trials_without_condition():
    data = two_conditions(np.random.default_rng(7))
    data.values[::3, 30:] = np.nan
    data.values[4] = np.nan
    data.values[9, 5, 2] += 10
    side = data.side.values.astype(object)
    side[2] = None
    data = data.assign_coords(side=("trial", side))
    found = single_trial.outliers(data, by="side")
    assert found.index[found["outlier"]].tolist() == [9]
    assert found.loc[[2, 4], ["p", "time", "size", "value"]].isna().all().all()
    assert found["condition"].isna().tolist() == [k == 2 for k in range(60)]
    distance = single_trial.path_distance(data, by="side")
    assert np.isnan(distance["distance"].values[[2, 4]]).all()
    assert np.flatnonzero(pd.isna(distance["nearest"].values)).tolist() == [4]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda d: single_trial.outliers(d, control="none"), "control must be 'family' or 'fdr'"),
        (lambda d: single_trial.outliers(d, alpha=0), "alpha must lie between"),
        (
            lambda d: single_trial.outliers(d[:12], by="side"),
            "at least 10 trials in each",
        ),
        (lambda d: single_trial.outliers(d * np.nan), "no sample of the tensor has a value"),
        (lambda d: single_trial.path_distance(d[:6], by="side"), "at least 4 trials .* go has 3"),
        (lambda d: single_trial.path_distance(d, window=(5, 6)), "holds no sample"),
        (
            lambda d: single_trial.path_distance(d * np.nan, whiten=True),
            "whiten=True needs",
        ),
    ],
)
def test_refuses(call, message):
    with pytest.raises(DataError, match=message):
        call(two_conditions(np.random.default_rng(0)))


def test_names_of_latents_stay():
    data = tensor(noise(np.random.default_rng(8), 20, 10, 2)).rename(channel="latent")
    assert "latent" in single_trial.outliers(data).columns
