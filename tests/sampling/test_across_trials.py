"""Positives across trials against brute force: who may answer, how often, in which trial."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pools import agrees, alike, pool

from isofold.errors import DataError
from isofold.sampling import ACROSS_TRIALS, NO_SAMPLE, AcrossTrialsSampler

LABELLED = ACROSS_TRIALS[1:]


def trial_labels(data):
    """Mean label of each sample's trial, of its class; by loops."""
    out = np.empty_like(data.continuous)
    classes = np.zeros(len(data.trial)) if data.classes is None else data.classes
    for i in range(len(out)):
        same = (data.trial == data.trial[i]) & (classes == classes[i])
        out[i] = data.continuous[same].mean(axis=0)
    return out


def chances(data, conditional, reference, label, window, same_trial=False, balance="samples",
            partner=None):  # fmt: skip
    """(sample,) chance of each to be the positive of a reference, given the wanted label."""
    may = np.ones(len(data.trial), bool)
    if conditional != "trial_delta":
        may &= np.abs(data.place - data.place[reference]) <= window
    if data.classes is not None:
        may &= data.classes == data.classes[reference]
    if not same_trial:
        may &= data.trial != data.trial[reference]
    if partner is not None:
        may &= data.trial == partner
    if conditional != "trial_time" and may.any():
        of = data.continuous if conditional == "trial_time_delta" else trial_labels(data)
        gap = np.linalg.norm(of - label, axis=1)
        may &= gap <= gap[may].min() + 1e-9
    if balance == "samples":
        return alike(may.astype(float))
    weight = [may[data.trial == t].sum() for t in data.trial]
    return alike(np.where(may, 1 / np.maximum(weight, 1), 0))


@st.composite
def gappy(draw):
    """Trials of unequal length with gaps, labels with many ties, a few classes or none."""
    lengths = draw(st.lists(st.integers(1, 9), min_size=2, max_size=6))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    n = sum(lengths)
    columns = draw(st.integers(1, 2))
    labels = rng.integers(0, draw(st.integers(1, 6)), (n, columns)) / 2
    if draw(st.booleans()):
        labels = np.repeat(rng.integers(0, 3, (len(lengths), columns)) / 2.0, lengths, axis=0)
    classes = rng.choice([1, 4, 5], n) if draw(st.booleans()) else None
    gaps = rng.random(n) < draw(st.sampled_from([0.0, 0.4]))
    gaps[0] = False
    return pool(lengths, labels, classes, gaps)


@settings(max_examples=150, deadline=None)
@given(
    gappy(),
    st.sampled_from(ACROSS_TRIALS),
    st.integers(0, 6),
    st.booleans(),
    st.sampled_from(["samples", "trials"]),
)
def test_positives_are_those_of_brute_force(data, conditional, window, same_trial, balance):
    n = len(data.trial)
    label = np.zeros(data.continuous.shape[1])
    every = [chances(data, conditional, r, label, window, same_trial).any() for r in range(n)]
    arguments = (data, conditional, window, 0.7, same_trial, balance)
    if not any(every):
        with pytest.raises(DataError, match=r"at least 2 trials|no sample has a possible positive"):
            AcrossTrialsSampler(*arguments)
        return
    sampler = AcrossTrialsSampler(*arguments)
    assert sampler.all_references().tolist() == np.flatnonzero(every).tolist()
    rng = np.random.default_rng(0)
    reference = np.tile(np.arange(n), (8, 1))
    query = sampler.wanted(rng, reference)
    found = sampler.find(rng, query)
    assert (sampler.has(query) == every).all()
    for row, r in np.ndindex(reference.shape):
        if not every[r]:
            assert found[row, r] == NO_SAMPLE
            continue
        wanted = None if query.label is None else query.label[row, r]
        right = chances(data, conditional, r, wanted, window, same_trial, balance)
        assert right[found[row, r]] > 0
    positive = sampler.positives(rng, reference)
    assert (positive[:, ~np.array(every)] == reference[:, ~np.array(every)]).all()


