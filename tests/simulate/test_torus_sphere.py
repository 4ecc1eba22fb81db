"""Torus, sphere, and the Lorenz system with process noise: known shapes, seeds, refusals."""

from __future__ import annotations

import numpy as np
import pytest

import isofold as iso
from isofold.errors import DataError
from isofold.simulate.lorenz import _velocity

SMALL = {"n_samples": 200, "n_units": 12, "mixing": "nonlinear", "n_trials": 4}


@pytest.mark.parametrize("name", ["torus", "sphere"])
def test_same_seed_same_recording_and_another_seed_another(name):
    simulate = getattr(iso.simulate, name)
    first, again, other = (simulate(seed, **SMALL) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first.signal, again.signal)
    assert not np.array_equal(first.signal, other.signal)
    assert first.signal.shape == (200, 12)
    assert len(first.trials) == 4
    start = first.trials["start"].to_numpy()[1:]
    step = np.linalg.norm(np.diff(first.truth, axis=0), axis=1)
    assert np.median(step[start - 1]) > 3 * np.delete(step, start - 1).max()


def test_torus_in_three_dimensions_has_its_two_radii_and_noise():
    recording = iso.simulate.torus(0, n_samples=20_000, radius=3.0, tube=1.0, noise=0.1)
    x, y, z = recording.truth.T
    np.testing.assert_allclose((np.hypot(x, y) - 3) ** 2 + z**2, 1.0)
    residual = (recording.signal - recording.truth).ravel()
    assert abs(residual.std() - 0.1) < 4 * 0.1 / np.sqrt(2 * residual.size)
    around, across = recording.label("toroidal"), recording.label("poloidal")
    np.testing.assert_allclose(np.mod(np.arctan2(y, x), 2 * np.pi), around, atol=1e-9)
    np.testing.assert_allclose(z, np.sin(across), atol=1e-12)
    assert recording.kind("toroidal") == recording.kind("poloidal") == "circular"


def test_flat_torus_is_two_circles():
    recording = iso.simulate.torus(0, n_samples=300, radius=2.0, tube=2.0, flat=True, noise=0.0)
    np.testing.assert_allclose(np.hypot(*recording.signal[:, :2].T), 2.0)
    np.testing.assert_allclose(np.hypot(*recording.signal[:, 2:].T), 2.0)


def test_torus_is_covered_evenly_in_both_angles():
    recording = iso.simulate.torus(0, n_samples=20_000)
    angles = [recording.label(name) for name in ("toroidal", "poloidal")]
    turned = [np.unwrap(angle)[-1] / (2 * np.pi) for angle in angles]
    assert turned[0] == pytest.approx(250, rel=0.1)
    assert turned[1] / turned[0] == pytest.approx((1 + 5**0.5) / 2, rel=0.1)
    counts = np.histogram2d(*angles, bins=8)[0]
    assert counts.min() > 0.5 * counts.mean()


def test_sphere_is_walked_smoothly_and_evenly():
    recording = iso.simulate.sphere(1, n_samples=40_000, noise=0.0, turns=2.0, rate=40.0)
    np.testing.assert_allclose(np.linalg.norm(recording.truth, axis=1), 1.0)
    step = np.linalg.norm(np.diff(recording.truth, axis=0), axis=1)
    assert step.mean() / (2 * np.pi) * 40 == pytest.approx(2.0, rel=0.05)
    slow = iso.simulate.sphere(1, noise=0.0).truth
    bend = np.linalg.norm(np.diff(slow, 2, axis=0), axis=1)
    assert bend.mean() < 0.5 * np.linalg.norm(np.diff(slow, axis=0), axis=1).mean()
    # Archimedes: each coordinate of an even sphere is even from -1 to 1; 2,000 turns are few
    counts = np.histogram(recording.truth, bins=10, range=(-1, 1))[0]
    assert np.ptp(counts) < 0.3 * counts.mean()
    elevation, azimuth = recording.label("elevation"), recording.label("azimuth")
    rebuilt = [np.cos(elevation) * f(azimuth) for f in (np.cos, np.sin)]
    np.testing.assert_allclose(np.column_stack([*rebuilt, np.sin(elevation)]), recording.truth)
    assert recording.kind("azimuth") == "circular"


# -- lorenz ---------------------------------------------------------------------------------------


def test_lorenz_without_process_noise_has_the_bits_it_always_had():
    signal = iso.simulate.lorenz(7, n_samples=50, n_units=4, mixing="linear", noise=0.1).signal
    again = iso.simulate.lorenz(
        7, n_samples=50, n_units=4, mixing="linear", noise=0.1, process_noise=0.0, method="rk4"
    ).signal
    assert signal.tobytes() == again.tobytes()
    noisy = iso.simulate.lorenz(7, n_samples=50, process_noise=0.1).truth
    np.testing.assert_array_equal(noisy[0], iso.simulate.lorenz(7, n_samples=50).truth[0])


def test_euler_is_one_step_a_sample():
    truth = iso.simulate.lorenz(0, n_samples=100, dt=0.005, method="euler").truth
    np.testing.assert_allclose(truth[1:], truth[:-1] + 0.005 * _velocity(truth[:-1]))
    coarse = iso.simulate.lorenz(0, n_samples=100, dt=0.02, method="euler").truth
    halfway = coarse[:-1] + 0.01 * _velocity(coarse[:-1])
    np.testing.assert_allclose(coarse[1:], halfway + 0.01 * _velocity(halfway))


def test_process_noise_is_added_to_the_state_of_each_coordinate():
    options = {"dt": 0.0005, "method": "euler", "process_noise": 0.1}
    truth = iso.simulate.lorenz(0, n_samples=5000, n_trials=2, **options).truth
    kick = np.delete(truth[1:] - truth[:-1] - 0.0005 * _velocity(truth[:-1]), 2499, axis=0)
    np.testing.assert_allclose(kick.std(axis=0), 0.1, atol=4 * 0.1 / np.sqrt(2 * len(kick)))
    assert np.abs(np.corrcoef(kick.T) - np.eye(3)).max() < 4 / np.sqrt(len(kick))
    assert np.abs(kick.mean(axis=0)).max() < 4 * 0.1 / np.sqrt(len(kick))


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("torus", {"tube": 1.0}, "tube of a torus must be thinner than its ring"),
        ("torus", {"tube": 0.0}, "tube must be a positive number"),
        ("torus", {"mixing": "log"}, "mixing must be one of"),
        ("torus", {"n_samples": 1}, "n_samples must be a whole number of at least 2"),
        ("sphere", {"radius": -1.0}, "radius must be a positive number"),
        ("sphere", {"turns": np.nan}, "turns must be a positive number"),
        ("sphere", {"observation": "poisson"}, "needs n_units"),
        ("sphere", {"n_samples": 5, "n_trials": 6}, "n_trials=6 is more than n_samples=5"),
        ("lorenz", {"process_noise": -0.1}, "process_noise is a standard deviation"),
        ("lorenz", {"process_noise": np.nan}, "process_noise is a standard deviation"),
        ("lorenz", {"method": "heun"}, r"method must be one of \('rk4', 'euler'\)"),
    ],
)
def test_refuses(name, options, message):
    with pytest.raises(DataError, match=message):
        getattr(iso.simulate, name)(0, **options)
