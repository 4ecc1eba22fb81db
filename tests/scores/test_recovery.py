import numpy as np
import pytest
from scipy.spatial import procrustes as scipy_procrustes
from scores_helpers import curve, embedding, laps, noise
from sklearn.cross_decomposition import CCA
from sklearn.linear_model import LinearRegression

from isofold.errors import DataError, MissingValuesError
from isofold.scores import mcc, procrustes, recovery

TRIALS = np.repeat(np.arange(10), 30)
TRUTH = noise(300, 2, seed=5)
Z = TRUTH @ np.array([[1.0, 0.5, 0.0], [0.3, -1.0, 0.2]]) + 0.4 * noise(300)


@pytest.mark.parametrize("groups", [TRIALS, np.repeat(np.array(list("abcdefghij")), 30)])
def test_recovery_is_held_out_regression_both_ways(groups):
    odd = TRIALS % 2 == 0

    def by_hand(a, b):
        return [
            LinearRegression().fit(a[fit], b[fit]).score(a[~fit], b[~fit]) for fit in (odd, ~odd)
        ]

    score = recovery(Z, TRUTH, groups, n_chance=10)
    assert np.allclose(score.parts, by_hand(Z, TRUTH))
    assert score.also["forward"] == pytest.approx(np.mean(by_hand(TRUTH, Z)))
    assert score.interval[0] < score.value < score.interval[1]
    assert score.chance_hi < 0.1


def test_extra_variance_shows_in_the_forward_direction():
    wide = np.hstack([TRUTH, 3 * noise(300, 4, seed=6)])
    score = recovery(wide, TRUTH, n_chance=0)
    assert score.value > 0.999
    assert score.also["forward"] < 0.5


def test_affine_maps_change_nothing():
    moved = Z @ noise(3, 3, seed=8) + 4
    assert recovery(moved, TRUTH, TRIALS, n_chance=0).value == pytest.approx(
        recovery(Z, TRUTH, TRIALS, n_chance=0).value
    )


def test_chance_on_stereotyped_laps_is_nothing():
    position, trials = laps()
    score = recovery(curve(position) + 0.1 * noise(800), position, trials)
    assert score.value > 0.9
    assert score.chance_hi < 0.05


def test_p_is_uniform_where_nothing_is_to_be_found():
    p = [
        recovery(noise(120, 2, (s, 0)), noise(120, 1, (s, 1)), np.arange(120) // 10, n_chance=19).p
        for s in range(40)
    ]
    assert 0.33 < np.mean(p) < 0.67


def test_trials_come_from_the_embedding():
    z = embedding(Z, TRIALS)
    assert recovery(z, TRUTH, n_chance=0).value == recovery(Z, TRUTH, TRIALS, n_chance=0).value


def test_procrustes_in_sample_is_that_of_scipy():
    expected = 1 - scipy_procrustes(TRUTH, Z[:, :2])[2]
    assert procrustes(Z[:, :2], TRUTH, in_sample=True, n_chance=0).value == pytest.approx(expected)


def test_procrustes_knows_similarity_but_not_shear():
    turn = np.linalg.qr(noise(2, 2))[0]
    assert procrustes(3 * TRUTH @ turn + 1, TRUTH, n_chance=0).value == pytest.approx(1)
    sheared = TRUTH * [1, 10]
    assert procrustes(sheared, TRUTH, n_chance=0).value < 0.8
    assert recovery(sheared, TRUTH, n_chance=0).value == pytest.approx(1)


def test_procrustes_pads_the_narrower():
    wide = np.column_stack([TRUTH, np.zeros(300)])
    assert procrustes(wide, TRUTH, n_chance=0).value == pytest.approx(1)
    assert procrustes(TRUTH, wide, n_chance=0).value == pytest.approx(1)


def test_mcc_finds_permuted_flipped_scaled_columns():
    z = np.column_stack([-2 * TRUTH[:, 1], 0.1 * TRUTH[:, 0], noise(300)[:, 0]])
    for correlation in ("pearson", "spearman"):
        found = mcc(z, TRUTH, correlation=correlation, n_chance=0).value
        assert found == pytest.approx(1)


def test_mcc_in_sample_is_that_of_brute_force():
    both = np.abs(np.corrcoef(Z.T, TRUTH.T)[:3, 3:])
    best = max((both[i, 0] + both[j, 1]) / 2 for i in range(3) for j in range(3) if i != j)
    assert mcc(Z, TRUTH, in_sample=True, n_chance=0).value == pytest.approx(best)


def test_weak_mcc_undoes_mixing_and_is_the_canonical_correlation():
    mixed = TRUTH @ np.array([[1.0, 1.0], [1.0, -1.2]])
    assert mcc(mixed, TRUTH, n_chance=0).value < 0.95
    assert mcc(mixed, TRUTH, kind="weak", n_chance=0).value == pytest.approx(1)
    a, b = CCA(2, max_iter=5000, tol=1e-12).fit_transform(Z, TRUTH)
    expected = np.mean([np.corrcoef(a[:, k], b[:, k])[0, 1] for k in range(2)])
    found = mcc(Z, TRUTH, kind="weak", in_sample=True, n_chance=0).value
    assert found == pytest.approx(expected, abs=1e-4)


def test_monotone_distortion_leaves_spearman_alone():
    found = mcc(np.exp(2 * TRUTH), TRUTH, correlation="spearman", n_chance=0).value
    assert found == pytest.approx(1)


def test_latents_without_a_partner_count_nothing():
    assert mcc(TRUTH[:, :1], TRUTH, n_chance=0).value == pytest.approx(0.5)


def test_mcc_of_noise_is_its_chance_which_is_above_zero():
    score = mcc(noise(300, 4, 1), noise(300, 4, 2), TRIALS, n_chance=50)
    assert score.p > 0.02
    assert score.chance.mean() > 0.02


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: recovery(Z, TRUTH[:-1]), "300 rows against 299"),
        (lambda: recovery(Z, TRUTH, np.zeros(300)), "at least two trials, got 1"),
        (lambda: recovery(Z, TRUTH, TRIALS[:9]), "each of the 300 samples"),
        (lambda: mcc(Z, TRUTH, kind="medium"), "kind must be 'strong' or 'weak'"),
        (lambda: mcc(Z, TRUTH, correlation="kendall"), "correlation must be"),
        (lambda: recovery(np.empty((0, 2)), TRUTH), "not empty"),
        (lambda: recovery([["a"]], TRUTH), "must be numbers"),
    ],
)
def test_refuses(call, message):
    with pytest.raises(DataError, match=message):
        call()


def test_missing_values_are_named():
    truth = TRUTH.copy()
    truth[4, 1] = np.inf
    with pytest.raises(MissingValuesError, match=r"truth must be finite.*sample 4, column 1"):
        recovery(Z, truth)


def test_a_collapsed_embedding_recovers_nothing_rather_than_minus_infinity():
    """Before, R² was -1e10: a constant latent differs by its rounding alone."""
    rng = np.random.default_rng(0)
    z = np.float32(1) + np.float32(6e-8) * rng.integers(-1, 2, (300, 1)).astype(np.float32)
    z[-20:] = -1
    score = recovery(z, rng.normal(size=(300, 2)), n_chance=0)
    assert -1 < score.value < 0.1
