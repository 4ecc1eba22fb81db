"""NWB in Zarr folders as others write them, of both formats, and folders that lost a part."""

from __future__ import annotations

import json
import pickle  # to make what a reader must not run
import shutil
from datetime import UTC, datetime
from types import SimpleNamespace

import hdmf_zarr
import numpy as np
import pytest
import zarr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pynwb import NWBFile, TimeSeries
from pynwb.file import Subject

import isofold as iso
from isofold.errors import IsofoldError, ReadError, UnsafeFileError
from isofold.readers import _nwb_store
from isofold.readers._nwb_pickles import decode

T = np.arange(3000) / 20

pytestmark = pytest.mark.skipif(
    int(zarr.__version__.split(".")[0]) > 2, reason="hdmf-zarr >= 0.14 writes format 3 only"
)


def as_others_write(path):
    """With hdmf-zarr's defaults: references are pickles."""
    start = datetime(2020, 1, 1, tzinfo=UTC)
    nwb = NWBFile(session_description="d", identifier="i", session_start_time=start)
    nwb.subject = Subject(subject_id="m1", sex="M", age="P90D", genotype="wt")
    group = nwb.create_electrode_group("shank", "d", "CA1", nwb.create_device("probe"))
    for area in ("CA1", "CA3"):
        nwb.add_electrode(x=0.0, y=0.0, z=0.0, location=area, group=group)
    nwb.add_unit_column("quality", "q")
    nwb.add_unit(spike_times=[1.0, 2.0], electrodes=[0, 1], electrode_group=group, quality="good")
    nwb.add_unit(spike_times=[3.0], electrodes=[1], electrode_group=group, quality="mua")
    nwb.add_trial_column("side", "s")
    nwb.add_trial(start_time=0.0, stop_time=1.0, side="l")
    data = 5 + np.sin(T)
    nwb.add_acquisition(TimeSeries(name="G_0", data=data, timestamps=T + T**2 / 1e6, unit="counts"))
    words = np.array(["go", "stop"] * 10, dtype=object)
    nwb.add_acquisition(TimeSeries(name="word", data=words, timestamps=T[:20], unit="n/a"))
    lick = TimeSeries(name="lick", data=np.ones(2), timestamps=[1.0, 2.5], unit="s")
    nwb.add_acquisition(lick)
    with hdmf_zarr.NWBZarrIO(str(path), "w") as io:
        io.write(nwb)
    return path


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    return as_others_write(tmp_path_factory.mktemp("zarr") / "x.nwb.zarr")


@pytest.fixture
def folder(written, tmp_path):
    """A copy to damage."""
    return shutil.copytree(written, tmp_path / "x.nwb")


def check(session):
    assert session.units.metadata["area"].tolist() == ["CA1/CA3", "CA3"]
    assert session.units.metadata["electrode_group"].tolist() == ["shank", "shank"]
    assert session.units[0].times().tolist() == [1.0, 2.0]
    assert session.trials["side"].tolist() == ["l"]
    assert session.series["word"].values[:2].tolist() == ["go", "stop"]
    assert session.events["lick"].tolist() == [1.0, 2.5]
    assert isinstance(session.series["G_0"].values, zarr.Array)
    np.testing.assert_array_equal(session.series["G_0"].values[:], 5 + np.sin(T))
    assert session.metadata["warnings"] == []
    assert session.name == "x"
    assert session.metadata["series_units"] == {"G_0": "counts"}


def test_what_others_wrote(written, folder):
    check(iso.read(written))
    check(iso.read(folder))  # by content: the suffix is that of a file


def test_without_consolidated_metadata(folder):
    (folder / ".zmetadata").unlink()
    check(iso.read(folder))


def test_lazy_series_are_binned_and_restricted(folder):
    session = iso.read(folder)
    recording = session.bin(0.5, signal="G_0")
    assert recording.signal.shape == (300, 1)
    some = session.restrict(iso.Session(trials=session.trials).trials)
    assert len(some.series["G_0"]) == 20


# -- pickles ------------------------------------------------------------------------------------


class Bomb:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


def test_a_pickle_in_a_chunk_is_not_run(folder, tmp_path):
    group = folder / "units/electrode_group"
    about = json.loads((group / ".zarray").read_text())
    assert about["filters"] == [{"id": "pickle", "protocol": 5}]
    from numcodecs import get_codec

    bomb = np.array([Bomb(tmp_path / "ran")] * 2, dtype=object)
    content = get_codec(about["compressor"]).encode(pickle.dumps(bomb))
    (group / "0").write_bytes(content)
    with pytest.raises(UnsafeFileError, match=r"x\.nwb holds a pickle that asks for (_)?io\.open"):
        iso.read(folder)
    assert not (tmp_path / "ran").exists()


CELLS = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False)
    | st.text(max_size=300) | st.binary(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner)
    | st.tuples(inner, inner),
    max_leaves=6,
)  # fmt: skip


@given(st.lists(CELLS, min_size=1, max_size=4), st.integers(3, 5))
@settings(deadline=None, max_examples=60)
def test_pickles_as_data(cells, protocol):
    array = np.empty(len(cells), dtype=object)
    array[:] = cells
    content = pickle.dumps(array, protocol)
    assert decode(content, "f").tolist() == pickle.loads(content).tolist()


