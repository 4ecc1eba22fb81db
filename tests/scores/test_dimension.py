"""Dimension: known truths by one rule, brute force, walls and windows, scikit-dimension."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import pdist, squareform

import isofold as iso
from isofold.errors import DataError, MissingValuesError
from isofold.scores import dimension
from isofold.scores._correlation_sum import _references, pair_counts, pair_counts_of_matrix
from isofold.scores._neighbors import neighbors
from isofold.scores._scaling_region import scaling_region
from isofold.scores._time_series import TimeSeries, auto_theiler

ALL = ("correlation", "geodesic", "two-nn", "mle", "local-pca", "participation-ratio")


def value(signal, estimator="correlation", **options):
    return dimension(signal, estimator, **{"n_bootstrap": 0} | options).value


def henon(n, noise=0.0):
    """a = 1.4, b = 0.3, after a transient."""
    x, y = 0.1, 0.1
    path = np.empty((n + 100, 2))
    for k in range(n + 100):
        path[k] = x, y
        x, y = 1 - 1.4 * x * x + y, 0.3 * x
    return path[100:] + noise * np.random.default_rng(0).normal(size=(n, 2))


def uniform(n, d, seed=0):
    return np.random.default_rng(seed).uniform(size=(n, d))


# -- known truths, one rule -----------------------------------------------------------------------


@pytest.mark.parametrize("seed", [0, 1])
def test_lorenz(seed):
    """D2 = 2.055 ± .004 (Sprott)."""
    recording = iso.simulate.lorenz(seed, n_samples=12_000, dt=0.1, n_trials=12)
    score = dimension(recording, n_bootstrap=50)
    assert score.value == pytest.approx(2.05, abs=0.03)
    assert score.interval[0] < 2.055 < score.interval[1]
    assert score.also["decades"] > 1


def test_lorenz_with_noise_and_seen_by_units():
    noisy = iso.simulate.lorenz(0, n_samples=10_000, dt=0.1, noise=0.1, n_trials=10)
    assert value(noisy) == pytest.approx(2.055, abs=0.06)
    units = {"n_units": 40, "mixing": "nonlinear"}
    seen = iso.simulate.lorenz(0, n_samples=8000, dt=0.1, n_trials=8, **units)
    assert value(seen) == pytest.approx(2.055, abs=0.15)  # mixing bends what is seen at large radii


def test_henon():
    """1.21 ± .01 (Grassberger & Procaccia, from 15,000 points). Its local slope oscillates between
    1.14 and 1.27 down to any radius; few turns of that lie in what so few points can see."""
    assert value(henon(15_000)) == pytest.approx(1.21, abs=0.025)
    assert value(henon(10_000, noise=0.003)) == pytest.approx(1.21, abs=0.025)


@pytest.mark.parametrize(("noise", "error"), [(0.0, 0.01), (0.02, 0.04), (0.05, 0.08)])
def test_circle(noise, error):
    assert value(iso.simulate.circle(0, noise=noise)) == pytest.approx(1.0, abs=error)


@pytest.mark.parametrize(
    ("name", "options", "error"),
    [
        ("torus", {"noise": 0.0}, 0.05),
        ("torus", {"noise": 0.0, "flat": True}, 0.05),
        ("torus", {"noise": 0.02}, 0.12),
        ("sphere", {"noise": 0.0}, 0.05),
    ],
)
def test_surfaces(name, options, error):
    recording = getattr(iso.simulate, name)(0, n_samples=6000, **options)
    assert value(recording) == pytest.approx(2.0, abs=error)


def test_noise_fills_the_dimensions_it_has():
    assert 4.7 <= value(uniform(20_000, 5)) <= 5.2
    gauss = np.random.default_rng(1).normal(size=(10_000, 5))
    assert 4.7 <= value(gauss) <= 5.2
    assert value(uniform(5000, 1)) == pytest.approx(1.0, abs=0.02)
    assert value(uniform(5000, 2)) == pytest.approx(2.0, abs=0.06)
    assert value(uniform(5000, 3)) == pytest.approx(3.0, abs=0.15)


def test_of_two_power_laws_the_one_at_large_radii_is_that_of_the_signal():
    radii = 2.0 ** np.linspace(-12, 0, 49)
    two = np.where(radii < 2**-6, 2.0**-6 * (radii * 2**6) ** 3, radii)  # 3, then 1
    region = scaling_region(radii, 1e9 * two, 1e10)
    assert region.slope == pytest.approx(1, abs=0.02)
    assert region.r_low >= 2**-6.5


# -- the correlation sum --------------------------------------------------------------------------


def brute_force(series, theiler, radii):
    counts = np.zeros(len(radii), int)
    pairs = 0
    for i in range(len(series.rows)):
        for j in range(i):
            apart = np.sum((series.rows[i] - series.rows[j]) ** 2)
            near = series.segment[i] == series.segment[j] and i - j < theiler
            if near or apart == 0:
                continue
            pairs += 1
            counts += apart <= radii**2
    return counts, pairs


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 1000),
    n=st.integers(20, 60),
    channels=st.integers(1, 4),
    trials=st.integers(1, 12),
    theiler=st.integers(1, 30),
    repeats=st.booleans(),
)
def test_the_sum_is_that_of_brute_force(seed, n, channels, trials, theiler, repeats):
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(n, channels))
    if repeats:
        rows[n // 2] = rows[0]
    series = TimeSeries.of(rows, np.sort(rng.integers(trials, size=n)))
    counts = pair_counts(series, theiler, 10**9, seed)
    within, pairs = brute_force(series, theiler, counts.radii)
    total, number = counts.total()
    assert number == pairs
    np.testing.assert_array_equal(total, within)
    ones = np.ones((1, series.n_blocks))
    np.testing.assert_allclose(counts.drawn(ones)[0][0], within)
    matrix = squareform(pdist(rows))
    clock = series.clock(theiler)
    by_matrix = pair_counts_of_matrix(matrix, clock, series.block, series.n_blocks, theiler)
    assert by_matrix.total()[1] == pairs


def test_a_block_drawn_twice_counts_as_two():
    series = TimeSeries.of(uniform(60, 2))
    counts = pair_counts(series, 1, 10**9, 0)
    weight = np.zeros((1, series.n_blocks))
    weight[0, [3, 5]] = 2, 1
    within, pairs = counts.drawn(weight)
    assert pairs[0] == 4 * 3 + 3 + 2 * 9  # blocks of three samples: 3 pairs inside, 9 between
    by_hand = 4 * counts.within[3, 3] + counts.within[5, 5] + 2 * counts.within[3, 5]
    np.testing.assert_allclose(within[0], by_hand)


def test_of_many_pairs_a_random_part_gives_the_same_slope():
    rows = uniform(4000, 2)
    some = dimension(rows, max_pairs=2e6, n_bootstrap=0)
    assert some.value == pytest.approx(2, abs=0.15)
    assert some.value == dimension(rows, max_pairs=2e6, n_bootstrap=0).value
    assert some.value != dimension(rows, max_pairs=2e6, n_bootstrap=0, seed=1).value
    for n, most in ((100, 4950), (100, 4949), (5000, 10_000), (3, 1)):
        m = _references(n, most)
        assert m * n - m * (m + 1) // 2 <= most or m <= 2
        assert m == n or (m + 1) * n - (m + 1) * (m + 2) // 2 > most


# -- windows and walls ----------------------------------------------------------------------------


def test_without_a_window_oversampled_data_look_like_a_line():
    """Seen closely a trajectory is a curve: neighbours in time make the slope fall to 1."""
    fine = iso.simulate.lorenz(0, n_samples=12_000, dt=0.002, n_trials=12)
    close = {"r_range": (0.15, 1.0)}
    blind, aware = value(fine, theiler=1, **close), value(fine, **close)
    assert blind < 1.7
    assert 1.9 < aware < 2.2
    assert dimension(fine, n_bootstrap=0).settings["theiler"] > 50


def test_auto_window_is_the_time_to_fall_below_one_over_e():
    rng = np.random.default_rng(0)
    x = np.zeros((50_000, 2))
    for t in range(1, len(x)):
        x[t] = 0.9 * x[t - 1] + rng.normal(size=2)
    assert abs(auto_theiler(TimeSeries.of(x)) - 1 / -np.log(0.9)) <= 2
    assert auto_theiler(TimeSeries.of(rng.normal(size=(500, 3)))) == 1


def test_where_trials_are_all_too_short_each_is_left_out_against_itself():
    ramps = np.tile(np.linspace(-1, 1, 30)[:, None], (40, 1)) + uniform(1200, 1) / 100
    ramps += np.repeat(100 * np.arange(40.0), 30)[:, None]
    assert auto_theiler(TimeSeries.of(ramps, np.repeat(np.arange(40), 30))) == 30
    with pytest.raises(DataError, match=r"does not forget itself.*give theiler="):
        dimension(np.linspace(0, 1, 500) + uniform(500, 1)[:, 0] / 100)


def test_pairs_across_a_wall_are_never_near_in_time():
    rows = uniform(200, 2)
    trials = np.repeat(np.arange(100), 2)
    series = TimeSeries.of(rows, trials)
    assert pair_counts(series, 1000, 10**9, 0).total()[1] == 200 * 199 / 2 - 100
    _, index = neighbors(series, 5, 1000)
    assert (series.segment[index] != series.segment[:, None]).all()


def test_neighbors_are_those_of_brute_force():
    rows = np.cumsum(np.random.default_rng(0).normal(size=(120, 2)), axis=0)
    series = TimeSeries.of(rows, np.repeat([0, 1, 2], 40))
    distance, index = neighbors(series, 4, 9)
    matrix = squareform(pdist(rows))
    for i in range(120):
        same = series.segment == series.segment[i]
        far = np.flatnonzero(~(same & (np.abs(np.arange(120) - i) < 9)))
        nearest = far[np.argsort(matrix[i, far])[:4]]
        np.testing.assert_array_equal(index[i], nearest)
        np.testing.assert_allclose(distance[i], matrix[i, nearest])


def test_trials_outside_and_gaps_are_seen_in_every_kind_of_signal():
    recording = iso.simulate.circle(0, n_samples=1000, n_trials=10)
    table = recording.trials.iloc[[0, 2, 4, 6, 8]]
    half = iso.Recording(recording.signal, 40.0, trials=table)
    series = TimeSeries.of(half)
    assert len(series.rows) == 500
    assert series.segment.max() == 4
    assert series.over == "contiguous blocks"
    ten = TimeSeries.of(recording)
    assert ten.over == "trials"
    assert ten.n_blocks == 10
    cube = recording.signal.reshape(10, 100, 2)
    for other in (TimeSeries.of(cube), TimeSeries.of(recording.signal, recording.trial)):
        np.testing.assert_array_equal(other.rows, ten.rows)
        np.testing.assert_array_equal(other.segment, ten.segment)
    many = TimeSeries.of(uniform(400, 2), np.repeat(np.arange(100), 4))
    assert many.n_blocks == 32
    assert many.over == "32 groups of neighbouring trials"


def test_an_embedding_has_walls_at_its_trials_and_at_gaps():
    time = np.arange(300.0)
    time[150:] += 50
    coords = {"time": time, "latent": [0, 1], "trial": ("time", np.repeat([0, -1, 2], 100))}
    z = xr.DataArray(uniform(300, 2), dims=("time", "latent"), coords=coords)
    assert TimeSeries.of(z).segment.tolist() == [0] * 100 + [1] * 100
    z["trial"] = ("time", np.zeros(300, int))
    assert TimeSeries.of(z).segment.tolist() == [0] * 150 + [1] * 150


# -- the other estimators -------------------------------------------------------------------------


def test_two_nn_mle_and_local_pca_are_those_of_scikit_dimension():
    skdim = pytest.importorskip("skdim", reason="scikit-dimension is not installed")
    rows = np.hstack([uniform(1500, 3), np.zeros((1500, 2))])
    rows = rows @ np.linalg.qr(np.random.default_rng(1).normal(size=(5, 5)))[0]
    expected = skdim.id.TwoNN().fit(rows).dimension_
    assert value(rows, "two-nn", theiler=1) == pytest.approx(expected, rel=0.01)
    ours = dimension(rows, "mle", theiler=1, n_neighbors=20)
    theirs = skdim.id.MLE().fit(rows, n_neighbors=20)
    np.testing.assert_allclose(ours.parts, theirs.dimension_pw_, rtol=1e-6)
    assert ours.value == pytest.approx(theirs.dimension_, rel=1e-6)
    pca = skdim.id.lPCA(ver="FO").fit_pw(rows, n_neighbors=100, n_jobs=1).dimension_pw_
    assert value(rows, "local-pca", theiler=1) == pytest.approx(pca.mean(), abs=0.05)


@pytest.mark.parametrize("estimator", ["two-nn", "mle", "local-pca", "geodesic"])
def test_neighbors_find_a_surface(estimator):
    recording = iso.simulate.sphere(0, n_samples=4000, noise=0.0)
    assert value(recording, estimator) == pytest.approx(2.0, abs=0.15)


def test_participation_ratio_is_that_of_the_covariance():
    rows = np.random.default_rng(0).normal(size=(300, 6)) * [5, 3, 1, 1, 0.5, 0.1] + 7
    variances = np.linalg.eigvalsh(np.cov(rows.T))
    score = dimension(rows, "participation-ratio")
    assert score.value == pytest.approx(variances.sum() ** 2 / (variances**2).sum())
    np.testing.assert_allclose(score.parts, variances[::-1] * 299 / 300)
    assert score.interval[0] < score.value < score.interval[1]
    wide = np.random.default_rng(0).normal(size=(40, 100))
    variances = np.linalg.eigvalsh(np.cov(wide.T))
    expected = variances.sum() ** 2 / (variances**2).sum()
    assert value(wide, "participation-ratio") == pytest.approx(expected)


def test_a_rolled_sheet_is_flat_along_itself():
    """Geodesic slopes lie below the dimension: paths over a graph are longer than the sheet's."""
    rng = np.random.default_rng(0)
    turn = rng.uniform(2 * np.pi, 6 * np.pi, 1500)
    roll = np.column_stack([turn * np.cos(turn), turn * np.sin(turn), rng.uniform(0, 30, 1500)])
    score = dimension(roll, "geodesic", theiler=1, n_bootstrap=0)
    assert 1.8 < score.value < 2.0


