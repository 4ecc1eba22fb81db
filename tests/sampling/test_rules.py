"""Positive pairs against brute force."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from isofold.sampling import ContinuousSampler, DiscreteSampler, MixedSampler, Pool, TimeSampler
from isofold.sampling.behavior import Nearest


def pool(lengths=(50,), continuous=None, classes=None):
    stop = np.cumsum(lengths)
    n = int(stop[-1])
    centre = np.arange(n, dtype=np.int32)
    empty = np.zeros((n, 1), np.float32)
    start = stop - np.asarray(lengths)
    length = stop - start
    trial = np.repeat(np.arange(len(start)), length)
    place = np.arange(len(centre)) - np.repeat(start, length)
    return Pool(empty, centre, centre, start, stop, centre, trial, place, continuous, classes)


@settings(max_examples=100, deadline=None)
@given(
    arrays(float, st.tuples(st.integers(1, 40), st.integers(1, 3)), elements=st.floats(-5, 5)),
    st.integers(0, 10),
)
def test_nearest_is_as_near_as_brute_force(labels, seed):
    query = np.random.default_rng(seed).normal(0, 5, (20, labels.shape[1]))
    found = Nearest(labels)(query)
    distance = np.linalg.norm(labels[None] - query[:, None], axis=2)
    assert np.allclose(distance[np.arange(20), found], distance.min(axis=1), atol=1e-9)


def test_nearest_takes_the_first_of_equals():
    assert Nearest(np.array([[1.0], [0.0], [1.0], [0.0]]))(np.array([[1.0], [-3.0]])).tolist() == [
        0,
        1,
    ]


@pytest.mark.parametrize(("low", "high"), [(0, 1), (1000, 1001), (0, 10_000)])
def test_labels_queried_with_themselves_find_themselves(low, high):
    """The `cebra` package searches in single precision and misses by thousands of samples."""
    labels = np.linspace(low, high, 100_000)[:, None]
    assert (Nearest(labels)(labels) == np.arange(100_000)).all()


def test_time_positive_is_exactly_the_lag_later_in_the_same_segment():
    sampler = TimeSampler(pool((5, 3, 20)), 4)
    reference = sampler.references(np.random.default_rng(0), (3, 500))
    assert set(np.unique(reference)) == {0, *range(8, 24)}
    assert (sampler.positives(None, reference) == reference + 4).all()


def test_time_delta_is_brute_force_given_the_same_change():
    rng = np.random.default_rng(1)
    labels = rng.standard_normal((60, 2))
    data = pool((25, 35), continuous=labels)
    sampler = ContinuousSampler(data, "time_delta", 3, None)
    changes = np.concatenate([labels[3:25] - labels[:22], labels[28:] - labels[25:57]])
    reference = np.arange(60)
    pick = np.random.default_rng(7).integers(len(changes), size=60)
    wanted = labels + changes[pick]
    expected = [np.argmin(((labels - q) ** 2).sum(1)) for q in wanted]
    assert sampler.positives(np.random.default_rng(7), reference).tolist() == expected


def test_delta_normal_has_the_stated_spread():
    labels = np.linspace(0, 1, 20_001)[:, None]
    sampler = ContinuousSampler(pool((20_001,), labels), "delta_normal", 1, 0.05)
    rng = np.random.default_rng(0)
    reference = np.full(20_000, 10_000)
    moved = labels[sampler.positives(rng, reference), 0] - 0.5
    assert abs(moved.mean()) < 4 * 0.05 / np.sqrt(20_000)
    assert abs(moved.std() / 0.05 - 1) < 4 / np.sqrt(2 * 20_000)


@pytest.mark.parametrize("values", [(1, 2), (1, 2, 3, 4), (0, 5), (7,)])
def test_discrete_positives_share_the_class_and_are_uniform(values):
    """Class numbers with gaps, or not starting at 0, break the peer's class-balanced draw."""
    classes = np.repeat(values, 10)
    sampler = DiscreteSampler(pool((len(classes),), classes=classes))
    rng = np.random.default_rng(0)
    reference = sampler.references(rng, (20_000,))
    positive = sampler.positives(rng, reference)
    assert (classes[reference] == classes[positive]).all()
    share = np.bincount(positive, minlength=len(classes)) / 20_000
    error = 5 * np.sqrt(1 / len(classes) / 20_000)
    assert np.abs(share - 1 / len(classes)).max() < error


def test_mixed_is_nearest_within_the_class_and_draws_classes_equally():
    rng = np.random.default_rng(3)
    classes = np.repeat([2, 5], [80, 20])
    labels = rng.standard_normal((100, 1))
    sampler = MixedSampler(pool((100,), labels, classes), "delta_normal", 1, 0.3)
    reference = sampler.references(rng, (30_000,))
    assert abs((classes[reference] == 5).mean() - 0.5) < 0.02
    reference = np.arange(100)
    noise = np.random.default_rng(11).standard_normal((100, 1))
    expected = []
    for r in reference:
        gap = np.where(
            classes == classes[r], np.abs(labels[:, 0] - labels[r, 0] - 0.3 * noise[r, 0]), np.inf
        )
        expected.append(np.argmin(gap))
    assert sampler.positives(np.random.default_rng(11), reference).tolist() == expected


def test_samplers_repeat_with_the_seed():
    labels = np.random.default_rng(0).standard_normal((50, 2))
    sampler = ContinuousSampler(pool(continuous=labels), "time_delta", 1, None)
    draws = [sampler.positives(np.random.default_rng(5), np.arange(50)).tolist() for _ in range(2)]
    assert draws[0] == draws[1]
