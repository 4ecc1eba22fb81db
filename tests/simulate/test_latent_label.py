"""Simulations of the pi-VAE and CI-iVAE papers: moments given the label, lift, rates, refusals."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

import isofold as iso
from isofold.errors import DataError
from isofold.simulate import _lift

POISSON = ("pivae_continuous", "pivae_discrete")
GAUSSIAN = ("sine", "quadratic", "two_circles")
ALL = POISSON + GAUSSIAN


def simulate(name, seed=0, **options):
    return getattr(iso.simulate, name)(seed, **options)


def expected_moments(name, labels):
    """Mean and variance of z given the label, (time, 2), as the papers have them."""
    if name == "two_circles":
        angle, circle = labels["angle"], labels["circle"]
        spread = (np.pi - abs(angle)) / (10 * np.pi)
        return np.stack([circle * np.cos(angle), circle * np.sin(angle)], 1), spread[:, None]
    u = labels["u"]
    if name == "quadratic":
        return np.stack([u, u**2], 1), ((2 * u + np.pi) / (4 * np.pi))[:, None]
    mean = np.stack([u, 2 * np.sin(u)], 1)
    if name == "sine":
        return mean, (u / (4 * np.pi))[:, None]
    wave = abs(np.sin(u))
    return mean, np.stack([0.6 - 0.3 * wave, 0.3 * wave], 1)


# -- seeds and shapes -------------------------------------------------------------------------


@pytest.mark.parametrize("name", ALL)
def test_same_seed_same_recording_and_another_seed_another(name):
    first, again, other = (simulate(name, seed, n_samples=60, n_units=10) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first.signal, again.signal)
    np.testing.assert_array_equal(first.truth, again.truth)
    assert not np.array_equal(first.signal, other.signal)
    assert not np.array_equal(first.truth, other.truth)


@pytest.mark.parametrize("observation", ["gaussian", "poisson"])
@pytest.mark.parametrize("name", ALL)
def test_a_short_recording_is_the_head_of_a_long_one(name, observation):
    options = {"n_units": 10, "observation": observation, "noise": 0.3}
    short, long = (simulate(name, 1, n_samples=n, **options) for n in (40, 90))
    np.testing.assert_array_equal(short.signal, long.signal[:40])
    np.testing.assert_array_equal(short.truth, long.truth[:40])
    for label in short.labels:
        np.testing.assert_array_equal(short.label(label), long.label(label)[:40])


def test_the_published_sizes_are_the_defaults():
    shapes = {name: simulate(name).signal.shape for name in ALL}
    assert shapes == {
        "pivae_continuous": (15_000, 100),
        "pivae_discrete": (10_000, 100),
        "sine": (30_000, 100),
        "quadratic": (30_000, 100),
        "two_circles": (30_000, 100),
    }


def test_labels_have_the_published_ranges_and_kinds():
    recordings = {name: simulate(name, n_samples=4000, n_units=4) for name in ALL}
    kinds = {name: dict(recording.kinds) for name, recording in recordings.items()}
    assert kinds == {
        "pivae_continuous": {"u": "continuous"},
        "pivae_discrete": {"u": "discrete"},
        "sine": {"u": "continuous"},
        "quadratic": {"u": "continuous"},
        "two_circles": {"angle": "continuous", "circle": "discrete"},
    }
    label = {
        name: recording.label(next(iter(kinds[name]))) for name, recording in recordings.items()
    }
    np.testing.assert_array_equal(label.pop("pivae_discrete"), np.arange(4000) % 5)
    ranges = {
        "pivae_continuous": (0, 2 * np.pi),
        "sine": (0, 2 * np.pi),
        "quadratic": (-np.pi / 2, np.pi / 2),
        "two_circles": (-np.pi, np.pi),
    }
    for name, (low, high) in ranges.items():
        assert stats.kstest((label[name] - low) / (high - low), "uniform").pvalue > 1e-3
    circle = recordings["two_circles"].label("circle")
    assert set(circle) == {1, 2}
    assert abs(circle.mean() - 1.5) < 4 * 0.5 / np.sqrt(4000)


def test_trials_only_cut_the_samples():
    whole, cut = (simulate("sine", n_samples=103, n_units=4, n_trials=n) for n in (None, 10))
    assert whole.trials is None
    np.testing.assert_array_equal(cut.signal, whole.signal)
    assert cut.trials["start"].iloc[0] == 0
    assert cut.trials["stop"].iloc[-1] == 103
    assert len(cut.trials) == 10
    assert cut.rate == 40.0
    assert simulate("sine", n_samples=103, n_units=4, rate=1.0).rate == 1.0


# -- the latent -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["pivae_continuous", *GAUSSIAN])
def test_latent_given_label_is_the_gaussian_of_the_paper(name):
    recording = simulate(name, n_samples=20_000, n_units=None)
    mean, variance = expected_moments(name, recording.labels)
    residual = (recording.truth - mean) / np.sqrt(variance)
    assert stats.kstest(residual[:, 0], "norm").pvalue > 1e-3
    assert stats.kstest(residual[:, 1], "norm").pvalue > 1e-3
    assert abs(np.corrcoef(residual.T)[0, 1]) < 4 / np.sqrt(20_000)
    tenth = np.argsort(np.argsort(next(iter(recording.labels.values())))) * 10 // 20_000
    for k in range(10):
        np.testing.assert_allclose(residual[tenth == k].mean(axis=0), 0, atol=4 / np.sqrt(2000))
        np.testing.assert_allclose(residual[tenth == k].var(axis=0), 1, atol=4 * np.sqrt(2 / 2000))


def test_discrete_classes_have_moments_of_the_seed_within_the_published_ranges():
    first = simulate("pivae_discrete", 0, n_samples=20_000, n_units=None)
    again = simulate("pivae_discrete", 0, n_samples=5000, n_units=8, mixing="linear")
    other = simulate("pivae_discrete", 1, n_samples=5000, n_units=None)
    for k in range(5):
        z, same, moved = (r.truth[r.label("u") == k] for r in (first, again, other))
        error = z.std(axis=0) / np.sqrt(len(same))
        assert np.all(np.abs(z.mean(axis=0)) < 5 + 5 * error)
        assert np.all((z.var(axis=0) > 0.45) & (z.var(axis=0) < 3.3))
        assert np.all(np.abs(same.mean(axis=0) - z.mean(axis=0)) < 5 * error)
        assert np.any(np.abs(moved.mean(axis=0) - z.mean(axis=0)) > 10 * error)
        assert stats.kstest(stats.zscore(z[:, 0]), "norm").pvalue > 1e-3


@pytest.mark.parametrize("name", ALL)
def test_mixing_units_and_observation_leave_the_latent_as_it_is(name):
    plain = simulate(name, n_samples=50, n_units=None)
    np.testing.assert_array_equal(plain.signal, plain.truth)
    for options in ({"n_units": 6}, {"n_units": 5, "mixing": "linear"}, {"observation": "poisson"}):
        np.testing.assert_array_equal(simulate(name, n_samples=50, **options).truth, plain.truth)


# -- the lift ---------------------------------------------------------------------------------


def lift_one(z, rng, n_units):
    """The RealNVP of one sample, unit by unit."""
    half, hidden = n_units // 2, n_units // 4

    def draw(n_in, n_out):
        limit = np.sqrt(6 / (n_in + n_out))
        return rng.uniform(-limit, limit, (n_in, n_out))

    def times(vector, matrix):
        return [sum(v * w for v, w in zip(vector, column, strict=True)) for column in matrix.T]

    weights = [(draw(half, hidden), draw(hidden, hidden), draw(hidden, n_units)) for _ in range(8)]
    x = [*z] + [0.0] * (n_units - 2)
    for block in range(4):
        if block > 0:
            order = np.random.RandomState(block - 1).permutation(n_units)
            x = [x[i] for i in order]
        for w1, w2, w3 in weights[2 * block : 2 * block + 2]:
            a, b = x[:half], x[half:]
            h1 = [max(v, 0.0) for v in times(a, w1)]
            h2 = [max(v, 0.0) for v in times(h1, w2)]
            out = times(h2, w3)
            s = [0.1 * np.tanh(v) for v in out[:half]]
            x = [bi * np.exp(si) + ti for bi, si, ti in zip(b, s, out[half:], strict=True)] + a
    return np.array(x)


@pytest.mark.parametrize("n_units", [4, 6, 10, 100])
def test_lift_is_the_written_formula(n_units):
    z = np.random.default_rng(5).normal(0, 3, (3, 2))
    lift = _lift.real_nvp(np.random.default_rng(7), n_units)
    brute = [lift_one(row, np.random.default_rng(7), n_units) for row in z]
    np.testing.assert_allclose(lift(z), brute, rtol=1e-12, atol=1e-12)


def test_signal_of_gaussian_units_is_the_lift_plus_noise():
    options = {"n_samples": 5000, "n_units": 20}
    clean, noisy = (simulate("sine", 2, noise=noise, **options) for noise in (0.0, None))
    added = noisy.signal - clean.signal
    assert abs(added.mean()) < 4 / np.sqrt(added.size)
    assert abs(added.std() - 1) < 4 / np.sqrt(2 * added.size)
    same = np.unique(clean.signal, axis=0)
    assert len(same) == 5000


@pytest.mark.parametrize(("name", "gain"), [("pivae_continuous", 2.2), ("pivae_discrete", 2.0)])
def test_counts_are_poisson_of_the_squashed_lift(name, gain):
    options = {"n_samples": 4000, "n_units": 40}
    m = simulate(name, 0, observation="gaussian", noise=0.0, **options).signal
    counts = simulate(name, 0, **options).signal
    rate = np.exp(gain * np.tanh(m))
    residual = (counts - rate) / np.sqrt(rate)
    assert abs(residual.mean()) < 4 / np.sqrt(residual.size)
    assert abs(residual.var() - 1) < 4 * np.sqrt((2 + 1 / rate).mean() / residual.size)
    np.testing.assert_array_equal(counts, np.round(counts))


def test_rates_are_those_of_the_published_simulations():
    """Mean 1.25 a bin over nets; within exp(±2.2) = .11 to 9.0."""
    means = []
    for seed in range(6):
        m = simulate("pivae_continuous", seed, n_samples=500, observation="gaussian", noise=0)
        rate = np.exp(2.2 * np.tanh(m.signal))
        assert 0.11 < rate.min() < 0.4
        assert 3 < rate.max() < 9.03
        means.append(rate.mean())
    assert np.mean(means) == pytest.approx(1.25, abs=0.12)


def test_signal_of_the_ci_simulations_is_as_weak_as_published():
    published = {"sine": 0.08, "quadratic": 0.03, "two_circles": 0.04}
    for name, variance in published.items():
        found = [simulate(name, s, n_samples=500, noise=0).signal.var(axis=0) for s in range(4)]
        assert np.mean(found) == pytest.approx(variance, rel=0.4)


def r2_of_linear_map(x, y):
    design = np.column_stack([x, np.ones(len(x))])
    residual = y - design @ np.linalg.lstsq(design, y, rcond=None)[0]
    return 1 - residual.var(axis=0) / y.var(axis=0)


@pytest.mark.parametrize("name", ALL)
def test_mixings_are_what_they_are_called(name):
    options = {"n_samples": 3000, "n_units": 30, "observation": "gaussian", "noise": 0}
    seen = {m: simulate(name, mixing=m, **options) for m in ("none", "linear", "nonlinear")}
    r2 = {m: r2_of_linear_map(r.truth, r.signal) for m, r in seen.items()}
    assert r2["none"].min() > 1 - 1e-9
    assert r2["linear"].min() > 1 - 1e-9
    assert np.median(r2["nonlinear"]) < 0.99
    correlation = np.corrcoef(seen["none"].signal[:, 3], seen["none"].truth[:, 1])[0, 1]
    assert abs(correlation) == pytest.approx(1.0)
    np.testing.assert_allclose(seen["none"].signal.std(axis=0), 1.0, rtol=0.1)
    np.testing.assert_allclose(seen["none"].signal.mean(axis=0), 0.0, atol=0.1)


def test_noise_of_poisson_units_is_on_the_log_rate():
    options = {"n_samples": 4000, "n_units": 40}
    m = simulate("pivae_discrete", 0, observation="gaussian", noise=0, **options).signal
    rate = np.exp(2 * np.tanh(m))
    counts = simulate("pivae_discrete", 0, noise=0.5, **options).signal
    assert (counts / rate).mean() == pytest.approx(np.exp(0.125), rel=0.02)
    excess = ((counts - np.exp(0.125) * rate) ** 2 - np.exp(0.125) * rate) / rate**2
    assert excess.mean() == pytest.approx(np.exp(0.5) - np.exp(0.25), rel=0.2)


# -- what they refuse -------------------------------------------------------------------------


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_units": 7}, "must be even and at least 4, got 7; use n_units=8"),
        ({"n_units": 2}, "must be even and at least 4, got 2; use n_units=4"),
        ({"n_units": 0}, "n_units must be a whole number of at least 1, got 0"),
        ({"n_units": 4.0}, "n_units must be a whole number"),
        ({"n_samples": 1}, "n_samples must be a whole number of at least 2, got 1"),
        ({"n_samples": 5, "n_trials": 6}, "n_trials=6 is more than n_samples=5"),
        ({"n_trials": 0}, "n_trials must be a whole number"),
        ({"mixing": "log"}, "mixing must be one of"),
        ({"observation": "binomial"}, "observation must be one of"),
        ({"observation": "binomial", "n_units": None}, "observation must be one of"),
        ({"noise": -1.0}, "noise is a standard deviation"),
        ({"noise": np.nan}, "noise is a standard deviation"),
        ({"rate": 0.0}, "rate must be a positive number"),
    ],
)
def test_refuses(name, options, message):
    with pytest.raises(DataError, match=message):
        simulate(name, **options)


def test_odd_and_single_units_see_linear_mixings():
    assert simulate("sine", n_samples=5, n_units=1, mixing="linear").n_channels == 1
    assert simulate("sine", n_samples=5, n_units=7, mixing="none").n_channels == 7
