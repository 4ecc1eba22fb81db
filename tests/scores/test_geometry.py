"""Geodesic correlation, CKA and CCA: brute force, invariances, chance."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse.csgraph import shortest_path
from scipy.spatial.distance import cdist
from scipy.stats import spearmanr
from scores_helpers import embedding, laps, noise
from sklearn.cross_decomposition import CCA
from sklearn.neighbors import kneighbors_graph

from isofold.errors import DataError, MissingValuesError
from isofold.scores import cca, cka, geodesic_correlation

TRIALS = np.repeat(np.arange(10), 30)
A = noise(300, 3, seed=5)
B = A @ np.array([[1.0, 0.5, 0.0, 1.0], [0.3, -1.0, 0.2, 0.0], [0, 0, 0, 1]]) + noise(300, 4)


def spiral(n=300, seed=0):
    turn = np.sort(np.random.default_rng(seed).uniform(1, 4 * np.pi, n))
    return turn, np.column_stack([turn * np.cos(turn), turn * np.sin(turn)])


# -- geodesic correlation -------------------------------------------------------------------------


@pytest.mark.parametrize("distance", ["euclidean", "geodesic"])
def test_geodesic_correlation_by_hand(distance):
    _, truth = spiral(80)
    z = truth + 0.1 * noise(80, 2)

    def paths(rows):
        return shortest_path(kneighbors_graph(rows, 6, mode="distance"), directed=False)

    apart = cdist(z, z) if distance == "euclidean" else paths(z)
    upper = np.triu_indices(80, 1)
    expected = spearmanr(paths(truth)[upper], apart[upper]).statistic
    found = geodesic_correlation(z, truth, n_neighbors=6, distance=distance, n_chance=0)
    assert found.value == pytest.approx(expected)
    assert found.also["share"] == 1


def test_unrolling_a_spiral_is_better_than_leaving_it_rolled():
    turn, truth = spiral()
    length = turn**2 / 2
    assert geodesic_correlation(length, truth, n_chance=0).value > 0.99
    assert geodesic_correlation(truth, truth, n_chance=0).value < 0.8
    assert geodesic_correlation(truth, truth, distance="geodesic", n_chance=0).value == 1


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 1000), scale=st.floats(1e-3, 1e3))
def test_geodesic_correlation_knows_no_rotation_or_scale(seed, scale):
    _, truth = spiral(60)
    z = truth + noise(60, 2)
    turn = np.linalg.qr(noise(2, 2, seed=seed))[0]
    found = [
        geodesic_correlation(a, b, n_chance=0).value
        for a, b in ((z, truth), (scale * z @ turn + 3, truth), (z, scale * truth @ turn))
    ]
    assert found == pytest.approx([found[0]] * 3, abs=1e-9)


def test_geodesic_correlation_beside_chance_and_by_trial():
    turn, truth = spiral()
    order = np.random.default_rng(0).permutation(300)
    score = geodesic_correlation(turn[order], truth[order], TRIALS, n_chance=20)
    assert score.value > score.chance_hi
    assert abs(score.chance_mean) < 0.1
    assert len(score.parts) == 10
    assert score.parts.min() > 0.9
    of_noise = geodesic_correlation(noise(300, 2), truth[order], TRIALS, n_chance=50)
    assert of_noise.p > 0.02


def test_the_largest_piece_is_scored_and_its_share_told():
    turn, truth = spiral()
    apart = np.where(np.arange(300)[:, None] < 60, truth + 1000, truth)
    score = geodesic_correlation(turn**2, apart, n_chance=0)
    assert score.also["share"] == 0.8
    assert score.value == pytest.approx(
        geodesic_correlation(turn[60:] ** 2, truth[60:], n_chance=0).value
    )
    scattered = truth + 1000 * (np.arange(300) // 30)[:, None]
    with pytest.raises(DataError, match="connects only 30 of 300 samples; raise n_neighbors"):
        geodesic_correlation(turn, scattered)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"distance": "city"}, "distance must be one of"),
        ({"n_neighbors": 300}, "less than the 300 samples .* got 300"),
        ({"n_neighbors": 0}, "got 0"),
        ({"max_samples": 2, "n_neighbors": 1}, "3 or more"),
        ({"z": A[:-1]}, "299 rows against 300"),
    ],
)
def test_geodesic_correlation_refuses(change, message):
    with pytest.raises(DataError, match=message):
        geodesic_correlation(**{"z": A, "truth": B, **change})


# -- CKA ------------------------------------------------------------------------------------------


def kernels(a, b):
    return [(x - x.mean(axis=0)) @ (x - x.mean(axis=0)).T for x in (a, b)]


def test_cka_is_the_alignment_of_centred_kernels():
    k, l = kernels(A, B)
    expected = np.sum(k * l) / np.sqrt(np.sum(k * k) * np.sum(l * l))
    assert cka(A, B, n_chance=0).value == pytest.approx(expected)


def test_debiased_cka_is_that_of_kernels_without_diagonal():
    def hsic(k, l):
        n = len(k)
        k, l = (m - np.diag(np.diag(m)) for m in (k, l))
        one = np.ones(n)
        total = (one @ k @ one) * (one @ l @ one) / ((n - 1) * (n - 2))
        return (np.trace(k @ l) + total - 2 / (n - 2) * one @ k @ l @ one) / (n * (n - 3))

    k, l = kernels(A[:40], B[:40])
    expected = hsic(k, l) / np.sqrt(hsic(k, k) * hsic(l, l))
    assert cka(A[:40], B[:40], debiased=True, n_chance=0).value == pytest.approx(expected)


def test_only_the_debiased_cka_of_noise_is_zero():
    draws = [
        [
            cka(noise(30, 20, (s, 0)), noise(30, 20, (s, 1)), debiased=d, n_chance=0).value
            for d in (0, 1)
        ]
        for s in range(20)
    ]
    plain, debiased = np.mean(draws, axis=0)
    assert plain > 0.3
    assert abs(debiased) < 3 * np.std(draws, axis=0)[1] / np.sqrt(20)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 1000), scale=st.floats(1e-3, 1e3), debiased=st.booleans())
def test_cka_knows_no_rotation_scale_shift_or_order(seed, scale, debiased):
    turn = np.linalg.qr(noise(4, 4, seed=seed))[0]
    moved = scale * B @ turn + noise(1, 4, seed=seed)
    options = {"debiased": debiased, "n_chance": 0}
    one, other, swapped = (cka(*pair, **options).value for pair in ((A, B), (A, moved), (moved, A)))
    assert [other, swapped] == pytest.approx([one, one], abs=1e-6)


def test_cka_weighs_by_variance_and_cca_does_not():
    wide = A * [10, 1, 1]
    assert cka(wide, A, n_chance=0).value < 0.8
    assert cca(wide, A, n_chance=0).value == pytest.approx(1)


def test_cka_beside_chance_with_an_interval():
    score = cka(A, B, TRIALS)
    assert score.value > score.chance_hi
    assert score.interval[0] < score.value < score.interval[1]
    assert cka(A, noise(300, 3, 8), TRIALS, debiased=True).p > 0.02
    assert np.isnan(cka(A, B, np.arange(300) // 150, n_chance=0).interval).all()


def test_the_interval_of_cka_holds_what_other_recordings_give():
    def draw(seed):
        a = noise(300, 3, (seed, 0))
        return cka(a, a + noise(300, 3, (seed, 1)), TRIALS, n_chance=0)

    scores = [draw(seed) for seed in range(30)]
    mean = np.mean([s.value for s in scores])
    held = np.mean([s.interval[0] < mean < s.interval[1] for s in scores])
    assert held >= 0.8


# -- CCA ------------------------------------------------------------------------------------------


def test_cca_is_held_out():
    odd = TRIALS % 2 == 0
    expected = []
    for fit, held in ((odd, ~odd), (~odd, odd)):
        model = CCA(3, max_iter=5000, tol=1e-12).fit(A[fit], B[fit])
        a, b = model.transform(A[held], B[held])
        expected.append(np.mean([np.corrcoef(a[:, k], b[:, k])[0, 1] for k in range(3)]))
    score = cca(A, B, TRIALS, n_chance=20)
    assert score.parts.to_numpy() == pytest.approx(expected, abs=1e-4)
    assert score.value > score.chance_hi
    assert abs(score.chance_mean) < 0.1


def test_in_sample_cca_of_wide_noise_is_high_and_held_out_is_not():
    a, b = noise(300, 60, 1), noise(300, 60, 2)
    assert cca(a, b, in_sample=True, n_chance=0).value > 0.3
    assert abs(cca(a, b, n_chance=0).value) < 0.1


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 1000))
def test_cca_knows_no_invertible_map_and_no_order(seed):
    a, b = A @ noise(3, 3, seed=seed) + 1, B @ noise(4, 4, seed=seed + 1)
    one, other, swapped = (cca(*p, n_chance=0).value for p in ((A, B), (a, b), (b, a)))
    assert [other, swapped] == pytest.approx([one, one], abs=1e-6)


def test_lost_rank_counts_nothing():
    flat = np.column_stack([A[:, 0], A[:, 0], np.zeros(300)])
    assert cca(flat, A, n_chance=0).value == pytest.approx(1 / 3)
    assert cca(np.zeros((300, 2)), A, n_chance=0).value == 0
    assert cka(np.zeros((300, 2)), A, n_chance=0).value == 0


def test_stereotyped_laps_do_not_deceive_chance():
    position, trials = laps()
    z = np.column_stack([np.cos(3 * position), position]) + 0.1 * noise(800, 2)
    for score in (cca(z, position, trials), cka(z, position, trials, debiased=True)):
        assert score.value > 0.6
        assert score.chance_hi < 0.2


def test_trials_come_from_the_embedding():
    z = embedding(A, TRIALS)
    assert cca(z, B, n_chance=0).value == cca(A, B, TRIALS, n_chance=0).value
    assert cka(z, B, n_chance=0).interval == cka(A, B, TRIALS, n_chance=0).interval


@pytest.mark.parametrize("score", [cca, cka])
@pytest.mark.parametrize(
    ("pair", "groups", "message"),
    [
        ((A, B[:-1]), None, "300 rows against 299"),
        ((A, B), TRIALS[:9], "each of the 300 samples"),
        ((np.empty((0, 2)), B), None, "not empty"),
        ((A, [["a"]]), None, "other embedding must be numbers"),
    ],
)
def test_refuses(score, pair, groups, message):
    with pytest.raises(DataError, match=message):
        score(*pair, groups)


def test_refuses_too_little():
    with pytest.raises(DataError, match="at least two trials, got 1"):
        cca(A, B, np.zeros(300))
    with pytest.raises(DataError, match="at least 4 samples, got 3"):
        cka(A[:3], B[:3])
    broken = B.copy()
    broken[4, 1] = np.inf
    with pytest.raises(MissingValuesError, match=r"other embedding must be finite.*sample 4"):
        cka(A, broken)
