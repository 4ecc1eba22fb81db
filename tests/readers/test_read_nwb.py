"""NWB as others write it, made here with pynwb, and NWB as we write it, read back."""

from __future__ import annotations

from datetime import UTC, datetime

import h5py
import numpy as np
import pandas as pd
import pynapple as nap
import pytest
from pynwb import NWBHDF5IO, NWBFile, TimeSeries
from pynwb.behavior import BehavioralTimeSeries, CompassDirection, Position, SpatialSeries
from pynwb.image import ImageSeries
from pynwb.misc import AnnotationSeries
from pynwb.ophys import DfOverF, Fluorescence, ImageSegmentation, OpticalChannel, RoiResponseSeries

import isofold as iso
from isofold.errors import DataError, ReadError
from isofold.session import spike_group

T = np.arange(50) / 25


def new_file():
    start = datetime(2020, 1, 1, tzinfo=UTC)
    return NWBFile(session_description="test", identifier="id", session_start_time=start)


def saved(nwb, folder):
    with NWBHDF5IO(str(folder / "x.nwb"), "w") as io:
        io.write(nwb)
    return folder / "x.nwb"


def series(name, data=None, **more):
    data = np.arange(50.0) if data is None else data
    clock = {} if {"rate", "timestamps"} & set(more) else {"timestamps": T[: len(data)]}
    return TimeSeries(name=name, data=data, unit="a", **clock, **more)


# -- units --------------------------------------------------------------------------------------


def with_units(electrodes=((0, 1), (1,), ()), ids=(12, 3, 7)):
    nwb = new_file()
    group = nwb.create_electrode_group("shank", "d", "CA1", nwb.create_device("probe"))
    for area in ("CA1", "CA3"):
        nwb.add_electrode(x=0.0, y=0.0, z=0.0, location=area, group=group)
    nwb.add_unit_column("quality", "q")
    nwb.add_unit_column("rate", "as the sorter says")
    for unit, where in zip(ids, electrodes, strict=True):
        nwb.add_unit(
            id=unit, spike_times=np.array([unit, unit + 1.0]), electrodes=list(where),
            quality="good" if unit > 5 else "", rate=1.5, waveform_mean=np.zeros(9),
        )  # fmt: skip
    return nwb


def test_unit_columns_and_areas(tmp_path):
    session = iso.read(saved(with_units(), tmp_path))
    table = session.units.metadata
    assert list(session.units.index) == [3, 7, 12]
    assert table["area"].tolist() == ["CA3", "", "CA1/CA3"]
    assert table["quality"].tolist() == ["", "good", "good"]
    assert table["rate_"].tolist() == [1.5] * 3
    assert session.units[12].times().tolist() == [12.0, 13.0]
    assert session.bin(1.0, units="quality == 'good'").channels["unit"].tolist() == [7, 12]


def test_repeated_unit_ids(tmp_path):
    session = iso.read(saved(with_units(ids=(4, 4, 9)), tmp_path))
    assert list(session.units.index) == [0, 1, 2]
    assert session.units.metadata["unit_id"].tolist() == [4, 4, 9]
    assert "ids are not unique" in session.metadata["warnings"][0]


def test_spikes_out_of_order_and_without_time_are_said(tmp_path):
    nwb = new_file()
    nwb.add_unit(spike_times=np.array([3.0, 1.0, np.nan, 2.0, 2.0]), id=5)
    nwb.add_unit(spike_times=np.empty(0), id=6)
    session = iso.read(saved(nwb, tmp_path))
    assert session.units[5].times().tolist() == [1.0, 2.0, 2.0, 3.0]
    assert session.metadata["warnings"] == [
        "unit 5: 1 of 5 event times are NaN; left out",
        "unit 5: time goes back, first after 3 s; sorted",
        "unit 5: 1 repeated times, first 2 s",
    ]
    assert session.summary()["units"]["silent"] == 1


def test_observed_intervals_are_the_support(tmp_path):
    nwb = new_file()
    observed = np.array([[0.0, 2.0], [5.0, 7.0]])
    nwb.add_unit(spike_times=np.array([1.0, 3.0, 6.0]), obs_intervals=observed)
    session = iso.read(saved(nwb, tmp_path))
    assert "1 spikes outside obs_intervals" in session.metadata["warnings"][0]
    recording = session.bin(1.0)
    assert recording.time.tolist() == [0.5, 1.5, 5.5, 6.5]
    assert recording.signal.ravel().tolist() == [0, 1, 0, 1]


