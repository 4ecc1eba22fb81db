"""Baselines: known curves, the published method, brute force, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from photometry_helpers import plain, traces

from isofold.errors import DataError
from isofold.preprocess import dff, fit_bleaching
from isofold.preprocess._curves import Bright
from isofold.preprocess._filters import low_pass
from isofold.preprocess._whittaker import airpls
from isofold.preprocess.bleaching import MODELS

CUT = 100


def compared(method, seed, minutes, rate=20.0, **shape):
    """dF/F of the published method and ours after the warm-up, and the two baselines."""
    t, signal, _ = traces(seed, minutes, rate, **shape)
    theirs, f0, _ = plain().dff(signal, rate, method)
    fit = fit_bleaching(t[CUT:], signal[CUT:], method, start=0.0)
    divide = "fit" if method == "bright" else "sliding"
    ours = dff(signal[CUT:], fit.at(t[CUT:]), rate, divide)
    return theirs[CUT:], ours, f0[CUT:], fit.at(t[CUT:]), signal[CUT:]


def assert_equal_enough(theirs, ours):
    slope = np.polyfit(theirs, ours, 1)[0]
    assert np.corrcoef(theirs, ours)[0, 1] >= 0.999
    assert abs(slope - 1) <= 1e-3
    assert np.abs(theirs - ours).max() <= 1e-3


@pytest.mark.parametrize(
    ("method", "minutes"), [("poly", 15), ("exp", 15), ("tri-exp", 11), ("bright", 12)]
)
def test_dff_is_that_of_the_published_method(method, minutes):
    rate = 5.0 if method == "tri-exp" else 20.0
    simple = {"brightening": 0.0, "rapid": 0.0} if method == "bright" else {}  # the search is slow
    theirs, ours, f0, mine, y = compared(method, int(method == "bright"), minutes, rate, **simple)
    assert_equal_enough(theirs, ours)
    fitted = low_pass(y, 5.0, 0.01) if method == "tri-exp" else y
    if method != "bright":  # its robust rounds weigh samples, so that plain sums say nothing
        assert np.sum((fitted - mine) ** 2) <= np.sum((fitted - f0) ** 2) * (1 + 1e-8)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("method", ["exp", "tri-exp", "bright"])
def test_dff_is_that_of_the_published_method_over_an_hour(method, seed):
    assert_equal_enough(*compared(method, seed, minutes=60)[:2])


def test_bright_finds_its_own_curve():
    t = np.arange(0, 3600, 0.05)
    truth = Bright(300.0, 0.4, 0.2, b_bright=0.2, t_slow=4000.0, t_fast=300.0, t_bright=900.0)
    fit = fit_bleaching(t, truth.at(t) + np.random.default_rng(0).standard_normal(len(t)), "bright")
    assert fit.notes["brightening"]
    assert np.abs(fit.at(t) / truth.at(t) - 1).max() < 1e-3


def test_bright_ignores_transients():
    t = np.arange(0, 1800, 0.05)
    truth = Bright(300.0, 0.4, 0.1, t_slow=2000.0, t_fast=150.0).at(t)
    rng = np.random.default_rng(0)
    active = rng.random(len(t)) < 0.1
    y = truth * (1 + 0.2 * active) + 0.5 * rng.standard_normal(len(t))
    robust = np.abs(fit_bleaching(t, y, "bright").at(t) / truth - 1).max()
    ordinary = np.abs(fit_bleaching(t, y, "exp").at(t) / truth - 1).max()
    assert robust < 3e-3 < 1e-2 < ordinary


def test_bright_model_selection():
    t = np.arange(0, 1800, 0.05)
    two = Bright(300.0, 0.4, 0.1, t_slow=2000.0, t_fast=150.0).at(t)
    y = two + np.random.default_rng(1).standard_normal(len(t))
    plain_two = fit_bleaching(t, y, "bright")
    assert not plain_two.notes["brightening"]
    assert not plain_two.notes["third"]
    assert plain_two.parameters["t_rapid"] == np.inf
    three = y + 30 * np.exp(-t / 20)
    rapid = fit_bleaching(t, three, "bright")
    assert rapid.notes["third"]
    assert rapid.parameters["t_rapid"] == pytest.approx(20, rel=0.1)
    assert rapid.parameters["t_slow"] > rapid.parameters["t_fast"] > rapid.parameters["t_rapid"]
    never = fit_bleaching(t, three, "bright", ratios=(1e-9, 1e-9))
    assert not never.notes["third"]
    for ratios in ("AIC", "BIC"):
        assert fit_bleaching(t, three, "bright", ratios=ratios).notes["third"]


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("scale", [1e-3, 1e3])
def test_baseline_scales_with_the_trace(model, scale):
    t, signal, _ = traces(3, minutes=11, rate=10.0)
    one, other = (fit_bleaching(t, s, model) for s in (signal, scale * signal))
    if model == "airpls":  # its end points are anchored by exact weights
        np.testing.assert_allclose(other.at(t), scale * one.at(t), rtol=1e-6)
    else:
        # The search for three exponentials may end in another valley of nearly the same depth.
        rtol = 2e-3 if model == "tri-exp" else 1e-4
        np.testing.assert_allclose(other.at(t), scale * one.at(t), rtol=rtol)


@pytest.mark.parametrize("model", MODELS)
def test_missing_samples_cost_themselves_only(model):
    t, signal, _ = traces(4, minutes=11, rate=10.0)
    whole = fit_bleaching(t, signal, model).at(t)
    holed = signal.copy()
    holed[[0, 77, 3000, -1]] = np.nan
    holed[2000:2010] = np.nan
    np.testing.assert_allclose(fit_bleaching(t, holed, model).at(t), whole, rtol=5e-3)


def test_poly_is_the_polynomial_of_least_squares():
    t, signal, _ = traces(5, minutes=10, rate=5.0)
    want = np.polyval(np.polyfit(t, signal, 4), t)
    np.testing.assert_allclose(fit_bleaching(t, signal, "poly").at(t), want, rtol=1e-9)


@settings(max_examples=25, deadline=None)
@given(st.integers(5, 60), st.integers(1, 3), st.integers(0, 2**31))
def test_airpls_is_the_dense_solution(n, order, seed):
    y = np.random.default_rng(seed).standard_normal(n).cumsum() + 10
    difference = np.diff(np.eye(n), order, axis=0)
    weight, penalty, z = np.ones(n), 50.0 * difference.T @ difference, y
    for number in range(1, 6):
        z = np.linalg.solve(np.diag(weight) + penalty, weight * y)
        below = y - z
        total = -below[below < 0].sum()
        if total < 1e-3 * np.abs(y).sum() or number == 5:
            break
        weight = np.where(below >= 0, 0, np.exp(np.minimum(number * np.abs(below) / total, 50)))
        weight[[0, -1]] = np.exp(number * np.abs(below[below < 0]).max() / total)
    np.testing.assert_allclose(airpls(y, 50.0, order, rounds=5), z, rtol=1e-5, atol=1e-6)


def test_airpls_lies_below_peaks():
    t = np.arange(3000) / 10
    slow = 5 + np.exp(-t / 200)
    y = slow + sum(np.exp(-(((t - c) / 2) ** 2)) for c in range(20, 300, 40))
    fit = fit_bleaching(t, y, "airpls", smoothness=1e5, order=2)
    assert np.abs(fit.at(t) - slow)[50:-50].max() < 0.15 < np.abs(y - slow).max()


def test_highpass_is_the_slow_part():
    t, signal, _ = traces(6, minutes=10, rate=5.0)
    want = low_pass(signal, 5.0, 0.002)
    fit = fit_bleaching(t, signal, "highpass", cutoff=0.002)
    np.testing.assert_allclose(fit.at(t), want)


def test_dff_sets_the_lowest_median_to_zero():
    rng = np.random.default_rng(0)
    f, base = 10 + rng.random(1001), np.full(1001, 10.0)
    r = dff(f, base, 20.0, "sliding")
    lowest = np.sort(r)[: round(0.7 * 1001)]
    assert np.median(lowest) == pytest.approx(0, abs=1e-15)


def test_dff_of_a_baseline_that_is_not_above_zero_is_nan():
    r = dff(np.array([1.0, 1.0, np.nan]), np.array([0.0, 2.0, 2.0]), 1.0)
    np.testing.assert_array_equal(r, [np.nan, -0.5, np.nan])


# -- refusals -----------------------------------------------------------------------------------

T, Y = np.arange(100.0), np.arange(100.0) + 5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((T, Y, "cubic"), "bleaching must be one of .* got 'cubic'"),
        ((T, Y[:-1], "poly"), r"one length, got \(100,\), \(99,\)"),
        ((T, np.full(100, np.nan), "exp"), "at least 20 valid samples, found 0 of 100"),
    ],
)
def test_refusals(arguments, message):
    with pytest.raises(DataError, match=message):
        fit_bleaching(*arguments)


def test_unknown_options_and_ratios_are_refused():
    with pytest.raises(DataError, match=r"'poly' takes \['degree'\], got also \['ratios'\]"):
        fit_bleaching(T, Y, "poly", ratios="AIC")
    for ratios in ("DIC", (0.9,), (0.9, 2.0)):
        with pytest.raises(DataError, match='ratios must be "AIC", "BIC" or two shares'):
            fit_bleaching(T, Y, "bright", ratios=ratios)
    with pytest.raises(DataError, match="divide must be one of"):
        dff(Y, Y, 1.0, "both")
    with pytest.raises(DataError, match="of one length"):
        dff(Y, Y[:-1], 1.0)
