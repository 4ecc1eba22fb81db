"""`Session.bin` against loops that are too slow to be wrong."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pandas as pd
import pynapple as nap
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import isofold as iso
from isofold import Session
from isofold._grid import Grid, counts, label_at, snap_ceil, snap_floor
from isofold.errors import DataError

TICK = 30_000


def frame(start, stop, **columns):
    return pd.DataFrame(
        {"start": np.asarray(start, float), "stop": np.asarray(stop, float), **columns}
    )


# -- counts -------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(
    ticks=st.lists(st.integers(0, 40_000), max_size=60),
    bin_ticks=st.sampled_from([30, 300, 750, 1000, 3000]),
    origin=st.sampled_from([0, 13, 4443 * TICK, 1_893_087 * TICK]),
    cuts=st.lists(st.integers(0, 40), min_size=2, max_size=6, unique=True),
)
def test_counts_are_those_of_integer_ticks(ticks, bin_ticks, origin, cuts):
    """Spikes and edges on one integer clock: floats must give what integers give, exactly."""
    cuts = sorted(cuts)[: len(cuts) // 2 * 2]
    first, last = np.array(cuts[::2]) * bin_ticks, np.array(cuts[1::2]) * bin_ticks
    grid = Grid.over((origin + first) / TICK, (origin + last) / TICK, bin_ticks / TICK)
    expected = []
    for a, b in zip(first, last, strict=True):
        for left in range(a, b, bin_ticks):
            expected.append(sum(left <= t < left + bin_ticks for t in ticks))
    found = counts(grid, (origin + np.sort(np.array(ticks, dtype=int))) / TICK)
    assert found.tolist() == expected


@settings(max_examples=40, deadline=None)
@given(
    times=st.lists(st.floats(0, 10), max_size=40),
    width=st.floats(0.05, 2.0),
    start=st.floats(0, 3),
    length=st.floats(1, 7),
)
def test_units_are_counted_as_a_loop_counts(times, width, start, length):
    session = Session(units={3: np.sort(times), 8: np.array([0.0, 10.0])})
    kept = session.restrict(frame([start], [start + length]))
    n = math.floor(length / width + 1e-6)
    if n == 0:
        with pytest.raises(DataError, match="no bin of"):
            kept.bin(width)
        return
    recording = kept.bin(width)
    centre = recording.time
    assert len(recording) == n
    edges = start + width * np.arange(n + 1)
    np.testing.assert_allclose(centre, edges[:-1] + width / 2, rtol=1e-12)
    far = [t for t in times if np.abs(edges - t).min() > 1e-5 * width]
    near = len(times) - len(far)
    loop = [sum(a <= t < b for t in far) for a, b in pairwise(edges)]
    over = recording.signal[:, 0] - loop
    assert (over >= 0).all()
    assert over.sum() <= near


@pytest.mark.parametrize("width", [0.1, 0.025, 1 / 30, 0.001])
def test_a_spike_on_an_edge_belongs_to_the_bin_that_begins_there(width):
    n = 1000
    edges = np.array([float(Fraction(width) * k) for k in range(n)])
    session = Session(units={0: edges, 1: np.cumsum(np.r_[0.0, np.full(n - 1, width)])})
    session = session.restrict(frame([0], [n * width]))
    assert session.bin(width).signal[:-1].tolist() == [[1.0, 1.0]] * (n - 1)


def test_snapping():
    assert snap_floor(np.array([0.3 / 0.1, -1e-9, 2.5])).tolist() == [3, 0, 2]
    assert snap_ceil(np.array([0.3 / 0.1, 1e-9, 2.5])).tolist() == [3, 0, 3]


# -- trials -------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(
    borders=st.lists(st.integers(0, 200), min_size=2, max_size=10, unique=True),
    width=st.sampled_from([0.1, 0.25, 0.3]),
    hole=st.integers(20, 150),
)
def test_a_bin_belongs_to_a_trial_if_its_centre_does(borders, width, hole):
    borders = sorted(borders)[: len(borders) // 2 * 2]
    start, stop = np.array(borders[::2]) / 20, np.array(borders[1::2]) / 20
    trials = frame(start, stop).set_axis(np.arange(len(start)) * 10 + 5)
    session = Session(units={0: np.array([0.0, 10.0])}, trials=trials)
    kept = session.restrict(frame([0, hole / 20 + 0.5], [hole / 20, 10]))
    try:
        recording = kept.bin(width)
    except DataError:
        assume(False)
    for centre, trial in zip(recording.time, recording.trial, strict=True):
        owners = [k for k, r in trials.iterrows() if r.start - 1e-9 <= centre < r.stop - 1e-9]
        assert trial == (owners[0] if owners else -1)
    segments = recording.segments
    assert (segments["stop"] - segments["start"]).sum() == len(recording)
    within = np.diff(recording.time) / width
    inner = np.ones(len(within), bool)
    inner[segments["start"].to_numpy()[1:] - 1] = False
    np.testing.assert_allclose(within[inner], 1, rtol=1e-6)


def test_trials_without_a_bin_go_and_columns_stay(caplog):
    trials = frame([0, 1, 1.04], [1, 1.04, 2], side=["l", "r", "l"], n=[1, 2, 3])
    recording = Session(units={0: np.array([0, 2.0])}, trials=trials).bin(0.1, labels=["side", "n"])
    assert recording.trials.index.tolist() == [0, 2]
    assert recording.trials["side"].tolist() == ["l", "l"]
    assert recording.labels["n"].tolist() == [1] * 10 + [3] * 10
    assert "1 trials hold no bin" in caplog.text
    assert recording.provenance[-1]["trials_without_bins"] == 1


def test_trials_none_other_and_missing():
    session = Session(
        units={0: np.array([0, 2.0])},
        trials=frame([0], [1]),
        intervals={"half": frame([0, 1], [1, 2])},
    )
    assert session.bin(0.5, trials=None).trials is None
    assert session.bin(0.5, trials=None).segments["trial"].tolist() == [0]
    assert len(session.bin(0.5, trials="half").trials) == 2
    assert Session(units={0: np.array([0, 2.0])}).bin(0.5).trials is None
    with pytest.raises(
        DataError, match=r"no table of trials or intervals 'laps'; there are \['half"
    ):
        session.bin(0.5, trials="laps")


def test_unsorted_trials_are_sorted_and_overlapping_ones_refused():
    units = {0: np.array([0, 4.0])}
    recording = Session(units=units, trials=frame([2, 0], [3, 1])).bin(0.5)
    assert recording.trials.index.tolist() == [1, 0]
    with pytest.raises(DataError, match=r"trial 0 .* and trial 1"):
        Session(units=units, trials=frame([0, 1], [2, 3])).bin(0.5)
    session = Session(units=units, intervals={"short": frame([0.1], [0.12])})
    with pytest.raises(DataError, match="are trials and signal on one clock"):
        session.bin(0.5, trials="short")


def test_a_trial_with_a_gap_is_one_trial_in_two_segments():
    session = Session(units={0: np.array([0, 4.0])}, trials=frame([0], [4]))
    recording = session.restrict(frame([0, 2], [1, 4])).bin(0.5)
    assert recording.trials[["start", "stop"]].to_numpy().tolist() == [[0, 6]]
    assert recording.segments[["start", "stop", "time0", "trial"]].to_numpy().tolist() == [
        [0, 2, 0.25, 0],
        [2, 6, 2.25, 0],
    ]


# -- a series as signal -------------------------------------------------------------------------


def sines(rate=50.0, seconds=4.0, k=2):
    t = np.arange(round(rate * seconds)) / rate
    return t, np.stack([np.sin(t + i) for i in range(k)], axis=1)


def test_a_regular_series_keeps_its_grid():
    t, x = sines()
    session = Session(
        series={"dff": nap.TsdFrame(t=t, d=x, columns=["a", "b"])}, trials=frame([1], [2])
    )
    recording = session.bin(signal="dff")
    assert recording.rate == 50.0
    np.testing.assert_array_equal(recording.signal, x)
    np.testing.assert_allclose(recording.time, t, atol=1e-9)
    assert recording.trials[["start", "stop"]].to_numpy().tolist() == [[50, 100]]
    assert recording.channels["name"].tolist() == ["a", "b"]


def test_a_gap_ends_a_segment():
    t, x = sines()
    keep = (t < 1) | (t >= 1.5)
    session = Session(series={"dff": nap.TsdFrame(t=t[keep], d=x[keep])})
    own, wide = session.bin(signal="dff"), session.bin(0.1, signal="dff")
    assert own.segments["stop"].tolist() == [50, 175]
    assert own.segments["time0"].tolist() == pytest.approx([0, 1.5])
    assert wide.segments["time0"].tolist() == pytest.approx([0.05, 1.55])
    assert wide.segments["trial"].tolist() == [0, 1]
    assert len(wide) == 35


@settings(max_examples=30, deadline=None)
@given(per_bin=st.integers(1, 7), seed=st.integers(0, 99))
def test_wide_bins_hold_the_mean_of_their_samples(per_bin, seed):
    rng = np.random.default_rng(seed)
    t, x = np.arange(84) / 30, rng.normal(size=(84, 2))
    recording = Session(series={"x": nap.TsdFrame(t=t, d=x)}).bin(per_bin / 30, signal="x")
    n = 84 // per_bin
    expected = x[: n * per_bin].reshape(n, per_bin, 2).mean(axis=1)
    np.testing.assert_allclose(recording.signal, expected, rtol=1e-12)


def test_narrow_bins_are_interpolated():
    t = np.arange(11) / 10
    recording = Session(series={"x": nap.Tsd(t=t, d=t)}).bin(0.025, signal="x")
    inside = (recording.time > 0.03) & (recording.time < 1.0)
    held = np.abs(recording.signal[:, 0] - recording.time)
    assert held[inside].max() <= 0.0125 + 1e-9  # a bin with a sample holds it, not its own centre
    assert not np.isnan(recording.signal).any()


def test_irregular_series_need_a_width():
    t = np.cumsum(np.random.default_rng(0).uniform(0.5, 1.4, 100))
    session = Session(series={"x": nap.Tsd(t=t, d=t)})
    with pytest.raises(DataError, match=r"'x' is sampled irregularly.*say width="):
        session.bin(signal="x")
    assert len(session.bin(2.0, signal="x")) > 0
    with pytest.raises(DataError, match="a grid needs at least 2"):
        Session(series={"x": nap.Tsd(t=t[:1], d=t[:1], time_support=nap.IntervalSet(0, 9))}).bin(
            signal="x"
        )


def test_integer_memmap_and_missing_values_pass_through(tmp_path):
    x = np.lib.format.open_memmap(tmp_path / "x.npy", mode="w+", dtype=np.int16, shape=(20, 3))
    x[:] = np.arange(60).reshape(20, 3)
    session = Session(series={"raw": nap.TsdFrame(t=np.arange(20) / 10, d=x, load_array=False)})
    assert isinstance(session.bin(signal="raw").signal, np.memmap)
    y = np.where(np.arange(20) == 4, np.nan, 1.0)
    holed = Session(series={"y": nap.Tsd(t=np.arange(20) / 10, d=y)}).bin(0.2, signal="y")
    assert np.flatnonzero(np.isnan(holed.signal[:, 0])).tolist() == [2]


# -- labels -------------------------------------------------------------------------------------


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 999), kind=st.sampled_from(["continuous", "discrete"]))
def test_labels_against_a_loop(seed, kind):
    rng = np.random.default_rng(seed)
    t = np.cumsum(rng.uniform(0.9, 1.1, 30) * 0.05)
    t[15:] += rng.choice([0.0, 2.0])
    values = rng.normal(size=30) if kind == "continuous" else rng.integers(0, 4, 30)
    at = np.sort(rng.uniform(-0.5, t[-1] + 0.5, 60))
    found = label_at(at, t, values, kind, (t[:1], t[-1:]))
    step = np.median(np.diff(t))
    for when, value in zip(at, found, strict=True):
        j = int(np.searchsorted(t, when))
        missing = j == 0 or j == len(t) or t[j] - t[j - 1] > 10 * step
        if missing:
            assert np.isnan(value) if kind == "continuous" else value == -1
        elif kind == "continuous":
            w = (when - t[j - 1]) / (t[j] - t[j - 1])
            assert value == pytest.approx(values[j - 1] * (1 - w) + values[j] * w)
        else:
            assert value == values[j - 1 if when - t[j - 1] <= t[j] - when else j]


@settings(max_examples=30, deadline=None)
@given(speed=st.floats(-8, 8), phase=st.floats(0, 6))
def test_angles_go_the_short_way_round(speed, phase):
    t = np.arange(60) / 20
    angle = np.angle(np.exp(1j * (phase + speed * t)))
    session = Session(
        units={0: np.array([0.0, 2.9])},
        series={"hd": nap.Tsd(t=t, d=angle)},
        metadata={"kinds": {"hd": "circular"}},
    )
    recording = session.restrict(frame([0], [2.9])).bin(0.07, labels=["hd"])
    assert recording.kinds["hd"] == "circular"
    off = np.angle(np.exp(1j * (recording.labels["hd"] - phase - speed * recording.time)))
    assert np.abs(off).max() < 0.02


def test_angles_stay_in_the_range_of_the_file():
    t = np.arange(40) / 10
    session = Session(
        units={0: np.array([0, 3.9])}, series={"hd": nap.Tsd(t=t, d=np.mod(t * 3, 2 * np.pi))}
    )
    label = session.bin(0.15, labels={"hd": "circular"}).labels["hd"]
    assert label.min() >= 0
    assert label.max() > np.pi


def test_missing_labels_are_marked_by_kind():
    t = np.arange(10) / 10 + 1
    series = {
        "x": nap.Tsd(t=t, d=t),
        "ok": nap.Tsd(t=t, d=t > 1.5),
        "word": nap.Tsd(t=t, d=np.where(t > 1.5, "in", "out")),
        "xy": nap.TsdFrame(t=t, d=np.column_stack([t, -t])),
    }
    session = Session(units={0: np.array([0.0, 3.0])}, series=series)
    labels = session.bin(0.5, labels=list(series)).labels
    assert np.isnan(labels["x"]).tolist() == [True, True, False, False, True, True]
    assert labels["ok"].tolist() == [-1, -1, 0, 1, -1, -1]
    assert labels["word"].tolist() == ["", "", "out", "in", "", ""]
    assert labels["xy"].shape == (6, 2)
    np.testing.assert_allclose(labels["xy"][2:4], [[1.25, -1.25], [1.75, -1.75]])


def test_exact_hits_beside_a_nan_are_kept():
    t, x = np.array([0.0, 1.0, 2.0]), np.array([0.0, np.nan, 2.0])
    found = label_at(np.array([0.0, 0.5, 2.0]), t, x, "continuous", (t[:1], t[-1:]))
    assert found[[0, 2]].tolist() == [0.0, 2.0]
    assert np.isnan(found[1])


def test_restricted_labels_reach_the_ends_of_what_is_kept():
    t = np.arange(200) / 20
    session = Session(units={0: np.array([0.0, 9.9])}, series={"x": nap.Tsd(t=t, d=t)})
    label = session.restrict(frame([2.01, 6.01], [3.01, 7.01])).bin(0.01, labels=["x"])
    off = np.abs(label.labels["x"] - label.time)
    assert off.max() <= 0.05


def test_labels_that_are_not_there_or_not_clear():
    t = np.arange(100) / 10
    session = Session(
        units={0: np.array([0.0, 9.9])},
        series={
            "count": nap.Tsd(t=t, d=np.arange(100)),
            "cube": nap.TsdTensor(t=t, d=np.zeros((100, 2, 2))),
        },
        trials=frame([0], [9], side=["l"]),
    )
    with pytest.raises(DataError, match=r"no series or trial column 'pos'.*'count'.*\['side'\]"):
        session.bin(0.5, labels=["pos"])
    with pytest.raises(
        DataError, match="'count' has more than 50 values: is it a class or a number"
    ):
        session.bin(0.5, labels=["count"])
    assert session.bin(0.5, labels={"count": "continuous"}).labels["count"][0] == pytest.approx(2.5)
    with pytest.raises(DataError, match="kind of label 'count' must be one of"):
        session.bin(0.5, labels={"count": "nominal"})
    with pytest.raises(DataError, match="a label is"):
        session.bin(0.5, labels=["cube"])
    assert session.bin(0.5, labels="side").labels["side"][0] == "l"


# -- windows around events ----------------------------------------------------------------------


def test_edges_lie_on_the_event():
    rng = np.random.default_rng(1)
    spikes = np.sort(rng.uniform(0, 100, 2000))
    events = np.array([10.013, 30.5, 61.27])
    session = Session(units={0: spikes}, events={"reward": events}).restrict(frame([0], [100]))
    recording = session.bin(0.1, align="reward", window=(-0.5, 1.0))
    assert recording.signal.shape == (45, 1)
    for number, event in enumerate(events):
        edges = event + 0.1 * np.arange(-5, 11)
        block = recording.signal[number * 15 : (number + 1) * 15, 0]
        assert block.tolist() == np.histogram(spikes, edges)[0].tolist()
    assert recording.trials["event_time"].tolist() == events.tolist()
    assert recording.segments["trial"].tolist() == [0, 1, 2]


def test_windows_know_the_trial_they_lie_in():
    trials = frame(
        [0, 10, 20], [10, 20, 30], side=["l", "r", "l"], cue=[1.0, np.nan, 21.0]
    ).set_axis([4, 7, 9])
    session = Session(
        units={0: np.array([0.0, 30.0])}, trials=trials, events={"lick": [12.0, 25.0]}
    )
    by_column = session.bin(0.5, align="cue", window=(0, 2))
    assert by_column.trials.index.tolist() == [4, 9]
    by_event = session.bin(0.5, align="lick", window=(0, 2), labels=["side"])
    assert by_event.trials["trial"].tolist() == [7, 9]
    assert by_event.labels["side"].tolist() == ["r"] * 4 + ["l"] * 4
    by_times = session.bin(0.5, align=[15.0], window=(-1, 1), trials=None)
    assert by_times.time.tolist() == [14.25, 14.75, 15.25, 15.75]


def test_windows_beyond_the_signal_go_and_overlapping_ones_are_refused(caplog):
    session = Session(
        units={0: np.array([0.0, 10.0])}, events={"lick": [0.15, 5.0, 5.5], "far": [99.0]}
    )
    with pytest.raises(
        DataError, match=r"windows must not overlap: event 1 at 5 s and event 2 at 5\.5 s"
    ):
        session.bin(0.1, align="lick", window=(-0.5, 0.5))
    recording = session.bin(0.1, align="lick", window=(-0.25, 0.25))
    assert len(recording.trials) == 2
    assert "1 windows reach beyond the signal" in caplog.text
    with pytest.raises(DataError, match="none of the 1 windows"):
        session.bin(0.1, align="far", window=(0, 1))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"width": 0.1, "align": "lick"}, "needs width= and window="),
        ({"align": "lick", "window": (0, 1)}, "needs width= and window="),
        ({"width": 0.1, "window": (0, 1)}, "window= needs align="),
        ({"width": 0.1, "align": "lick", "window": (0, 0.01)}, "holds no whole bin"),
        ({"width": 0.1, "align": "sniff", "window": (0, 1)}, "no event or trial column 'sniff'"),
        ({}, "spikes have no grid of their own"),
        ({"width": 0.0}, "width must be a positive number"),
        ({"width": np.nan}, "width must be a positive number"),
        ({"width": 99.0}, "no bin of 99.0 s fits"),
        ({"width": 0.1, "signal": "lfp"}, "no series 'lfp'"),
        ({"width": 0.1, "signal": "word"}, "a signal is numeric"),
        ({"width": 0.1, "units": "area == 'V1'"}, "no unit fulfils"),
        ({"width": 0.1, "units": "depth > 3"}, "unit query .* failed.*unit columns"),
        ({"width": 0.1, "units": "area.__class__"}, "attribute is not allowed"),
        ({"width": 0.1, "units": "@pd"}, "is no expression"),
    ],
)
def test_what_bin_refuses(options, message):
    units = iso.session.spike_group(
        {0: np.array([0.0, 9.0])}, pd.DataFrame({"area": ["CA1"]}, index=[0])
    )
    word = nap.Tsd(t=np.arange(3.0), d=np.array(["a", "b", "c"]))
    session = Session(units=units, events={"lick": [5.0]}, series={"word": word})
    with pytest.raises(DataError, match=message):
        session.bin(**options)


def test_no_units_to_bin():
    with pytest.raises(DataError, match="has no units to bin; signal= may name a series"):
        Session(name="empty").bin(0.1)


def test_channels_carry_unit_metadata_and_ids_apart_from_positions():
    table = pd.DataFrame(
        {"area": ["CA1", "CA3", "CA1"], "quality": ["good", "good", "mua"]}, index=[6, 191, 206]
    )
    units = iso.session.spike_group(
        {k: np.array([0.0, 1.0 + k / 1000]) for k in table.index}, table
    )
    recording = Session(units=units).bin(0.1, units="area == 'CA1' and quality == 'good'")
    assert recording.channels.to_dict("list") == {"unit": [6], "area": ["CA1"], "quality": ["good"]}
    every = Session(units=units).bin(0.1)
    assert every.channels.index.tolist() == [0, 1, 2]
    assert every.channels["unit"].tolist() == [6, 191, 206]


def test_provenance_says_what_was_done():
    session = Session(units={0: np.array([0.0, 5.0])}, name="r", subject="rat", events={"e": [1.0]})
    recording = session.restrict(frame([0], [4])).bin(0.5)
    assert [s["step"] for s in recording.provenance] == ["restrict", "bin"]
    assert recording.provenance[0]["seconds"] == 4.0
    assert recording.provenance[1]["width"] == 0.5
    assert (recording.name, recording.subject) == ("r", "rat")
    assert recording.events["e"].tolist() == [1.0]
