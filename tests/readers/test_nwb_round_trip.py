"""A session → NWB in HDF5 or Zarr → the same session; what is on disk passes the inspector."""

from __future__ import annotations

import json

import h5py
import numpy as np
import pandas as pd
import pynapple as nap
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import isofold as iso
from isofold.errors import DataError
from isofold.session import spike_group

T = np.arange(60) / 25
BOTH = pytest.mark.parametrize("suffix", [".nwb", ".nwb.zarr"])


def assert_equal(back, session):
    """Everything but the name, which is the file's."""
    if session.units is None or not len(session.units):
        assert back.units is None
    else:
        assert list(back.units.index) == list(session.units.index)
        for unit in session.units.index:
            np.testing.assert_array_equal(back.units[unit].times(), session.units[unit].times())
        kept = session.units.metadata.drop(columns="rate", errors="ignore")
        found = back.units.metadata.drop(columns="rate", errors="ignore")
        pd.testing.assert_frame_equal(found[list(kept)], kept, check_dtype=False)
        np.testing.assert_array_equal(
            back.units.time_support.values, session.units.time_support.values
        )
    assert list(back.series) == list(session.series)
    for name, one in session.series.items():
        assert_equal_series(back.series[name], one)
    assert list(back.events) == list(session.events)
    for name, times in session.events.items():
        np.testing.assert_array_equal(back.events[name], times)
    assert (back.trials is None) == (session.trials is None)
    if session.trials is not None:
        pd.testing.assert_frame_equal(back.trials, session.trials)
    assert list(back.intervals) == list(session.intervals)
    for name, table in session.intervals.items():
        pd.testing.assert_frame_equal(back.intervals[name], table)
    assert back.subject == session.subject
    assert back.provenance == session.provenance
    said = {"warnings": back.metadata["warnings"]} | dict(session.metadata)
    assert repr(sorted(back.metadata.items())) == repr(sorted(said.items()))  # NaN equals NaN


def assert_equal_series(found, one):
    assert type(found) is type(one)
    np.testing.assert_array_equal(found.times(), one.times())
    np.testing.assert_array_equal(np.asarray(found.values[:]), np.asarray(one.values[:]))
    assert found.values.dtype.kind == one.values.dtype.kind
    np.testing.assert_array_equal(found.time_support.values, one.time_support.values)
    assert list(getattr(found, "columns", [])) == list(getattr(one, "columns", []))
    if len(getattr(one, "metadata_columns", ())):
        pd.testing.assert_frame_equal(found.metadata, one.metadata)


def everything():
    """One of each kind of thing, with what a cleaning step leaves behind."""
    units = {3: np.array([1.0, 2.0]), 9: np.array([0.5])}
    about = pd.DataFrame({"area": ["CA1", ""], "snr": [1.5, 2.0], "good": [True, False]}, [3, 9])
    fibers = pd.DataFrame({"target": ["NAc", "VTA"], "depth": [4.1, 4.5]}, index=["F0", "F1"])
    two = np.stack([np.sin(T), np.cos(T)], 1)
    trials = {"start": [0.0, 1.0], "stop": [1.0, 2.0], "side": ["l", "r"], "n": [1, 2]}
    lists = [[0.5, 0.7], [1.5]]
    step = {"step": "photometry", "signal": "470", "control": "415", "to": "dff",
            "fitted": {"F0": [1.0, 2.5], "F1": [0.5, 1.5]}}  # fmt: skip
    quality = {"check": "NaN", "channel": "F0", "value": 0, "threshold": 0, "status": "pass",
               "reason": ""}  # fmt: skip
    return iso.Session(
        units=spike_group(units, about, (np.array([0.0, 3.0]), np.array([2.0, 10.0]))),
        series={
            "470": nap.TsdFrame(t=T, d=two + 9, columns=["F0", "F1"], metadata=fibers),
            "415": nap.TsdFrame(t=T + 0.011, d=two + 5, columns=["F0", "F1"], metadata=fibers),
            "dff": nap.TsdFrame(t=T, d=two, columns=["F0", "F1"]),
            "pos": nap.TsdFrame(t=T, d=two, columns=["x", "y"]),
            "box/lever": nap.Tsd(t=np.sort(T**1.1), d=np.arange(60)),
            "flag": nap.Tsd(t=T, d=T > 1),
            "word": nap.Tsd(t=T, d=np.where(T > 1, "a", "bé")),
            "hd": nap.Tsd(t=T, d=T % 6),
        },
        events={"lick": np.array([0.5, 1.5]), "none": np.empty(0), "frame": T + 0.25},
        trials=pd.DataFrame({**trials, "ok": [True, False], "x": [1.0, np.nan], "licks": lists},
                            index=[4, 8]),
        intervals={
            "epochs": pd.DataFrame({"start": [0.0], "stop": [2.0], "tags": ["run, dark"]}),
            "laps": pd.DataFrame({"start": [0.0], "stop": [1.0]}, index=pd.Index(["a"], name="l")),
        },
        subject="mouse7",
        metadata={
            "kinds": {"hd": "circular"}, "lab": "ours", "quality": [quality], "limit": np.nan,
            "warnings": ["470: one value is NaN, at index 3 (0.12 s)"],
            "subject_species": "Mus musculus", "subject_age": "P90D", "subject_sex": "F",
            "spike_resolution": 1 / 30_000,
            "series_units": {"470": "counts", "dff": "ratio"},
        },
        provenance=({"step": "read", "file": "x.csv"}, step),
    )  # fmt: skip


