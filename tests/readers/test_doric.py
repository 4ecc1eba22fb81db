"""Doric: HDF5 made here with h5py in the layouts of Doric Neuroscience Studio 5 and 6."""

from __future__ import annotations

import h5py
import numpy as np
import pytest
from acquisition_files import doric, doric5

import isofold as iso
from isofold.errors import ReadError


@pytest.mark.parametrize("console", ["FPConsole", "NC500"])
def test_version_6(tmp_path, console):
    session = iso.read(doric(tmp_path, console))
    assert set(session.series) == {"LockInAOUT01", "LockInAOUT02"}
    light = session.series["LockInAOUT02"]
    assert list(light.columns) == ["AIN01", "AIN02"]
    t = np.arange(200) / 100
    np.testing.assert_allclose(light.times(), t)
    np.testing.assert_allclose(light.values, np.sin(t)[:, None] + [3, 4])
    assert session.events["DIO01"].tolist() == [0.1, 0.6, 1.1, 1.6]
    assert list(session.events) == ["DIO01"]
    assert session.metadata["doric_names"]["LockInAOUT02/AIN01"] == "Ch1_490"
    assert session.metadata["warnings"] == []


def test_several_series_of_one_file(tmp_path):
    session = iso.read(doric(tmp_path, series=("Series0001", "Series0002")))
    assert set(session.series) == {
        f"Series000{k}_LockInAOUT0{out}" for k in (1, 2) for out in (1, 2)
    }
    assert session.series["Series0002_LockInAOUT01"].times()[0] == 10
    assert session.events["Series0002_DigitalIO_DIO01"][0] == pytest.approx(10.1)


def test_version_5(tmp_path):
    session = iso.read(doric5(tmp_path))
    assert set(session.series) == {"AIN01xAOUT01-LockIn", "AIN02xAOUT02-LockIn"}
    assert session.series["AIN01xAOUT01-LockIn"].values.shape == (100,)
    session = iso.read(doric5(tmp_path, traces=True))
    assert set(session.series) == {"AIn-1 - Dem (AOut-1)", "AIn-1 - Dem (AOut-2)"}
    np.testing.assert_allclose(session.series["AIn-1 - Dem (AOut-2)"].times(), np.arange(100) / 50)
    assert session.events["DI--O-1"].tolist() == [0.82]


def test_a_dataset_of_another_length_is_left_out(tmp_path):
    path = doric(tmp_path)
    with h5py.File(path, "a") as file:
        home = file["DataAcquisition/FPConsole/Signals/Series0001/LockInAOUT01"]
        del home["AIN02"]
        home["AIN02"] = np.zeros(150)
    session = iso.read(path)
    assert list(session.series["LockInAOUT01"].columns) == ["AIN01"]
    assert session.metadata["warnings"] == [
        "LockInAOUT01: AIN02 is no column of 200 numbers, as many as there are times ((150,)); "
        "left out"
    ]


def test_a_time_that_goes_back(tmp_path):
    path = doric(tmp_path)
    with h5py.File(path, "a") as file:
        file["DataAcquisition/FPConsole/Signals/Series0001/LockInAOUT01/Time"][50] = 9.0
    with pytest.raises(ReadError, match=r"s.doric, .*LockInAOUT01/Time: time must not go back"):
        iso.read(path)
    assert len(iso.read(path, unsorted="skip").series) == 1


def test_nothing_to_read(tmp_path):
    with h5py.File(tmp_path / "s.doric", "w") as file:
        file["DataAcquisition/FPConsole/x"] = np.zeros(3)
    with pytest.raises(
        ReadError, match=r"s.doric holds no signal beside a dataset Time under Data"
    ):
        iso.read(tmp_path / "s.doric")
    with h5py.File(tmp_path / "s.doric", "w") as file:
        file["DataAcquisition/F/Time"] = np.array([b"a", b"b"])
        file["DataAcquisition/F/A"] = np.zeros(2)
    with pytest.raises(ReadError, match="F/Time must hold one number a sample; it is"):
        iso.read(tmp_path / "s.doric")


def test_nwb_is_not_doric(tmp_path):
    with h5py.File(tmp_path / "x.nwb", "w") as file:
        file.create_group("DataAcquisition")
        file.attrs["nwb_version"] = "2.6.0"
    with pytest.raises(ReadError, match=r"x.nwb could not be read"):
        iso.read(tmp_path / "x.nwb")
