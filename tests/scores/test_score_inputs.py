import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scores_helpers import embedding, noise

from isofold.scores._inputs import conditions_of, halves, inside, trials_of
from isofold.scores._linear import LeastSquares, Sums, r2


def test_halves_are_odd_and_even_trials_in_order_of_appearance():
    assert halves(np.repeat([4, 9, 2], 2)).tolist() == [0, 0, 1, 1, 0, 0]


def test_halves_hold_both_directions_of_alternating_laps():
    trials = np.repeat(np.arange(12), 5)
    direction = np.where(trials % 2, 1, -1)
    z = embedding(noise(60), trials, direction=direction)
    half = halves(trials, conditions_of(z, trials))
    for k in (0, 1):
        assert set(direction[half == k]) == {-1, 1}
        assert len(np.unique(trials[half == k])) == 6


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 3), min_size=2, max_size=12))
def test_halves_are_balanced_overall_and_in_each_condition(conditions):
    condition = np.asarray(conditions)
    half = halves(np.arange(len(condition)), condition)
    assert abs(np.sum(half == 0) - np.sum(half == 1)) <= 1
    for value in np.unique(condition):
        mine = half[condition == value]
        assert abs(np.sum(mine == 0) - np.sum(mine == 1)) <= 1


def test_labels_that_vary_in_a_trial_are_no_condition():
    trials = np.repeat([0, 1], 4)
    z = embedding(noise(8), trials, speed=np.arange(8.0), lick=np.arange(8) % 2)
    assert not conditions_of(z, trials).any()


def test_samples_outside_trials_are_known_under_every_type_of_name():
    assert inside(np.array([0, -1])).tolist() == [True, False]
    assert inside(np.array(["a", -1], dtype=object)).tolist() == [True, False]
    assert inside(np.array(["a", "-1"])).tolist() == [True, False]


def test_one_trial_in_the_coordinate_is_a_recording_without_trials():
    z = embedding(noise(6), np.array([-1, 3, 3, 3, 3, -1]))
    assert trials_of(z, None, 6, "z").tolist() == [-1, 0, 1, 2, 3, -1]


def test_pooled_r2_of_equal_weights_is_that_of_scikit_learn():
    from sklearn.metrics import r2_score

    y, guess, codes = noise(60, 2), noise(60, 2, seed=1), np.repeat(np.arange(6), 10)
    sums = Sums.of(y, guess, codes)
    assert sums.r2(np.ones((1, 6)))[0] == pytest.approx(r2_score(y, guess))
    doubled = np.array([[2.0, 1, 1, 1, 1, 0]])
    rows = np.r_[0:10, 0:50]
    assert sums.r2(doubled)[0] == pytest.approx(r2_score(y[rows], guess[rows]))
    assert sums.parts().mean() == pytest.approx(r2_score(y, guess))


@pytest.mark.parametrize("truth", [np.ones((5, 1)), np.arange(5.0)[:, None]])
def test_r2_of_constant_columns_is_that_of_scikit_learn(truth):
    from sklearn.metrics import r2_score

    for guess in (truth, truth + np.arange(5.0)[:, None]):
        assert r2(truth, guess) == pytest.approx(r2_score(truth, guess))


def test_least_squares_is_that_of_scikit_learn():
    from sklearn.linear_model import LinearRegression

    x, y, new = noise(40), noise(40, 2, seed=1), noise(10, seed=2)
    expected = LinearRegression().fit(x, y).predict(new)
    assert np.allclose(LeastSquares(x).predict(y, new), expected)
