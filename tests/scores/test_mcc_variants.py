"""MCC strong and weak, in and out of sample, by brute force; consistency of unlike widths."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr
from scores_helpers import embedding, noise
from sklearn.linear_model import LinearRegression

from isofold.scores import cca, consistency, mcc

TRIALS = np.repeat(np.arange(10), 30)
ODD = TRIALS % 2 == 0
TRUTH = noise(300, 3, seed=5)
Z = TRUTH[:, [2, 0, 1]] * [1, -2, 0.5] + 0.6 * noise(300, 3, seed=6)


def matrix(a, b, correlation):
    if correlation == "spearman":
        return np.abs(spearmanr(a, b).statistic[: a.shape[1], a.shape[1] :])
    return np.abs(np.corrcoef(a.T, b.T)[: a.shape[1], a.shape[1] :])


def best(matrix):
    """Assignment of the columns by trying all."""
    orders = permutations(range(len(matrix)))
    return max(orders, key=lambda order: sum(matrix[i, j] for i, j in enumerate(order)))


@pytest.mark.parametrize("correlation", ["pearson", "spearman"])
def test_out_of_sample_mcc_assigns_on_one_half_and_scores_the_other(correlation):
    expected = []
    for fit, held in ((ODD, ~ODD), (~ODD, ODD)):
        order = best(matrix(Z[fit], TRUTH[fit], correlation))
        held_out = matrix(Z[held], TRUTH[held], correlation)
        expected.append(np.mean([held_out[i, j] for i, j in enumerate(order)]))
    score = mcc(Z, TRUTH, TRIALS, correlation=correlation, n_chance=20)
    assert score.parts.to_numpy() == pytest.approx(expected)
    assert score.settings["correlation"] == correlation
    assert score.value > score.chance_hi


@pytest.mark.parametrize("correlation", ["pearson", "spearman"])
def test_in_sample_mcc_is_the_best_assignment(correlation):
    found = matrix(Z, TRUTH, correlation)
    expected = np.mean([found[i, j] for i, j in enumerate(best(found))])
    score = mcc(Z, TRUTH, correlation=correlation, in_sample=True, n_chance=0)
    assert score.value == pytest.approx(expected)


def test_in_sample_mcc_of_wide_noise_is_above_held_out():
    z, truth = noise(100, 30, 1), noise(100, 30, 2)
    assert mcc(z, truth, in_sample=True, n_chance=0).value > 0.15
    held_out = mcc(z, truth, n_chance=0).value
    assert held_out < mcc(z, truth, in_sample=True, n_chance=0).value - 0.03


def test_weak_mcc_of_wide_noise_is_nothing_out_of_sample():
    z, truth = noise(300, 40, 1), noise(300, 40, 2)
    assert mcc(z, truth, kind="weak", in_sample=True, n_chance=0).value > 0.3
    assert mcc(z, truth, kind="weak", n_chance=0).value < 0.12


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 1000))
def test_weak_knows_no_invertible_map_strong_no_order_sign_or_scale(seed):
    rng = np.random.default_rng(seed)
    mixed = Z @ rng.normal(size=(3, 3)) + 1
    weak = [mcc(x, TRUTH, kind="weak", n_chance=0).value for x in (Z, mixed)]
    assert weak[0] == pytest.approx(weak[1], abs=1e-6)
    turned = Z[:, rng.permutation(3)] * rng.choice([-1, 1], 3) * rng.uniform(0.1, 10, 3)
    strong = [mcc(x, TRUTH, n_chance=0).value for x in (Z, turned)]
    assert strong[0] == pytest.approx(strong[1])


def test_weak_mcc_and_cca_agree_where_the_order_of_pairs_is_clear():
    z = TRUTH * [1, 1, 1] + noise(300, 3, 3) * [0.1, 0.7, 2]
    assert mcc(z, TRUTH, kind="weak", n_chance=0).value == pytest.approx(
        cca(z, TRUTH, n_chance=0).value
    )


# -- consistency between methods ------------------------------------------------------------------


def test_methods_of_different_width_are_compared_both_ways():
    wide = np.hstack([TRUTH, noise(300, 2, seed=9)])
    zs = {"three": Z, "five": wide, "one": TRUTH[:, :1]}
    score = consistency(zs, between="methods", groups=TRIALS, n_chance=5)

    def by_hand(a, b):
        return np.mean(
            [LinearRegression().fit(a[f], b[f]).score(a[~f], b[~f]) for f in (ODD, ~ODD)]
        )

    for a, x in zs.items():
        for b, y in zs.items():
            if a != b:
                found = score.parts.xs((a, b), level=("from", "to")).mean()
                assert found == pytest.approx(by_hand(x, y))
    assert score.parts.xs(("five", "one"), level=("from", "to")).mean() == pytest.approx(1)
    assert score.parts.xs(("one", "five"), level=("from", "to")).mean() < 0.3
    assert score.value > score.chance_hi


def test_methods_that_keep_other_samples_are_matched_by_time():
    whole = embedding(Z, TRIALS, attrs={"method": "PCA"})
    every_second = embedding(TRUTH, TRIALS, attrs={"method": "CEBRA"}).isel(time=slice(0, None, 2))
    score = consistency([whole, every_second], between="methods", n_chance=0)
    assert sorted(set(score.parts.index.get_level_values("from"))) == ["CEBRA", "PCA"]
    same = consistency([Z[::2], TRUTH[::2]], groups=TRIALS[::2], n_chance=0)
    assert score.value == pytest.approx(same.value)
