"""Array files: one clock, arrays with time first."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.io import savemat

import isofold as iso
from isofold.errors import ReadError

T = np.arange(40) / 20 + 3.0
DFF = np.random.default_rng(0).normal(size=(40, 3))
SPEED = np.linspace(0, 1, 40)
SIDE = np.repeat([0, 1], 20)


def npz(folder, **more):
    np.savez(folder / "run.npz", dff=DFF, speed=SPEED, side=SIDE, **more)
    return folder / "run.npz"


def mat(folder, **more):
    savemat(folder / "run.mat", {"dff": DFF, "speed": SPEED, "side": SIDE, **more})
    return folder / "run.mat"


def mat73(folder, **more):
    """As MATLAB writes it: HDF5 behind a block of 512 bytes, dimensions reversed."""
    import h5py

    path = folder / "run.mat"
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, value in {"dff": DFF, "speed": SPEED, "side": SIDE, **more}.items():
            value = np.atleast_2d(value)
            data = file.create_dataset(name, data=value if len(value) == 1 else value.T)
            data.attrs["MATLAB_class"] = np.bytes_("double")
        word = file.create_dataset("word", data=np.array([[104], [105]], np.uint16))
        word.attrs["MATLAB_class"] = np.bytes_("char")
        file.create_dataset("s/inner", data=SPEED[None] * 2)
    with path.open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(124) + b"\x00\x02IM")
    return path


def csv(folder, **more):
    table = {f"roi{k}": DFF[:, k] for k in range(3)} | {"speed": SPEED, "side": SIDE} | more
    pd.DataFrame(table).to_csv(folder / "run.csv", index=False)
    return folder / "run.csv"


def parquet(folder, **more):
    table = {f"roi{k}": DFF[:, k] for k in range(3)} | {"speed": SPEED, "side": SIDE} | more
    pd.DataFrame(table).to_parquet(folder / "run.bin")  # the suffix says nothing
    return folder / "run.bin"


@pytest.mark.parametrize("write", [npz, mat, mat73])
def test_named_arrays(tmp_path, write):
    session = iso.read(write(tmp_path), rate=20.0, start=3.0)
    assert session.name == "run"
    np.testing.assert_allclose(session.series["dff"].values, DFF)
    np.testing.assert_allclose(session.series["speed"].times(), T)
    recording = session.bin(0.1, signal="dff", labels={"speed": "continuous", "side": "discrete"})
    np.testing.assert_allclose(recording.signal, DFF.reshape(20, 2, 3).mean(axis=1), atol=1e-12)
    assert recording.labels["side"].tolist() == [0] * 10 + [1] * 10


@pytest.mark.parametrize("write", [npz, mat, mat73, csv, parquet])
def test_a_time_array_is_found_and_checked(tmp_path, write):
    session = iso.read(write(tmp_path, time=T))
    np.testing.assert_allclose(session.series["speed"].times(), T)
    assert "time" not in session.series
    again = iso.read(write(tmp_path, clock=T), time="clock")
    np.testing.assert_allclose(again.series["side"].times(), T)


@pytest.mark.parametrize("write", [npz, mat, mat73, csv, parquet])
def test_without_a_clock(tmp_path, write):
    with pytest.raises(ReadError, match=r"says no clock: give read\(path, rate=...\).*or time="):
        iso.read(write(tmp_path))
    with pytest.raises(ReadError, match="rate must be a positive number"):
        iso.read(write(tmp_path), rate=0)
    with pytest.raises(ReadError, match=r"time='t' names no array; there are \["):
        iso.read(write(tmp_path), time="t")
    with pytest.raises(TypeError, match="hz"):
        iso.read(write(tmp_path), hz=20)


@pytest.mark.parametrize("write", [csv, parquet])
def test_columns_become_one_signal(tmp_path, write):
    session = iso.read(write(tmp_path, time=T), signal=["roi0", "roi1", "roi2"])
    np.testing.assert_allclose(session.series["signal"].values, DFF)
    recording = session.bin(signal="signal", labels=["speed"])
    assert recording.channels["name"].tolist() == ["roi0", "roi1", "roi2"]
    assert recording.rate == pytest.approx(20.0)
    with pytest.raises(ReadError, match=r"signal names no array \['roi9'\]"):
        iso.read(write(tmp_path, time=T), signal=["roi0", "roi9"])


def test_one_array_as_signal(tmp_path):
    session = iso.read(npz(tmp_path, rate=20.0), signal="dff")
    assert set(session.series) == {"signal", "speed", "side"}
    with pytest.raises(ReadError, match="signal names no array 'x'"):
        iso.read(npz(tmp_path), rate=20.0, signal="x")


def test_words_and_holes_in_a_table(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("time;phase;x\n0,0;go;1,5\n".replace(",", ".") + "0.1;;\n0.2;stop;2.5\n")
    session = iso.read(path)
    assert session.series["phase"].values.tolist() == ["go", "", "stop"]
    assert np.isnan(session.series["x"].values).tolist() == [False, True, False]


def test_trial_numbers_become_trials(tmp_path):
    trial = np.r_[np.full(5, -1), np.full(10, 7), np.full(15, 8), np.full(10, np.nan)]
    session = iso.read(csv(tmp_path, time=T, lap=trial), trial="lap")
    assert session.trials.index.tolist() == [7, 8]
    recording = session.bin(signal="speed")
    assert recording.trials[["start", "stop"]].to_numpy().tolist() == [[5, 15], [15, 30]]
    with pytest.raises(
        ReadError, match="a trial must be one stretch of samples; trial 0 appears in 2"
    ):
        iso.read(npz(tmp_path, lap=np.arange(40) // 10 % 2), rate=20.0, trial="lap")


def test_npy_stays_on_disk(tmp_path):
    np.save(tmp_path / "x.npy", DFF)
    session = iso.read(tmp_path / "x.npy", rate=10.0)
    assert isinstance(session.series["signal"].values, np.memmap)
    np.testing.assert_array_equal(session.bin(signal="signal").signal, DFF)
    np.save(tmp_path / "cube.npy", np.zeros((3, 4, 5)))
    with pytest.raises(ReadError, match=r"\(trial, time, channel\) array goes to fit"):
        iso.read(tmp_path / "cube.npy", rate=10.0)


def test_what_does_not_run_along_time_is_named(tmp_path):
    session = iso.read(npz(tmp_path, mask=np.zeros((5, 5)), rate=20.0))
    assert session.metadata["warnings"] == [
        "mask: shape (5, 5), float64, does not run along time; left out"
    ]


def test_structs_of_matlab(tmp_path):
    session = iso.read(mat(tmp_path, s={"inner": SPEED * 2, "note": "hi"}), rate=20.0)
    np.testing.assert_allclose(session.series["s.inner"].values, SPEED * 2)
    again = iso.read(mat73(tmp_path), rate=20.0)
    np.testing.assert_allclose(again.series["s.inner"].values, SPEED * 2)
    assert "word" not in again.series
    savemat(tmp_path / "words.mat", {"a": "hello"})
    with pytest.raises(ReadError, match="holds no numeric array"):
        iso.read(tmp_path / "words.mat", rate=1.0)


def test_time_that_goes_back(tmp_path):
    back = T.copy()
    back[[10, 11]] = back[[11, 10]]
    path = npz(tmp_path, time=back)
    with pytest.raises(ReadError, match=r"'time' it does, 1 times, first after 3\.55 s"):
        iso.read(path)
    session = iso.read(path, unsorted="sort")
    assert session.series["speed"].values[10] == SPEED[11]
    assert "time goes back 1 times" in session.metadata["warnings"][0]
    with pytest.raises(ReadError, match="no samples with a time are left"):
        iso.read(path, unsorted="skip")
    with pytest.raises(ReadError, match="unsorted must be one of"):
        iso.read(path, unsorted="ignore")


def test_holes_repeats_and_gaps_in_time_are_said(tmp_path):
    odd = T.copy()
    odd[20:] += 2
    odd[5], odd[30] = np.nan, odd[29]
    session = iso.read(npz(tmp_path, time=odd))
    said = session.metadata["warnings"]
    assert said[0] == "time: 1 samples without time left out, first 5"
    assert said[1] == "time: 1 repeated times, first 6.45 s"
    assert said[2].startswith("time: 3 gaps, first after 3.2 s, longest 2.05 s")
    assert session.series["speed"].shape == (39,)


def test_one_sample(tmp_path):
    np.savez(tmp_path / "one.npz", x=np.array([4.0]), time=np.array([2.0]))
    assert iso.read(tmp_path / "one.npz").series["x"].values.tolist() == [4.0]
