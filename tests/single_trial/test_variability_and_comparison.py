"""Shared and private variability, and paired comparisons: truths recovered, nulls calibrated."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import check_grad
from scipy.stats import binomtest
from sklearn.decomposition import FactorAnalysis
from trial_simulations import noise, plausible, tensor

from isofold import single_trial
from isofold.errors import DataError
from isofold.scores import Score
from isofold.single_trial._factors import _misfit, fit_factors, log_likelihood


def shared(rng, n_trials, n_times, loadings, private):
    """Two conditions; what trials share follows `loadings` (factor, channel)."""
    loadings, private = np.atleast_2d(loadings), np.asarray(private)
    common = noise(rng, n_trials, n_times, len(loadings)) @ loadings
    alone = noise(rng, n_trials, n_times, len(private)) * np.sqrt(private)
    side = np.resize(["l", "r"], n_trials)
    mean = np.sin(np.arange(n_times) / 3)[:, None] * 4 * (side == "l")[:, None, None]
    return tensor(common + alone + mean, side=side)


# -- variability ----------------------------------------------------------------------------------


def test_the_injected_split_is_recovered():
    loadings = np.array([[1.0, 1.0, 0.5, 0.5, 0, 0], [0, 0.0, 1.0, -1.0, 1.0, 0]])
    private = np.array([1.0, 0.5, 1.0, 2.0, 0.5, 1.0])
    data = shared(np.random.default_rng(0), 120, 60, loadings, private)
    found = single_trial.variability(data, by="side", n_chance=19)
    assert found.attrs["n_factors"] == 2
    np.testing.assert_allclose(found["shared"], (loadings**2).sum(axis=0), atol=0.15)
    np.testing.assert_allclose(found["private"], private, rtol=0.15)
    np.testing.assert_allclose(found["share"], found["shared"] / found["total"])
    assert found.attrs["p"] == 0.05
    assert found["chance_share"].max() < 0.2 < 0.3 < found.attrs["share"]
    assert found["factors"].dims == ("trial", "time", "factor")
    product = found["loadings"].values.T @ found["loadings"].values
    np.testing.assert_allclose(product, loadings.T @ loadings, atol=0.2)


def test_the_means_of_conditions_are_not_shared_variability():
    data = shared(np.random.default_rng(1), 60, 40, np.zeros((1, 4)), np.ones(4))
    named = single_trial.variability(data, by="side", n_chance=0)
    unnamed = single_trial.variability(data, n_chance=0)
    assert named.attrs["share"] < 0.1 < 0.5 < unnamed.attrs["share"]


def test_single_trial_factors_follow_the_truth():
    rng = np.random.default_rng(2)
    common = noise(rng, 50, 40, 1)
    found = single_trial.variability(common + 0.5 * noise(rng, 50, 40, 30), n_chance=0)
    assert found.attrs["n_factors"] == 1
    assert abs(np.corrcoef(found["factors"].values.ravel(), common.ravel())[0, 1]) > 0.97


def test_two_channels_share_alike():
    data = shared(np.random.default_rng(3), 100, 50, [[1.0, -1.0]], [1.0, 1.0])
    found = single_trial.variability(data, by="side", n_chance=19)
    np.testing.assert_allclose(found["share"], 0.5, atol=0.05)
    assert found.attrs["p"] == 0.05


def test_the_rate_of_channels_that_share_nothing_is_alpha():
    hits, n = 0, 40
    for seed in range(n):
        data = shared(np.random.default_rng(seed), 20, 15, np.zeros((1, 4)), np.ones(4))
        found = single_trial.variability(data, by="side", n_chance=9, seed=seed)
        hits += found.attrs["p"] <= 0.1
    assert plausible(hits, n, 0.1)


def test_what_only_two_of_three_share_is_shared_alike():
    """Likelihood alone would as soon give all of one channel to the factor."""
    data = shared(np.random.default_rng(12), 100, 40, [[1.0, 1.0, 0.0]], [1.0, 1.0, 1.0])
    found = single_trial.variability(data, by="side", n_chance=0)
    np.testing.assert_allclose(found["share"], [0.5, 0.5, 0.0], atol=0.1)


def test_the_gradient_of_the_misfit():
    rng = np.random.default_rng(13)
    r = np.corrcoef(rng.normal(size=(60, 6)) + rng.normal(size=(60, 1)), rowvar=False)
    psi = rng.uniform(0.2, 0.9, 6)
    arguments = (r, 2, 0.01)
    value, gradient = (lambda p, k=k: _misfit(p, *arguments)[k] for k in (0, 1))
    assert check_grad(value, gradient, psi) < 1e-4


@pytest.mark.slow
def test_the_rate_holds_with_more_channels_and_trials():
    hits, n = 0, 150
    for seed in range(n):
        data = shared(np.random.default_rng(seed), 40, 20, np.zeros((1, 8)), np.arange(1.0, 9.0))
        found = single_trial.variability(data, by="side", n_chance=19, seed=seed)
        hits += found.attrs["p"] <= 0.05
    assert plausible(hits, n, 0.05)


def test_factors_are_those_of_scikit_learn():
    rng = np.random.default_rng(4)
    x = rng.normal(size=(500, 2)) @ rng.normal(size=(2, 7)) + rng.normal(size=(500, 7))
    x -= x.mean(axis=0)
    ours = fit_factors(x.T @ x / len(x), 2, penalty=0.0)
    theirs = FactorAnalysis(2, tol=1e-7, max_iter=3000).fit(x)
    np.testing.assert_allclose(ours.private, theirs.noise_variance_, rtol=2e-3)
    np.testing.assert_allclose(ours.covariance, theirs.get_covariance(), atol=2e-3)
    constant = 7 / 2 * np.log(2 * np.pi)
    want = theirs.score(x) + constant
    assert log_likelihood(x.T @ x / len(x), ours) == pytest.approx(want, abs=1e-4)
    np.testing.assert_allclose(np.abs(ours.latent(x)), np.abs(theirs.transform(x)), atol=0.02)


def test_missing_samples_are_left_out():
    data = shared(np.random.default_rng(5), 80, 40, [[1.0, 1.0, 1.0]], [1.0, 1.0, 1.0])
    data.values[::2, 25:] = np.nan
    data.values[3, 4, 1] = np.nan
    found = single_trial.variability(data, by="side", n_chance=0)
    np.testing.assert_allclose(found["share"], 0.5, atol=0.1)
    assert np.isnan(found["factors"].values[0, 30]).all()


def test_one_channel_cannot_be_split():
    one = tensor(noise(np.random.default_rng(6), 40, 10, 1))
    with pytest.raises(DataError, match=r"there is one channel: it cannot be split; delay-embed"):
        single_trial.variability(one)
    turned = one.rename(time="channel", channel="time").transpose("trial", "time", "channel")
    assert single_trial.variability(turned, n_chance=0).sizes["channel"] == 10  # as the error says


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        (lambda d: d, {"n_factors": 3}, "4 channels determine at most 1 factors, got n_factors=3"),
        (lambda d: d[:6], {"by": "side"}, "at least 5 trials in each condition; l has 3"),
        (lambda d: d.where(d.channel != "ch1"), {}, "no sample has a value in every channel"),
        (lambda d: d.where(d.channel != "ch2", 1.0), {}, "channel ch2 is constant"),
        (lambda d: d, {"n_chance": 1.5}, "n_chance must be a whole number"),
    ],
)
def test_variability_refuses(change, options, message):
    data = shared(np.random.default_rng(0), 20, 10, np.zeros((1, 4)), np.ones(4))
    with pytest.raises(DataError, match=message):
        single_trial.variability(change(data), **options)


# -- comparison -----------------------------------------------------------------------------------


def test_a_difference_is_averaged_over_animals():
    a = np.r_[np.ones(10), np.zeros(2), 0.5 * np.ones(4)]
    animals = np.r_[np.repeat("x", 10), np.repeat("y", 2), np.repeat("z", 4)]
    found = single_trial.compare(a, np.zeros(16), animals)
    assert found.difference == pytest.approx(0.5)
    assert found.parts.to_dict() == {"x": 1.0, "y": 0.0, "z": 0.5}
    assert (found.n_animals, found.n_trials, found.smallest_p) == (3, 16, 0.25)
    assert found.p == 0.5  # of 8 signs, ±(1, ·, .5)
    assert str(found).startswith("+0.5 (95 % ")
    flipped = single_trial.compare(np.zeros(16), a, animals)
    assert flipped.difference == -found.difference
    assert flipped.p == found.p


def test_flips_of_trials_are_those_of_the_sign_test():
    a = np.r_[np.ones(9), -np.ones(2)]
    found = single_trial.compare(a, np.zeros(11))
    assert found.p == pytest.approx(binomtest(9, 11).pvalue)
    many = single_trial.compare(np.tile(a, 5), np.zeros(55))
    assert many.p == pytest.approx(binomtest(45, 55).pvalue, abs=2e-4)
    assert many.smallest_p == pytest.approx(1 / 10_001)


def test_the_truth_is_inside_and_the_rate_is_alpha():
    """Animals differ in effect: trials alone would find one, animals do not."""
    n, wrong, naive, inside = 200, 0, 0, 0
    animals = np.repeat(np.arange(8), 20)
    for seed in range(n):
        rng = np.random.default_rng(seed)
        x = rng.normal(size=8)[animals] + rng.normal(size=160)
        found = single_trial.compare(x, np.zeros(160), animals, n_draws=300, seed=seed)
        wrong += found.p <= 0.05
        inside += found.interval[0] <= 0 <= found.interval[1]
        if seed < 20:
            naive += single_trial.compare(x, np.zeros(160), n_draws=1).p <= 0.05
    assert plausible(wrong, n, 0.047)  # 12 of 256
    assert inside >= 0.92 * n
    assert naive > 8


def test_over_trials_of_these_animals():
    rng = np.random.default_rng(9)
    animals, gain = np.repeat(list("ab"), 50), rng.normal(0.5, 1.0, size=100)
    assert single_trial.compare(gain, 0 * gain, animals).smallest_p == 0.5
    found = single_trial.compare(gain, 0 * gain, animals, over="trials")
    assert found.over == "trials"
    assert found.p < 0.01


def test_scores_are_paired_by_trial():
    rng = np.random.default_rng(10)
    side = np.resize([0, 1], 80)
    x = noise(rng, 80, 10, 2) + 1.2 * side[:, None, None]
    good = single_trial.decode_trials(x, side, n_chance=0)
    poor = single_trial.decode_trials(x[:, :1, :1], side, n_chance=0, seed=1)  # other folds
    found = single_trial.compare(good, poor)
    assert found.difference == pytest.approx(good.value - poor.value)
    assert found.p < 0.05
    with pytest.raises(DataError, match="must be of the same trials"):
        single_trial.compare(good, single_trial.decode_trials(x[:60], side[:60], n_chance=0))
    with pytest.raises(DataError, match="must have one part a trial"):
        single_trial.compare(good, Score(0.5, "R²"))


def test_pairs_with_a_missing_score_are_left_out():
    found = single_trial.compare([1.0, np.nan, 2.0], [0.0, 0.0, 0.0], ["a", "b", "c"])
    assert (found.n_trials, found.n_animals, found.difference) == (2, 2, 1.5)


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (([1.0, 2.0], [1.0]), {}, r"got shapes \(2,\) and \(1,\)"),
        (([np.nan], [1.0]), {}, "no trial has a score of both"),
        (([1.0], [1.0]), {"over": "animals"}, "over must be 'trials', or 'animals' where"),
        (([1.0], [1.0]), {"over": "mice"}, "over must be"),
        (([1.0], [1.0], [None]), {}, "animals must be known for every trial"),
        (([1.0], [1.0]), {"n_draws": 0}, "n_draws must be"),
        (([1.0], [1.0]), {"level": 95}, "level must lie"),
    ],
)
def test_compare_refuses(arguments, options, message):
    with pytest.raises(DataError, match=message):
        single_trial.compare(*arguments, **options)
