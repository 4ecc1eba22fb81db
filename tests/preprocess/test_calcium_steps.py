"""Neuropil, rolling dF/F and soft normalisation."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pynapple as nap
import pytest

from isofold import Recording, Session
from isofold.errors import DataError
from isofold.preprocess import SoftNormalize, neuropil, rolling_dff, soft_normalize


def session(n=300, rois=3, seed=0, rate=10.0):
    rng = np.random.default_rng(seed)
    t = np.arange(n) / rate
    f = 100 + rng.random((n, rois)) * 10
    frame = lambda d: nap.TsdFrame(t=t, d=d, columns=[f"roi{k}" for k in range(rois)])  # noqa: E731
    return Session(series={"F": frame(f), "Fneu": frame(0.3 * f)})


def test_neuropil_is_taken_off():
    given = session()
    out = neuropil(given)
    want = given.series["F"].values * (1 - 0.7 * 0.3)
    np.testing.assert_allclose(out.series["F_corrected"].values, want)
    assert list(out.series["F_corrected"].columns) == ["roi0", "roi1", "roi2"]
    assert out.provenance[-1] == {
        "step": "neuropil", "signal": "F", "neuropil": "Fneu", "factor": 0.7, "to": "F_corrected",
    }  # fmt: skip


def test_rolling_dff_against_a_loop_that_stops_at_gaps():
    given = session(n=200)
    x, t = given.series["F"].values, given.series["F"].times().copy()
    t[120:] += 50
    frame = nap.TsdFrame(t=t, d=x, columns=["a", "b", "c"])
    out = rolling_dff(Session(series={"F": frame}), window=5.0, percentile=8.0)
    want = np.empty_like(x)
    for k in range(200):
        low, high = (0, 120) if k < 120 else (120, 200)
        part = x[max(k - 25, low) : min(k + 26, high)]
        want[k] = x[k] / np.percentile(part, 8, axis=0) - 1
    np.testing.assert_allclose(out.series["dff"].values, want, rtol=1e-10)


def test_rolling_dff_survives_missing_and_negative_samples():
    given = session(n=100, rois=1)
    x = given.series["F"].values
    x[40], x[60:] = np.nan, -5.0
    out = rolling_dff(given, window=1.0).series["dff"].values[:, 0]
    assert np.isnan(out[40])
    assert np.isfinite(out[:40]).all()
    assert np.isnan(out[66:]).all()


def test_steps_refuse():
    with pytest.raises(DataError, match=r"must be in \[0, 2\], got nan"):
        neuropil(session(), factor=np.nan)
    with pytest.raises(DataError, match="no series 'Fnew'"):
        neuropil(session(), neuropil="Fnew")
    other = session(rois=2)
    mixed = Session(series={"F": session().series["F"], "Fneu": other.series["Fneu"]})
    with pytest.raises(DataError, match=r"one shape and clock; got \(300, 3\) and \(300, 2\)"):
        neuropil(mixed)
    with pytest.raises(DataError, match="window must be a time in seconds above 0"):
        rolling_dff(session(), window=0)
    with pytest.raises(DataError, match="percentile must be between 0 and 100, got 120"):
        rolling_dff(session(), percentile=120)


def test_soft_normalize_learns_from_training_trials():
    rng = np.random.default_rng(0)
    trials = pd.DataFrame({"start": [0, 20, 40], "stop": [20, 40, 60]})
    recording = Recording(rng.random((60, 3)) * [100, 10, 0], 10.0, trials=trials)
    train, test = recording.split(test=0.3)
    step = SoftNormalize(constant=2.0).fit(train)
    x = np.asarray(train.signal)
    want = np.asarray(test.signal) / (x.max(axis=0) - x.min(axis=0) + 2)
    np.testing.assert_allclose(step.transform(test).signal, want)
    whole = soft_normalize(recording, 2.0).signal
    assert np.ptp(whole[:, 0]) == pytest.approx(1, abs=0.05)
    assert (whole[:, 2] == 0).all()


def test_soft_normalize_refuses():
    for constant in (0, -1.0, np.nan, "5", True):
        with pytest.raises(DataError, match="constant must be a number above 0"):
            SoftNormalize(constant)
    two, three = (Recording(np.ones((9, k)), 1.0) for k in (2, 3))
    with pytest.raises(DataError, match="fitted on 2 channels, recording '' has 3"):
        SoftNormalize().fit(two).transform(three)
    apart = pd.DataFrame({"start": [], "stop": []}, dtype=int)
    with pytest.raises(DataError, match="no sample inside a trial"):
        SoftNormalize().fit(Recording(np.ones((9, 2)), 1.0, trials=apart))
