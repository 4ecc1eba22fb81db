"""Samples given the times of their pulses."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pynapple as nap
import pytest

import isofold as iso
from isofold.errors import DataError
from isofold.preprocess import retime

PULSES = 50 + np.arange(1000) / 20
WRONG = np.sort(np.random.default_rng(0).uniform(0, 90, 990))


def session():
    fibers = pd.DataFrame({"target": ["NAc", "VTA"]}, index=["F0", "F1"])
    two = np.stack([np.arange(1000.0), -np.arange(1000.0)], 1)
    return iso.Session(
        series={
            "G_1": nap.Tsd(t=WRONG, d=np.arange(990)),
            "G_2": nap.TsdFrame(t=np.arange(1000.0), d=two, columns=["F0", "F1"], metadata=fibers),
            "G_1_doubled": nap.Tsd(t=np.repeat(WRONG, 2), d=np.arange(1980)),
            "R_1": nap.Tsd(t=PULSES, d=np.arange(1000)),
        },
        events={"frame": PULSES, "lick": np.array([60.0])},
        metadata={
            "warnings": [
                "G_1: times are not those of the pulses frame, …",
                "G_1: irregular steps, …",
                "G_1: 3 stretches of …",
                "G_1: the order of samples is disturbed: …",
                "R_1: irregular steps, …",
            ]
        },
        provenance=({"step": "read"},),
    )


def test_the_last_sample_is_the_last_pulse():
    before = session()
    after = retime(before, series="G_1", pulses="frame")
    np.testing.assert_array_equal(after.series["G_1"].times(), PULSES[-990:])
    np.testing.assert_array_equal(after.series["G_1"].values, np.arange(990))
    assert after.series["G_1"].time_support.values.tolist() == [[PULSES[10], PULSES[-1]]]
    np.testing.assert_array_equal(before.series["G_1"].times(), WRONG)  # a new session
    for name in ("G_2", "R_1", "G_1_doubled"):
        assert after.series[name] is before.series[name]
    assert after.provenance[-1] == {
        "step": "retime", "series": ["G_1"], "pulses": "frame", "lacking": {"G_1": 10}
    }  # fmt: skip
    assert after.metadata["warnings"] == [
        "G_1: the order of samples is disturbed: …",
        "R_1: irregular steps, …",
        "G_1: times replaced by those of frame (retime)",
    ]


def test_a_pattern_takes_what_fits_and_names_the_rest():
    after = retime(session(), series="G_*", pulses="frame")
    assert after.provenance[-1]["series"] == ["G_1", "G_2"]
    frame = after.series["G_2"]
    assert list(frame.columns) == ["F0", "F1"]
    assert frame.metadata["target"].tolist() == ["NAc", "VTA"]
    np.testing.assert_array_equal(frame.times(), PULSES)
    said = "G_1_doubled: not retimed, 1980 samples for 1000 pulses frame"
    assert said in after.metadata["warnings"]


@pytest.mark.parametrize("n", [1001, 989, 500, 0])
def test_lengths_that_differ_too_much(n):
    wrong = iso.Session(
        series={"x": nap.Tsd(t=np.arange(float(n)), d=np.arange(n))}, events={"frame": PULSES}
    )
    with pytest.raises(DataError, match=rf"'frame' has 1000 pulses and the samples are .'x': {n}"):
        retime(wrong, series="x", pulses="frame")


def test_names_that_are_not_there():
    with pytest.raises(DataError, match=r"no events 'frames'; there are \['frame', 'lick'\]"):
        retime(session(), series="G_1", pulses="frames")
    with pytest.raises(DataError, match="no series 'Iso"):
        retime(session(), series="Iso_*", pulses="frame")


def test_lazy_values_stay_lazy(tmp_path):
    path = session().to_nwb(tmp_path / "x.nwb.zarr")
    read = iso.read(path)
    after = retime(read, series="G_1", pulses="frame")
    assert type(after.series["G_1"].values) is type(read.series["G_1"].values)
    again = iso.read(after.to_nwb(tmp_path / "y.nwb"))
    assert again.provenance == after.provenance
    np.testing.assert_array_equal(again.series["G_1"].times(), PULSES[-990:])
