"""A finished run is checked against the list in `done`; a temporary folder against its maker."""

from __future__ import annotations

import errno
import os
import socket

import numpy as np
import pytest
import xarray as xr

from isofold.studies import embedding_store
from isofold.studies.embedding_store import load_embedding, save_embedding
from isofold.studies.integrity import damage, seal
from isofold.studies.run_folder import new_run, run_path, status, sweep


@pytest.fixture
def run_of(tmp_path):
    with new_run(tmp_path, "k1", {"key": "k1"}) as folder:
        (folder / "deep").mkdir()
        (folder / "deep" / "values").write_bytes(bytes(range(200)))
    return run_path(tmp_path, "k1")


def test_a_run_as_it_was_written_is_whole(run_of):
    assert damage(run_of) == ""
    sizes = {"settings.json": (run_of / "settings.json").stat().st_size, "deep/values": 200}
    assert damage(run_of, sizes) == ""
    assert damage(run_of, sizes | {"deep/values": 10}) == "deep/values has 10 bytes, not 200"
    assert damage(run_of, {}) == "deep/values is missing"


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("deep/values", bytes(200), "deep/values has changed"),
        ("deep/values", bytes(range(199)), "deep/values has 199 bytes, not 200"),
        ("settings.json", None, "settings.json is missing"),
        ("done", b"", "done lists no files"),
        ("done", b'{"files": {"deep', "done lists no files"),
        ("done", b"\xff", "done lists no files"),
        ("done", b"[1]", "done lists no files"),
        ("done", b'{"files": {"deep/values": 3}}', "done lists no files"),
    ],
)
def test_damage_is_named(run_of, name, content, said):
    if content is None:
        (run_of / name).unlink()
    else:
        (run_of / name).write_bytes(content)
    assert damage(run_of) == said


def test_a_full_disk_is_no_fault_of_the_run(tmp_path):
    full = OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(OSError, match="No space"), new_run(tmp_path, "k1", {}):
        raise full
    with pytest.raises(ValueError, match="wrapped"), new_run(tmp_path, "k1", {}):
        raise ValueError("wrapped") from full
    assert list((tmp_path / "runs").iterdir()) == []
    with new_run(tmp_path, "k1", {}):
        raise OSError(errno.EACCES, "not yours")
    assert status(tmp_path, "k1") == "error"


def test_what_a_living_process_writes_is_not_swept(tmp_path):
    runs = tmp_path / "runs"
    here, dead = socket.gethostname(), 2**22 + 1  # beyond the largest process id of Linux
    kept = [f".tmp-a@{here}@{os.getpid()}@1", ".tmp-b@elsewhere@1@1"]
    gone = [f".tmp-c@{here}@{dead}@1", ".tmp-d@old@1@1", ".tmp-e"]
    for name in kept + gone:
        (runs / name).mkdir(parents=True)
    os.utime(runs / ".tmp-d@old@1@1", (0, 0))
    sweep(tmp_path)
    assert sorted(p.name for p in runs.iterdir()) == sorted(kept)


def test_two_that_make_one_run_leave_one(tmp_path):
    with new_run(tmp_path, "k1", {"by": "slow"}), new_run(tmp_path, "k1", {"by": "fast"}):
        pass
    assert "fast" in (run_path(tmp_path, "k1") / "settings.json").read_text()
    assert [p.name for p in (tmp_path / "runs").iterdir()] == ["k1"]
    assert damage(run_path(tmp_path, "k1")) == ""


@pytest.mark.parametrize("shape", [(7, 3), (0, 3), (7, 0), (1,), (7, 2, 2)])
def test_arrays_of_several_chunks(tmp_path, shape, monkeypatch):
    """zarr itself is the oracle of the format that is written here."""
    import zarr

    values = np.random.default_rng(0).normal(size=shape).astype(">f4")
    for n, size in enumerate((1, 24, 2**26)):
        monkeypatch.setattr(embedding_store, "CHUNK_BYTES", size)
        embedding_store._write_array(tmp_path / str(n), values)
        np.testing.assert_array_equal(zarr.open_array(str(tmp_path / str(n)), mode="r")[:], values)
    z = xr.DataArray(values, dims=[f"d{i}" for i in range(len(shape))], attrs={"a": np.float32(2)})
    save_embedding(z, tmp_path / "z.zarr")
    xr.testing.assert_identical(load_embedding(tmp_path / "z.zarr"), z.assign_attrs(a=2.0))


def test_seal_lists_everything(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / ".zarray").write_text("x")
    seal(tmp_path)
    (tmp_path / "a" / ".zarray").unlink()
    assert damage(tmp_path) == "a/.zarray is missing"
