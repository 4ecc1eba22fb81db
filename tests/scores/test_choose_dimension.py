"""The one-standard-error rule: known truths, ties, and what it refuses."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import PCA

import isofold as iso
from isofold.errors import DataError, MissingValuesError
from isofold.scores import choose_dimension, recovery
from isofold.scores.choose_dimension import ERRORS


def test_the_smallest_within_one_standard_error_of_the_best():
    scores = {1: [0.1, 0.3], 2: [0.75, 0.85], 3: [0.7, 0.8], 4: [0.8, 0.9]}  # SE of 4: 0.05
    choice = choose_dimension(scores)
    assert (choice.best, choice.smallest) == (4, 2)
    table = choice.table
    assert table.index.tolist() == [1, 2, 3, 4]
    np.testing.assert_allclose(table["mean"], [0.2, 0.8, 0.75, 0.85])
    np.testing.assert_allclose(table["se"], [0.1, 0.05, 0.05, 0.05])
    np.testing.assert_allclose(table["below"], [0.65, 0.05, 0.1, 0], atol=1e-12)
    assert table["within"].tolist() == [False, True, False, True]
    assert "smallest 2, best 4" in repr(choice)


def test_paired_differences_see_a_small_gain_that_is_always_there():
    fold = np.linspace(0, 1, 10)  # easy and hard folds
    scores = {2: fold, 3: fold + 0.02 + 0.001 * np.cos(np.arange(10))}
    assert choose_dimension(scores).smallest == 2
    assert choose_dimension(scores, error="best").smallest == 2
    assert choose_dimension(scores, error="paired").smallest == 3


def test_the_luck_of_each_fit_is_in_the_paired_error():
    scores = {2: [0.5, 0.9, 0.5, 0.9], 3: [0.74, 0.76, 0.74, 0.76]}
    assert choose_dimension(scores, error="best").smallest == 3
    assert choose_dimension(scores, error="paired").smallest == 2
    assert choose_dimension(scores).smallest == 2


def test_ties_go_to_the_smaller():
    assert choose_dimension({2: [0.5, 0.7], 1: [0.5, 0.7], 3: [0.5, 0.7]}).best == 1
    equal = choose_dimension({4: [0.9, 0.9, 0.9], 3: [0.9, 0.9, 0.9], 2: [0.8, 0.8, 0.8]})
    assert (equal.best, equal.smallest) == (3, 3)
    np.testing.assert_allclose(equal.table["se"], 0, atol=1e-12)


def test_tables_of_any_order_and_type_of_column():
    frame = pd.DataFrame({"3": [0.9, 0.8], "1": [0.1, 0.2]})
    assert choose_dimension(frame).table.index.tolist() == [1, 3]
    assert choose_dimension({2.0: [1, 2], 1.0: [0, 0]}).best == 2
    assert choose_dimension({5: [0.1, 0.2]}).smallest == 5


def test_a_circle_needs_two():
    """Held-out linear recovery of a circle through a linear mixing, by PCA of 1 to 5 dimensions."""
    scores = {d: [] for d in range(1, 6)}
    for seed in range(4):
        recording = iso.simulate.circle(seed, n_samples=600, n_units=12, mixing="linear", noise=0.3)
        for d in scores:
            z = PCA(d).fit_transform(recording.signal)
            scores[d].append(recovery(z, recording.truth, n_chance=0).value)
    assert choose_dimension(scores).smallest == 2


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 6), st.integers(2, 12), st.sampled_from(ERRORS))
def test_shift_and_scale_change_nothing_and_the_choice_is_never_above_the_best(
    seed, dimensions, repeats, error
):
    scores = np.random.default_rng(seed).normal(size=(repeats, dimensions))
    table = {d + 1: scores[:, d] for d in range(dimensions)}
    moved = {d: 3 * column - 2 for d, column in table.items()}
    choice, again = (choose_dimension(t, error=error) for t in (table, moved))
    assert choice.smallest <= choice.best
    assert (choice.best, choice.smallest) == (again.best, again.smallest)
    assert not choice.table["within"].loc[: choice.smallest - 1].any()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({1: [0.5], 2: [0.6]}, "needs at least two repeats .* got 1; run more seeds or folds"),
        ({1: [0.5, 0.6], 2: [0.6]}, "every dimension needs the same repeats"),
        ({1: 0.5, 2: 0.6}, "every dimension needs the same repeats"),
        ({0: [1, 2]}, "whole numbers of at least 1, got 0"),
        ({2.5: [1, 2]}, "whole numbers of at least 1, got 2.5"),
        ({"two": [1, 2]}, "whole numbers of at least 1, got 'two'"),
        ({True: [1, 2]}, "whole numbers of at least 1, got True"),
        ({1: [1, 2], "1": [1, 2]}, "stands in the table twice"),
        ({1: ["a", "b"]}, "scores must be numbers"),
        ({}, "not empty"),
        ([[1, 2]], "a mapping from dimension to scores.* got list"),
    ],
)
def test_refuses(values, message):
    with pytest.raises(DataError, match=message):
        choose_dimension(values)


def test_refuses_another_error():
    with pytest.raises(DataError, match=r"error must be one of .*'paired'.* got 'sd'"):
        choose_dimension({1: [1, 2]}, error="sd")


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_missing_scores_are_named(bad):
    with pytest.raises(MissingValuesError, match="first at repeat 1 of dimension 2; run it again"):
        choose_dimension({1: [0.1, 0.2], 2: [0.3, bad]})
