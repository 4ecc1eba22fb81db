"""Steps stop at segments, learn from training trials only and say what they did."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from isofold import Recording, _rows, preprocess, simulate
from isofold.errors import DataError, MissingValuesError, StudyError
from isofold.preprocess import STEPS, Smooth, ZScore, pipeline

EVERY_STEP = {
    "zscore": {},
    "smooth": {"sigma": 0.15},
    "window_sum": {"duration": 0.4},
    "square_root": {},
    "soft_normalize": {"constant": 5.0},
    "delay": {"n": 3, "lag": 0.1, "centred": False},
    "trial_baseline": {"event": "cue", "window": [-0.3, 0.0]},
}


def counts(n=60, channels=3, seed=0, **more):
    signal = np.random.default_rng(seed).poisson(3.0, (n, channels)).astype(np.float32)
    table = {"start": [0, 20, 35], "stop": [20, 30, 60], "cue": [0.5, 2.5, 4.0]}
    more.setdefault("trials", pd.DataFrame(table))
    return Recording(signal, 10.0, name="rat", **more)


@pytest.mark.parametrize("name", STEPS)
def test_every_step_keeps_the_contract(name):
    """A segment's result is what that segment alone gives: nothing crosses a wall."""
    assert set(EVERY_STEP) == set(STEPS)
    recording = counts()
    step = clone(STEPS[name](**EVERY_STEP[name]))
    assert step.fit(recording) is step
    out = step.transform(recording)
    assert out.signal.shape == (60, 9 if name == "delay" else 3)
    assert out.signal.dtype == np.float32
    pd.testing.assert_frame_equal(out.segments, recording.segments)
    assert out.provenance[-1] == {"step": name, **EVERY_STEP[name], **_more(name)}
    other = recording.signal.copy()
    other[20:30] = 50
    changed = step.transform(Recording(other, 10.0, trials=recording.trials))
    same = np.r_[0:20, 30:60]
    np.testing.assert_array_equal(changed.signal[same], out.signal[same])
    assert not np.array_equal(changed.signal[20:30], out.signal[20:30])


def _more(name):
    return {"causal": False} if name == "smooth" else {}


@pytest.mark.parametrize("name", STEPS)
def test_every_step_refuses_nan_in_trials(name):
    recording = counts()
    recording.signal[4, 1] = np.nan
    step = STEPS[name](**EVERY_STEP[name])
    with pytest.raises(MissingValuesError, match=r"channel 1 of recording 'rat' .* 0.400 s"):
        step.fit(recording).transform(recording)


# -- zscore -----------------------------------------------------------------------------------


def test_zscore_learns_from_the_training_trials(monkeypatch, tmp_path):
    monkeypatch.setattr(_rows, "BLOCK_BYTES", 64)
    train, test = counts().split(test=0.3)
    step = ZScore().fit(train)
    np.testing.assert_allclose(step.mean_, train.signal.mean(axis=0, dtype=float))
    np.testing.assert_allclose(step.scale_, train.signal.std(axis=0, dtype=float))
    want = (test.signal - step.mean_) / step.scale_
    np.testing.assert_allclose(step.transform(test).signal, want, rtol=1e-6)
    lazy = zarr.open_array(
        str(tmp_path / "s"), mode="w", shape=train.signal.shape, chunks=(7, 3), dtype="f4"
    )
    lazy[:] = train.signal
    again = ZScore().fit(Recording(lazy, 10.0, trials=train.trials))
    np.testing.assert_allclose(again.mean_, step.mean_)


def test_zscore_ignores_what_lies_outside_trials():
    recording = counts()
    recording.signal[30:35] = 1e6
    inside = recording.signal[recording.trial >= 0]
    np.testing.assert_allclose(ZScore().fit(recording).mean_, inside.mean(axis=0, dtype=float))


def test_zscore_of_a_constant_channel_is_zero_and_an_offset_costs_no_digits():
    signal = np.column_stack([np.full(500, 0.1), 1e6 + np.random.default_rng(0).normal(size=500)])
    scaled = preprocess.zscore(Recording(signal, 1.0)).signal
    np.testing.assert_allclose(scaled[:, 0], 0.0, atol=1e-12)
    np.testing.assert_allclose(scaled[:, 1].std(), 1.0, rtol=1e-9)


