"""Simulated photometry: one seed one recording, known parts, trials with known amplitudes."""

from __future__ import annotations

import numpy as np
import pytest

from isofold import simulate
from isofold.errors import DataError


def test_a_seed_is_a_recording():
    a, b, c = (simulate.photometry(seed=s, duration=120.0) for s in (1, 1, 2))
    assert a.fingerprint == b.fingerprint != c.fingerprint


def test_without_noise_the_parts_are_exact():
    quiet = {"noise": 0.0, "motion": 0.0, "bleaching": 0.0, "brightening": 0.0}
    recording = simulate.photometry(seed=0, duration=300.0, **quiet)
    signal = np.asarray(recording.signal, float)
    dff = signal[:, 0::2] / signal[0, 0::2] - 1
    np.testing.assert_allclose(dff, recording.truth, atol=1e-5)
    assert (np.ptp(signal[:, 1::2], axis=0) == 0).all()


def test_trials_carry_their_true_amplitude():
    recording = simulate.photometry(
        seed=3, duration=3000.0, n_fibers=1, transients=0.0, variability=0.3
    )
    trials = recording.trials
    assert set(trials["condition"]) == {"CS+", "CS-"}
    assert abs((trials["condition"] == "CS+").mean() - 0.5) < 0.02
    start = trials["start"].to_numpy()
    peak = np.array([recording.truth[a : a + 160, 0].max() for a in start])
    slope, _ = np.polyfit(trials["amplitude"], peak, 1)
    assert slope == pytest.approx(1, abs=0.05)
    mean = trials.groupby("condition")["amplitude"].mean()
    assert mean["CS+"] == pytest.approx(0.05, rel=0.15)
    assert mean["CS+"] / mean["CS-"] == pytest.approx(5, rel=0.3)
    assert (trials["stop"] - start == 160).all()
    assert (start[1:] >= trials["stop"].to_numpy()[:-1]).all()
    np.testing.assert_allclose(start / 20 + 2, recording.events["cue"], atol=0.026)


def test_motion_is_shared_in_the_stated_proportion():
    recording = simulate.photometry(
        seed=4, noise=0.0, transients=0.0, response=0.0, bleaching=0.0, brightening=0.0, n_fibers=1
    )
    signal, control = (x / x.mean() - 1 for x in np.asarray(recording.signal, float).T)
    assert np.polyfit(control, signal, 1)[0] == pytest.approx(1 / 0.7, rel=1e-2)
    assert signal.std() == pytest.approx(0.01, rel=0.01)


def test_session_holds_the_same():
    recording = simulate.photometry(seed=5, duration=90.0)
    session = simulate.photometry_session(seed=5, duration=90.0)
    np.testing.assert_array_equal(session.series["470"].values, recording.signal[:, 0::2])
    np.testing.assert_array_equal(session.series["415"].values, recording.signal[:, 1::2])
    np.testing.assert_array_equal(session.series["truth"].values, recording.truth)
    np.testing.assert_allclose(session.trials["start"] + 2, session.events["cue"], atol=0.026)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_fibers": 0}, "n_fibers must be a whole number of at least 1"),
        ({"bleaching": 1.0}, r"share and must be in \[0, 1\), got 1.0"),
        ({"noise": -1}, "noise must be 0 or more, got -1"),
        ({"duration": 0}, "duration must be a positive number"),
    ],
)
def test_refusals(options, message):
    with pytest.raises(DataError, match=message):
        simulate.photometry(**options)
