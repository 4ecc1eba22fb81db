"""Sources whose spread changes from segment to segment: moments, mixing, refusals."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

import isofold as iso
from isofold.errors import DataError
from isofold.simulate import segments as simulate
from isofold.simulate.segments import NONLINEARITIES, _matrix


def test_same_seed_same_recording_and_another_seed_another():
    first, again, other = (simulate(seed, n_samples=80, n_segments=4) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first.signal, again.signal)
    np.testing.assert_array_equal(first.truth, again.truth)
    assert not np.array_equal(first.signal, other.signal)
    assert not np.array_equal(first.truth, other.truth)


def test_the_published_sizes_are_the_defaults():
    recording = simulate()
    assert recording.signal.shape == recording.truth.shape == (40_000, 5)
    np.testing.assert_array_equal(recording.label("segment"), np.repeat(np.arange(40), 1000))
    assert recording.kind("segment") == "discrete"


@pytest.mark.parametrize("means", [False, True])
def test_sources_are_gaussian_with_moments_of_their_segment(means):
    recording = simulate(0, n_samples=20_000, n_segments=10, n_latents=3, means=means)
    s = recording.truth.reshape(10, 2000, 3)
    mean, deviation = s.mean(axis=1), s.std(axis=1)
    assert np.all((deviation > 0.45) & (deviation < 3.2))
    assert np.ptp(deviation) > 1
    error = deviation / np.sqrt(2000)
    if means:
        assert np.all(np.abs(mean) < 5 + 4 * error)
        assert np.abs(mean).max() > 2
    else:
        assert np.all(np.abs(mean) < 4 * error)
    z = ((s - mean[:, None]) / deviation[:, None]).reshape(-1, 3)
    for k in range(3):
        assert stats.kstest(z[:, k], "norm").pvalue > 1e-3
    assert np.abs(np.corrcoef(z.T)[np.triu_indices(3, 1)]).max() < 4 / np.sqrt(20_000)


def test_autoregressive_laplace_sources():
    recording = simulate(
        0, n_samples=50_000, n_segments=1, n_latents=2, sources="laplace", autocorrelation=0.7
    )
    s = recording.truth / recording.truth.std(axis=0)
    for column in s.T:
        assert np.corrcoef(column[1:], column[:-1])[0, 1] == pytest.approx(0.7, abs=0.02)
        innovation = column[1:] - 0.7 * column[:-1]
        assert stats.kurtosis(innovation) == pytest.approx(3, abs=0.5)
        assert stats.kstest(innovation / innovation.std() * np.sqrt(2), "laplace").pvalue > 1e-3
    starts = np.stack([simulate(k, n_samples=2, n_segments=1, autocorrelation=0.9).truth[0]
                       for k in range(40)])  # fmt: skip
    assert starts.std() == pytest.approx(np.sqrt((3**3 - 0.5**3) / 3 / 2.5), rel=0.2)


def test_one_layer_is_linear_and_more_are_not():
    for layers, straight in ((1, True), (2, False)):
        recording = simulate(0, n_samples=2000, n_latents=3, n_layers=layers, noise=0)
        found = iso.scores.recovery(recording.truth, recording.signal, n_chance=0)
        assert (float(found) > 1 - 1e-9) == straight


@pytest.mark.parametrize("nonlinearity", NONLINEARITIES)
def test_the_mixing_can_be_undone(nonlinearity):
    """Each layer by its own inverse: the nonlinearity by interpolation, the matrix by solving."""
    recording = simulate(
        1, n_samples=500, n_segments=5, n_latents=3, nonlinearity=nonlinearity, noise=0
    )
    of_mixing = np.random.default_rng(1).spawn(4)[2]
    first, second, third = (_matrix(of_mixing, 3) for _ in range(3))
    grid = np.linspace(-60, 60, 1_200_001)
    values = NONLINEARITIES[nonlinearity](grid)
    x = recording.signal
    for matrix in (third, second):
        x = np.interp(np.linalg.solve(matrix.T, x.T).T, values, grid)
    np.testing.assert_allclose(np.linalg.solve(first.T, x.T).T, recording.truth, atol=1e-3)


def test_matrices_have_unit_columns_and_are_well_conditioned():
    rng = np.random.default_rng(0)
    found = np.stack([_matrix(rng, 5) for _ in range(20)])
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1)
    drawn = rng.uniform(-1, 1, (4000, 5, 5))
    drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
    assert np.linalg.cond(found).max() < np.quantile(np.linalg.cond(drawn), 0.3)


def test_noise_is_added_after_the_mixing_and_trials_only_cut():
    clean, noisy = (simulate(0, n_samples=9000, n_trials=t, noise=n)
                    for t, n in ((None, 0), (30, 0.5)))  # fmt: skip
    np.testing.assert_array_equal(clean.truth, noisy.truth)
    assert (noisy.signal - clean.signal).std() == pytest.approx(0.5, rel=0.02)
    assert clean.trials is None
    assert len(noisy.trials) == 30


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_samples": 10, "n_segments": 11}, "n_samples must be a whole number of at least 11"),
        ({"n_samples": 1, "n_segments": 1}, "n_samples must be a whole number of at least 2"),
        ({"n_segments": 0}, "n_segments must be a whole number of at least 1, got 0"),
        ({"n_latents": 2.5}, "n_latents must be a whole number"),
        ({"n_layers": 0}, "n_layers must be a whole number"),
        ({"nonlinearity": "relu"}, r"nonlinearity must be one of \('leaky-relu', 'xtanh'\)"),
        ({"sources": "uniform"}, "sources must be one of"),
        ({"autocorrelation": 1.0}, r"autocorrelation must lie in \[0, 1\), got 1.0"),
        ({"autocorrelation": np.nan}, "autocorrelation must lie in"),
        ({"noise": -1.0}, "noise is a standard deviation"),
        ({"rate": 0.0}, "rate must be a positive number"),
        ({"n_trials": 0}, "n_trials must be a whole number"),
    ],
)
def test_refuses(options, message):
    with pytest.raises(DataError, match=message):
        simulate(0, **options)