def fixed(conditional, with_classes):
    """Six trials of unequal length with gaps; two of them, and two samples in each, tie."""
    rng = np.random.default_rng(4)
    lengths = (7, 9, 9, 4, 8, 9)
    labels = np.repeat([0.0, 1.0, 1.0, 2.0, 4.0, 4.0], lengths)[:, None]
    if conditional == "trial_time_delta":
        labels = labels + np.concatenate([np.arange(n) // 2 for n in lengths])[:, None]
    classes = None
    if with_classes:
        classes = np.concatenate([np.arange(n) % 2 + 3 for n in lengths])
    return pool(lengths, labels, classes, rng.random(sum(lengths)) < 0.15)


@pytest.mark.parametrize("balance", ["samples", "trials"])
@pytest.mark.parametrize("with_classes", [False, True])
@pytest.mark.parametrize("same_trial", [False, True])
@pytest.mark.parametrize("conditional", ACROSS_TRIALS)
def test_positives_have_the_chances_of_brute_force(conditional, same_trial, with_classes, balance):
    data = fixed(conditional, with_classes)
    sampler = AcrossTrialsSampler(data, conditional, 2, 0.0, same_trial, balance)
    rng = np.random.default_rng(0)
    of = data.continuous if conditional == "trial_time_delta" else trial_labels(data)
    for reference in sampler.all_references()[::5]:
        drawn = sampler.positives(rng, np.full(4000, reference))
        right = chances(data, conditional, reference, of[reference], 2, same_trial, balance)
        assert agrees(drawn, right)


@pytest.mark.parametrize("conditional", LABELLED)
def test_the_wanted_label_is_gaussian(conditional):
    rng = np.random.default_rng(0)
    trials = np.linspace(0, 1, 4001)
    data = pool((1,) * 4001, trials[:, None])
    sampler = AcrossTrialsSampler(data, conditional, 0, 0.05)
    moved = trials[sampler.positives(rng, np.full(20_000, 2000))] - 0.5
    assert abs(moved.mean()) < 4 * 0.05 / np.sqrt(20_000)
    assert abs(moved.std() / 0.05 - 1) < 4 / np.sqrt(2 * 20_000)
    query = sampler.wanted(rng, np.arange(4001)).label - data.continuous
    assert abs(query.std() / 0.05 - 1) < 4 / np.sqrt(2 * 4001)


@pytest.mark.parametrize("values", [(1, 2), (0, 5), (1, 2, 3, 4), (False, True)])
@pytest.mark.parametrize("prior", ["empirical", "uniform", "trials"])
def test_references_and_negatives_are_weighed_as_asked(prior, values):
    rng = np.random.default_rng(2)
    lengths = (10, 4, 10, 7)
    classes = rng.choice(values, sum(lengths), p=alike(np.arange(1.0, 1 + len(values))))
    data = pool(lengths, classes=classes)
    sampler = AcrossTrialsSampler(data, "trial_time", 1, prior=prior)
    possible = sampler.all_references()
    assert 0 < len(possible) < sum(lengths)
    part = {"empirical": np.zeros(sum(lengths)), "uniform": classes, "trials": data.trial}[prior]
    for draw, among in ((sampler.references, possible), (sampler.negatives, np.arange(31))):
        may = np.isin(np.arange(31), among)
        chances = sum(alike((may & (part == p)).astype(float)) for p in np.unique(part[among]))
        assert agrees(draw(rng, (40, 1000)).ravel(), alike(chances))


@pytest.mark.parametrize("with_classes", [False, True])
@pytest.mark.parametrize("conditional", ACROSS_TRIALS)
def test_a_fixed_partner_is_one_trial_for_good(conditional, with_classes):
    data = fixed(conditional, with_classes)
    make = lambda seed: AcrossTrialsSampler(  # noqa: E731
        data, conditional, 2, 0.3, fixed_partner=True, seed=seed
    )
    sampler, again = make(1), make(1)
    rng = np.random.default_rng(0)
    reference = sampler.references(rng, (20_000,))
    query = sampler.wanted(rng, reference)
    positive = sampler.find(rng, query)
    assert (positive != NO_SAMPLE).all()
    piece = data.trial * 10 + (0 if data.classes is None else data.classes)
    partner = data.trial[positive]
    for p in np.unique(piece[reference]):
        mine = piece[reference] == p
        assert len(set(partner[mine])) == 1
    assert (partner != data.trial[reference]).all()
    later = again.positives(np.random.default_rng(9), reference)
    assert (data.trial[later] == partner).all()
    others = [tuple(make(s).wanted(rng, np.arange(len(data.trial))).within) for s in range(8)]
    assert len(set(others)) > 1
    for i in range(0, 20_000, 200):
        wanted = None if query.label is None else query.label[i]
        right = chances(data, conditional, reference[i], wanted, 2, partner=partner[i])
        assert right[positive[i]] > 0


def test_a_fixed_partner_is_drawn_by_the_rule():
    """With spread 0 it is the only trial with the nearest label; by time, any of the others."""
    labels = np.repeat([0.0, 0.1, 5.0, 5.1], 6)[:, None]
    data = pool((6,) * 4, labels)
    for conditional in LABELLED:
        sampler = AcrossTrialsSampler(data, conditional, 1, 0.0, fixed_partner=True)
        partner = sampler.wanted(np.random.default_rng(0), np.arange(0, 24, 6)).within
        assert partner.tolist() == [1, 0, 3, 2]
    seen = [
        AcrossTrialsSampler(data, "trial_time", fixed_partner=True, seed=s)
        .wanted(np.random.default_rng(0), np.array([0])).within[0]
        for s in range(300)
    ]  # fmt: skip
    assert agrees(np.array(seen), np.array([0, 1, 1, 1]) / 3)


def test_trials_of_one_condition_all_take_part():
    """The peer's search always returns the first of trials with equal labels."""
    labels = np.repeat(np.repeat([0.1, 0.7, 0.3], 10), 5)[:, None]
    data = pool((5,) * 30, labels)
    for conditional in LABELLED:
        sampler = AcrossTrialsSampler(data, conditional, 5, 0.01)
        drawn = sampler.positives(np.random.default_rng(0), np.full(9000, 52))
        same = (data.trial >= 10) & (data.trial < 20) & (data.trial != 10)
        assert agrees(data.trial[drawn], alike(np.bincount(data.trial[same], minlength=30)))


def test_a_mean_that_rounds_does_not_part_equal_trials():
    labels = np.repeat([0.1, 0.1, 0.1, 9.0], (3, 7, 11, 5))[:, None]
    data = pool((3, 7, 11, 5), labels)
    sampler = AcrossTrialsSampler(data, "trial_delta", delta=1e-6, balance="trials")
    drawn = sampler.positives(np.random.default_rng(0), np.zeros(4000, int))
    assert agrees(data.trial[drawn], np.array([0, 1, 1, 0]) / 2)


@settings(max_examples=40, deadline=None)
@given(gappy(), gappy(), st.sampled_from(ACROSS_TRIALS), st.integers(0, 3))
def test_another_recording_answers_by_brute_force(here, there, conditional, window):
    assume(here.continuous.shape[1] == there.continuous.shape[1])
    assume((here.classes is None) == (there.classes is None))
    asks, answers = (AcrossTrialsSampler(d, conditional, window, 0.5, True) for d in (here, there))
    rng = np.random.default_rng(0)
    reference = np.arange(len(here.trial))
    query = asks.wanted(rng, reference).elsewhere()
    assert query.other_than is None
    found, has = answers.find(rng, query), answers.has(query)
    of = there.continuous if conditional == "trial_time_delta" else trial_labels(there)
    for i in reference:
        may = np.ones(len(there.trial), bool)
        if conditional != "trial_delta":
            may &= np.abs(there.place - here.place[i]) <= window
        if there.classes is not None:
            may &= there.classes == here.classes[i]
        assert has[i] == may.any() == (found[i] != NO_SAMPLE)
        if may.any():
            assert may[found[i]]
            if conditional != "trial_time":
                gap = np.linalg.norm(of - query.label[i], axis=1)
                assert gap[found[i]] <= gap[may].min() + 1e-9


def test_pools_with_repeated_samples_are_drawn_from_as_they_are():
    """A pool that rotates may hold one stretch twice."""
    one = pool((6, 6, 6))
    twice = type(one)(
        **{**vars(one), "trial": np.tile(one.trial[:9], 2), "place": np.tile(one.place[:9], 2)}
    )
    sampler = AcrossTrialsSampler(twice, "trial_time", 1)
    for reference in sampler.all_references():
        drawn = sampler.positives(np.random.default_rng(0), np.full(2000, reference))
        assert agrees(drawn, chances(twice, "trial_time", reference, None, 1))


@pytest.mark.parametrize("conditional", ACROSS_TRIALS)
def test_draws_repeat_with_the_seed(conditional):
    sampler = AcrossTrialsSampler(fixed(conditional, True), conditional, 2, 0.5)
    once, again = (
        [sampler.references(rng, (3, 40)), sampler.positives(rng, np.full((3, 40), 20)),
         sampler.negatives(rng, (3, 40))]
        for rng in (np.random.default_rng(5), np.random.default_rng(5))
    )  # fmt: skip
    assert np.array_equal(once, again)


def test_labels_of_many_columns():
    rng = np.random.default_rng(0)
    data = pool((5,) * 8, np.repeat(rng.standard_normal((8, 30)), 5, axis=0))
    for conditional in LABELLED:
        sampler = AcrossTrialsSampler(data, conditional, 1, 0.2)
        query = sampler.wanted(rng, np.arange(40))
        for r, found in enumerate(sampler.find(rng, query)):
            assert chances(data, conditional, r, query.label[r], 1)[found] > 0


LONG = pool((5, 5, 5), np.arange(15.0)[:, None], np.repeat([0, 1, 2], 5))


@pytest.mark.parametrize(
    ("data", "settings_", "message"),
    [
        (LONG, {"conditional": "time"}, "conditional must be one of 'trial_time', .*got 'time'"),
        (LONG, {"conditional": "trial_delta"}, "needs delta, .*got delta=None"),
        (LONG, {"conditional": "trial_time_delta", "delta": -1.0}, "needs delta.*got delta=-1"),
        (LONG, {"conditional": "trial_delta", "delta": np.nan}, "needs delta.*got delta=nan"),
        (LONG, {"time_window": -1}, "0 or more; got -1"),
        (LONG, {"balance": "classes"}, "balance must be one of 'samples', 'trials'"),
        (pool((5, 5)), {"prior": "uniform"}, "there is no discrete label"),
        (pool((5, 5)), {"prior": "balanced"}, "prior must be one of"),
        (pool((5, 5)), {"conditional": "trial_delta", "delta": 1.0}, "there is no continuous"),
        (pool((5,)), {}, "at least 2 trials; there is 1"),
        (LONG, {"time_window": 2}, "no sample has a possible positive .* time_window=2 .*3 trials"),
    ],
)
def test_impossible_settings_say_what_to_do(data, settings_, message):
    with pytest.raises(DataError, match=message):
        AcrossTrialsSampler(data, **{"conditional": "trial_time", **settings_})


def test_one_trial_will_do_if_it_may_answer_itself():
    sampler = AcrossTrialsSampler(pool((5,)), "trial_time", 1, same_trial=True)
    drawn = sampler.positives(np.random.default_rng(0), np.full(300, 4))
    assert set(drawn) == {3, 4}