# -- series -------------------------------------------------------------------------------------


def test_series_of_every_kind_and_place(tmp_path):
    nwb = new_file()
    nwb.add_acquisition(series("lever", rate=10.0, starting_time=2.0))
    nwb.add_acquisition(series("flat", np.ones(50), rate=10.0))
    nwb.add_stimulus(series("sound", np.zeros((50, 2))))
    module = nwb.create_processing_module("behavior", "b")
    place = SpatialSeries(name="position", data=np.zeros((50, 2)), timestamps=T, reference_frame="")
    module.add(Position(spatial_series=place))
    angle = SpatialSeries(name="hd", data=T % 6, timestamps=T, reference_frame="", unit="radians")
    module.add(CompassDirection(spatial_series=angle))
    module.add(BehavioralTimeSeries(time_series=series("wheel")))
    module.add(series("phase", np.array(["go", "stop"] * 25, dtype=object)))
    session = iso.read(saved(nwb, tmp_path))
    assert set(session.series) == {"lever", "flat", "sound", "position", "hd", "wheel", "phase"}
    assert session.series["lever"].times()[[0, -1]].tolist() == [2.0, 6.9]
    assert list(session.series["position"].columns) == ["x", "y"]
    assert session.metadata["kinds"] == {"hd": "circular"}
    assert session.series["phase"].values[:2].tolist() == ["go", "stop"]
    assert session.metadata["warnings"] == []


def test_data_are_read_when_used(tmp_path):
    nwb = new_file()
    nwb.add_acquisition(series("lfp", np.arange(100.0).reshape(50, 2)))
    session = iso.read(saved(nwb, tmp_path))
    assert isinstance(session.series["lfp"].values, h5py.Dataset)
    np.testing.assert_array_equal(session.bin(signal="lfp").signal, np.arange(100.0).reshape(50, 2))


def test_conversion_to_the_unit_that_the_file_names(tmp_path):
    nwb = new_file()
    nwb.add_acquisition(series("x", np.arange(50), conversion=0.5, offset=2.0))
    session = iso.read(saved(nwb, tmp_path))
    assert session.series["x"].values[:3].tolist() == [2.0, 2.5, 3.0]


def test_calcium_imaging_with_names_that_repeat(tmp_path):
    nwb = new_file()
    channel = OpticalChannel(name="green", description="d", emission_lambda=500.0)
    plane = nwb.create_imaging_plane(
        name="plane", optical_channel=channel, description="d", device=nwb.create_device("scope"),
        excitation_lambda=600.0, indicator="GCaMP", location="V1",
    )  # fmt: skip
    segmentation = ImageSegmentation().create_plane_segmentation("cells", plane, "cells")
    segmentation.add_column("accepted", "d")
    for k in range(3):
        segmentation.add_roi(image_mask=np.zeros((4, 4)), accepted=k, id=10 + k)
    module = nwb.create_processing_module("ophys", "o")
    parent = ImageSegmentation(name="masks")
    parent.add_plane_segmentation(segmentation) if segmentation.parent is None else None
    module.add(segmentation.parent or parent)
    for box, k in ((Fluorescence(), 1.0), (DfOverF(), 2.0)):
        module.add(box)
        rois = segmentation.create_roi_table_region(description="all", region=[2, 0])
        data = np.full((50, 2), k)
        box.add_roi_response_series(
            RoiResponseSeries(name="traces", data=data, rois=rois, unit="a", timestamps=T)
        )
    session = iso.read(saved(nwb, tmp_path))
    assert set(session.series) == {"Fluorescence/traces", "DfOverF/traces"}
    dff = session.series["DfOverF/traces"]
    assert list(dff.columns) == [12, 10]
    recording = session.bin(signal="DfOverF/traces")
    assert recording.channels["name"].tolist() == ["12", "10"]
    assert recording.channels["roi_accepted"].tolist() == [2, 0]
    assert recording.signal.max() == 2.0


