"""What `read` refuses, and what it says."""

from __future__ import annotations

import bz2
import gzip
import lzma
import pickle
import zipfile
import zlib

import h5py
import numpy as np
import pytest

import isofold as iso
from isofold.errors import ReadError, UnsafeFileError


class Bomb:
    """Unpickling it writes a file: the test sees whether anyone did."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


def packed(path, protocol=4):
    return pickle.dumps(Bomb(path), protocol=protocol)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("name", ["x.pkl", "x.jl", "x.npy", "x.nwb", "x"])
def test_pickles_are_refused_by_content(tmp_path, name, protocol):
    (tmp_path / name).write_bytes(packed(tmp_path / "ran", protocol))
    with pytest.raises(UnsafeFileError, match=r"is pickle: loading it would run code.*np\.savez"):
        iso.read(tmp_path / name)
    assert not (tmp_path / "ran").exists()


def test_a_pickle_of_protocol_0_is_refused_by_suffix(tmp_path):
    (tmp_path / "x.pkl").write_bytes(packed(tmp_path / "ran", 0))
    with pytest.raises(UnsafeFileError, match=r"by its suffix \.pkl a pickle"):
        iso.read(tmp_path / "x.pkl")


@pytest.mark.parametrize("squeeze", [zlib.compress, gzip.compress, bz2.compress, lzma.compress])
def test_compressed_pickles_of_joblib(tmp_path, squeeze):
    (tmp_path / "x.data").write_bytes(squeeze(packed(tmp_path / "ran") * 9))
    with pytest.raises(UnsafeFileError, match=r"compressed pickle \(joblib\)"):
        iso.read(tmp_path / "x.data")
    (tmp_path / "x.csv.z").write_bytes(squeeze(b"a,b\n1,2\n" * 9))
    with pytest.raises(ReadError, match="is compressed; decompress it first"):
        iso.read(tmp_path / "x.csv.z")
    assert not (tmp_path / "ran").exists()


def test_object_arrays(tmp_path):
    objects = np.array([Bomb(tmp_path / "ran"), None], dtype=object)
    np.save(tmp_path / "x.npy", objects, allow_pickle=True)
    np.savez(tmp_path / "x.npz", good=np.zeros(2), bad=objects)
    for name in ("x.npy", "x.npz"):
        with pytest.raises(UnsafeFileError, match=r"run code that the file carries.*np.savez"):
            iso.read(tmp_path / name, rate=1.0)
    assert not (tmp_path / "ran").exists()


def test_archives_that_are_not_npz(tmp_path):
    for name, member in (("model.pt", "model/data.pkl"), ("book.xlsx", "xl/workbook.xml")):
        with zipfile.ZipFile(tmp_path / name, "w") as file:
            file.writestr(member, b"x")
    with pytest.raises(UnsafeFileError, match="a zip archive that holds pickles"):
        iso.read(tmp_path / "model.pt")
    with pytest.raises(ReadError, match=r"not an npz file: it holds \['xl/workbook.xml'\]"):
        iso.read(tmp_path / "book.xlsx")


def test_no_file_folder_or_empty(tmp_path):
    with pytest.raises(ReadError, match=r"no such file: .*nothing.nwb"):
        iso.read(tmp_path / "nothing.nwb")
    with pytest.raises(ReadError, match=r"is a folder of no known format; it holds \[\]"):
        iso.read(tmp_path)
    (tmp_path / ".zgroup").write_text("{}")
    with pytest.raises(ReadError, match="is a Zarr folder but not NWB"):
        iso.read(tmp_path)
    (tmp_path / "x.nwb").touch()
    with pytest.raises(ReadError, match=r"the file is empty \(0 bytes\)"):
        iso.read(tmp_path / "x.nwb")


def test_unknown_bytes(tmp_path):
    (tmp_path / "x.csv").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)))
    with pytest.raises(ReadError, match=r"is of no known format .*isofold reads NWB"):
        iso.read(tmp_path / "x.csv")
    (tmp_path / "latin.csv").write_bytes(b"time,\xe9t\xe9\n0,1\n" * 3)
    with pytest.raises(ReadError, match="is of no known format"):
        iso.read(tmp_path / "latin.csv")


def whole_files(folder):
    import pandas as pd
    from scipy.io import savemat

    x = np.random.default_rng(0).normal(size=(500, 4))
    np.save(folder / "a.npy", x)
    np.savez(folder / "b.npz", x=x)
    pd.DataFrame(x, columns=list("abcd")).to_parquet(folder / "c.parquet")
    savemat(folder / "d.mat", {"x": x}, do_compression=True)
    iso.Session(units={0: np.arange(50.0)}).to_nwb(folder / "e.nwb")
    return sorted(folder.iterdir())


@pytest.mark.parametrize("share", [0.02, 0.5, 0.95])
def test_files_cut_short(tmp_path, share):
    for path in whole_files(tmp_path):
        raw = path.read_bytes()
        path.write_bytes(raw[: int(len(raw) * share)])
        with pytest.raises(ReadError, match=r"cut short|damaged|no known format|missing|holds no"):
            iso.read(path, **({} if path.suffix == ".nwb" else {"rate": 10.0}))


def test_hdf5_that_is_not_nwb(tmp_path):
    with h5py.File(tmp_path / "x.nwb", "w") as file:
        file["data"] = np.zeros(3)
    with pytest.raises(ReadError, match=r"HDF5 file but not NWB .*\['data'\]"):
        iso.read(tmp_path / "x.nwb")


def test_tables_without_rows_or_with_ragged_ones(tmp_path):
    (tmp_path / "x.csv").write_text("time,x\n")
    with pytest.raises(ReadError, match=r"has no rows below its header \['time', 'x'\]"):
        iso.read(tmp_path / "x.csv")
    (tmp_path / "y.csv").write_text("time,x\n0,1\n1,2,3,4\n")
    with pytest.raises(ReadError, match="is not a table with a header line"):
        iso.read(tmp_path / "y.csv")
    (tmp_path / "z.csv").write_text("time,x\nnoon,1\n1,2\n")
    with pytest.raises(ReadError, match="time must be one number a sample"):
        iso.read(tmp_path / "z.csv")
