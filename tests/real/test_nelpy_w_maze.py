"""The same rat on a W maze: two runs, trips of six types, a multi-unit cluster to leave out."""

from __future__ import annotations

import numpy as np
import pytest

import isofold as iso

SPIKES = [1104, 1330, 147, 1209, 329, 101, 291, 281, 245, 1387, 1797, 13474, 3459, 631, 323, 6146]
SPIKES += [461, 551, 2664, 461464, 2179, 3545, 5248, 2544, 7442]
RUNS = [
    ("run1", 42_000, 28_177, 12_159, 13_415, 7_237, {"RM": 8, "MR": 4, "LM": 5, "ML": 8, "LR": 3}),
    ("run2", 46_680, 24_789, 10_728, 14_181, 7_120, {"RM": 3, "MR": 8, "LM": 9, "ML": 5, "RL": 5}),
]
SECONDS = {"run1": (7.4, 16.9, 113.6), "run2": (9.8, 14.5, 50.7)}


@pytest.fixture(scope="module")
def session(data, nelpy, tmp_path_factory):
    raw = nelpy.w_maze(data("nelpy_w_maze"))
    return iso.read(raw.to_nwb(tmp_path_factory.mktemp("nwb") / "w-maze.nwb"))


def test_raw_trajectory(data, nelpy):
    raw = nelpy.records(data("nelpy_w_maze") / "trajectory.videoPositionTracking")
    assert (len(raw), raw["time"][0], raw["time"][-1]) == (261_995, 160_720, 131_139_586)
    assert (np.diff(raw["time"].astype(int)) > 0).all()
    assert raw["time"][[0, -1]] / 30_000 == pytest.approx([5.3573, 4371.3195], abs=5e-5)
    assert np.diff(raw["time"].astype(int)).max() / 30_000 == pytest.approx(0.113, abs=1e-3)
    assert [raw[c].min() for c in "xy"] == [183, 121]
    assert [raw[c].max() for c in "xy"] == [525, 479]
    assert not raw["x2"].any()
    assert not raw["y2"].any()


def test_raw_spikes(data, nelpy):
    times, table = nelpy.spikes(data("nelpy_w_maze"))
    assert [len(t) for t in times.values()] == SPIKES
    assert sum(SPIKES) == 518_352
    assert min(t[0] for t in times.values()) == pytest.approx(64.407267, abs=5e-7)
    assert max(t[-1] for t in times.values()) == pytest.approx(4371.179133, abs=5e-7)
    assert table.loc[19].tolist() == [9, 14]
    assert table.loc[23].tolist() == [10, 1]
    assert times[23][0] == pytest.approx(3807.26, abs=5e-3)
    assert len(np.intersect1d(times[20], times[15])) == 2_171
    assert len(np.intersect1d(times[17], times[13])) == 493
    assert len(np.intersect1d(times[16], times[13])) == 347


def test_units_keep_their_numbers(session):
    assert len(session.units) == 24
    assert 19 not in session.units.index
    assert sum(len(session.units[k]) for k in session.units.index) == 56_888


@pytest.mark.parametrize(
    ("run", "bins", "inside", "spikes", "moving", "moving_spikes", "types"), RUNS
)
def test_run(session, run, bins, inside, spikes, moving, moving_spikes, types):
    recording = session.restrict(run).bin(0.025, labels=["position", "speed", "type"])
    assert recording.signal.shape == (bins, 24)
    assert recording.channels["unit"].tolist() == [k for k in range(25) if k != 19]
    assert recording.trials["type"].value_counts().to_dict() == types
    seconds = session.restrict(run).trials.eval("stop - start").to_numpy()
    found = (seconds.min(), np.median(seconds), seconds.max())
    assert found == pytest.approx(SECONDS[run], abs=0.06)
    in_trip = recording.trial >= 0
    assert in_trip.sum() == inside
    assert recording.signal[in_trip].sum() == spikes
    fast = in_trip & (recording.labels["speed"] > 20)
    assert fast.sum() == pytest.approx(moving, rel=0.01)
    assert recording.signal[fast].sum() == pytest.approx(moving_spikes, rel=0.01)
    assert not np.isnan(recording.labels["position"]).any()


def test_both_runs_at_once(session):
    recording = session.restrict("running").bin(0.025)
    assert len(recording) == pytest.approx(13_415 + 14_181, rel=0.01)
    assert len(recording.trials) == 58


@pytest.mark.parametrize(("limit", "trips"), [(380, 28), (385, 28), (360, 29), (375, 29)])
def test_trips_by_threshold(data, nelpy, monkeypatch, limit, trips):
    path = nelpy.trajectory(data("nelpy_w_maze"))
    moved = path._replace(y=path.y - (limit - 380))
    assert len(nelpy.trips(moved, nelpy.RUNS[0])) == trips
