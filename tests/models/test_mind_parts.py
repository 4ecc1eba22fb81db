"""MIND's parts against plain transcriptions, other libraries and brute force."""

import mind_reference as reference
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import pdist, squareform
from scipy.stats import multivariate_normal
from sklearn.decomposition import PCA

from isofold.models import _mind_geodesics, _mind_maps, _mind_threads
from isofold.models._mind_geodesics import Forest, density_ratio, geodesics
from isofold.models._mind_landmarks import choose_landmarks
from isofold.models._mind_maps import LocalLinear, fit_map, weights
from isofold.models._mind_ppca import FLOOR, PPCA, mean_loss
from isofold.models._mind_tree import best_cut, draws_of, grow
from isofold.models._sammon import classical_mds, sammon, stress_of


@pytest.fixture(scope="module")
def walk():
    """States on a noisy ring that move on: (x, y)."""
    rng = np.random.default_rng(0)
    angle = np.cumsum(0.2 + 0.05 * rng.standard_normal(241))
    ring = np.c_[np.cos(angle), np.sin(angle), np.cos(2 * angle), 0.3 * angle / angle[-1]]
    ring = ring + 0.05 * rng.standard_normal(ring.shape)
    return ring[:-1], ring[1:]


def replayed(seed, n_trees, n, d, n_directions, min_leaf):
    """The draws of a forest, tree by tree."""
    children = np.random.SeedSequence(seed).spawn(n_trees)
    return [draws_of(np.random.default_rng(c), n, d, n_directions, min_leaf) for c in children]


# -- leaves ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("share", [0.3, 0.8, 0.95])
def test_ppca_is_that_of_scipy_and_scikit_learn(share):
    rng = np.random.default_rng(1)
    y = rng.standard_normal((60, 6)) * [4, 2, 1, 0.5, 0.4, 0.3] + 7
    fit = PPCA.fit(y, share, 0.0)
    q = fit.weights.shape[1]
    x = y[:9] + rng.standard_normal((9, 6))
    mean, covariance = reference.ppca(y, share, 0.0)
    known = multivariate_normal(mean, covariance).logpdf(x)
    np.testing.assert_allclose(fit.log_density(x), known, rtol=1e-10)
    # scikit-learn divides by n − 1, so it is given a table whose divisor n gives the same.
    assert 1 <= q < 6
    pca = PCA(q, svd_solver="full").fit(y.mean(axis=0) + (y - y.mean(axis=0)) * np.sqrt(59 / 60))
    np.testing.assert_allclose(fit.log_density(x), pca.score_samples(x), rtol=1e-8)
    np.testing.assert_allclose(mean_loss(y, share, 0.0), -fit.log_density(y).mean(), rtol=1e-10)


def test_ppca_keeps_the_first_directions_above_the_share():
    y = np.array([[3.0, 0, 0], [-3, 0, 0], [0, 2, 0], [0, -2, 0], [0, 0, 1], [0, 0, -1]])
    kept = [PPCA.fit(y, share, 0.0).weights.shape[1] for share in (0.0, 0.5, 0.65, 0.9, 0.99)]
    assert kept == [1, 1, 2, 2, 2]  # of variances 9, 4, 1; the last is always noise


def test_ppca_of_fewer_rows_than_dimensions_and_of_equal_rows():
    rng = np.random.default_rng(2)
    y = rng.standard_normal((5, 12))
    fit, known = PPCA.fit(y, 0.95, 1e-6), reference.ppca(y, 0.95, 1e-6)
    np.testing.assert_allclose(fit.log_density(y), reference.log_density(y, known), rtol=1e-8)
    np.testing.assert_allclose(mean_loss(y, 0.95, 1e-6), -fit.log_density(y).mean(), rtol=1e-8)
    same = PPCA.fit(np.ones((4, 3)), 0.95, 1e-6)
    assert same.noise == 1e-6
    assert np.isfinite(same.log_density(np.zeros((1, 3)))).all()
    assert np.isfinite(mean_loss(np.ones((4, 3)), 0.95, 1e-6))


# -- trees ----------------------------------------------------------------------------------------