@BOTH
def test_a_session_with_everything(tmp_path, suffix):
    session = everything()
    path = session.to_nwb(tmp_path / f"x{suffix}")
    assert path.is_dir() == (suffix == ".nwb.zarr")
    back = iso.read(path)
    assert_equal(back, session)
    assert back.name == "x"
    assert_equal(iso.read(back.to_nwb(tmp_path / f"again{suffix}")), session)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([f"x{suffix}", f"again{suffix}"])


def test_a_zarr_folder_may_be_called_nwb(tmp_path):
    path = everything().to_nwb(tmp_path / "x.nwb", backend="zarr")
    assert path.is_dir()
    assert_equal(iso.read(path), everything())


def test_from_one_container_to_the_other(tmp_path):
    first = iso.read(everything().to_nwb(tmp_path / "x.nwb"))
    second = iso.read(first.to_nwb(tmp_path / "x.zarr"))
    third = iso.read(second.to_nwb(tmp_path / "y.nwb"))
    assert_equal(third, everything())


def test_where_things_are_for_other_programs(tmp_path):
    import pynwb

    path = everything().to_nwb(tmp_path / "x.nwb")
    with pynwb.NWBHDF5IO(path, "r") as io:
        nwb = io.read()
        assert set(nwb.acquisition) >= {"470", "415", "lick", "box_lever"}
        assert set(nwb.processing) == {"behavior", "fiber_photometry"}
        module = nwb.processing["fiber_photometry"]
        assert set(module.data_interfaces) == {"dff"}
        assert "signal=470" in module.description
        assert nwb.acquisition["470"].unit == "counts"
        assert nwb.acquisition["470"].rate == 25.0
        assert nwb.acquisition["415"].timestamps is not None or nwb.acquisition["415"].rate
        assert nwb.subject.sex == "F"
        said = json.loads(nwb.scratch["isofold"].data)
        assert said["provenance"][1]["fitted"]["F0"] == [1.0, 2.5]
        assert said["metadata"]["quality"][0]["status"] == "pass"


# -- hypothesis ---------------------------------------------------------------------------------

NAMES = st.text("abcXYZ019_-/: .é", min_size=1, max_size=6)
FLOATS = st.floats(-1e6, 1e6, width=32)
CELLS = {
    "float": st.floats(allow_infinity=False, width=32),
    "int": st.integers(-(2**40), 2**40),
    "bool": st.booleans(),
    "str": st.text("abü ,", max_size=4),
}


