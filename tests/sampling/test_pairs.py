"""Batches of one and several recordings against brute force."""

from dataclasses import replace

import numpy as np
import pytest
from pools import agrees, pool

from isofold.errors import DataError
from isofold.models._contrast import samplers
from isofold.sampling import (
    AcrossTrialsSampler,
    ContinuousSampler,
    DealtPairs,
    DiscreteSampler,
    JoinedPairs,
    MixedSampler,
    OwnPairs,
    TimeSampler,
    label_changes,
)

STEPS, B, M = 40, 12, 9


def rng(seed=0):
    return np.random.default_rng(seed)


def two_columns(n, seed=0):
    return rng(seed).standard_normal((n, 2))


def parts(draw, sizes, objectives=1):
    """References, positives of each objective, negatives of each recording."""
    cuts = [np.arange(1, objectives + 2) * n for n in sizes]
    split = [np.split(d, cut, axis=1) for d, cut in zip(draw.drawn, cuts, strict=True)]
    return [s[0] for s in split], [s[1:-1] for s in split], [s[-1] for s in split]


def dealt_to(draw, reference, positive, k=0):
    """(step, reference of all): recording and sample of the positive of each reference."""
    owner = np.concatenate([np.full(r.shape[1], n) for n, r in enumerate(reference)])
    samples = np.concatenate([p[k] for p in positive], axis=1)
    partner = draw.partner[:, k]
    return owner[partner], np.take_along_axis(samples, partner, axis=1), owner


# -- dealing --------------------------------------------------------------------------------------


class Remembers:
    """A sampler that keeps what its references wished for."""

    def __init__(self, sampler):
        self._sampler = sampler

    def __getattr__(self, name):
        return getattr(self._sampler, name)

    def wanted(self, rng, reference):
        self.wish = self._sampler.wanted(rng, reference)
        return self.wish


def of_rule(p, rule):
    if rule == "discrete":
        return DiscreteSampler(p)
    if p.classes is None:
        return ContinuousSampler(p, "time_delta", 2, None)
    return MixedSampler(p, "time_delta", 2, None)