@given(
    along=st.lists(st.integers(0, 6), min_size=2, max_size=25),
    min_leaf=st.integers(1, 8),
    seed=st.integers(0, 99),
)
@settings(max_examples=150, deadline=None)
def test_scan_finds_the_best_of_all_cuts(along, min_leaf, seed):
    """Whole numbers: sums are exact, so that equal cuts are equal in both."""
    along = np.sort(np.array(along, float))
    y = np.random.default_rng(seed).integers(-3, 4, (len(along), 2)).astype(float)
    found, known = best_cut(along, y, min_leaf), reference.cut(along, y, min_leaf)
    if found != known:  # the same gain up to the last bit of a division

        def gain(k):
            a, b = y[:k].sum(axis=0), y[k:].sum(axis=0)
            return a @ a / k + b @ b / (len(y) - k)

        assert found
        assert known
        assert gain(found) == pytest.approx(gain(known), abs=1e-12)


def cuts(x, y, rows, normals, between, min_leaf, share, floor):
    """What the plain transcription knows of each direction: loss after its cut, and the cut."""
    for normal, u in zip(normals, between, strict=True):
        along = x[rows] @ normal
        order = np.argsort(along, kind="stable")
        k = reference.cut(along[order], y[rows[order]], min_leaf)
        if k:
            below, above = rows[order[:k]], rows[order[k:]]
            losses = [len(s) * reference.loss(y[s], share, floor) for s in (below, above)]
            low, high = along[order[k - 1]], along[order[k]]
            yield sum(losses) / len(rows), normal, low + u * (high - low), set(below), set(above)


def test_every_cut_of_a_tree_is_the_best_of_the_plain_transcription(walk):
    """Node by node: two directions that cut the same rows apart are a tie, which the last bit of a
    sum decides, so that whole trees of two programs need not be equal."""
    x, y = walk
    for normals, between in replayed(3, 3, len(x), 4, 2, 12):
        tree = grow(x, y, (normals, between), 12, 0.9, 1e-9)
        assert len(tree.left) > 8
        rows_of = [tree.order[a:b] for a, b in zip(tree.start, tree.stop, strict=True)]
        leaf = np.full(len(x), -1)
        for number, rows in enumerate(rows_of):
            found = []
            if len(rows) >= 24:
                found = list(cuts(x, y, rows, normals[number], between[number], 12, 0.9, 1e-9))
            best = min((total for total, *_ in found), default=np.inf)
            own, left = reference.loss(y[rows], 0.9, 1e-9), tree.left[number]
            if left == 0:
                assert best >= own - 1e-10
                leaf[rows] = number
                continue
            assert best < own + 1e-10
            mine = [c for c in found if np.array_equal(c[1], tree.normal[number])]
            ((total, _, threshold, below, above),) = mine
            assert total == pytest.approx(best, abs=1e-10)
            assert tree.threshold[number] == pytest.approx(threshold, abs=1e-12)
            assert (set(rows_of[left]), set(rows_of[left + 1])) == (below, above)
        assert (tree.leaf_of(x) == leaf).all()


def test_leaves_share_out_the_transitions_and_none_is_too_small(walk):
    x, y = walk
    tree = grow(x, y, replayed(5, 1, len(x), 4, 2, 10)[0], 10, 0.95, 1e-9)
    leaves = np.flatnonzero(tree.left == 0)
    rows = [tree.order[tree.start[k] : tree.stop[k]] for k in leaves]
    assert sorted(np.concatenate(rows)) == list(range(len(x)))
    assert min(map(len, rows)) >= 10
    for leaf, members in zip(leaves, rows, strict=True):
        assert (tree.leaf_of(x[members]) == leaf).all()


def test_equal_states_are_never_parted():
    x = np.repeat(np.arange(4.0), 10)[:, None]
    y = np.random.default_rng(0).standard_normal((40, 1))
    for draws in replayed(0, 20, 40, 1, 1, 4):
        leaf = grow(x, y, draws, 4, 0.95, 1e-9).leaf_of(x).reshape(4, 10)
        assert (leaf == leaf[:, :1]).all()
    nothing = np.ones((40, 1))
    assert len(grow(nothing, y, draws, 4, 0.95, 1e-9).left) == 1


# -- forest and geodesics -------------------------------------------------------------------------


@pytest.mark.parametrize("n_trees", [4, 5])
def test_likelihoods_and_geodesics_are_those_of_the_plain_transcription(walk, n_trees):
    x, y = walk
    points = x[::8]
    forest = Forest(n_trees=n_trees, n_directions=2, min_leaf=12, leaf_variance=0.9)
    found = forest.log_densities(x, y, points, np.random.SeedSequence(7))
    draws = replayed(7, n_trees, len(x), 4, 2, 12)
    floor = FLOOR * y.var(axis=0).mean()
    known = reference.log_densities(x, y, points, draws, 12, 0.9, floor)
    np.testing.assert_allclose(found, known, rtol=1e-8, atol=1e-8)
    distance, keep = geodesics(found)
    assert keep.all()
    np.testing.assert_allclose(distance, reference.geodesics(known), rtol=1e-8, atol=1e-10)


