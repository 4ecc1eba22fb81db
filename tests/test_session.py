"""`Session`: tables, restriction, summary."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pynapple as nap
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import isofold as iso
from isofold import Session
from isofold._intervals import merged
from isofold.errors import DataError


def frame(start, stop, **columns):
    return pd.DataFrame(
        {"start": np.asarray(start, float), "stop": np.asarray(stop, float), **columns}
    )


@pytest.fixture
def session():
    t = np.arange(100) / 10
    return Session(
        units=iso.session.spike_group(
            {2: t, 5: t[::2], 11: np.array([3.0])},
            pd.DataFrame({"area": ["CA1", "CA3", "CA1"], "snr": [1.0, 2.0, 3.0]}, index=[2, 5, 11]),
        ),
        series={
            "speed": nap.Tsd(t=t, d=t),
            "xy": nap.TsdFrame(t=t, d=np.stack([t, t], 1), columns=["x", "y"]),
        },
        events={"lick": np.array([1.0, 5.0, 9.0])},
        trials=frame([0, 3, 6], [3, 6, 9], side=["l", "r", "l"]),
        intervals={"rest": frame([0, 8], [1, 9])},
        name="rat",
        subject="install",
    )


def test_it_is_frozen_and_says_what_it_is(session):
    with pytest.raises(AttributeError):
        session.name = "other"
    assert repr(session) == (
        "<Session 'rat': 3 units, 2 series, 3 trials, 1 kinds of event, 1 interval tables>"
    )
    assert "speed: (100,) at 10 Hz, 0 gaps" in session._repr_html_()


def test_summary(session):
    found = session.summary()
    assert found["units"] == {
        "n": 3, "spikes": 151, "silent": 0, "columns": ["area", "snr"], "start": 0.0, "stop": 9.9,
    }  # fmt: skip
    assert [s["name"] for s in found["series"]] == ["speed", "xy"]
    assert found["series"][1]["shape"] == (100, 2)
    assert found["series"][0]["rate"] == pytest.approx(10.0)
    assert found["trials"]["n"] == 3
    assert found["trials"]["columns"] == ["side"]
    assert found["intervals"][0]["name"] == "rest"
    assert found["events"] == [{"name": "lick", "n": 3, "first": 1.0, "last": 9.0}]
    assert found["warnings"] == []
    assert Session().summary()["units"] is None


def test_gaps_are_counted():
    t = np.r_[np.arange(10), np.arange(20, 30)] / 10.0
    found = Session(series={"x": nap.Tsd(t=t, d=t)}).summary()["series"][0]
    assert (found["gaps"], found["rate"]) == (1, pytest.approx(10.0))


def test_tables_must_make_sense():
    with pytest.raises(DataError, match=r"table 'trials' needs columns start and stop.*\['stop'\]"):
        Session(trials=pd.DataFrame({"start": [0.0]}))
    with pytest.raises(DataError, match=r"row 1 of 'rest' has start=2\.0, stop=1\.0"):
        Session(intervals={"rest": frame([0, 2], [1, 1])})


def test_units_by_query(session):
    assert session.restrict(units="area == 'CA1' and snr > 2").units.index.tolist() == [11]
    with pytest.raises(DataError, match="has no units"):
        Session().restrict(units="area == 'CA1'")


@pytest.mark.parametrize(
    "where",
    [
        "rest",
        frame([8, 0], [9, 1]),
        nap.IntervalSet([0, 8], [1, 9]),
    ],
)
def test_restrict_by_intervals(session, where):
    kept = session.restrict(where)
    assert len(kept.units[2]) == 22
    assert kept.series["speed"].shape == (22,)
    assert kept.events["lick"].tolist() == [1.0, 9.0]
    assert kept.trials.index.tolist() == [0, 2]
    assert kept.trials["side"].tolist() == ["l", "l"]
    assert kept.intervals["rest"].shape == (2, 2)
    assert len(session.units[2]) == 100


def test_restrict_by_mask(session):
    kept = session.restrict(session.series["speed"] > 7)
    assert kept.series["speed"].values.min() == pytest.approx(7.1)
    support = kept.units.time_support
    assert (support.start[0], support.end[-1]) == pytest.approx((7.05, 9.9))
    same = session.restrict(
        pd.Series(np.asarray(session.series["speed"].values) > 7, session.series["speed"].times())
    )
    assert same.units.time_support.start[0] == pytest.approx(7.05)


def test_a_mask_does_not_reach_over_a_gap():
    t = np.r_[np.arange(10), np.arange(50, 60)] / 10.0
    session = Session(units={0: np.arange(0, 6, 0.1)}, series={"x": nap.Tsd(t=t, d=t)})
    kept = session.restrict(session.series["x"] >= 0)
    assert kept.provenance[-1]["intervals"] == 2
    assert kept.provenance[-1]["seconds"] == pytest.approx(0.9 + 0.9 + 2 * 0.075, abs=0.01)


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("laps", r"no table of trials or intervals 'laps'; there are \['rest', 'trials'\]"),
        (np.ones(100, bool), "or a boolean mask with times.*got ndarray"),
        (3.0, "restrict.. takes a table with start and stop"),
        (pd.DataFrame({"start": [1.0]}), "needs columns start and stop"),
        (frame([1.0], [1.0]), "would keep nothing"),
        (frame([], []), "would keep nothing"),
    ],
)
def test_what_restrict_refuses(session, where, message):
    with pytest.raises(DataError, match=message):
        session.restrict(where)


def test_a_mask_of_numbers_is_refused(session):
    with pytest.raises(DataError, match="boolean mask"):
        session.restrict(session.series["speed"])
    with pytest.raises(DataError, match="would keep nothing"):
        session.restrict(session.series["speed"] > 1e9)


def test_restrict_reads_lazy_data_in_slices(session, tmp_path):
    import h5py

    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["x"] = np.arange(200.0).reshape(100, 2)
    data = h5py.File(tmp_path / "x.h5")["x"]
    lazy = nap.TsdFrame(t=np.arange(100) / 10, d=data, columns=["a", "b"], load_array=False)
    kept = Session(series={"x": lazy}).restrict(frame([1, 5], [2, 6])).series["x"]
    np.testing.assert_array_equal(kept.values, data[:][np.r_[10:21, 50:61]])
    assert list(kept.columns) == ["a", "b"]


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 12)), max_size=12))
def test_merged_covers_what_any_interval_covers(pairs):
    start = np.array([a for a, _ in pairs], float)
    stop = start + np.array([b for _, b in pairs], float)
    a, b = merged(start, stop)
    assert (b > a).all()
    assert (a[1:] > b[:-1]).all()
    for cell in np.arange(70) + 0.5:
        one = ((start <= cell) & (cell < stop)).any()
        assert one == ((a <= cell) & (cell < b)).any()


def test_units_as_a_mapping_span_all_that_is_known():
    session = Session(units={4: np.array([2.0]), 9: np.empty(0)}, trials=frame([0], [5]))
    assert session.units.time_support.values.tolist() == [[0.0, 5.0]]
    assert session.bin(1.0).signal.tolist() == [[0, 0], [0, 0], [1, 0], [0, 0], [0, 0]]


def test_import_stays_light():
    import subprocess
    import sys

    heavy = "{'pynapple', 'pynwb', 'h5py', 'jax'} & set(sys.modules)"
    code = f"import sys, isofold; isofold.Session; isofold.read; assert not {heavy}, {heavy}"
    subprocess.run([sys.executable, "-c", code], check=True)
