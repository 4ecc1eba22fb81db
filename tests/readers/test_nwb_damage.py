"""NWB-HDF5 files cut short or written wrongly: an error that names file, field and remedy."""

from __future__ import annotations

import shutil

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_read_nwb import T, new_file, saved, series

import isofold as iso
from isofold.errors import ReadError


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    nwb = new_file()
    nwb.add_trial_column("side", "s")
    for k in range(4):
        nwb.add_trial(start_time=k * 1.0, stop_time=k + 0.5, side="l")
    nwb.add_unit(spike_times=np.arange(20) / 10)
    nwb.add_acquisition(series("G_0", np.arange(50.0) % 7))
    nwb.add_acquisition(series("lick", np.ones(3), timestamps=np.array([0.1, 0.2, 0.3])))
    return saved(nwb, tmp_path_factory.mktemp("hdf5"))


@pytest.fixture
def path(whole, tmp_path):
    return shutil.copy(whole, tmp_path / "x.nwb")


def replaced(path, name, values):
    with h5py.File(path, "r+") as file:
        attributes = dict(file[name].attrs)
        del file[name]
        if values is not None:
            file[name] = values
            file[name].attrs.update(attributes)


def test_lengths_that_differ(path):
    replaced(path, "acquisition/G_0/timestamps", T[:49])
    said = r"x\.nwb: every sample has one time, but series 'G_0' has 49 times for 50 samples"
    with pytest.raises(ReadError, match=said + r".*read\(path, skip=\[\"G_0\"\]\)"):
        iso.read(path)
    rest = iso.read(path, skip=["G_0"])
    assert rest.series == {}
    assert len(rest.trials) == 4


def test_time_that_goes_back_names_the_file(path):
    replaced(path, "acquisition/G_0/timestamps", T[::-1])
    with pytest.raises(ReadError, match=r"x\.nwb: time must not go back; in series 'G_0'.*unsort"):
        iso.read(path)
    assert iso.read(path, skip=["G_0"]).series == {}


def test_repeated_times_are_kept_and_said(path):
    t = np.sort(np.append(T[:49], T[6]))
    replaced(path, "acquisition/G_0/timestamps", t)
    session = iso.read(path)
    assert len(session.series["G_0"]) == 50
    assert session.metadata["warnings"] == ["G_0: 1 repeated times, first 0.24 s"]


@pytest.mark.parametrize("column", ["start_time", "stop_time"])
def test_a_column_that_is_gone(path, column):
    replaced(path, f"intervals/trials/{column}", None)
    with pytest.raises(ReadError, match=rf"x\.nwb.*{column}"):
        iso.read(path)


def test_columns_of_unequal_length(path):
    replaced(path, "intervals/trials/start_time", np.arange(3.0))
    with pytest.raises(ReadError, match=r"x\.nwb.*start_time"):
        iso.read(path)
    replaced(path, "intervals/trials/start_time", np.arange(4.0))
    assert len(iso.read(path).trials) == 4


def test_a_note_that_is_not_ours(tmp_path):
    path = iso.Session(events={"lick": [1.0]}).to_nwb(tmp_path / "x.nwb")
    with h5py.File(path, "r+") as file:
        file["scratch/isofold"][()] = '{"format": "isof'
    with pytest.raises(
        ReadError, match=r"x\.nwb: scratch/isofold is not the JSON that isofold wro"
    ):
        iso.read(path)
    with h5py.File(path, "r+") as file:
        file["scratch/isofold"][()] = '{"format": "isofold session", "version": 99}'
    with pytest.raises(ReadError, match="written by a newer isofold"):
        iso.read(path)


@given(share=st.floats(0, 1))
@settings(
    deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_cut_short_anywhere(whole, tmp_path, share):
    content = whole.read_bytes()
    path = tmp_path / "cut.nwb"
    path.write_bytes(content[: int(share * len(content))])
    if share == 1:
        assert len(iso.read(path).trials) == 4
        return
    with pytest.raises(ReadError, match=r"cut\.nwb"):
        iso.read(path)
