import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isofold.errors import DataError
from isofold.scores import blocks, surrogate, surrogate_within

lengths = st.lists(st.integers(1, 8), min_size=1, max_size=8)


def trials_from(sizes):
    return np.repeat(np.arange(len(sizes)), sizes)


@settings(max_examples=60, deadline=None)
@given(lengths, st.integers(0, 1000))
def test_a_shift_turns_every_trial_in_itself(sizes, seed):
    trials = trials_from(sizes)
    index = surrogate(trials, np.random.default_rng(seed), "shift")
    assert np.array_equal(trials[index], trials)
    for trial in np.unique(trials):
        mine = index[trials == trial]
        assert set(np.mod(np.diff(mine), len(mine))) <= {1 % len(mine)}


@settings(max_examples=60, deadline=None)
@given(lengths, st.integers(0, 1000), st.sampled_from(["both", "permute"]))
def test_a_permutation_gives_every_trial_one_donor_each_donor_once(sizes, seed, how):
    trials = trials_from(sizes)
    donors = trials[surrogate(trials, np.random.default_rng(seed), how)]
    chosen = [np.unique(donors[trials == trial]) for trial in np.unique(trials)]
    assert all(len(c) == 1 for c in chosen)
    assert sorted(int(c[0]) for c in chosen) == list(range(len(sizes)))


@settings(max_examples=60, deadline=None)
@given(lengths, st.integers(0, 1000))
def test_nothing_passes_between_parts(sizes, seed):
    trials = trials_from(sizes)
    parts = trials % 2
    index = surrogate_within(trials, parts, np.random.default_rng(seed))
    assert np.array_equal(parts[index], parts)


def test_shifts_differ_between_trials():
    trials = np.repeat(np.arange(30), 50)
    index = surrogate(trials, np.random.default_rng(0), "shift")
    assert len(np.unique(index[::50] % 50)) > 15


def test_order_of_trials_on_the_clock_does_not_matter():
    trials = np.array(["b", "a", "b", "a"])
    index = surrogate(trials, np.random.default_rng(0), "shift")
    assert np.array_equal(trials[index], trials)


def test_blocks_are_contiguous_and_even():
    assert np.array_equal(np.bincount(blocks(100)), np.full(10, 10))
    assert len(np.unique(blocks(3))) == 3
    assert len(blocks(0)) == 0


def test_unknown_way_is_refused():
    with pytest.raises(DataError, match="how must be one of"):
        surrogate(np.zeros(3), np.random.default_rng(0), "roll")
