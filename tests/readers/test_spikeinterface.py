"""The SpikeInterface adapter, on objects with the methods that its BaseSorting documents."""

from __future__ import annotations

import numpy as np
import pytest

import isofold as iso
from isofold.errors import ReadError


class Sorting:
    def __init__(self, trains, rate=20_000.0, **properties):
        self.segments = trains if isinstance(trains, list) else [trains]
        self.rate, self.properties = rate, properties

    def get_num_segments(self):
        return len(self.segments)

    def get_unit_ids(self):
        return np.array(list(self.segments[0]))

    def get_sampling_frequency(self):
        return self.rate

    def get_unit_spike_train(self, unit_id, segment_index=None, return_times=False):
        return np.asarray(self.segments[segment_index][unit_id])

    def get_property_keys(self):
        return list(self.properties)

    def get_property(self, key):
        return np.asarray(self.properties[key])


class Recorded:
    def get_num_samples(self, segment_index=None):
        return 200_001

    def sample_index_to_time(self, sample_ind, segment_index=None):
        return 100.0 + np.asarray(sample_ind) / 20_000


def test_units_and_properties():
    sorting = Sorting(
        {4: [200, 400], 9: []}, KSLabel=["good", "mua"], brain_area=["CA1", "CA3"], snr=[3.5, 2.0],
        waveform=[[1, 2], [3, 4]],
    )  # fmt: skip
    session = iso.from_spikeinterface(sorting, name="probe0")
    assert session.name == "probe0"
    assert list(session.units.index) == [4, 9]
    assert session.units[4].times().tolist() == [0.01, 0.02]
    assert len(session.units[9]) == 0
    table = session.units.metadata
    assert table["quality"].tolist() == ["good", "mua"]
    assert table["area"].tolist() == ["CA1", "CA3"]
    assert table["snr"].tolist() == [3.5, 2.0]
    assert "waveform" not in table
    assert list(session.restrict(units="quality == 'good'").units.index) == [4]


def test_ids_that_are_words():
    session = iso.from_spikeinterface(Sorting({"#1": [200], "#0": [400]}))
    assert list(session.units.index) == [0, 1]
    assert session.units.metadata["unit_id"].tolist() == ["#1", "#0"]


def test_the_recording_gives_times_and_extent():
    session = iso.from_spikeinterface(Sorting({0: [20_000]}), Recorded())
    assert session.units[0].times().tolist() == [101.0]
    assert session.units.time_support.start[0] == 100
    assert session.units.time_support.end[0] == 110


def test_segments():
    sorting = Sorting([{0: [200]}, {0: [600]}])
    assert iso.from_spikeinterface(sorting, segment_index=1).units[0].times().tolist() == [0.03]
    with pytest.raises(ReadError, match="segment_index must be 0 to 1, got 2"):
        iso.from_spikeinterface(sorting, segment_index=2)


def test_what_is_no_sorting():
    with pytest.raises(ReadError, match=r"str lacks \['get_unit_ids'.*isofold\.read"):
        iso.from_spikeinterface("folder")
