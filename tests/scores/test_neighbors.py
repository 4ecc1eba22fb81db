"""Trustworthiness and continuity against scikit-learn and by brute force."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from scores_helpers import embedding, noise
from sklearn import manifold

from isofold.errors import DataError, MissingValuesError
from isofold.scores import continuity, trustworthiness
from isofold.scores._graph import geodesics, joined, neighbor_graph, pieces
from isofold.scores._ranks import nearest, ranks, thinned

SIGNAL = noise(150, 6, seed=1)
Z = SIGNAL[:, :2] + 0.3 * noise(150, 2, seed=2)
TRIALS = np.repeat(np.arange(10), 15)


@pytest.mark.parametrize("k", [1, 5, 30])
def test_equals_scikit_learn(k):
    found = trustworthiness(Z, SIGNAL, k, n_chance=0)
    assert found.value == pytest.approx(manifold.trustworthiness(SIGNAL, Z, n_neighbors=k))
    swapped = continuity(Z, SIGNAL, k, n_chance=0)
    assert swapped.value == pytest.approx(manifold.trustworthiness(Z, SIGNAL, n_neighbors=k))


def test_equals_the_definition_written_out():
    n, k, total = 20, 3, 0
    far, near = cdist(SIGNAL[:n], SIGNAL[:n]), cdist(Z[:n], Z[:n])
    for i in range(n):
        others = [j for j in range(n) if j != i]
        order = sorted(others, key=lambda j: far[i, j])
        for j in sorted(others, key=lambda j: near[i, j])[:k]:
            total += max(0, order.index(j) + 1 - k)
    expected = 1 - 2 / (n * k * (2 * n - 3 * k - 1)) * total
    assert trustworthiness(Z[:n], SIGNAL[:n], k, n_chance=0).value == pytest.approx(expected)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1000), scale=st.floats(1e-3, 1e3), k=st.integers(1, 20))
def test_rotation_scale_and_shift_change_nothing(seed, scale, k):
    turn = np.linalg.qr(noise(2, 2, seed=seed))[0]
    moved = scale * (Z @ turn + noise(1, 2, seed=seed))
    for score in (trustworthiness, continuity):
        one, other = (score(x, SIGNAL, k, n_chance=0).value for x in (Z, moved))
        assert one == pytest.approx(other, abs=1e-9)
        assert 0 <= one <= 1


def test_parts_are_trials_and_mean_to_the_value():
    score = trustworthiness(Z, SIGNAL, groups=TRIALS, n_chance=0)
    assert score.parts.index.name == "trial"
    assert len(score.parts) == 10
    assert score.parts.mean() == pytest.approx(score.value)  # trials of one length
    assert score.interval[0] < score.value < score.interval[1]
    held = trustworthiness(embedding(Z, TRIALS), SIGNAL, n_chance=0)
    assert (held.parts == score.parts).all()


def test_chance_is_one_half_and_is_found():
    score = trustworthiness(Z, SIGNAL, n_chance=50)
    assert score.chance_mean == pytest.approx(0.5, abs=0.03)
    assert score.value > score.chance_hi
    for of_noise in (
        trustworthiness(noise(150, 2, 7), SIGNAL),
        continuity(noise(150, 2, 7), SIGNAL),
    ):
        assert of_noise.p > 0.02
        assert of_noise.value == pytest.approx(0.5, abs=0.05)


def test_equal_samples_are_no_false_neighbours_and_do_not_raise_chance():
    """Half of the bins are silent: in which order they stand must not count."""
    silent = np.where(np.arange(150)[:, None] % 2 == 0, 0.0, SIGNAL)
    assert trustworthiness(silent, silent, n_chance=0).value == 1
    assert continuity(2 * silent, silent, n_chance=0).value == 1
    torn = trustworthiness(silent, SIGNAL, n_chance=30)
    assert torn.chance_mean == pytest.approx(0.5145, abs=0.02)  # (n − k)(n − 1 − k) in closed form


def test_a_collapsed_embedding_is_at_chance():
    for z in (np.zeros((150, 2)), np.full((150, 1), 7.0)):
        assert trustworthiness(z, SIGNAL, n_chance=0).value == pytest.approx(0.51, abs=0.04)


def test_chance_keeps_what_slow_change_alone_gives():
    """Neighbours in time are neighbours in any slow signal: chance is above one half there."""
    slow = [np.cumsum(noise(400, 2, seed=s), axis=0) for s in (0, 1)]
    score = trustworthiness(*slow, n_chance=20)
    assert score.chance_mean > 0.6
    assert score.p > 0.02


def test_tearing_and_folding_are_told_apart():
    angle = np.random.default_rng(0).uniform(0, 2 * np.pi, 400)
    circle = np.column_stack([np.cos(angle), np.sin(angle)])
    torn, folded = angle[:, None], circle[:, :1]
    assert trustworthiness(torn, circle, n_chance=0).value > 0.999
    assert continuity(torn, circle, n_chance=0).value < 0.998
    assert continuity(folded, circle, n_chance=0).value > 0.95
    assert trustworthiness(folded, circle, n_chance=0).value < 0.8


def test_long_input_is_thinned_evenly_and_says_so():
    score = trustworthiness(Z, SIGNAL, max_samples=60, n_chance=0)
    keep = np.linspace(0, 149, 60).round().astype(int)
    expected = manifold.trustworthiness(SIGNAL[keep], Z[keep], n_neighbors=10)
    assert score.value == pytest.approx(expected)
    assert score.settings["n_samples"] == 60
    assert thinned(5, 10).tolist() == [0, 1, 2, 3, 4]


def test_samples_outside_trials_do_not_count():
    trials = np.where(np.arange(150) < 30, -1, TRIALS)
    inside = trustworthiness(Z, SIGNAL, groups=trials, n_chance=0).value
    assert inside == pytest.approx(trustworthiness(Z[30:], SIGNAL[30:], n_chance=0).value)


@pytest.mark.parametrize("score", [trustworthiness, continuity])
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"z": Z[:-1]}, "149 rows against 150"),
        ({"n_neighbors": 0}, "less than half of the 150 samples, got 0"),
        ({"n_neighbors": 75}, "less than half of the 150 samples, got 75"),
        ({"max_samples": 12}, "less than half of the 12 samples, got 10"),
        ({"groups": TRIALS[:9]}, "each of the 150 samples"),
        ({"z": np.empty((0, 2))}, "not empty"),
        ({"original": [["a"]] * 150}, "original must be numbers"),
    ],
)
def test_refuses(score, change, message):
    with pytest.raises(DataError, match=message):
        score(**{"z": Z, "original": SIGNAL, **change})


def test_missing_values_are_named():
    broken = SIGNAL.copy()
    broken[4, 1] = np.nan
    with pytest.raises(MissingValuesError, match=r"original must be finite.*sample 4, column 1"):
        trustworthiness(Z, broken)


# -- what stands under it -------------------------------------------------------------------------


def test_ranks_and_neighbours_by_brute_force():
    distance = cdist(SIGNAL, SIGNAL)
    rank = ranks(SIGNAL)
    assert (rank.diagonal() == 0).all()
    for i in (0, 77):
        order = sorted((d, j) for j, d in enumerate(distance[i]) if j != i)
        assert [rank[i, j] for _, j in order] == list(range(1, 150))
        assert nearest(SIGNAL, 4)[i].tolist() == [j for _, j in order[:4]]


def test_pieces_are_joined_by_their_shortest_bridges():
    rows = np.array([[0.0], [1.0], [2.0], [10.0], [11.0], [30.0], [31.5]])
    graph = neighbor_graph(rows, 1)
    assert pieces(graph).tolist() == [0, 0, 0, 1, 1, 2, 2]
    assert np.isinf(geodesics(graph)[0, 3])
    one = geodesics(joined(graph, rows))
    assert one[0, 6] == pytest.approx(31.5)  # along the line, by the bridges 2–10 and 11–30


def test_equal_rows_are_connected():
    rows = np.concatenate([np.zeros((6, 2)), np.ones((6, 2))])
    one = joined(neighbor_graph(rows, 2), rows)
    assert pieces(one).max() == 0
    assert geodesics(one)[0, 11] == pytest.approx(np.sqrt(2))
