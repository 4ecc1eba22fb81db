"""Positive pairs against brute force."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pools import agrees, alike, pool

from isofold.errors import DataError
from isofold.sampling import (
    NO_SAMPLE,
    ContinuousSampler,
    DiscreteSampler,
    MixedSampler,
    Query,
    TimeSampler,
    label_changes,
)
from isofold.sampling.nearest import AllDistances, Nearest


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


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 60), st.integers(1, 4), st.integers(0, 10))
def test_all_distances_are_brute_force(n, k, seed):
    """The way for labels of many columns, in blocks that do not divide the queries."""
    rng = np.random.default_rng(seed)
    points, query = rng.standard_normal((n, 12)), rng.standard_normal((25, 12))
    k = min(k, n)
    exact = np.linalg.norm(query[:, None] - points, axis=2)
    distance, found = AllDistances(points).query(query, k)
    order = np.sort(exact, axis=1)[:, :k]
    assert np.allclose(distance.reshape(25, k), order)
    assert np.allclose(np.take_along_axis(exact, found.reshape(25, k), 1), order)


def test_labels_of_many_columns_find_the_nearest():
    rng = np.random.default_rng(0)
    labels = rng.standard_normal((300, 40)) + 1000
    assert (Nearest(labels)(labels.reshape(30, 10, 40)) == np.arange(300).reshape(30, 10)).all()


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


CLASSES = [(1, 2), (0, 5), (1, 2, 3, 4), (0, 1), (False, True), (7,)]


@pytest.mark.parametrize("values", CLASSES)
def test_a_uniform_prior_draws_every_class_alike_and_every_sample_of_it(values):
    """The peer's draw is wrong for classes with gaps or not from 0: {1, 2} gives 33.6 % of all
    draws to one sample, {0, 5} 67 % to one, and booleans are dropped."""
    classes = np.repeat(values, np.arange(1, len(values) + 1) * 6)
    labels = np.zeros((len(classes), 1))
    one = pool((len(classes),), labels, classes)
    chances = sum(alike((classes == v) / len(values)) for v in values) / len(values)
    for sampler in (DiscreteSampler(one, "uniform"), MixedSampler(one, "delta_normal", 1, 0.1)):
        rng = np.random.default_rng(1)
        assert agrees(sampler.references(rng, (100, 300)).ravel(), chances)
        assert agrees(sampler.negatives(rng, (100, 300)).ravel(), chances)


@pytest.mark.parametrize("values", CLASSES)
def test_an_empirical_prior_draws_every_sample_alike(values):
    classes = np.repeat(values, np.arange(1, len(values) + 1) * 6)
    one = pool((len(classes),), np.zeros((len(classes), 1)), classes)
    mixed = MixedSampler(one, "delta_normal", 1, 0.1, prior="empirical")
    for sampler in (DiscreteSampler(one), mixed):
        drawn = sampler.references(np.random.default_rng(2), (30_000,))
        assert agrees(drawn, alike(np.ones(len(classes))))


def test_an_unknown_prior_is_refused():
    with pytest.raises(DataError, match="prior must be one of 'empirical', 'uniform'; got 'flat'"):
        DiscreteSampler(pool((4,), classes=np.array([0, 0, 1, 1])), "flat")


def samplers(data):
    return [
        ContinuousSampler(data, "time_delta", 2, None),
        ContinuousSampler(data, "delta_normal", 2, 0.3),
        DiscreteSampler(data),
        MixedSampler(data, "time_delta", 2, None),
        MixedSampler(data, "delta_normal", 2, 0.3),
    ]


def labelled(seed, values=(1, 4), n=60, k=2):
    rng = np.random.default_rng(seed)
    return pool((n,), rng.standard_normal((n, k)), rng.choice(values, n))


def test_positives_are_the_answers_to_what_is_wanted():
    reference = np.arange(60).reshape(4, 15)
    for sampler in samplers(labelled(0)):
        rng = np.random.default_rng(3)
        query = sampler.wanted(rng, reference)
        assert sampler.has(query).all()
        assert sampler.has(query).shape == reference.shape
        found = sampler.find(rng, query)
        assert (found == sampler.positives(np.random.default_rng(3), reference)).all()


def test_another_recording_answers_by_brute_force():
    here, there = labelled(0), labelled(1, values=(4, 9), n=45)
    for asks, answers in zip(samplers(here), samplers(there), strict=True):
        query = asks.wanted(np.random.default_rng(5), np.arange(60))
        found = answers.find(np.random.default_rng(6), query.elsewhere())
        for i, sample in enumerate(found):
            may = np.ones(45, bool) if query.number is None else there.classes == query.number[i]
            assert answers.has(query)[i] == may.any()
            if not may.any():
                assert sample == NO_SAMPLE
                continue
            assert may[sample]
            if query.label is not None:
                gap = np.linalg.norm(there.continuous - query.label[i], axis=1)
                assert gap[sample] == gap[may].min()


def test_label_changes_can_come_from_all_recordings():
    data = labelled(0)
    far = np.array([[100.0, 100.0]])
    for kind in (ContinuousSampler, MixedSampler):
        sampler = kind(data, "time_delta", 2, None, changes=far)
        query = sampler.wanted(np.random.default_rng(0), np.arange(60))
        assert np.allclose(query.label, data.continuous + far)
        assert sampler.changes is far
    both = np.concatenate([label_changes(data, 2), label_changes(labelled(1), 2)])
    assert both.shape == (116, 2)


def test_queries_of_recordings_stack_and_deal():
    sampler = samplers(labelled(0))[3]
    rng = np.random.default_rng(0)
    queries = [sampler.wanted(rng, sampler.references(rng, (3, 5))) for _ in range(2)]
    stacked = Query.stack(queries)
    assert stacked.label.shape == (2, 3, 5, 2)
    dealt = stacked[[1, 0], [2, 2], [4, 0]]
    assert (dealt.label[0] == queries[1].label[2, 4]).all()
    assert dealt.number[1] == queries[0].number[2, 0]
    assert dealt.place is None
