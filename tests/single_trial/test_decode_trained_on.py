"""Decoding of trials by a classifier that other, named trials train."""

import numpy as np
import pytest

from isofold.errors import DataError
from isofold.single_trial import decode_trials


def data(n=80, size=1.0, seed=0):
    rng = np.random.default_rng(seed)
    cue = np.tile(["go", "stop"], n // 2)
    x = rng.normal(size=(n, 10, 2))
    x[cue == "go", 4:] += size
    return x, cue


def test_only_the_others_are_asked():
    x, cue = data()
    train = np.arange(80) < 50
    score = decode_trials(x, cue, train=train, n_chance=50)
    assert sorted(score.parts.index.get_level_values("trial")) == list(range(50, 80))
    assert score.value == pytest.approx(score.parts.mean())
    assert score.value > 0.9 > score.chance_hi
    assert abs(score.chance_mean - 0.5) < 0.1


def test_what_is_asked_changes_nothing_of_the_training():
    x, cue = data()
    train = np.arange(80) < 50
    before = decode_trials(x, cue, train=train, n_chance=0).parts
    changed = x.copy()
    changed[60:] = 1e3  # trials that are asked, and not the first ten of them
    after = decode_trials(changed, cue, train=train, n_chance=0).parts
    assert (before.iloc[:10].to_numpy() == after.iloc[:10].to_numpy()).all()


def test_groups_are_averaged():
    x, cue = data()
    train, animal = np.arange(80) < 50, np.repeat(["a", "b"], [55, 25])
    score = decode_trials(x, cue, groups=animal, train=train, n_chance=0)
    means = score.parts.groupby("group").mean()
    assert list(means.index) == ["a", "b"]
    assert score.value == pytest.approx(means.mean())


def test_null_labels_are_at_chance():
    values = []
    for seed in range(30):
        x, cue = data(size=0.0, seed=seed)
        values.append(decode_trials(x, cue, train=np.arange(80) < 50, n_chance=20).p)
    assert np.mean(np.array(values) <= 0.2) <= 0.45  # .2 in truth; 30 draws


@pytest.mark.parametrize(
    ("train", "message"),
    [
        (np.zeros(80, bool), "0 of 80"),
        (np.ones(80, bool), "80 of 80"),
        (np.arange(80), "whether it trains"),
        (np.arange(80) % 80 == 0, "two classes or more"),
    ],
)
def test_refusals(train, message):
    x, cue = data()
    with pytest.raises(DataError, match=message):
        decode_trials(x, cue, train=train, n_chance=0)
