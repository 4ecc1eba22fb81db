"""Missing values: found everywhere they may hide, filled only where it is honest."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isofold import Recording, _rows
from isofold._missing import interpolated, missing, require_complete
from isofold.errors import DataError, MissingValuesError

NAN = np.nan


def test_every_kind_of_missing_value_is_found(monkeypatch):
    monkeypatch.setattr(_rows, "BLOCK_BYTES", 16)  # several blocks
    signal = np.zeros((8, 2), np.float32)
    signal[1, 1] = NAN
    recording = Recording(
        signal,
        1.0,
        labels={
            "x": np.array([0, 0, NAN, 0, 0, 0, 0, 0]),
            "xy": np.array([[0.0, 0], [0, 0], [0, 0], [0, NAN]] + [[0, 0]] * 4),
            "choice": np.array([0, 0, 0, 0, -1, 0, 0, 0]),
            "odor": np.array(["a", "a", "a", "a", "a", "", "a", "a"]),
            "offset": np.array([0, 0, 0, 0, 0, 0, -1, 0]),
            "lick": np.array([True, False] * 4),
        },
        kinds={"offset": "continuous"},
    )
    assert np.flatnonzero(missing(recording)).tolist() == [1, 2, 3, 4, 5]


def test_counts_are_not_scanned_and_stay_lazy(tmp_path):
    signal = np.memmap(tmp_path / "counts", mode="w+", shape=(6, 2), dtype="i2")
    recording = Recording(signal, 1.0)
    assert not missing(recording).any()
    assert interpolated(recording).signal is signal


def test_require_complete_names_channel_label_and_time():
    channels = pd.DataFrame(index=["u1", "u2"])
    signal = np.zeros((6, 2))
    signal[3, 1] = signal[4, 1] = NAN
    recording = Recording(signal, 2.0, start=1.0, channels=channels, name="rat")
    with pytest.raises(
        MissingValuesError, match=r"channel 'u2' of recording 'rat' lacks 2 samples, .* 2.500 s"
    ):
        require_complete(recording)
    trials = pd.DataFrame({"start": [0], "stop": [3]})
    clean = Recording(signal, 2.0, trials=trials, labels={"x": [0.0, NAN, 0, NAN, 0, 0]})
    require_complete(clean)
    with pytest.raises(
        MissingValuesError, match=r"label 'x' .* lacks 1 sample, the first at 0.500 s"
    ):
        require_complete(clean, ["x"])


def test_interpolates_each_kind_in_its_way():
    nearly = 2 * np.pi - 0.2
    recording = Recording(
        np.array([[0.0], [NAN], [NAN], [3.0], [NAN]]),
        1.0,
        labels={
            "angle": np.array([nearly, NAN, 0.2, 0.2, 0.2]),
            "choice": np.array([1, -1, -1, 2, 2]),
            "odor": np.array(["a", "", "b", "b", "b"]),
        },
        kinds={"angle": "circular"},
    )
    filled = interpolated(recording)
    np.testing.assert_allclose(filled.signal.ravel(), [0, 1, 2, 3, NAN])
    assert np.cos(filled.labels["angle"][1]) == pytest.approx(1.0)
    assert filled.labels["choice"].tolist() == [1, 1, 2, 2, 2]
    assert filled.labels["odor"].tolist() == ["a", "a", "b", "b", "b"]
    assert np.isnan(recording.signal[1, 0])


def test_signed_angles_stay_signed():
    angle = np.array([-3.0, NAN, 3.0])
    filled = interpolated(
        Recording(np.zeros((3, 1)), 1.0, labels={"a": angle}, kinds={"a": "circular"})
    )
    assert abs(filled.labels["a"][1]) == pytest.approx(np.pi)


def test_fill_refuses():
    recording = Recording(np.zeros((4, 1)), 1.0)
    with pytest.raises(DataError, match="'drop' and 'interpolate', got 'zero'"):
        recording.fill("zero")
    with pytest.raises(DataError, match="max_gap is a time in seconds"):
        recording.fill("interpolate", max_gap=-1.0)


@st.composite
def holed(draw):
    n = draw(st.integers(2, 25))
    hole = np.array(draw(st.lists(st.booleans(), min_size=n, max_size=n)))
    edges = sorted(draw(st.sets(st.integers(1, n - 1), max_size=3)) | {0, n})
    values = np.array(draw(st.lists(st.integers(-5, 5), min_size=n, max_size=n)), float)
    trials = pd.DataFrame({"start": edges[:-1], "stop": edges[1:]})
    return Recording(np.where(hole, NAN, values)[:, None], 2.0, trials=trials)


@settings(max_examples=100, deadline=None)
@given(holed(), st.sampled_from([None, 0.0, 0.5, 1.0, 2.0]))
def test_interpolation_against_brute_force(recording, max_gap):
    """A missing sample is filled iff both neighbours lie in its segment and the gap is short."""
    x, owner = recording.signal.ravel(), recording.trial
    want = x.copy()
    for i in np.flatnonzero(np.isnan(x)):
        a, b = i, i
        while a >= 0 and owner[a] == owner[i] and np.isnan(x[a]):
            a -= 1
        while b < len(x) and owner[b] == owner[i] and np.isnan(x[b]):
            b += 1
        reachable = a >= 0 and b < len(x) and owner[a] == owner[i] == owner[b]
        if reachable and (max_gap is None or b - a - 1 <= max_gap * recording.rate):
            want[i] = x[a] + (x[b] - x[a]) * (i - a) / (b - a)
    np.testing.assert_allclose(interpolated(recording, max_gap).signal.ravel(), want)


@settings(max_examples=100, deadline=None)
@given(holed())
def test_dropping_keeps_the_rest_and_ends_segments(recording):
    known = ~np.isnan(recording.signal.ravel())
    if not known.any():
        with pytest.raises(DataError, match="would drop every sample"):
            recording.fill("drop")
        return
    filled = recording.fill("drop")
    np.testing.assert_array_equal(filled.signal, recording.signal[known])
    np.testing.assert_allclose(filled.time, recording.time[known])
    np.testing.assert_array_equal(filled.trial, recording.trial[known])
    seg = filled.segments
    for start, stop in zip(seg["start"], seg["stop"], strict=True):
        assert np.allclose(np.diff(filled.time[start:stop]), 0.5)
        assert len(set(filled.trial[start:stop])) == 1
    joins = np.flatnonzero(np.isclose(np.diff(filled.time), 0.5) & (np.diff(filled.trial) == 0))
    assert not set(joins + 1) & set(seg["start"])  # no wall where nothing was dropped
    assert filled.provenance[-1]["dropped"] == int((~known).sum())