def test_distances_of_ones_own():
    rows = uniform(800, 2)
    matrix = squareform(pdist(rows))
    mine = dimension(rows, "geodesic", distances=matrix, theiler=1, n_bootstrap=0)
    assert mine.value == pytest.approx(value(rows, theiler=1), abs=0.05)
    assert "distances" not in mine.settings
    by_count = dimension(rows, "geodesic", distances=matrix, pair_range=(1e3, 1e4), n_bootstrap=0)
    assert 1e3 <= by_count.also["pairs_low"] < by_count.also["pairs_high"] <= 1e4


# -- the score ------------------------------------------------------------------------------------


@pytest.mark.parametrize("estimator", ALL)
def test_every_estimator_gives_a_score_that_its_seed_repeats(estimator):
    recording = iso.simulate.sphere(0, n_samples=1000, n_trials=10, noise=0.0)
    score, again = (dimension(recording, estimator, n_bootstrap=20) for _ in range(2))
    assert score.unit == "dimensions"
    assert score.value == again.value
    assert score.interval == again.interval
    assert score.interval[0] <= score.interval[1]
    assert score.settings["interval_over"] == "trials"
    assert score.settings["estimator"] == estimator
    assert len(score.parts)
    assert np.isnan(dimension(recording, estimator, n_bootstrap=0).interval).all()