def test_each_leaf_is_evaluated_once(walk, monkeypatch):
    x, y = walk
    fitted = []

    class Counting(PPCA):
        def log_density(self, at):
            fitted.append((self.mean.tobytes(), at.shape))
            return super().log_density(at)

    monkeypatch.setattr(_mind_geodesics, "PPCA", Counting)
    forest = Forest(n_trees=6, n_directions=2, min_leaf=12, leaf_variance=0.9)
    forest.log_densities(x, y, x[:90], np.random.SeedSequence(1))
    assert len(fitted) == len(set(fitted)) < 6 * 240 / 12
    assert {shape for _, shape in fitted} == {(90, 4)}


def test_bits_do_not_depend_on_threads_or_blocks(walk, monkeypatch):
    x, y = walk
    forest = Forest(n_trees=6, n_directions=2, min_leaf=12, leaf_variance=0.9)

    def densities():
        return forest.log_densities(x, y, x[:50], np.random.SeedSequence(1))

    many = densities()
    monkeypatch.setenv("NPROC", "1")
    monkeypatch.setattr(_mind_geodesics, "BLOCK", 1000)
    assert (densities() == many).all()


def test_threads_are_as_many_as_the_machine_or_nproc_says(monkeypatch):
    import threading

    monkeypatch.setenv("NPROC", "1")
    assert set(_mind_threads.in_threads(lambda _: threading.get_ident(), range(4))) == {
        threading.get_ident()
    }
    monkeypatch.setenv("NPROC", "3")
    assert _mind_threads.in_threads(lambda i: i * i, range(4)) == [0, 1, 4, 9]


def test_landmarks_at_no_distance_are_dropped_and_certain_steps_still_lead_on():
    sure = np.full((4, 4), -800.0)
    sure[0, 1] = sure[1, 0] = 800.0  # each is certain to lead to the other
    distance, keep = geodesics(sure)
    assert keep.tolist() == [True, False, True, True]
    assert np.isfinite(distance).all()


def test_density_ratio_counts_pairs_by_how_much_less_probable_they_are():
    assert density_ratio(np.array([[0.0, -5], [-10, -11]])) == 3
    assert density_ratio(np.array([[0.0, -10.5], [-20, -21]])) == 0.5
    assert density_ratio(np.zeros((2, 2))) == np.inf


# -- landmarks ------------------------------------------------------------------------------------


@given(n=st.integers(2, 30), count=st.integers(1, 30), seed=st.integers(0, 50))
@settings(max_examples=60, deadline=None)
def test_landmarks_are_the_greedy_ones(n, count, seed):
    points = np.random.default_rng(seed).standard_normal((n, 2))
    count = min(count, n)
    first = int(np.random.default_rng(seed).integers(n))
    found = choose_landmarks(points, count, np.random.default_rng(seed))
    assert found.tolist() == reference.landmarks(points, count, first)


def test_states_that_repeat_are_landmarks_once():
    points = np.repeat(np.arange(3.0), 5)[:, None]
    some = choose_landmarks(points, 10, np.random.default_rng(0))
    assert sorted(points[some, 0]) == [0, 1, 2]
    assert choose_landmarks(points, None, np.random.default_rng(0)).tolist() == [0, 5, 10]


# -- scaling --------------------------------------------------------------------------------------


def distances(n, d, seed):
    return squareform(pdist(np.random.default_rng(seed).standard_normal((n, d))))


def test_classical_scaling_gives_back_euclidean_distances():
    wanted = distances(40, 3, 0)
    z = classical_mds(wanted, 3)
    np.testing.assert_allclose(squareform(pdist(z)), wanted, atol=1e-9)
    assert (np.diff(z.var(axis=0)) < 0).all()
    found, stress = sammon(wanted, 3)
    np.testing.assert_allclose(squareform(pdist(found)), wanted, atol=1e-4)
    assert stress < 1e-8


def test_stress_and_gradient_against_the_formula():
    wanted = distances(300, 5, 1)
    z = np.random.default_rng(2).standard_normal((300, 2))
    stress = stress_of(wanted)
    value, gradient = stress(z.ravel())
    upper = np.triu_indices(300, 1)
    gap, target = squareform(pdist(z))[upper], wanted[upper]
    assert value == pytest.approx(np.sum((target - gap) ** 2 / target) / target.sum(), rel=1e-10)
    for i in (0, 7, 255, 256, 599):
        step = np.zeros(600)
        step[i] = 1e-6
        slope = (stress(z.ravel() + step)[0] - stress(z.ravel() - step)[0]) / 2e-6
        assert gradient[i] == pytest.approx(slope, rel=1e-5, abs=1e-10)


