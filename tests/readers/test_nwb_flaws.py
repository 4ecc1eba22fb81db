"""Flaws are found by content and named; what is sound is not accused."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pynwb.file import Subject
from test_read_nwb import new_file, saved, series

import isofold as iso
from isofold.readers._clock import check_events, check_steps
from isofold.readers._flaws import check_about, check_descriptions, check_unit, check_values
from isofold.readers._sync import check_pulses, check_sync, own_train, pulse_trains

PULSES = 100 + np.arange(20_000) / 20
TRAINS = {"pulse_rising": PULSES, "pulse_falling": PULSES + 0.015}
N = len(PULSES)


def rng(seed=0):
    return np.random.default_rng(seed)


def light(n=N, seed=0):
    """Bleaching, a slow signal and shot noise, in camera counts."""
    t = np.arange(n) / 20
    slow = 9000 * np.exp(-t / 900) + 300 * np.sin(t / 3) + 5000
    return slow + rng(seed).normal(0, 60, n)


# -- clocks and pulses --------------------------------------------------------------------------


def test_pulse_trains_by_content():
    licks = np.cumsum(rng().exponential(0.3, 3000))
    bouts = np.cumsum(np.where(rng().uniform(size=3000) < 0.8, 0.15, 5.0))
    events = {"lick": licks, "bouts": bouts, "frame": PULSES, "few": PULSES[:50]}
    assert set(pulse_trains(events)) == {"frame"}


def test_a_series_on_its_pulses_is_sound():
    for lacking in (0, 1, 19, 150):
        assert check_sync("R", PULSES[lacking:], TRAINS) == []
    late = PULSES + rng().uniform(0, 1e-3, N)  # exposure starts a little later
    assert check_sync("R", late, TRAINS) == []
    assert own_train(PULSES + 0.015, TRAINS) == "pulse_falling"


def test_a_clock_of_its_own_is_sound():
    """Another device at the same rate, and others at other rates."""
    assert check_sync("wheel", 99.03 + np.arange(N) / 20.003, TRAINS) == []
    assert check_sync("video", 100 + np.arange(30_000) / 30, TRAINS) == []
    encoder = 100 + np.cumsum(rng().exponential(0.01, 50_000))
    assert check_sync("encoder", encoder, TRAINS) == []
    bursts = np.cumsum(np.where(rng().uniform(size=N) < 0.9, 0.01, 0.4))
    assert check_sync("bursts", bursts, {}) == []


def off_pulse(seed=0):
    """A sample a pulse, at times of another clock: jittered, earlier, and at twice the rate for
    fifty seconds now and then."""
    steps = rng(seed).uniform(0.005, 0.095, N)
    for start in (3000, 9000, 15_000):
        steps[start : start + 2000] /= 2
    return 70 + np.cumsum(steps)


def test_times_off_the_pulses_are_named():
    first, crowded = check_sync("G", off_pulse(), TRAINS)
    assert first.startswith("G: times are not those of the pulses pulse_rising, though it has one")
    assert "(20000 of 20000)" in first
    assert "start 29." in first
    assert "before the first pulse" in first
    assert "before the last" in first
    assert 'isofold.preprocess.retime(session, series="G", pulses="pulse_rising")' in first
    said = r"G: 3 stretches of about (4[5-9]|5[0-5]) s hold 40 samples per second instead of 20"
    assert re.match(said, crowded)


def test_regular_times_elsewhere_are_named():
    """The computer's clock instead of the acquisition's: hours apart."""
    (said,) = check_sync("G", PULSES + 7200.0, TRAINS)
    assert "start 7200 s after the first pulse and end 7200 s after the last" in said


def test_every_time_twice():
    t = np.repeat(PULSES, 2)
    two = np.stack([light(), 0.9 * light(seed=1)], 1).ravel()
    assert check_steps("x", t) == ["x: every time occurs twice (40000 samples at 20000 times)"]
    assert check_sync("x", t, TRAINS) == []
    (said,) = check_values("x", t, two)
    assert said.startswith("x: every time has two values, 100 % of them different")
    assert check_values("x", t, np.repeat(light(), 2)) == []
    assert check_values("x", PULSES, light()) == []
    (off, *_) = check_sync("x", np.repeat(off_pulse(), 2), TRAINS)
    assert off.endswith("Do not use it")  # no retime: there is no pulse for each sample


def test_pulses_too_early_and_gaps():
    t = np.sort(np.append(PULSES, [200.0021, 300.0015]))
    kept, said = check_events("frame", t)
    assert len(kept) == N + 2
    assert said == [
        "frame: 2 pulses come less than half a step (0.05 s) after the last, down to 0.0015 s, "
        "first at 200.0021 s"
    ]
    late = np.concatenate([PULSES[:900], PULSES[900:] + 2.847])
    assert check_events("frame", late)[1] == [
        "frame: 1 gaps, first after 144.95 s, longest 2.897 s"
    ]
    jitter = PULSES + rng().normal(0, 5e-4, N)
    assert check_events("frame", np.sort(jitter))[1] == []
    assert check_pulses("frame", PULSES) == []


def test_none_is_one_nan():
    assert check_events("opto", np.array([np.nan]))[1] == [
        "opto: its one time is NaN, which stands for none; no events"
    ]
    assert "1 of 2 event times are NaN" in check_events("opto", np.array([np.nan, 1.0]))[1][0]
    assert check_events("opto", np.empty(0))[1] == []


# -- values -------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(5))
def test_a_lit_channel_is_sound(seed):
    assert check_values("G", PULSES, light(seed=seed)) == []
    dark_first = light(seed=seed)
    dark_first[:40] = 257 + rng(seed).normal(0, 0.4, 40)  # before the light was on, in order
    assert check_values("G", PULSES, dark_first) == []


def test_other_signals_are_sound():
    t = np.arange(N) / 20
    noise = rng().normal(0, 1, N)
    sound = {
        "z": noise, "speed": np.abs(noise) * 5, "phase": t % 6, "flag": t % 7 < 0.5,
        "lever": np.where(t % 9 < 0.2, 5.0, 0.0), "ttl": np.where(t % 3 < 1, 5.0, 0.0) + noise / 50,
        "position": 80 + 80 * np.sin(t / 9), "temperature": 36 + 0.3 * np.sin(t / 500) + noise / 99,
        "constant": np.full(N, 3.0), "count": np.arange(N), "percent": 100 + 20 * noise,
    }  # fmt: skip
    for name, values in sound.items():
        assert check_values(name, PULSES, values) == [], name


def test_missing_values():
    one, all_, some = light(), np.full(N, np.nan), light()
    one[1234] = np.nan
    some[[5, 7]] = np.nan
    assert check_values("x", PULSES, one) == ["x: one value is NaN, at index 1234 (161.7 s)"]
    assert check_values("x", PULSES, all_) == ["x: all 20000 values are NaN"]
    assert check_values("x", PULSES, some)[0].startswith("x: 2 of 20000 values are NaN, first at i")
    frame = np.stack([light(), one], 1)
    assert check_values("x", PULSES, frame) == [
        "x: NaN in 1 of 2 channels, first at index 1234 (161.7 s), channel 1; 1 of 20000 samples"
    ]


@given(level=st.floats(50, 5000), share=st.floats(1e-4, 3e-3), seed=st.integers(0, 99))
@settings(deadline=None, max_examples=20)
def test_a_sensor_floor_is_named(level, share, seed):
    floor = level * (1 + share * rng(seed).normal(size=5000))
    floor[0] = level * 1.1  # a flash when the camera starts
    (said,) = check_values("R", PULSES[:5000], floor)
    assert said.startswith("R: sensor floor without signal: values stay at")
    drifting = floor + 5 * share * level * np.sin(np.arange(5000) / 400)
    assert check_values("R", PULSES[:5000], drifting) == []


@given(seed=st.integers(0, 99), n=st.integers(3, 12))
@settings(deadline=None, max_examples=20)
def test_disturbed_order_is_named(seed, n):
    values = light(seed=seed)
    at = np.sort(rng(seed).choice(100, n, replace=False))
    values[at] = 257 + rng(seed).normal(0, 0.4, n)
    found = check_values("G", PULSES, values)
    if (np.diff(at) == 1).all():
        assert found == []
        return
    (said,) = found
    assert said.startswith("G: the order of samples is disturbed: frames without light (about 25")
    assert f"at indices {', '.join(map(str, at))}" in said


# -- words --------------------------------------------------------------------------------------


def test_units_of_time():
    assert check_unit("G_1", "s")
    assert check_unit("G_1", "Seconds")
    for unit in ("counts", "V", "", "unknown", "m/s", "cm"):
        assert check_unit("G_1", unit) == []


def test_copied_descriptions():
    copied = "The time of left licks"
    said = {
        "left_lick_time": copied, "right_lick_time": copied, "frame_time": copied,
        "left_reward": "reward on the left", "right_reward": "reward on the right",
        "G_0": "fluorescence", "G_1": "fluorescence", "dff": "from the session", "session": "x",
    }  # fmt: skip
    assert check_descriptions(said) == [
        "right_lick_time: its description 'The time of left licks' is that of left_lick_time",
        "frame_time: its description 'The time of left licks' is that of left_lick_time",
    ]


def test_session_and_subject():
    assert check_about("m1_2020-01-01.json", None) == [
        "session_id: 'm1_2020-01-01.json' is the name of a file"
    ]
    assert check_about("m1_2020-01-01", None) == []
    assert check_about(None, Subject(subject_id="m1", sex="M", species="Mus musculus")) == [
        "subject: age, genotype not given"
    ]
    known = Subject(subject_id="m1", sex="M", age="P90D", genotype="wt")
    assert check_about(None, known) == []


# -- the whole way ------------------------------------------------------------------------------


def test_a_file_with_flaws_is_read(tmp_path):
    nwb = new_file()
    ones = np.ones(N)
    nwb.add_acquisition(series("frame", ones, timestamps=PULSES + 1e-5 * rng().normal(size=N)))
    nwb.add_acquisition(series("G", light(), timestamps=off_pulse()))
    nwb.add_acquisition(series("R", light(), timestamps=PULSES))
    nwb.add_acquisition(series("none", np.ones(1), timestamps=np.array([np.nan])))
    session = iso.read(saved(nwb, tmp_path))
    accused = {w.split(":")[0] for w in session.metadata["warnings"]}
    assert accused == {"G", "none"}
    assert set(session.series) == {"G", "R"}
    assert session.bin(0.5, signal="G").signal.shape[1] == 1
    again = iso.read(session.to_nwb(tmp_path / "again.nwb"))
    assert again.metadata["warnings"] == session.metadata["warnings"]