@pytest.mark.parametrize("estimator", ALL)
def test_scale_shift_and_rotation_change_nothing(estimator):
    rows = iso.simulate.sphere(0, n_samples=1200, noise=0.0).signal
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
    moved = 1e3 * rows @ turn + 5
    assert value(moved, estimator) == pytest.approx(value(rows, estimator), rel=1e-3)


def test_slopes_are_in_the_parts():
    score = dimension(uniform(3000, 2), n_bootstrap=0)
    inside = score.parts.loc[score.also["r_low"] : score.also["r_high"]]
    assert inside.mean() == pytest.approx(score.value, abs=0.15)
    assert score.parts.index.name == "radius"


GOOD = uniform(200, 2)


@pytest.mark.parametrize(
    ("signal", "options", "message"),
    [
        (GOOD, {"estimator": "box"}, "estimator must be one of .*'two-nn'"),
        (GOOD, {"n_neighbors": 5}, r"estimator 'correlation' has the options .*'r_range'"),
        (GOOD, {"theiler": 0}, "theiler.* must be a whole number of at least 1, got 0"),
        (GOOD, {"theiler": 2.5}, "theiler.* whole number"),
        (GOOD, {"theiler": True}, "theiler.* whole number"),
        (GOOD, {"theiler": 200}, "needs at least 6 radii.*give more samples"),
        (GOOD, {"r_range": (1, 0.5)}, r"r_range must be \(low, high\)"),
        (GOOD, {"r_range": (10, 20)}, "needs at least 3 radii"),
        (GOOD, {"pair_range": (-1, 5)}, r"pair_range must be \(low, high\)"),
        (GOOD, {"max_pairs": 5}, "max_pairs must be at least 1000"),
        (GOOD, {"n_bootstrap": -1}, "n_bootstrap must be a whole number of at least 0"),
        (GOOD, {"groups": np.zeros(9)}, "each of the 200 samples"),
        (GOOD, {"estimator": "mle", "n_neighbors": 1}, "n_neighbors .* at least 3"),
        (GOOD, {"estimator": "mle", "n_neighbors": 200}, "every sample needs 200 neighbours"),
        (GOOD, {"estimator": "two-nn", "discard": 1}, "discard is a share"),
        (GOOD, {"estimator": "local-pca", "criterion": "elbow"}, "criterion must be"),
        (GOOD, {"estimator": "local-pca", "alpha": 0.0}, "alpha is a share"),
        (GOOD, {"estimator": "local-pca", "n_points": 0}, "n_points must be a whole number"),
        (GOOD, {"estimator": "geodesic", "n_points": 3}, "n_points must be a whole number"),
        (GOOD, {"estimator": "geodesic", "distances": np.ones((3, 3))}, r"must be \(200, 200\)"),
        (
            GOOD,
            {"estimator": "geodesic", "distances": np.triu(np.ones((200, 200)))},
            "must be symmetric",
        ),
        (
            GOOD,
            {"estimator": "geodesic", "distances": np.full((200, 200), np.inf)},
            "must be finite",
        ),
        (
            np.vstack([GOOD, GOOD + 100]),
            {"estimator": "geodesic", "theiler": 1},
            "falls apart: its largest part holds 200 of 400 points; raise n_neighbors",
        ),
        (GOOD[:10], {}, "at least 20 samples in trials, got 10"),
        (np.ones((50, 2)), {}, "all samples are the same point"),
        (np.zeros((0, 2)), {}, "not empty"),
        (np.array([["a", "b"]] * 30), {}, "must be numbers"),
        (GOOD.reshape(2, 100, 2), {"groups": np.zeros(200)}, "has its trials; leave groups out"),
        (iso.Recording(GOOD, 1.0), {"groups": np.zeros(200)}, "a Recording has its trials"),
        (GOOD, {"groups": np.full(200, -1)}, "at least 20 samples in trials, got 0|not empty"),
    ],
)
def test_refuses(signal, options, message):
    with pytest.raises(DataError, match=message):
        dimension(signal, **options)


def test_missing_values_are_named():
    rows = GOOD.copy()
    rows[7, 1] = np.nan
    with pytest.raises(MissingValuesError, match=r"signal must be finite.*sample 7, column 1"):
        dimension(rows)