def test_sammon_has_less_stress_than_classical_scaling():
    wanted = distances(80, 6, 3)
    before = stress_of(wanted)(classical_mds(wanted, 2).ravel())[0]
    z, after = sammon(wanted, 2)
    assert after < 0.7 * before
    assert after == pytest.approx(stress_of(wanted)(z.ravel())[0], rel=1e-9)
    assert sammon(wanted, 2, n_iterations=3)[1] > after
    np.testing.assert_allclose(z.mean(axis=0), 0, atol=1e-12)


def test_sammon_fills_latents_that_classical_scaling_leaves_empty():
    n = 4  # a star: three leaves at 2 from each other, 1 from the centre, is not Euclidean
    wanted = np.full((n, n), 2.0)
    wanted[0], wanted[:, 0] = 1, 1
    np.fill_diagonal(wanted, 0)
    z, stress = sammon(wanted, 3)
    assert np.isfinite(z).all()
    assert stress < 0.05
    together = np.ones((3, 3)) - np.eye(3)
    value, gradient = stress_of(together)(np.zeros(6))
    assert np.isfinite(value)
    assert np.isfinite(gradient).all()


# -- maps -----------------------------------------------------------------------------------------


def test_weights_solve_their_equation():
    rng = np.random.default_rng(0)
    offset = rng.standard_normal((7, 5, 3))
    gram = offset @ offset.swapaxes(1, 2)
    found = weights(gram, 0.1)
    for w, g in zip(found, gram, strict=True):
        known = np.linalg.inv(g + 0.01 * np.trace(g) / 5 * np.eye(5)) @ np.ones(5)
        np.testing.assert_allclose(w, known / known.sum(), rtol=1e-9)
    np.testing.assert_allclose(weights(np.zeros((1, 4, 4)), 0.1), 0.25)


def test_maps_reproduce_a_linear_manifold_both_ways():
    rng = np.random.default_rng(0)
    latent = rng.uniform(-1, 1, (200, 2))
    mixing = rng.standard_normal((2, 6))
    new = rng.uniform(-0.7, 0.7, (50, 2))
    there = fit_map(latent @ mixing, latent, np.random.default_rng(1))
    np.testing.assert_allclose(there(new @ mixing), new, atol=1e-4)
    back = fit_map(latent, latent @ mixing, np.random.default_rng(1))
    np.testing.assert_allclose(back(new), new @ mixing, atol=1e-4)
    assert there(new[:0] @ mixing).shape == (0, 2)


def test_neighbours_and_ridge_are_the_best_of_all_by_folds(monkeypatch):
    monkeypatch.setattr(_mind_maps, "NEIGHBORS", (1, 4, 8, 30, 50))
    monkeypatch.setattr(_mind_maps, "RIDGES", (1e-5, 0.1, 1.0))
    rng = np.random.default_rng(0)
    points = rng.uniform(-1, 1, (43, 2))
    values = np.sin(3 * points) + 0.1 * rng.standard_normal((43, 2))
    found = fit_map(points, values, np.random.default_rng(5))
    fold = np.random.default_rng(5).permutation(43) % 10
    error = {}
    for k in (1, 4, 8, 30):
        for ridge in _mind_maps.RIDGES:
            error[k, ridge] = 0
            for f in range(10):
                known = LocalLinear(points[fold != f], values[fold != f], k, ridge)
                error[k, ridge] += np.sum((known(points[fold == f]) - values[fold == f]) ** 2)
    assert (found.n_neighbors, found.ridge) == min(error, key=error.get)
    assert found.n_neighbors > 1


def test_blocks_of_points_make_no_difference(monkeypatch):
    rng = np.random.default_rng(0)
    points, values = rng.standard_normal((60, 3)), rng.standard_normal((60, 2))
    x = rng.standard_normal((25, 3))
    whole = fit_map(points, values, np.random.default_rng(0))
    monkeypatch.setattr(_mind_maps, "BLOCK", 7)
    parts = fit_map(points, values, np.random.default_rng(0))
    assert (parts.n_neighbors, parts.ridge) == (whole.n_neighbors, whole.ridge)
    np.testing.assert_allclose(parts(x), whole(x), rtol=1e-9)
