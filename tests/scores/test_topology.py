"""Topology: Betti numbers and circular coordinates of known shapes, bare, mixed and as spikes."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import xarray as xr

import isofold as iso
from isofold.errors import DataError, MissingDependencyError, MissingValuesError
from isofold.preprocess import smooth, square_root
from isofold.scores import betti, circular_coordinates
from isofold.scores._persistence import landmarks

pytest.importorskip("ripser", reason="ripser is not installed")

COVERED = {"n_samples": 10_000, "turns": 1.0}
UNITS = {"n_units": 25, "mixing": "nonlinear", "noise": 0.1}
SHAPES = {
    "circle": (iso.simulate.circle, {}, (1, 1, 0)),
    "torus": (iso.simulate.torus, {}, (1, 2, 1)),
    "flat torus": (iso.simulate.torus, {"flat": True, "tube": 1.0}, (1, 2, 1)),
    "sphere": (iso.simulate.sphere, {}, (1, 0, 1)),
}


def shape(name, **options):
    simulate, own, numbers = SHAPES[name]
    return simulate(0, **COVERED, **own, **options), numbers


def agreement(a, b):
    """|⟨exp i(a ∓ b)⟩|: 1 if the angles are the same but for where they start and which way."""
    return max(abs(np.mean(np.exp(1j * (a - way * b)))) for way in (1, -1))


# -- Betti numbers --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["circle", "flat torus", "sphere"])
def test_bare_shapes(name):
    recording, numbers = shape(name)
    found = betti(recording.signal, max_dimension=2, n_points=170, n_shuffles=3)
    assert found.betti == numbers
    assert found.is_like(numbers)


def test_a_circle_through_nonlinear_mixing():
    recording = iso.simulate.circle(0, **UNITS)
    assert betti(recording.signal, n_points=150).betti == (1, 1)
    assert betti(recording.signal, n_points=150, reduce=4).betti == (1, 1)


def test_a_circle_through_spikes():
    spikes = iso.simulate.circle(
        0, n_samples=8000, n_units=30, mixing="nonlinear", observation="poisson", turns=0.25
    )
    z = smooth(square_root(spikes), 0.2).signal[::4]
    assert betti(z, n_points=150, reduce=3).betti == (1, 1)
    angle = circular_coordinates(z, reduce=3, n_points=150)
    assert agreement(angle, spikes.label("angle")[::4]) > 0.9


@pytest.mark.slow
@pytest.mark.parametrize("name", ["torus", "flat torus", "sphere"])
@pytest.mark.parametrize("options", [{}, UNITS])
def test_surfaces_bare_and_through_nonlinear_mixing(name, options):
    recording, numbers = shape(name, **options)
    reduce = 6 if options else None
    found = betti(recording.signal, max_dimension=2, reduce=reduce, n_shuffles=8)
    assert found.betti == numbers


@pytest.mark.slow
@pytest.mark.parametrize("name", ["flat torus", "sphere"])
def test_surfaces_through_spikes(name):
    simulate, own, numbers = SHAPES[name]
    spikes = simulate(
        0,
        n_samples=20_000,
        turns=0.25,
        n_units=100,
        mixing="nonlinear",
        observation="poisson",
        noise=0.0,
        **own,
    )
    z = smooth(square_root(spikes), 0.2).signal[::4]
    assert betti(z, max_dimension=2, reduce=6, n_shuffles=8).betti == numbers


def test_noise_has_no_shape():
    for seed in range(3):
        z = np.random.default_rng(seed).normal(size=(600, 3))
        assert betti(z, n_points=100, seed=seed).betti == (1, 0)


def test_two_clusters_are_two_parts():
    z = np.random.default_rng(0).normal(size=(600, 2)) * 0.2
    z[::2] += 10  # along the diagonal: shuffled columns also meet at two further corners
    assert betti(z, n_points=100).betti[0] in (1, 2)
    z[:, 1] -= 10 * (np.arange(600) % 2 == 0)
    found = betti(z, n_points=100)
    assert found.bars()["lifespan"].iloc[1] == pytest.approx(9, abs=0.7)


def test_two_loops_are_two():
    turn = np.random.default_rng(0).uniform(0, 2 * np.pi, 1000)
    eight = np.column_stack([np.cos(turn), np.sin(turn)])
    eight[::2, 0] += 2
    assert betti(eight, n_points=150).betti == (1, 2)


def test_units_and_rotation_change_nothing_and_the_seed_repeats():
    z = iso.simulate.circle(0, n_samples=1000).signal
    first, again = (betti(z, n_points=80, n_shuffles=4) for _ in range(2))
    np.testing.assert_array_equal(first.chance, again.chance)
    np.testing.assert_array_equal(first.landmarks, again.landmarks)
    bigger = betti(100 * z + 5, n_points=80, n_shuffles=4)
    np.testing.assert_allclose(bigger.thresholds, np.multiply(100, first.thresholds), rtol=1e-4)
    assert bigger.betti == first.betti == (1, 1)
    assert first.chance.shape == (4, 2)
    bars = first.bars()
    assert bars["real"].sum() == 2
    assert bars.loc[bars["dimension"] == 1, "lifespan"].is_monotonic_decreasing
    assert first.settings["n_shuffles"] == 4
    assert "betti (1, 1)" in repr(first)


def test_landmarks_are_those_of_a_greedy_search():
    rows = np.random.default_rng(0).normal(size=(60, 2))
    chosen = landmarks(rows, 12, 0.0, np.random.default_rng(3))
    for i in range(1, 12):
        gap = np.linalg.norm(rows[:, None] - rows[chosen[:i]], axis=2).min(axis=1)
        assert chosen[i] == np.argmax(gap)
    assert len(set(landmarks(rows, 100, 0.0, np.random.default_rng(0)))) == 60


def test_outliers_can_be_left_out():
    rng = np.random.default_rng(0)
    ring = iso.simulate.circle(0, n_samples=1000).signal
    ring[rng.permutation(1000)[:20]] = rng.normal(size=(20, 2)) * 5
    chosen = landmarks(ring, 100, 0.05, rng)
    assert np.abs(np.hypot(*ring[chosen].T) - 1).max() < 0.5
    assert np.abs(np.hypot(*ring[landmarks(ring, 100, 0.0, rng)].T) - 1).max() > 2


def test_samples_outside_trials_are_left_out():
    ring = iso.simulate.circle(0, n_samples=800).signal
    ring[400:] = 0
    coords = {"time": np.arange(800.0), "trial": ("time", np.repeat([0, -1], 400))}
    z = xr.DataArray(ring, dims=("time", "latent"), coords=coords)
    assert betti(z, n_points=60).landmarks.max() < 400
    assert circular_coordinates(z, n_points=60).shape == (400,)


# -- circular coordinates -------------------------------------------------------------------------


@pytest.mark.parametrize("options", [{}, {"n_units": 20, "mixing": "linear", "noise": 0.1}])
def test_the_angle_of_a_circle(options):
    recording = iso.simulate.circle(0, **options)
    angle = circular_coordinates(recording.signal, n_points=150)
    assert agreement(angle, recording.label("angle")) > 0.95
    assert angle.min() >= 0
    assert angle.max() < 2 * np.pi


def test_the_angle_turns_once_through_nonlinear_mixing():
    recording = iso.simulate.circle(0, n_units=30, mixing="nonlinear", noise=0.1)
    angle = circular_coordinates(recording.signal, n_points=150)
    assert agreement(angle, recording.label("angle")) > 0.9
    turned = [np.unwrap(a)[-1] - a[0] for a in (angle, recording.label("angle"))]
    assert abs(turned[0]) == pytest.approx(abs(turned[1]), abs=2 * np.pi)


def test_the_two_angles_of_a_torus():
    recording, _ = shape("torus")
    labels = [recording.label(name) for name in ("toroidal", "poloidal")]
    found = [circular_coordinates(recording.signal, loop=k) for k in (0, 1)]
    table = np.array([[agreement(f, label) for label in labels] for f in found])
    assert np.sort(table.max(axis=0))[0] > 0.9
    assert np.sort(table.ravel())[1] < 0.2


def test_angles_do_not_jump_between_landmarks():
    recording = iso.simulate.circle(0, n_samples=4000, noise=0.0)
    angle = circular_coordinates(recording.signal, n_points=40)
    step, true = (
        np.abs(np.angle(np.exp(1j * np.diff(a)))) for a in (angle, recording.label("angle"))
    )
    assert step.max() < 4 * true.max()


# -- what they refuse -----------------------------------------------------------------------------

RING = iso.simulate.circle(0, n_samples=200).signal


@pytest.mark.parametrize("function", [betti, circular_coordinates])
@pytest.mark.parametrize(
    ("z", "options", "message"),
    [
        (RING, {"n_points": 5}, "n_points must be a whole number of at least 10, got 5"),
        (RING, {"n_points": 20.5}, "n_points must be a whole number"),
        (RING, {"coefficient": 6}, "coefficient must be a prime"),
        (RING, {"coefficient": 1}, "coefficient must be a whole number of at least 2"),
        (RING, {"outliers": 1.0}, "outliers is a share"),
        (RING, {"reduce": 3}, "reduce=3 is more than the 2 columns"),
        (RING, {"reduce": 0}, "reduce must be a whole number"),
        (RING[:5], {}, "at least 10 samples in trials, got 5"),
        (np.ones((50, 2)), {}, "all samples are the same point"),
        (np.zeros((0, 2)), {}, "not empty"),
        (np.zeros((4, 4, 4)), {}, r"must be \(time, latent\)"),
    ],
)
def test_refuses(function, z, options, message):
    with pytest.raises(DataError, match=message):
        function(z, **options)


def test_refuses_what_only_one_of_them_knows():
    with pytest.raises(DataError, match="max_dimension must be 0, 1 or 2, got 3"):
        betti(RING, max_dimension=3)
    with pytest.raises(DataError, match="n_shuffles must be a whole number of at least 1"):
        betti(RING, n_shuffles=0)
    with pytest.raises(DataError, match="need signs: coefficient must be a prime above 2"):
        circular_coordinates(RING, coefficient=2)
    with pytest.raises(DataError, match=r"has \d+ loops at any scale; there is no 500"):
        circular_coordinates(RING, loop=500)


def test_missing_values_are_named():
    ring = RING.copy()
    ring[3, 0] = np.nan
    with pytest.raises(MissingValuesError, match=r"embedding must be finite.*sample 3, column 0"):
        betti(ring)


def test_without_ripser_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "ripser", None)
    with pytest.raises(MissingDependencyError, match=r'pip install "isofold\[topology\]"'):
        betti(RING)
