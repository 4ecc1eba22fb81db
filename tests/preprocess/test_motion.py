"""Regression on the control: statsmodels' RLM, the published correction, and missing samples."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from photometry_helpers import plain, traces

from isofold.errors import DataError
from isofold.preprocess import fit_motion, motion_correct
from isofold.preprocess._robust import robust_line, tukey_rho, tukey_weights

sm = pytest.importorskip("statsmodels.api")


def cloud(seed, n=400, outliers=0.1, slope=0.6):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(n)
    y = 0.3 + slope * x + 0.2 * rng.standard_normal(n)
    return x, y + (rng.random(n) < outliers) * rng.exponential(3, n)


@settings(max_examples=20, deadline=None)
@given(
    st.integers(0, 2**31),
    st.integers(20, 500),
    st.floats(0, 0.3),
    st.booleans(),
    st.sampled_from([1, 1e-3]),
)
def test_irls_is_that_of_statsmodels(seed, n, outliers, asymmetric, size):
    x, y = (size * v for v in cloud(seed, n, outliers))
    norm = plain().asymmetric_tukey() if asymmetric else sm.robust.norms.TukeyBiweight()
    theirs = sm.RLM(y, sm.add_constant(x), M=norm).fit()
    ours = robust_line(x, y, *((2.0, 4.685) if asymmetric else (4.685,)))
    np.testing.assert_allclose([ours.intercept, ours.slope], theirs.params, atol=1e-6)
    assert ours.scale == pytest.approx(theirs.scale, rel=1e-6)
    assert ours.rounds == theirs.fit_history["iteration"]


def test_weights_and_loss_are_those_of_statsmodels():
    z = np.linspace(-8, 8, 101)
    norm = sm.robust.norms.TukeyBiweight()
    np.testing.assert_allclose(tukey_weights(z, 4.685), norm.weights(z), atol=1e-15)
    np.testing.assert_allclose(tukey_rho(z, 4.685), norm.rho(z), atol=1e-14)


@pytest.mark.parametrize("method", ["poly", "bright"])
def test_correction_is_the_published_one(method):
    peer = plain()
    _, signal, control = traces(0, minutes=15)
    dff, iso = (peer.dff(x, 20.0, "exp")[0] for x in (signal, control))
    theirs, motion, slope, intercept = peer.motion_correct(dff, iso)
    ours, mine, fit = motion_correct(dff, iso, 20.0)
    assert fit.slope == pytest.approx(slope, abs=1e-6)
    assert fit.intercept == pytest.approx(intercept, abs=1e-6)
    np.testing.assert_allclose(ours, theirs, atol=1e-7)
    np.testing.assert_allclose(mine, motion, atol=1e-7)


def test_methods_differ_as_they_should():
    x, y = cloud(0, 4000)
    slope = lambda m, y=y: fit_motion(y, x, 20.0, m, cutoff=None).slope  # noqa: E731
    assert slope("ols") == pytest.approx(np.polyfit(x, y, 1)[0], abs=1e-12)
    assert slope("nonnegative") == slope("ols")
    assert abs(slope("irls") - 0.6) < 0.02
    assert slope("none") == 0
    assert slope("ols", -y) < 0
    assert slope("irls", -y) < 0
    assert slope("nonnegative", -y) == 0
    assert slope("irls-asymmetric", -y) == 0


def test_intercept_of_asymmetric_irls_lies_below_that_of_least_squares():
    x, y = cloud(1, 4000, outliers=0.3)
    fits = {m: fit_motion(y, x, 20.0, m, cutoff=None).intercept for m in ("ols", "irls-asymmetric")}
    assert abs(fits["irls-asymmetric"] - 0.3) < 0.05 < fits["ols"] - 0.3


def test_only_the_epoch_is_looked_at():
    x, y = cloud(2, 1000, outliers=0)
    used = np.arange(1000) < 500
    y = np.where(used, y, -50 * x)
    fit = fit_motion(y, x, 20.0, "ols", cutoff=None, used=used)
    assert fit.slope == pytest.approx(np.polyfit(x[:500], y[:500], 1)[0])
    assert fit.samples == 500


@pytest.mark.parametrize("method", ["ols", "irls", "irls-asymmetric", "nonnegative"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_one_missing_sample_costs_one_sample(method, value):
    _, signal, control = traces(1, minutes=10)
    dff, iso = signal / np.median(signal) - 1, control / np.median(control) - 1
    whole, _, fit = motion_correct(dff, iso, 20.0, method)
    iso[5000] = dff[7000] = value
    if not np.isnan(value):
        dff[7000] = np.nan  # the arrays hold what the session's reader made of it: NaN
        iso[5000] = np.nan
    holed, motion, again = motion_correct(dff, iso, 20.0, method)
    np.testing.assert_array_equal(np.flatnonzero(np.isnan(holed)), [5000, 7000])
    np.testing.assert_array_equal(np.flatnonzero(np.isnan(motion)), [5000])
    assert again.slope == pytest.approx(fit.slope, abs=1e-3)
    known = np.isfinite(holed)
    assert np.abs(holed - whole)[known].max() < 5e-3


def test_a_constant_control_takes_nothing_away():
    y = np.random.default_rng(0).standard_normal(500)
    corrected, motion, fit = motion_correct(y, np.full(500, 3.0), 20.0, noise_cutoff=None)
    assert fit.slope == 0
    np.testing.assert_array_equal(motion, 0)
    np.testing.assert_array_equal(corrected, y)


def test_a_perfect_fit_stops():
    x = np.linspace(0, 1, 300)
    for method in ("irls", "irls-asymmetric"):
        fit = fit_motion(2 * x + 1, x, 20.0, method, cutoff=None)
        assert fit.slope == pytest.approx(2)


def test_refusals():
    x = np.zeros(50)
    with pytest.raises(DataError, match=r"motion must be one of .* got 'lasso'"):
        fit_motion(x, x, 20.0, "lasso")
    with pytest.raises(DataError, match=r"on one clock, got \(50,\), \(49,\)"):
        fit_motion(x, x[1:], 20.0)
    with pytest.raises(DataError, match="at least 10 samples that both have, found 0"):
        fit_motion(x, np.full(50, np.nan), 20.0)
    with pytest.raises(DataError, match="found 5; choose another epoch"):
        fit_motion(x, x, 20.0, used=np.arange(50) < 5)
