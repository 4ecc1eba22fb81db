"""Simulators: known statistics, seeds, and what they refuse."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import isofold as iso
from isofold.errors import DataError
from isofold.simulate import _observe
from isofold.simulate.lorenz import BETA, RHO, SIGMA, _runge_kutta, _velocity
from isofold.simulate.place_cells import _firing_rates, _Run

SMALL = {
    "circle": {"n_samples": 200, "n_units": 12, "mixing": "nonlinear"},
    "lorenz": {"n_samples": 200, "n_units": 12, "observation": "poisson"},
    "place_cells": {"n_laps": 4, "n_units": 12},
}


@pytest.mark.parametrize("name", SMALL)
def test_same_seed_same_recording_and_another_seed_another(name):
    simulate = getattr(iso.simulate, name)
    first, again, other = (simulate(seed, **SMALL[name]) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first.signal, again.signal)
    np.testing.assert_array_equal(first.truth, again.truth)
    assert first.truth.shape[0] == first.n_samples
    n = min(len(first), len(other))
    assert not np.array_equal(first.signal[:n], other.signal[:n])


# -- circle -----------------------------------------------------------------------------------


def test_bare_circle_is_an_ellipse_with_the_noise_asked_for():
    recording = iso.simulate.circle(0, n_samples=20_000, radius=2.0, ellipse=0.5, noise=0.1)
    x, y = recording.truth.T
    np.testing.assert_allclose((x / 2) ** 2 + y**2, 1.0)
    residual = (recording.signal - recording.truth).ravel()
    assert abs(residual.std() - 0.1) < 4 * 0.1 / np.sqrt(2 * residual.size)
    angle = recording.label("angle")
    np.testing.assert_allclose(np.cos(angle), x / 2, atol=1e-12)
    assert recording.kind("angle") == "circular"
    assert angle.min() >= 0
    assert angle.max() < 2 * np.pi


def test_circle_turns_as_often_as_asked():
    recording = iso.simulate.circle(0, n_samples=40_000, turns=0.5, rate=40.0)
    turned = np.unwrap(recording.label("angle"))[-1] / (2 * np.pi)
    assert turned == pytest.approx(0.5 * 1000, rel=0.05)


def test_trials_start_anew_and_fill_the_recording():
    recording = iso.simulate.circle(0, n_samples=103, n_trials=10, noise=0.0)
    start, stop = recording.trials["start"].to_numpy(), recording.trials["stop"].to_numpy()
    assert start[0] == 0
    assert stop[-1] == 103
    np.testing.assert_array_equal(start[1:], stop[:-1])
    step = np.linalg.norm(np.diff(recording.truth, axis=0), axis=1)
    within = np.delete(step, start[1:] - 1)
    assert np.median(step[start[1:] - 1]) > 3 * within.max()


# -- lorenz -----------------------------------------------------------------------------------


def test_runge_kutta_is_of_fourth_order():
    start = np.array([1.0, 2.0, 20.0])
    exact = solve_ivp(
        lambda _, s: _velocity(s), (0, 0.5), start, method="DOP853", rtol=1e-13, atol=1e-13
    )
    error = [np.abs(_runge_kutta(start, 0.5 / n, n) - exact.y[:, -1]).max() for n in (50, 100, 200)]
    np.testing.assert_allclose(np.log2(np.divide(error[:-1], error[1:])), 4.0, atol=0.05)


def test_samples_are_dt_apart_and_solve_the_equations():
    recording = iso.simulate.lorenz(0, n_samples=60, dt=0.02)
    exact = solve_ivp(
        lambda _, s: _velocity(s),
        (0, 59 * 0.02),
        recording.truth[0],
        method="DOP853",
        t_eval=0.02 * np.arange(60),
        rtol=1e-12,
        atol=1e-12,
    )
    np.testing.assert_allclose(recording.truth, exact.y.T, atol=2e-2)
    np.testing.assert_allclose(recording.truth[:10], exact.y.T[:10], atol=2e-4)


def test_lorenz_stays_on_the_attractor():
    """Inside the trapping cylinder and sphere; the mean of d(x²)/dt and of dz/dt is 0."""
    recording = iso.simulate.lorenz(1, n_samples=60_000, n_trials=20)
    x, y, z = recording.truth.T
    bound = BETA**2 / (4 * (BETA - 1))
    assert np.max(y**2 + (z - RHO) ** 2) <= bound * RHO**2
    assert np.max(x**2 + y**2 + (z - SIGMA - RHO) ** 2) <= bound * (SIGMA + RHO) ** 2
    assert z.min() > 0
    assert np.mean(x * y) == pytest.approx(np.mean(x**2), rel=0.03)
    assert np.mean(x * y) == pytest.approx(BETA * np.mean(z), rel=0.03)
    assert z.mean() == pytest.approx(23.55, abs=0.3)
    assert np.allclose([SIGMA, RHO, BETA], [10, 28, 8 / 3])


def test_lorenz_trials_are_different_trajectories():
    recording = iso.simulate.lorenz(0, n_samples=400, n_trials=4)
    first = recording.truth[recording.trials["start"]]
    assert np.linalg.norm(first[1:] - first[:-1], axis=1).min() > 0.1


# -- what units see ---------------------------------------------------------------------------


def _r2_of_linear_map(x, y):
    design = np.column_stack([x, np.ones(len(x))])
    residual = y - design @ np.linalg.lstsq(design, y, rcond=None)[0]
    return 1 - residual.var(axis=0) / y.var(axis=0)


def test_mixings_are_what_they_are_called():
    options = {"n_samples": 2000, "n_units": 30, "noise": 0.0}
    seen = {m: iso.simulate.lorenz(0, mixing=m, **options) for m in _observe.MIXINGS}
    r2 = {m: _r2_of_linear_map(r.truth, r.signal) for m, r in seen.items()}
    assert r2["none"].min() > 1 - 1e-9
    assert r2["linear"].min() > 1 - 1e-9
    assert np.median(r2["nonlinear"]) < 0.98
    assert np.linalg.matrix_rank(seen["linear"].signal, tol=1e-6) == 3
    correlation = np.corrcoef(seen["none"].signal[:, 0], seen["none"].truth[:, 0])[0, 1]
    assert abs(correlation) == pytest.approx(1.0)
    for recording in seen.values():
        np.testing.assert_allclose(recording.signal.std(axis=0), 1.0)


def test_noise_of_units_is_a_share_of_their_signal():
    clean, noisy = (
        iso.simulate.circle(0, n_samples=20_000, n_units=5, mixing="linear", noise=n)
        for n in (0.0, 0.5)
    )
    added = (noisy.signal - clean.signal).std(axis=0)
    np.testing.assert_allclose(added, 0.5, atol=4 * 0.5 / np.sqrt(2 * 20_000))


def test_poisson_units_have_equal_mean_and_variance_given_the_latent():
    rng = np.random.default_rng(0)
    latent = np.zeros((100_000, 1))
    counts = _observe.observe(
        latent, rng, n_units=6, mixing="none", observation="poisson", noise=0.0, rate=10.0
    )
    mean, variance = counts.mean(axis=0, dtype=float), counts.var(axis=0, dtype=float)
    error = np.sqrt((mean + 2 * mean**2) / len(counts))
    assert np.all(np.abs(variance - mean) < 5 * error)
    np.testing.assert_array_equal(counts, np.round(counts))
    assert np.median(mean) * 10.0 == pytest.approx(_observe.BASE_RATE, rel=0.6)


# -- place cells ------------------------------------------------------------------------------


def test_laps_alternate_and_cover_the_track():
    recording = iso.simulate.place_cells(0, n_laps=6, n_units=5)
    x, laps = recording.label("position"), recording.trials
    assert laps["direction"].tolist() == [0, 1, 0, 1, 0, 1]
    for _, lap in laps.iterrows():
        run = x[lap["start"] : lap["stop"]]
        way = np.diff(run) * (1 - 2 * lap["direction"])
        assert np.all(way > 0)
        assert np.ptp(run) > 0.97 * 1.6
        assert np.all(recording.label("direction")[lap["start"] : lap["stop"]] == lap["direction"])
    assert 0 <= x.min() < x.max() <= 1.6
    outside = recording.trial == -1
    assert outside.any()
    assert np.isin(x[outside], [0.0, 1.6]).all()
    assert np.abs(np.diff(x)).max() < 0.05
    durations = (laps["stop"] - laps["start"]) / recording.rate
    assert durations.std() > 0.1
    np.testing.assert_allclose(recording.events["lap start"], laps["start"] / 40.0)


def test_without_pauses_the_laps_touch():
    recording = iso.simulate.place_cells(0, n_laps=3, n_units=2, pause=0.0)
    assert (recording.trial >= 0).all()
    assert len(recording.segments) == 3


def test_counts_are_poisson_around_the_fields():
    """Without noise and drift the standardised residual has mean 0 and variance 1."""
    recording = iso.simulate.place_cells(0, n_laps=40, n_units=40, noise=0.0, drift=0.0)
    run = _Run(recording.label("position"), recording.label("direction"), recording.trial)
    expected = _firing_rates(run, recording.channels) / recording.rate
    residual = (recording.signal - expected) / np.sqrt(expected)
    assert abs(residual.mean()) < 4 / np.sqrt(residual.size)
    spread = np.sqrt((2 + 1 / expected).mean() / residual.size)
    assert abs(residual.var() - 1) < 5 * spread


def test_tuning_curves_recover_the_place_fields():
    recording = iso.simulate.place_cells(0, n_laps=80, n_units=40)
    x, direction, inside = (
        recording.label("position"),
        recording.label("direction"),
        recording.trial,
    )
    edges = np.linspace(0, 1.6, 33)
    middle = (edges[:-1] + edges[1:]) / 2
    errors = []
    for way in (0, 1):
        mine = (inside >= 0) & (direction == way)
        where = np.digitize(x[mine], edges[1:-1])
        occupancy = np.bincount(where, minlength=32)
        centre = recording.channels[f"centre_{way}"].to_numpy()
        strong = recording.channels[f"peak_{way}"].to_numpy() > 8
        strong &= (centre > 0.2) & (centre < 1.4)
        for unit in np.flatnonzero(strong):
            curve = np.bincount(where, recording.signal[mine, unit], 32) / occupancy
            curve = np.convolve(curve, [0.25, 0.5, 0.25], mode="same")
            errors.append(middle[curve.argmax()] - centre[unit])
    assert len(errors) > 20
    assert np.median(np.abs(errors)) < 0.05
    assert np.max(np.abs(errors)) < 0.2


def test_gain_drifts_slowly_when_asked():
    calm, drifting = (
        iso.simulate.place_cells(0, n_laps=40, n_units=40, noise=0.0, drift=d) for d in (0.0, 0.6)
    )

    def change(recording):
        half = recording.n_samples // 2
        early, late = recording.signal[:half].sum(axis=0), recording.signal[half:].sum(axis=0)
        return np.std(np.log((late + 1) / (early + 1)))

    assert change(drifting) > 2 * change(calm)


def test_bare_place_cells_are_position_and_direction():
    recording = iso.simulate.place_cells(0, n_laps=2, n_units=None, noise=0.0)
    np.testing.assert_array_equal(recording.signal, recording.truth)


def test_session_binned_is_the_recording():
    options = {"n_laps": 4, "n_units": 8}
    recording = iso.simulate.place_cells(5, **options)
    session = iso.simulate.place_cells_session(5, **options)
    binned = session.bin(1 / recording.rate, labels=["position", "direction"])
    np.testing.assert_array_equal(binned.signal, recording.signal)
    np.testing.assert_allclose(binned.time, recording.time)
    np.testing.assert_allclose(binned.label("position"), recording.label("position"), atol=1e-12)
    inside = recording.trial >= 0
    np.testing.assert_array_equal(binned.trial, recording.trial)
    np.testing.assert_array_equal(
        binned.label("direction")[inside], recording.label("direction")[inside]
    )
    np.testing.assert_allclose(binned.channels["width"], recording.channels["width"])


def test_a_session_written_to_nwb_and_read_back_is_the_recording(tmp_path):
    options = {"n_laps": 4, "n_units": 8}
    recording = iso.simulate.place_cells(5, **options)
    path = iso.simulate.place_cells_session(5, **options).to_nwb(tmp_path / "rat.nwb")
    binned = iso.read(path).bin(1 / recording.rate, labels=["position", "direction"])
    np.testing.assert_array_equal(binned.signal, recording.signal)
    np.testing.assert_array_equal(binned.trial, recording.trial)
    np.testing.assert_allclose(binned.label("position"), recording.label("position"), atol=1e-9)


# -- what they refuse -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("circle", {"mixing": "log"}, "mixing must be one of"),
        ("circle", {"observation": "binomial"}, "observation must be one of"),
        ("circle", {"mixing": "linear"}, "n_units=None gives the bare signal"),
        ("lorenz", {"observation": "poisson"}, "needs n_units"),
        ("lorenz", {"n_units": 0}, "n_units must be a whole number of at least 1, got 0"),
        ("lorenz", {"n_units": 2.5}, "n_units must be a whole number"),
        ("lorenz", {"n_samples": 1}, "n_samples must be a whole number of at least 2"),
        ("lorenz", {"dt": 0.0}, "dt must be a positive number"),
        ("lorenz", {"n_samples": 5, "n_trials": 6}, "n_trials=6 is more than n_samples=5"),
        ("circle", {"noise": -1.0}, "noise is a standard deviation"),
        ("circle", {"radius": np.nan}, "radius must be a positive number"),
        ("circle", {"rate": -40.0}, "rate must be a positive number"),
        ("place_cells", {"n_laps": 0}, "n_laps must be a whole number of at least 1"),
        ("place_cells", {"n_laps": True}, "n_laps must be a whole number of at least 1, got True"),
        ("place_cells", {"pause": -1.0}, "pause must be 0 or more"),
        ("place_cells", {"track": 0.0}, "track must be a positive number"),
    ],
)
def test_refuses(name, options, message):
    with pytest.raises(DataError, match=message):
        getattr(iso.simulate, name)(0, **options)


def test_a_session_needs_spikes():
    with pytest.raises(DataError, match="a session holds spikes"):
        iso.simulate.place_cells_session(0, n_units=None)


def test_units_see_the_shape_of_an_ellipse():
    """Before, each axis was standardised, and units saw a circle."""

    def spread(ellipse):
        seen = iso.simulate.circle(
            0, n_samples=2000, n_units=40, mixing="linear", noise=0.0, ellipse=ellipse
        )
        return np.linalg.svd(seen.signal - seen.signal.mean(axis=0), compute_uv=False)

    round_, flat = spread(1.0), spread(0.3)
    assert round_[1] / round_[0] > 0.7 > 0.6 > flat[1] / flat[0]