def test_what_is_no_series_is_named(tmp_path):
    nwb = new_file()
    nwb.add_acquisition(ImageSeries(name="video", data=np.zeros((5, 4, 4)), unit="a", rate=1.0))
    nwb.add_acquisition(series("cube", np.zeros((50, 2, 2))))
    session = iso.read(saved(nwb, tmp_path))
    assert session.series == {}
    said = "; ".join(session.metadata["warnings"])
    assert "video: ImageSeries of shape (5, 4, 4)" in said
    assert "cube: TimeSeries of shape (50, 2, 2)" in said


def test_clocks_are_checked(tmp_path):
    nwb = new_file()
    back = T.copy()
    back[30:] -= 0.5
    nwb.add_acquisition(series("x", timestamps=back))
    path = saved(nwb, tmp_path)
    with pytest.raises(ReadError, match=r"time must not go back; in series 'x' it does, 1 times"):
        iso.read(path)
    assert iso.read(path, unsorted="skip").series == {}
    assert len(iso.read(path, unsorted="sort").series["x"]) == 50


def test_suspicious_clocks_are_said(tmp_path):
    nwb = new_file()
    gap, twice, none = T.copy(), T.copy(), np.full(50, np.nan)
    gap[20:] += 1.0
    twice[10] = twice[9]
    jitter = np.cumsum(np.random.default_rng(0).uniform(0.01, 0.1, 50))
    for name, t in (("gap", gap), ("twice", twice), ("none", none), ("jitter", jitter)):
        nwb.add_acquisition(series(name, timestamps=t))
    session = iso.read(saved(nwb, tmp_path))
    said = {w.split(":")[0]: w for w in session.metadata["warnings"]}
    assert said["gap"] == "gap: 1 gaps, first after 0.76 s, longest 1.04 s"
    assert any(w == "twice: 1 repeated times, first 0.36 s" for w in session.metadata["warnings"])
    assert "jitter: irregular steps" in said["jitter"]
    assert "none: no samples; left out" in session.metadata["warnings"]
    assert "none" not in session.series


# -- events, tables, words ----------------------------------------------------------------------


def test_events(tmp_path):
    nwb = new_file()
    nwb.add_acquisition(series("lick", np.ones(3), timestamps=np.array([2.0, 1.0, np.nan])))
    nwb.add_acquisition(AnnotationSeries(name="note", data=["a", "b"], timestamps=[0.5, 4.0]))
    session = iso.read(saved(nwb, tmp_path))
    assert session.events["lick"].tolist() == [1.0, 2.0]
    assert session.events["note"].tolist() == [0.5, 4.0]
    assert session.series == {}
    assert len(session.metadata["warnings"]) == 2


def test_an_events_table(tmp_path):
    nwb = new_file()
    pokes = nwb.create_events_table(name="pokes", description="d")
    for t in (1.0, 2.5):
        pokes.add_row(timestamp=t)
    session = iso.read(saved(nwb, tmp_path))
    assert session.events["pokes"].tolist() == [1.0, 2.5]


def test_an_option_of_another_format(tmp_path):
    with pytest.raises(TypeError, match="rate"):
        iso.read(saved(new_file(), tmp_path), rate=10.0)


def test_tables_of_intervals(tmp_path):
    nwb = new_file()
    nwb.add_trial_column("side", "s")
    for start, stop, side in ((5.0, 6.0, "r"), (0.0, 5.0, ""), (7.0, np.nan, "l")):
        nwb.add_trial(start_time=start, stop_time=stop, side=side)
    nwb.add_epoch(start_time=0.0, stop_time=9.0, tags=["run", "dark"])
    session = iso.read(saved(nwb, tmp_path))
    assert session.trials["side"].tolist() == ["", "r"]
    assert session.trials.index.tolist() == [1, 0]
    assert session.intervals["epochs"]["tags"].tolist() == ["run, dark"]
    assert "trials: 1 rows without start or stop" in session.metadata["warnings"][0]
    assert "trials: rows are not in order of time" in session.metadata["warnings"][1]


def test_a_file_of_nothing(tmp_path):
    session = iso.read(saved(new_file(), tmp_path))
    assert repr(session) == "<Session 'x': 0 units, 0 series, no trials>"
    assert session.subject is None
    assert session.metadata["session_start_time"] == "2020-01-01 00:00:00+00:00"


# -- our own ------------------------------------------------------------------------------------


