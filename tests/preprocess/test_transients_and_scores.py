"""Transients against a loop over chunks; the three z-scores."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isofold.errors import DataError
from isofold.preprocess import standard_score, transients


def by_loop(t, x, chunk=15.0, drop=2.0, threshold=3.0):
    """The recipe, one sample at a time."""
    size, found = round(chunk / (t[1] - t[0])), []
    deviation = lambda v: np.median(np.abs(v - np.median(v)))  # noqa: E731
    for a in range(0, len(x), size):
        part = x[a : a + size]
        quiet = part[part <= np.median(part) + drop * deviation(part)]
        limit = np.median(quiet) + threshold * deviation(quiet)
        for k in range(a, min(a + size, len(x))):
            inner = 0 < k < len(x) - 1
            if inner and x[k] > limit and x[k - 1] < x[k] > x[k + 1]:
                found.append((t[k], x[k] - np.median(quiet), x[k]))
    return np.array(found).reshape(-1, 3)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**31), st.integers(2, 900))
def test_transients_against_the_loop(seed, n):
    t = np.arange(n) / 10
    x = np.random.default_rng(seed).standard_normal(n) ** 3
    got = transients(t, x)
    want = by_loop(t, x)
    np.testing.assert_allclose(got.table.to_numpy().reshape(-1, 3), want)
    assert got.rate == pytest.approx(len(want) / (n / 600))


def test_known_transients():
    t = np.arange(0, 300, 0.05)
    rng = np.random.default_rng(0)
    times = np.arange(10, 290, 20.0)
    x = sum(np.exp(-(((t - c) / 0.5) ** 2)) for c in times) + 0.01 * rng.standard_normal(len(t))
    found = transients(t, np.convolve(x, np.ones(11) / 11, "same"), threshold=12.0)
    np.testing.assert_allclose(found.table["time"], times, atol=0.2)
    assert found.rate == pytest.approx(14 / 5)
    assert found.mean_amplitude == pytest.approx(1, abs=0.1)


def test_missing_samples_and_silence():
    t = np.arange(1000) / 20
    silent = transients(t, np.zeros(1000))
    assert len(silent.table) == 0
    assert np.isnan(silent.mean_amplitude)
    x = np.sin(t * 3)
    x[300:700] = np.nan
    found = transients(t, x, threshold=0.5)
    assert not found.table["time"].between(15, 34.9).any()
    assert found.rate == pytest.approx(len(found.table) / (600 / 1200))
    assert len(transients(t, np.full(1000, np.nan)).table) == 0


def test_transients_refuse():
    with pytest.raises(DataError, match="one length"):
        transients(np.arange(3.0), np.arange(4.0))
    with pytest.raises(DataError, match="chunk must be above 0, got 0"):
        transients(np.arange(3.0), np.arange(3.0), chunk=0)


def test_scores():
    x = np.array([1.0, 2.0, 3.0, np.nan, 10.0])
    known = x[np.isfinite(x)]
    np.testing.assert_allclose(standard_score(x), (x - known.mean()) / known.std())
    window = np.array([True, True, False, False, False])
    np.testing.assert_allclose(standard_score(x, "baseline", window), (x - 1.5) / 0.5)
    middle = np.median(known)
    want = 0.6745 * (x - middle) / np.median(np.abs(known - middle))
    np.testing.assert_allclose(standard_score(x, "modified"), want, rtol=1e-4)
    np.testing.assert_array_equal(standard_score(np.ones(4)), 0)


def test_scores_refuse():
    x = np.arange(5.0)
    with pytest.raises(DataError, match="how must be one of"):
        standard_score(x, "robust")
    with pytest.raises(DataError, match="goes with how"):
        standard_score(x, "baseline")
    with pytest.raises(DataError, match="goes with how"):
        standard_score(x, "standard", x > 2)
    with pytest.raises(DataError, match="valid sample in its baseline, found none"):
        standard_score(x, "baseline", x > 9)
