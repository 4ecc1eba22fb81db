import numpy as np
import pytest
from scores_helpers import noise

from isofold.errors import DataError
from isofold.scores import beyond_labels

TRIALS = np.repeat(np.arange(40), 25)
LABEL = np.tile(np.arange(5), 200)
REST = noise(1000, 1, seed=3)
TRUTH = LABEL[:, None] + REST


def share(z, **options):
    return beyond_labels(z, TRUTH, LABEL, groups=TRIALS, **{"n_chance": 0, **options})


def test_labels_alone_are_zero_and_the_truth_is_one():
    assert share(LABEL[:, None]).value == pytest.approx(0, abs=0.02)
    assert share(TRUTH).value == pytest.approx(1)


def test_r2_of_labels_is_their_share_of_variance():
    expected = np.var(LABEL) / (np.var(LABEL) + 1)
    assert share(TRUTH).also["r2_labels"] == pytest.approx(expected, abs=0.03)


def test_within_label_is_what_is_left_after_label_means():
    half = LABEL[:, None] + REST + noise(1000, 1, seed=4)
    assert share(half).also["within_label"] == pytest.approx(0.5, abs=0.06)
    assert share(LABEL[:, None] + 0.01 * noise(1000, 1)).also["within_label"] < 0.02


def test_the_oracle_is_the_measure():
    oracle = TRUTH + 0.5 * noise(1000, 1, seed=5)
    assert share(oracle, oracle=oracle).value == pytest.approx(1)
    assert share(TRUTH, oracle=oracle).value > 1


def test_chance_keeps_the_labels_and_moves_the_rest():
    score = share(TRUTH + noise(1000, 1, seed=6), n_chance=40)
    assert score.p < 0.05
    assert score.chance_hi < 0.1
    only = share(LABEL[:, None] + 0.3 * noise(1000, 1, seed=7), n_chance=40)
    assert only.p > 0.02


def test_continuous_labels_and_several():
    position = np.random.default_rng(0).uniform(0, 1, 1000)
    truth = np.column_stack([np.sin(5 * position) + LABEL, REST[:, 0]])
    score = beyond_labels(truth, truth, [position, LABEL], groups=TRIALS, bins=10, n_chance=0)
    assert score.value == pytest.approx(1)
    assert 0.3 < score.also["r2_labels"] < 0.55  # all of one column, nothing of the other


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: beyond_labels(TRUTH, TRUTH, LABEL[:-1]), "1000 rows against 999"),
        (lambda: beyond_labels(TRUTH, LABEL.astype(float), LABEL), "nothing to gain"),
        (lambda: share(TRUTH, oracle=TRUTH[:-1]), "the oracle must have one row"),
        (lambda: beyond_labels(TRUTH, TRUTH, "position"), "xarray"),
    ],
)
def test_refuses(call, message):
    with pytest.raises(DataError, match=message):
        call()