@given(st.data())
@settings(deadline=None, max_examples=60)
def test_a_pickle_asks_in_vain(data):
    asked = data.draw(st.sampled_from([print, Bomb("x"), SimpleNamespace(), np.float64(1), range]))
    with pytest.raises(UnsafeFileError, match="loading it would run code"):
        decode(pickle.dumps([1, asked], data.draw(st.integers(2, 5))), "f")


# -- the other format ---------------------------------------------------------------------------


def test_format_3_on_an_old_hdmf_zarr(folder):
    (folder / ".zgroup").unlink()
    (folder / ".zattrs").rename(folder / "zarr.json")
    attributes = json.loads((folder / "zarr.json").read_text())
    about = {"zarr_format": 3, "node_type": "group", "attributes": attributes}
    (folder / "zarr.json").write_text(json.dumps(about))
    with pytest.raises(ReadError, match=r'format 3.*pip install "hdmf-zarr>=0.14" \(Python 3.12'):
        iso.read(folder)


@pytest.mark.parametrize(("number", "expected"), [(2, "two"), (3, "three")])
def test_the_reader_is_chosen_by_format_and_version(folder, monkeypatch, number, expected):
    """hdmf-zarr 0.14 has two readers; which of them is asked is all that can be tried here."""
    if number == 3:
        (folder / "zarr.json").write_text("{}")
    monkeypatch.setattr(hdmf_zarr, "NWBZarrV2IO", lambda **_: "two", raising=False)
    monkeypatch.setattr(hdmf_zarr, "NWBZarrIO", lambda **_: "three")
    assert _nwb_store._zarr_io(_nwb_store.source_of(folder)) == expected


# -- folders that lost a part -------------------------------------------------------------------


def test_what_is_zarr_but_not_nwb(tmp_path):
    zarr.open_group(str(tmp_path / "a.zarr"), mode="w").create_dataset("x", data=[1, 2])
    with pytest.raises(ReadError, match=r"a Zarr folder but not NWB.*give them to isofold.Record"):
        iso.read(tmp_path / "a.zarr")
    (tmp_path / "none.nwb").mkdir()
    with pytest.raises(ReadError, match="is a folder"):
        iso.read(tmp_path / "none.nwb")


def test_a_chunk_that_is_gone(folder):
    (folder / "acquisition/G_0/data/0").unlink()
    with pytest.raises(ReadError, match=r"x\.nwb is damaged: acquisition/G_0/data has 0 of 1 chu"):
        iso.read(folder)
    filled = iso.read(folder, missing_chunks="fill")
    assert not filled.series["G_0"].values[:].any()
    with pytest.raises(ReadError, match="missing_chunks must be one of"):
        iso.read(folder, missing_chunks="ignore")


@pytest.mark.parametrize("file", [".zmetadata", ".zattrs", "acquisition/G_0/data/.zarray"])
def test_a_description_cut_short(folder, file):
    text = (folder / file).read_text()
    (folder / file).write_text(text[: len(text) // 2])
    with pytest.raises(ReadError, match=rf"x\.nwb is damaged: {file} is not whole JSON.*copy the"):
        iso.read(folder)


def test_a_chunk_cut_short(folder):
    chunk = folder / "acquisition/G_0/data/0"
    chunk.write_bytes(chunk.read_bytes()[:100])
    with pytest.raises(
        ReadError, match=r"x\.nwb: series 'G_0' could not be read.*skip=\[\"G_0\"\]"
    ):
        iso.read(folder)
    assert "G_0" not in iso.read(folder, skip=["G_0"]).series


def test_lengths_that_differ(folder):
    for where in (".zmetadata", "acquisition/G_0/timestamps/.zarray"):
        about = json.loads((folder / where).read_text())
        inner = (
            about["metadata"]["acquisition/G_0/timestamps/.zarray"] if "meta" in where else about
        )
        inner["shape"] = [2990]
        (folder / where).write_text(json.dumps(about))
    with pytest.raises(ReadError, match=r"series 'G_0' has 2990 times for 3000 samples.*skip="):
        iso.read(folder)
    assert set(iso.read(folder, skip="G_0").series) == {"word"}


def test_a_column_that_is_gone(folder):
    shutil.rmtree(folder / "intervals/trials/start_time")
    about = json.loads((folder / ".zmetadata").read_text())
    kept = {k: v for k, v in about["metadata"].items() if "trials/start_time" not in k}
    (folder / ".zmetadata").write_text(json.dumps(about | {"metadata": kept}))
    with pytest.raises(ReadError, match=r"x\.nwb.*(start_time|trials)"):
        iso.read(folder)


@given(st.data())
@settings(
    deadline=None, max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_file_cut_short_or_gone(written, tmp_path, data):
    """Either a session, or an error of ours that names the folder."""
    files = sorted(p.relative_to(written) for p in written.rglob("*") if p.is_file())
    file = data.draw(st.sampled_from(files))
    folder = tmp_path / "cut.nwb"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(written, folder)
    content = (folder / file).read_bytes()
    if data.draw(st.booleans()):
        (folder / file).unlink()
    else:
        (folder / file).write_bytes(content[: data.draw(st.integers(0, len(content)))])
    try:
        said = repr(iso.read(folder))
    except IsofoldError as error:
        said = str(error)
    assert "cut.nwb" in said or said.startswith("<Session 'cut'")