def test_zscore_refuses():
    with pytest.raises(NotFittedError):
        ZScore().transform(counts())
    with pytest.raises(DataError, match="fitted on 3 channels, recording 'rat' has 2"):
        ZScore().fit(counts()).transform(counts(channels=2))
    nothing = counts(trials=pd.DataFrame({"start": [], "stop": []}))
    with pytest.raises(DataError, match="no sample inside a trial"):
        ZScore().fit(nothing)


# -- smooth -----------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 25), st.floats(0.05, 1.0), st.booleans(), st.integers(0, 99))
def test_smooth_against_brute_force(n, sigma, causal, seed):
    x = np.random.default_rng(seed).normal(size=(n, 2))
    got = preprocess.smooth(Recording(x, 10.0), sigma, causal).signal
    lag = np.subtract.outer(np.arange(n), np.arange(n))
    weight = np.exp(-0.5 * (lag / (10.0 * sigma)) ** 2) * (abs(lag) <= np.ceil(4 * (sigma * 10.0)))
    weight = np.where(lag >= 0, weight, 0) if causal else weight
    np.testing.assert_allclose(got, weight @ x / weight.sum(axis=1, keepdims=True), atol=1e-12)


def test_causal_smoothing_sees_no_future():
    x = np.zeros((20, 1))
    x[10] = 1
    y = preprocess.smooth(Recording(x, 10.0), 0.2, causal=True).signal.ravel()
    assert np.all(y[:10] == 0)
    assert np.argmax(y) == 10


# -- window_sum, square_root ------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 25), st.integers(1, 30), st.integers(0, 99))
def test_window_sum_against_brute_force(n, width, seed):
    x = np.random.default_rng(seed).poisson(2.0, (n, 2)).astype(float)
    got = preprocess.window_sum(Recording(x, 10.0), width / 10).signal
    for t in range(n):
        part = x[max(t - width // 2, 0) : t - width // 2 + width]
        np.testing.assert_allclose(got[t], part.sum(axis=0) * width / len(part))


def test_square_root_levels_the_variance_of_counts():
    rng = np.random.default_rng(0)
    x = rng.poisson([5.0, 20.0, 80.0], (20_000, 3)).astype(np.int16)
    roots = preprocess.square_root(Recording(x, 10.0)).signal
    np.testing.assert_allclose(roots.var(axis=0), 0.25, rtol=0.2)
    with pytest.raises(DataError, match="is for counts, and the signal goes down to -1"):
        preprocess.square_root(Recording(np.array([[1.0], [-1.0]]), 1.0))


# -- pipeline ---------------------------------------------------------------------------------


def test_pipeline_makes_what_the_study_file_says():
    steps = pipeline([{"zscore": {}}, {"smooth": {"sigma": 0.1, "causal": True}}])
    assert isinstance(steps[0], ZScore)
    assert isinstance(steps[1], Smooth)
    recording = simulate.place_cells(0, n_laps=4, n_units=5)
    for step in steps:
        recording = step.fit(recording).transform(recording)
    assert [s["step"] for s in recording.provenance] == ["zscore", "smooth"]
    assert pipeline([]) == []


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ([{"zscore": {}}, {"blur": {}}], r"step 2: no step 'blur'; there are \['delay', 'smooth'"),
        ([{"smooth": {"sigma": 1.0, "width": 3}}], r"unknown: \['width'\], missing: \[\]"),
        ([{"smooth": {}}], r"missing: \['sigma'\]"),
        ([{"smooth": {"sigma": -1}}], "step 1: sigma must be a time in seconds above 0, got -1"),
        ([{"smooth": {"sigma": True}}], "sigma must be a time"),
        ([{"smooth": {"sigma": "0.1"}}], "sigma must be a time"),
        ([{"smooth": {"sigma": 1.0, "causal": 1}}], "causal must be true or false"),
        ([{"window_sum": {"duration": float("nan")}}], "duration must be a time"),
        ([{"zscore": {}, "smooth": {}}], "one name; got"),
        (["zscore"], "step 1 must be"),
        ([{"zscore": 3}], "settings of zscore must be a table"),
    ],
)
def test_pipeline_refuses(steps, message):
    with pytest.raises(StudyError, match=message):
        pipeline(steps)


def test_values_out_of_range_are_refused_in_python_too():
    with pytest.raises(DataError, match="sigma must be a time"):
        preprocess.smooth(counts(), sigma=0)
    with pytest.raises(DataError, match="less than half a sample at 10 Hz"):
        preprocess.window_sum(counts(), duration=0.01)
