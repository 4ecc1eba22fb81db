"""suite2p folders; ops.npy and stat.npy, which are pickles, are never opened."""

from __future__ import annotations

import numpy as np
import pytest
from acquisition_files import suite2p
from scipy.io import savemat

import isofold as iso
from isofold.errors import ReadError, UnsafeFileError


def test_traces_and_cells(tmp_path):
    home = suite2p(tmp_path)
    for path in (home, home / "suite2p", home / "suite2p" / "plane0"):
        session = iso.read(path, rate=30.0, start=2.0)
        assert list(session.series) == ["F", "Fneu", "spks"]
        assert session.name == "rat7"
    plane = home / "suite2p" / "plane0"
    traces = session.series["Fneu"]
    np.testing.assert_array_equal(traces.values, np.load(plane / "Fneu.npy").T)
    np.testing.assert_allclose(traces.times(), 2 + np.arange(80) / 30, atol=1e-9)
    assert list(traces.columns) == [0, 1, 2, 3, 4]
    assert traces.metadata["is_cell"].tolist() == [False, True, False, True, False]
    assert traces.metadata["cell_probability"].iloc[-1] == 1
    assert isinstance(traces.values, np.memmap)
    assert session.metadata["warnings"] == []


def test_several_planes(tmp_path):
    session = iso.read(suite2p(tmp_path, planes=11), rate=5.0)
    assert list(session.series)[:3] == ["F_plane0", "Fneu_plane0", "spks_plane0"]
    assert list(session.series)[-1] == "spks_plane10"
    assert "their delay is unknown" in session.metadata["warnings"][0]


def test_the_rate(tmp_path):
    home = suite2p(tmp_path)
    with pytest.raises(
        ReadError, match=r"ops.npy, a pickle, .*never loads. Give read\(path, rate="
    ):
        iso.read(home)
    with pytest.raises(ReadError, match="rate must be a positive number of frames"):
        iso.read(home, rate=-1.0)
    savemat(home / "suite2p" / "plane0" / "Fall.mat", {"ops": {"fs": 12.5}, "F": np.zeros(3)})
    assert np.diff(iso.read(home).series["F"].times()) == pytest.approx(1 / 12.5)


def test_what_is_missing_is_named(tmp_path):
    plane = suite2p(tmp_path) / "suite2p" / "plane0"
    (plane / "spks.npy").unlink()
    (plane / "iscell.npy").unlink()
    session = iso.read(plane, rate=1.0)
    assert list(session.series) == ["F", "Fneu"]
    assert session.metadata["warnings"] == [
        "F: there is no plane0/iscell.npy: cells are not told from others",
        "spks: there is no plane0/spks.npy; left out",
    ]


@pytest.mark.parametrize(
    ("name", "array", "told"),
    [
        (
            "Fneu",
            np.zeros((5, 79)),
            r"plane0/Fneu.npy must hold numbers for 5 regions and 80 frames",
        ),
        ("spks", np.full((5, 80), "x"), "plane0/spks.npy must hold numbers"),
        ("iscell", np.zeros((4, 2)), r"plane0/iscell.npy must be \(5, 2\)"),
        ("F", np.zeros(80), r"plane0/F.npy must be \(region, frame\)"),
        ("F", np.zeros((0, 80)), r"plane0/F.npy must be \(region, frame\)"),
    ],
)
def test_arrays_that_do_not_fit(tmp_path, name, array, told):
    home = suite2p(tmp_path)
    np.save(home / "suite2p" / "plane0" / f"{name}.npy", array)
    with pytest.raises(ReadError, match=told):
        iso.read(home, rate=1.0)


def test_objects_are_refused(tmp_path):
    home = suite2p(tmp_path)
    objects = np.array([{}, None], dtype=object)
    np.save(home / "suite2p" / "plane0" / "iscell.npy", objects, allow_pickle=True)
    with pytest.raises(UnsafeFileError, match="run code that the file carries"):
        iso.read(home, rate=1.0)