def everything():
    units = {3: np.array([1.0, 2.0]), 9: np.empty(0)}
    table = pd.DataFrame(
        {"area": ["CA1", ""], "snr": [1.5, 2.0], "electrode_group": ["a", "b"]}, index=[3, 9]
    )
    trials = {"start": [0.0, 1.0], "stop": [1.0, 2.0], "side": ["l", "r"], "n": [1, 2]}
    return iso.Session(
        units=spike_group(units, table, (np.array([0.0, 3.0]), np.array([2.0, 10.0]))),
        series={
            "pos": nap.TsdFrame(t=T, d=np.stack([T, -T], 1), columns=["x", "y"]),
            "dff": nap.TsdFrame(t=T, d=np.stack([T, T], 1), columns=["a", "b"]),
            "ones": nap.Tsd(t=T, d=np.ones(50)),
            "flag": nap.Tsd(t=T, d=T > 1),
            "count": nap.Tsd(t=T, d=np.arange(50)),
            "word": nap.Tsd(t=T, d=np.where(T > 1, "a", "bé")),
            "hd": nap.Tsd(t=T, d=T % 6),
        },
        events={"lick": np.array([0.5, 1.5]), "none": np.empty(0)},
        trials=pd.DataFrame({**trials, "ok": [True, False], "x": [1.0, np.nan]}, index=[4, 8]),
        intervals={"epochs": pd.DataFrame({"start": [0.0], "stop": [2.0], "tags": ["run, dark"]})},
        subject="rat",
        metadata={"kinds": {"hd": "circular"}, "lab": "ours"},
    )


def test_what_is_written_reads_back_equal(tmp_path):
    session = everything()
    back = iso.read(session.to_nwb(tmp_path / "x.nwb"))
    assert back.units.index.tolist() == [3, 9]
    for unit in (3, 9):
        np.testing.assert_array_equal(back.units[unit].times(), session.units[unit].times())
    np.testing.assert_array_equal(back.units.time_support.values, session.units.time_support.values)
    for column in ("area", "snr", "electrode_group"):
        assert back.units.metadata[column].tolist() == session.units.metadata[column].tolist()
    assert set(back.series) == set(session.series)
    for name, one in session.series.items():
        found = back.series[name]
        assert type(found) is type(one)
        np.testing.assert_array_equal(found.times(), one.times())
        np.testing.assert_array_equal(found.values[:], one.values)
        assert found.values.dtype.kind == one.values.dtype.kind
        assert list(getattr(found, "columns", [])) == list(getattr(one, "columns", []))
    assert back.events["lick"].tolist() == [0.5, 1.5]
    assert back.events["none"].tolist() == []
    pd.testing.assert_frame_equal(back.trials, session.trials, check_names=False)
    for name, table in session.intervals.items():
        pd.testing.assert_frame_equal(back.intervals[name], table, check_names=False)
    assert (back.subject, back.metadata["lab"]) == ("rat", "ours")
    assert back.metadata["kinds"] == {"hd": "circular"}
    assert back.metadata["warnings"] == []


def test_what_is_read_can_be_written_over_itself(tmp_path):
    path = everything().to_nwb(tmp_path / "x.nwb")
    again = iso.read(iso.read(path).to_nwb(path))
    assert again.series["count"].values[:].tolist() == list(range(50))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["x.nwb"]


def test_a_column_of_mixed_things_is_refused(tmp_path):
    trials = pd.DataFrame({"start": [0.0, 1.0], "stop": [1.0, 2.0], "odd": ["a", 3]})
    with pytest.raises(DataError, match=r"not \['int', 'str'\]; recode or drop column 'odd'"):
        iso.Session(trials=trials).to_nwb(tmp_path / "x.nwb")
    assert list(tmp_path.iterdir()) == []


def test_trials_named_by_words_keep_their_names(tmp_path):
    trials = pd.DataFrame({"start": [0.0], "stop": [1.0]}, index=pd.Index(["first"], name="lap"))
    back = iso.read(iso.Session(trials=trials).to_nwb(tmp_path / "x.nwb"))
    pd.testing.assert_frame_equal(back.trials, trials)


def test_missing_words_are_written_as_empty_ones(tmp_path):
    trials = pd.DataFrame({"start": [0.0, 1.0], "stop": [1.0, 2.0], "word": ["a", None]})
    back = iso.read(iso.Session(trials=trials).to_nwb(tmp_path / "x.nwb"))
    assert back.trials["word"].tolist() == ["a", ""]