@st.composite
def clocks(draw, n):
    kind = draw(st.sampled_from(["rate", "step", "free", "twice"]))
    start = draw(st.floats(0, 2e6))
    if kind == "rate":
        return start + np.arange(n) / draw(st.sampled_from([20.0, 30.0, 1017.2526245, 1000.0]))
    if kind == "step":
        return start + np.arange(n) * draw(st.sampled_from([0.05, 1 / 3, 0.025]))
    steps = draw(st.lists(st.floats(1e-3, 2.0), min_size=n, max_size=n))
    if kind == "twice" and n % 2 == 0 and n > 2:
        return np.repeat(start + np.cumsum(steps[: n // 2]), 2)
    return start + np.cumsum(steps)


@st.composite
def series(draw):
    n = draw(st.integers(2, 12))
    t = draw(clocks(n))
    kind = draw(st.sampled_from(["f8", "f4", "i4", "u2", "?", "U"]))
    wide = draw(st.integers(0, 3))
    shape = (n, wide) if wide else (n,)
    seed = np.random.default_rng(draw(st.integers(0, 99)))
    values = seed.integers(0, 5, shape).astype("U2" if kind == "U" else kind)
    if kind[0] == "f" and draw(st.booleans()):
        values[0] = np.nan
    if not wide:
        return nap.Tsd(t=t, d=values)
    columns = draw(st.lists(NAMES | st.integers(0, 99), min_size=wide, max_size=wide, unique=True))
    columns = columns if all(isinstance(c, str) for c in columns) else list(range(wide))
    table = pd.DataFrame({"depth": np.arange(wide) * 0.5}, index=columns)
    return nap.TsdFrame(t=t, d=values, columns=columns, metadata=table)


@st.composite
def table(draw):
    n = draw(st.integers(1, 5))
    start = np.cumsum(draw(st.lists(st.floats(0.125, 50, width=32), min_size=n, max_size=n)))
    out = {"start": start, "stop": start + draw(st.floats(0, 3, width=32))}
    for name in draw(st.lists(NAMES, max_size=3, unique=True)):
        cell = CELLS[draw(st.sampled_from(sorted(CELLS)))]
        out.setdefault(name, draw(st.lists(cell, min_size=n, max_size=n)))
    ids = draw(st.lists(st.integers(0, 99) | st.just("x"), min_size=n, max_size=n, unique=True))
    ids = [str(i) for i in ids] if "x" in ids else ids
    return pd.DataFrame(out, index=ids)


@st.composite
def sessions(draw):
    units = draw(st.dictionaries(st.integers(0, 99), st.lists(st.floats(0, 90), max_size=5),
                                 max_size=3))  # fmt: skip
    times = st.lists(st.floats(0, 90), max_size=5).map(sorted)
    names = draw(st.lists(NAMES, max_size=4, unique=True))
    kinds = dict.fromkeys(names[:1], "circular")
    made = draw(st.dictionaries(NAMES, series(), max_size=3))
    steps = [{"step": "read"}, {"step": "x", "nan": float("nan"), "k": [1, {"a": None}]}]
    return iso.Session(
        units={k: np.sort(v) for k, v in units.items()} or None,
        series=made,
        events=draw(st.dictionaries(NAMES, times, max_size=3)),
        trials=draw(st.none() | table()),
        intervals=draw(st.dictionaries(NAMES, table(), max_size=2)),
        subject=draw(st.none() | st.just("m1")),
        metadata={"kinds": {k: v for k, v in kinds.items() if k in made}, "warnings": ["a: b"]},
        provenance=tuple(steps[: draw(st.integers(0, 1))]),
    )


@BOTH
@given(session=sessions())
@settings(
    max_examples=8,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # files are slow to shrink
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_any_session(tmp_path, suffix, session):
    path = tmp_path / f"x{suffix}"
    assert_equal(iso.read(session.to_nwb(path)), session)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


# -- long, lazy, half done ----------------------------------------------------------------------


@BOTH
def test_long_series_are_written_in_blocks(tmp_path, suffix):
    with h5py.File(tmp_path / "long.h5", "w") as file:
        file["x"] = np.arange(600_000.0).reshape(-1, 2)
    data = h5py.File(tmp_path / "long.h5")["x"]
    seen = []

    class Watched:
        shape, dtype, ndim, size = data.shape, data.dtype, data.ndim, data.size

        def __getitem__(self, key):
            out = data[key]
            seen.append(out.nbytes)
            return out

        def __len__(self):
            return len(data)

    t = np.arange(300_000) / 1000
    one = nap.TsdFrame(t=t, d=data, columns=["a", "b"], load_array=False)
    session = iso.Session(series={"x": one})
    from isofold.writers import _nwb_blocks

    blocks = _nwb_blocks.stored(Watched())
    assert sum(len(b.data) for b in blocks) == 300_000
    assert max(seen) <= _nwb_blocks.CHUNK_BYTES * _nwb_blocks.BLOCK_CHUNKS
    back = iso.read(session.to_nwb(tmp_path / f"x{suffix}"))
    assert not isinstance(back.series["x"].values, np.ndarray)
    assert_equal_series(back.series["x"], one)


@BOTH
def test_nothing_is_left_of_a_write_that_fails(tmp_path, suffix, monkeypatch):
    path = tmp_path / f"x{suffix}"
    iso.Session(events={"lick": [1.0]}).to_nwb(path)
    odd = pd.DataFrame({"start": [0.0, 1.0], "stop": [1.0, 2.0], "odd": ["a", 3]})
    with pytest.raises(DataError, match=r"not \['int', 'str'\]; recode or drop column 'odd'"):
        iso.Session(trials=odd).to_nwb(path)

    class Cut(np.ndarray):
        def __getitem__(self, key):
            raise OSError("disk full")

    broken = nap.Tsd(t=np.arange(400_000.0), d=np.zeros(400_000))
    monkeypatch.setattr("isofold.writers._nwb_blocks.np.asarray", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        iso.Session(series={"x": broken}).to_nwb(path)
    monkeypatch.undo()
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    assert iso.read(path).events["lick"].tolist() == [1.0]


def test_a_folder_that_is_read_from_cannot_be_replaced(tmp_path):
    session = iso.read(everything().to_nwb(tmp_path / "x.zarr"))
    with pytest.raises(DataError, match=r"cannot replace the Zarr folder that it reads from"):
        session.to_nwb(tmp_path / "x.zarr")
    assert_equal(iso.read(session.to_nwb(tmp_path / "x.nwb")), everything())
    with pytest.raises(DataError, match="backend must be one of"):
        session.to_nwb(tmp_path / "x", backend="json")


def test_zarr_folders_hold_no_pickle(tmp_path):
    path = everything().to_nwb(tmp_path / "x.zarr")
    described = [p.read_text() for p in path.rglob(".zarray")]
    assert len(described) > 20
    assert any("json2" in text for text in described)
    assert not any("pickle" in text for text in described)


# -- the inspector ------------------------------------------------------------------------------


TOOLS = "check_units_table_duration"
"""A check that fails on Zarr (nwbinspector 0.7.2 indexes with floats there), as does
pynwb's validation of Zarr folders (pynwb 4.2 hands hdmf-zarr 0.13 arguments that it has not)."""


@BOTH
def test_what_is_written_passes_the_inspector(tmp_path, suffix):
    from nwbinspector import Importance, inspect_nwbfile

    path = everything().to_nwb(tmp_path / f"x{suffix}")
    zarr = suffix != ".nwb"
    found = list(inspect_nwbfile(nwbfile_path=str(path), skip_validate=zarr))
    fine = (Importance.BEST_PRACTICE_SUGGESTION,)
    bad = [m for m in found if m.importance not in fine]
    bad = [m for m in bad if not (zarr and TOOLS in m.check_function_name)]
    assert [(m.check_function_name, m.object_name, m.message) for m in bad] == []
    assert len(found) > 3  # it did look: what it suggests (a lab, keywords) a session cannot know


def test_what_the_inspector_says_of_a_session_that_knows_nothing(tmp_path):
    """Neither subject nor resolution of spikes can be made up."""
    from nwbinspector import Importance, inspect_nwbfile

    session = iso.Session(units={1: np.array([0.5, 1.0])}, events={"lick": np.array([0.1, 0.5])})
    found = inspect_nwbfile(nwbfile_path=str(session.to_nwb(tmp_path / "x.nwb")))
    bad = [m for m in found if m.importance != Importance.BEST_PRACTICE_SUGGESTION]
    assert {m.check_function_name for m in bad} == {
        "check_subject_exists",
        "check_units_resolution_is_set",
    }