@pytest.mark.parametrize("rule", ["continuous", "discrete", "mixed"])
def test_partner_points_to_the_sample_that_answers_the_wish(rule):
    pools = []
    for n, seed in ((40, 1), (55, 2), (31, 3)):
        labels = two_columns(n, seed)
        pools.append(
            pool(
                (n // 2, n - n // 2),
                None if rule == "discrete" else labels,
                None if rule == "continuous" else np.arange(n) % 3,
            )
        )
    mine = [Remembers(of_rule(p, rule)) for p in pools]
    draw = DealtPairs([[s] for s in mine]).draw(rng(), STEPS, B, M)
    reference, positive, negative = parts(draw, [B] * 3)
    assert all(n.shape == (STEPS, M) for n in negative)
    where, sample, owner = dealt_to(draw, reference, positive)
    for step in range(STEPS):
        for i in range(3 * B):
            wish = mine[owner[i]].wish[step, i % B]
            there = pools[where[step, i]]
            found = sample[step, i]
            if wish.number is not None:
                assert there.classes[found] == wish.number
            if wish.label is not None:
                distance = ((there.continuous - wish.label) ** 2).sum(axis=1)
                if wish.number is not None:
                    distance[there.classes != wish.number] = np.inf
                assert distance[found] == distance.min()


def test_every_recording_answers_as_many_wishes_as_it_has_references():
    pools = [pool((n,), two_columns(n)) for n in (20, 35, 50)]
    draw = DealtPairs([[of_rule(p, "continuous")] for p in pools]).draw(rng(), 5, None, 0)
    assert [d.shape[1] for d in draw.drawn] == [60, 105, 150]
    assert (np.sort(draw.partner[:, 0], axis=1) == np.arange(105)).all()
    reference = [d[:, : d.shape[1] // 3] for d in draw.drawn]
    assert all((r == np.arange(r.shape[1])).all() for r in reference)


def test_wishes_are_dealt_uniformly():
    """Wish i lands in every place alike, and every step is dealt anew."""
    pools = [pool((30,), two_columns(30, seed)) for seed in (0, 1)]
    pairs = DealtPairs([[of_rule(p, "continuous")] for p in pools])
    partner = pairs.draw(rng(), 3000, 3, 1).partner[:, 0]
    for wish in range(6):
        assert agrees(partner[:, wish], np.full(6, 1 / 6))
    assert len(np.unique(partner, axis=0)) > 600  # of 6! = 720


def test_classes_are_dealt_only_to_recordings_that_have_them():
    a = pool((30,), classes=np.array([0, 1, 2] * 10))
    b = pool((30,), classes=np.array([0, 1, 7] * 10))
    c = pool((30,), classes=np.array([0, 7] * 15))
    pools = [a, b, c]
    draw = DealtPairs([[DiscreteSampler(p)] for p in pools]).draw(rng(), 400, 12, 1)
    reference, positive, _ = parts(draw, [12] * 3)
    where, sample, owner = dealt_to(draw, reference, positive)
    asked = np.concatenate([p.classes[r] for p, r in zip(pools, reference, strict=True)], axis=1)
    got = np.choose(where, [p.classes[sample % 30] for p in pools])
    assert (asked == got).all()
    assert set(np.unique(where[asked == 2])) == {0}
    assert set(np.unique(where[asked == 1])) == {0, 1}
    assert set(np.unique(where[asked == 7])) == {1, 2}
    # Within a class, the chance to leave home is that of the places of its group.
    assert set(np.unique(where[(asked == 0) & (owner == 0)])) == {0, 1, 2}


def test_time_objectives_stay_in_their_own_recording():
    pools = [pool((30, 20), two_columns(50)), pool((40,), two_columns(40, 5))]
    both = [[of_rule(p, "continuous"), TimeSampler(p, 3)] for p in pools]
    draw = DealtPairs(both).draw(rng(), STEPS, B, M)
    reference, positive, _ = parts(draw, [B, B], objectives=2)
    assert (draw.partner[:, 1] == np.arange(2 * B)).all()
    for r, p, q in zip(reference, positive, pools, strict=True):
        assert (p[1] == r + 3).all()
        segment = np.searchsorted(q.stop, r, side="right")
        assert (segment == np.searchsorted(q.stop, p[1], side="right")).all()
    assert (draw.partner[:, 0] != np.arange(2 * B)).any()


def test_label_changes_of_all_recordings_serve_each():
    slow, fast = np.arange(40.0)[:, None] * 0.01, np.arange(40.0)[:, None] * 5
    pools = [pool((40,), slow), pool((40,), fast)]
    objective = {
        "conditional": "time_delta", "time_offsets": 2, "delta": None, "prior": "empirical",
        "labels": ["x"],
    }  # fmt: skip
    made = samplers(pools, objective)
    expected = np.concatenate([label_changes(p, 2) for p in pools])
    for sampler, p in zip(made, pools, strict=True):
        assert (sampler.changes == expected).all()
        reference = np.full(4000, 7)
        change = sampler.wanted(rng(), reference).label - p.continuous[7]
        assert np.isclose(change, 0.02).mean() == pytest.approx(0.5, abs=0.05)
        assert np.isclose(change, 10).mean() == pytest.approx(0.5, abs=0.05)


# -- dealing across trials ------------------------------------------------------------------------


@pytest.mark.parametrize("same_trial", [False, True])
@pytest.mark.parametrize("fixed_partner", [False, True])
def test_across_trials_a_wish_goes_where_its_time_exists(same_trial, fixed_partner):
    """Trials of 10 and of 30 samples: late times have no answer in the recording of short ones."""
    pools = [pool((10, 10, 10)), pool((30, 30, 25))]
    mine = [
        AcrossTrialsSampler(
            p, "trial_time", time_window=2, same_trial=same_trial, fixed_partner=fixed_partner
        )
        for p in pools
    ]
    draw = DealtPairs([[s] for s in mine]).draw(rng(), 200, B, M)
    reference, positive, _ = parts(draw, [B, B])
    where, sample, owner = dealt_to(draw, reference, positive)
    place, trial = (
        np.concatenate([getattr(p, name)[r] for p, r in zip(pools, reference, strict=True)], 1)
        for name in ("place", "trial")
    )
    there, its_trial = (
        np.where(where == 0, getattr(pools[0], name)[sample % 30], getattr(pools[1], name)[sample])
        for name in ("place", "trial")
    )
    assert (np.abs(place - there) <= 2).all()
    home = where == owner
    if not same_trial:
        assert (trial != its_trial)[home].all()
    if fixed_partner:
        for n in range(2):
            pairs = {tuple(x) for x in np.stack([trial, its_trial], -1)[home & (owner == n)]}
            assert len(pairs) == len({a for a, _ in pairs})
    assert set(np.unique(where[place > 12])) == {1}
    assert {0, 1} == set(np.unique(where[(place < 8) & (owner == 1)]))


@pytest.mark.parametrize("rule", ["trial_time", "trial_delta", "trial_time_delta"])
def test_a_recording_of_one_trial_finds_other_trials_elsewhere(rule):
    one = pool((20,), two_columns(20), np.zeros(20, int))
    more = pool((20, 20, 20), two_columns(60, 1), np.zeros(60, int))
    objective = {
        "conditional": rule, "time_offsets": 1, "time_window": 3, "delta": 0.5,
        "same_trial": False, "balance": "samples", "prior": "empirical", "fixed_partner": False,
        "labels": ["x"],
    }  # fmt: skip
    made = samplers([one, more], objective)
    draw = DealtPairs([[s] for s in made]).draw(rng(), 100, B, M)
    reference, positive, _ = parts(draw, [B, B])
    where, sample, owner = dealt_to(draw, reference, positive)
    assert (sample >= 0).all()
    home = (where == owner) & (owner == 1)
    trial = np.concatenate([one.trial[reference[0]], more.trial[reference[1]]], axis=1)
    assert (more.trial[sample] != trial)[home].all()
    assert ((where == 1) & (owner == 0)).any()
    with pytest.raises(DataError, match="at least 2 trials; there is 1"):
        samplers([one], objective)


# -- own recording --------------------------------------------------------------------------------


def test_references_have_a_positive_of_every_objective():
    p = pool((6, 20, 4), two_columns(30))
    pairs = OwnPairs([[ContinuousSampler(p, "time_delta", 1, None), TimeSampler(p, 5)]])
    (drawn,), partner = pairs.draw(rng(), STEPS, 30, M)
    reference, _, later = np.split(drawn[:, :90], 3, axis=1)
    assert partner.shape == (STEPS, 0, 0)
    assert (later == reference + 5).all()
    valid = np.array([0, *range(6, 21)])
    assert agrees(reference.ravel(), np.isin(np.arange(30), valid) / len(valid))
    assert agrees(drawn[:, 90:].ravel(), np.full(30, 1 / 30))


def test_full_batches_hold_every_valid_reference_once():
    p = pool((6, 20, 4), two_columns(30))
    pairs = OwnPairs([[ContinuousSampler(p, "time_delta", 1, None), TimeSampler(p, 5)]])
    (drawn,), _ = pairs.draw(rng(), 2, None, 0)
    reference, _, later, negative = np.split(drawn, 4, axis=1)
    assert reference[0].tolist() == [0, *range(6, 21)]
    assert (later == reference + 5).all()
    assert (np.sort(negative, axis=1) == reference).all()
    assert (negative[0] != negative[1]).any()


def test_objectives_without_a_common_reference_are_an_error_not_a_loop():
    """Only the last samples of trials reach over trials; only the first have a later one."""
    p = pool((10, 12))
    late = replace(p, place=np.where(p.place >= 8, p.place, 1000 * (1 + p.sample)))
    across = AcrossTrialsSampler(late, "trial_time", time_window=0)
    with pytest.raises(DataError, match=r"2 objectives; .* none in common: use a smaller"):
        OwnPairs([[across, TimeSampler(p, 9)]])


# -- joined ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("classes", [False, True])
def test_joined_moments_have_the_nearest_labels(classes):
    pools = [
        pool((n,), two_columns(n, n), np.arange(n) % 2 if classes else None) for n in (40, 33, 27)
    ]
    mine = [Remembers(of_rule(p, "mixed")) for p in pools]
    draw = JoinedPairs(mine, pools).draw(rng(), 30, 20, 25)
    assert draw.partner.shape == (30, 0, 0)
    split = [np.split(d, [20, 40], axis=1) for d in draw.drawn]

    def nearest(p, label, number):
        distance = ((p.continuous - label) ** 2).sum(axis=1)
        if classes:
            distance[p.classes != number] = np.inf
        return distance.argmin()

    for part in (0, 2):  # references and negatives: some recording's sample, the others' nearest
        owners = set()
        for entry in np.ndindex(split[0][part].shape):
            at = [s[part][entry] for s in split]
            fits = [
                all(
                    at[m] == nearest(
                        q, p.continuous[at[n]], p.classes[at[n]] if classes else None
                    )
                    for m, q in enumerate(pools)
                )
                for n, p in enumerate(pools)
            ]  # fmt: skip
            assert any(fits)
            owners |= {n for n, fit in enumerate(fits) if fit}
        assert owners == {0, 1, 2}
    for entry in np.ndindex(30, 20):  # positives: all answer one recording's wish
        at = [s[1][entry] for s in split]
        wishes = [s.wish[entry] for s in mine]
        assert any(
            all(at[m] == nearest(q, w.label, w.number) for m, q in enumerate(pools)) for w in wishes
        )


def test_joined_discrete_moments_have_one_class():
    pools = [pool((30,), classes=np.arange(30) % 3), pool((44,), classes=np.arange(44) % 3)]
    draw = JoinedPairs([DiscreteSampler(p) for p in pools], pools).draw(rng(), 50, 10, 15)
    a, b = (p.classes[d] for p, d in zip(pools, draw.drawn, strict=True))
    assert (a == b).all()
    assert (a[:, :10] == a[:, 10:20]).all()
    for p, d in zip(pools, draw.drawn, strict=True):
        # Its own picks are uniform over samples, those for the others uniform in their class.
        assert set(np.unique(d)) == set(range(len(p.classes)))


def test_joined_across_trials_falls_back_to_the_nearest_label():
    pools = [pool((10, 10), two_columns(20)), pool((30, 30), two_columns(60, 1))]
    mine = [AcrossTrialsSampler(p, "trial_time_delta", time_window=1, delta=0.1) for p in pools]
    draw = JoinedPairs(mine, pools).draw(rng(), 50, 20, 5)
    assert all((d >= 0).all() for d in draw.drawn)


def test_joined_needs_every_class_everywhere():
    pools = [pool((9,), classes=np.arange(9) % 3), pool((8,), classes=np.arange(8) % 2)]
    with pytest.raises(DataError, match="recording number 1 has 2 of 3: drop the samples"):
        JoinedPairs([DiscreteSampler(p) for p in pools], pools)
