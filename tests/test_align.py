"""Windows around events: never across a wall, never an interpolated count."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st

from isofold import Recording
from isofold.errors import DataError


def counting(n=40, rate=10.0, trials=((0, 15), (15, 25), (28, 40)), **more):
    table = pd.DataFrame(trials, columns=["start", "stop"], index=list("abcdef")[: len(trials)])
    more.setdefault("events", {"lick": [0.52, 2.0, 3.3]})
    table = table.assign(
        side=np.resize(["l", "r"], len(table)), cue=[0.5, np.nan, 3.2][: len(table)]
    )
    return Recording(np.arange(2 * n).reshape(n, 2), rate, trials=table, name="count", **more)


def test_takes_the_nearest_sample_and_keeps_counts():
    windows = counting().align("lick", (-0.2, 0.3))
    assert windows.dims == ("trial", "time", "channel")
    np.testing.assert_allclose(windows.time, [-0.2, -0.1, 0.0, 0.1, 0.2])
    np.testing.assert_array_equal(windows.sel(time=0.0, channel=0), 2 * np.array([5, 20, 33]))
    np.testing.assert_array_equal(windows.trial, ["a", "b", "c"])
    np.testing.assert_array_equal(windows.side, ["l", "r", "l"])
    np.testing.assert_array_equal(windows.event_time, [0.52, 2.0, 3.3])
    np.testing.assert_array_equal(windows.overlap, [0, 1, 2])
    assert windows.attrs["event"] == "lick"


def test_trial_columns_starts_and_times_are_events():
    recording = counting()
    cue = recording.align("cue", (0, 0.2))
    np.testing.assert_array_equal(cue.trial, ["a", "c"])
    np.testing.assert_array_equal(cue.isel(time=0, channel=0), [10, 64])
    start = recording.align("start", (0, 0.5))
    np.testing.assert_array_equal(start.isel(time=0, channel=0), [0, 30, 56])
    stop = recording.align("stop", (-0.2, 0.1))
    np.testing.assert_array_equal(stop.isel(time=-1, channel=0), [28, 48, 78])
    times = recording.align(np.array([2.65]), (0, 0.1))
    assert times.trial.item() == -1
    assert pd.isna(times.side.item())


@pytest.mark.parametrize("nan", ["exclude", "keep"])
def test_windows_that_leave_their_trial(nan):
    recording = counting(events={"go": [0.1, 1.0, 2.0]})
    with pytest.raises(DataError, match=r"1 of 3 windows leave their segment .* event at 0.1 s"):
        recording.align("go", (-0.3, 0.3))
    windows = recording.align("go", (-0.3, 0.3), nan=nan)
    if nan == "exclude":
        np.testing.assert_array_equal(windows.event_time, [1.0, 2.0])
        assert not np.isnan(windows).any()
    else:
        first = windows.isel(trial=0, channel=0)
        np.testing.assert_array_equal(first, [np.nan, np.nan, 0, 2, 4, 6])


def test_an_event_in_a_gap_has_no_window():
    segments = pd.DataFrame(
        {"start": [0, 5], "stop": [5, 10], "time0": [0.0, 2.0], "trial": [0, 0]}
    )
    recording = Recording(
        np.arange(10.0)[:, None], 10.0, segments=segments, events={"e": [1.0, 2.1]}
    )
    with pytest.raises(DataError, match="1 of 2 windows leave"):
        recording.align("e", (0, 0.1))
    windows = recording.align("e", (-0.1, 0.3), nan="exclude")
    np.testing.assert_array_equal(windows.values.ravel(), [5, 6, 7, 8])


def test_nan_in_the_signal_is_an_error_or_excluded():
    signal = np.arange(20.0)[:, None]
    signal[12] = np.nan
    recording = Recording(signal, 1.0, events={"e": [3.0, 11.0]})
    with pytest.raises(DataError, match=r"1 of 2 windows hold NaN, first .* event at 11 s"):
        recording.align("e", (0, 3))
    assert recording.align("e", (0, 3), nan="exclude").event_time.values.tolist() == [3.0]
    assert np.isnan(recording.align("e", (0, 3), nan="keep")).sum() == 1


def test_censoring_uses_no_sample_twice():
    recording = Recording(np.arange(20.0)[:, None], 1.0, events={"e": [2.0, 4.0, 17.0]})
    windows = recording.align("e", (0, 5), censor="next trial").isel(channel=0)
    np.testing.assert_array_equal(windows[0], [2, 3, np.nan, np.nan, np.nan])
    np.testing.assert_array_equal(windows[1], [4, 5, 6, 7, 8])
    np.testing.assert_array_equal(windows[2], [17, 18, 19, np.nan, np.nan])
    assert windows.overlap.values.tolist() == [0, 1, 2]
    with pytest.raises(DataError, match="leave their segment"):
        recording.align("e", (-3, 5), censor="next trial")


def test_baseline_is_taken_from_each_window_and_channel():
    recording = counting()
    windows = recording.align("lick", (-0.2, 0.3), baseline=(-0.2, 0.0))
    np.testing.assert_allclose(windows.isel(trial=0, channel=1), [-1, 1, 3, 5, 7])
    np.testing.assert_allclose(windows.sel(time=slice(-0.25, -0.05)).mean("time"), 0.0)


def test_a_lower_rate_skips_samples():
    windows = counting().align("lick", (-0.2, 0.4), rate=5.0)
    np.testing.assert_allclose(windows.time, [-0.2, 0.0, 0.2])
    np.testing.assert_array_equal(windows.isel(trial=0, channel=0), [6, 10, 14])


def test_a_zarr_signal_is_read_where_the_windows_are(tmp_path):
    signal = zarr.open_array(
        str(tmp_path / "s"), mode="w", shape=(40, 2), chunks=(7, 2), dtype="i4"
    )
    signal[:] = np.arange(80).reshape(40, 2)
    lazy = Recording(signal, 10.0, events={"lick": [3.3, 0.52]})
    windows = lazy.align("lick", (-0.2, 0.3))
    np.testing.assert_array_equal(windows.sel(time=0.0, channel=1), [67, 11])
    train = lazy.split(test=0.2)[0]
    again = train.align(np.array([0.52]), (-0.2, 0.3))
    np.testing.assert_array_equal(again[0], windows[1])


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_no_window_holds_a_sample_of_another_segment(data):
    """Against brute force; and windows of different `overlap` share no sample."""
    n = data.draw(st.integers(5, 40))
    edges = sorted(data.draw(st.sets(st.integers(1, n - 1), max_size=5)) | {0, n})
    segments = pd.DataFrame({"start": edges[:-1], "stop": edges[1:]})
    gaps = np.cumsum(
        data.draw(
            st.lists(st.sampled_from([0, 0, 3]), min_size=len(segments), max_size=len(segments))
        )
    )
    segments["time0"] = (segments["start"] + gaps) / 2.0
    segments["trial"] = np.arange(len(segments))
    recording = Recording(np.arange(float(n))[:, None], 2.0, segments=segments)
    samples = data.draw(st.lists(st.integers(0, n - 1), min_size=1, max_size=6))
    before, after = data.draw(st.integers(0, 4)), data.draw(st.integers(1, 4))
    window = (-before / 2.0, after / 2.0)
    result = recording.align(recording.time[samples] + 0.1, window, nan="keep")
    owner = np.repeat(np.arange(len(segments)), np.diff(edges))
    for got, sample in zip(result.values[:, :, 0], samples, strict=True):
        want = [
            i if 0 <= i < n and owner[i] == owner[sample] else np.nan
            for i in range(sample - before, sample + after)
        ]
        np.testing.assert_array_equal(got, want)
    used = [set(w[~np.isnan(w)]) for w in result.values[:, :, 0]]
    group = result.overlap.values
    for i in range(len(used)):
        for j in range(i):
            assert not used[i] & used[j] or group[i] == group[j]
    assert len(set(group)) >= len({owner[s] for s in samples})


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (("nose", (0, 1)), {}, r"no event 'nose'; events: \['lick'\].*\['cue'\]"),
        (("side", (0, 1)), {}, "no event 'side'"),
        (("lick", (1, 0)), {}, "window must be"),
        (("lick", (0, np.inf)), {}, "window must be"),
        (("lick", (0, 0.01)), {}, "holds no sample at 10 Hz"),
        (("lick", (0, 0.2)), {"rate": 20.0}, "rate must divide the recording's 10 Hz"),
        (("lick", (0, 0.2)), {"rate": 3.0}, "rate must divide"),
        (("lick", (0, 0.2)), {"baseline": (-1, 0)}, "baseline .* holds no sample"),
        (("lick", (0, 0.2)), {"nan": "drop"}, "nan must be 'error', 'interpolate', 'exclude'"),
        (("lick", (0, 0.2)), {"censor": "next"}, "censor must be None or 'next trial'"),
        (([], (0, 0.2)), {}, "found none"),
        (([[1.0]], (0, 0.2)), {}, r"must be \(event,\) times"),
        (([99.0], (0, 0.2)), {"nan": "exclude"}, "no window is left"),
    ],
)
def test_refuses(arguments, options, message):
    with pytest.raises(DataError, match=message):
        counting().align(*arguments, **options)


def test_an_event_on_the_border_of_two_bins_takes_the_bin_that_begins_with_it():
    trials = pd.DataFrame({"start": [4], "stop": [8]})
    counts = np.arange(10.0)[:, None]
    events = {"go": [1.0 + 4 * 0.1]}  # the edge at which bin 4 begins, and the trial with it
    recording = Recording(counts, rate=10.0, start=1.05, trials=trials, events=events)
    assert recording.align("go", window=(0, 0.4)).values.ravel().tolist() == [4, 5, 6, 7]
