"""Saving and loading: exact, lazy, and clear about what is no recording."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import zarr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import isofold as iso
from isofold import Recording, _rows
from isofold._tables_json import table_from_json, table_to_json
from isofold.errors import DataError, ReadError

N = 30


def rich() -> Recording:
    """A recording with something of every kind."""
    rng = np.random.default_rng(0)
    trials = pd.DataFrame(
        {
            "start": [0, 10, 22],
            "stop": [8, 20, 30],
            "side": ["l", None, "r"],
            "correct": [True, False, True],
            "contrast": [0.1, np.nan, -np.inf],
            "small": np.array([0.1, 0.2, 0.3], np.float32),
            "count": np.array([1, 2, 3], np.uint8),
            "block": pd.Categorical(["b", "a", None], categories=["b", "a", "c"], ordered=True),
            "level": pd.Categorical([2, 1, 2]),
            "choice": pd.array([1, None, -1], dtype="Int64"),
            "mixed": pd.Series([1, "x", None], dtype=object),
            "when": pd.to_datetime(["2026-01-01", "2026-01-02", None]),
        },
        index=pd.Index(["t1", "t2", "t7"], name="trial name"),
    )
    x = rng.standard_normal(N)
    x[3] = np.nan
    return Recording(
        rng.standard_normal((N, 3)),
        30.000001,
        start=1 / 3,
        labels={
            "x": x,
            "xy/z": rng.standard_normal((N, 2)).astype(np.float32),
            "odor": np.resize(["α", "", "long name"], N),
            "stage": np.resize([-1, 0, 1], N),
            "lick": rng.random(N) < 0.5,
            "phase": rng.uniform(0, 6, N),
        },
        kinds={"phase": "circular"},
        trials=trials,
        events={"reward": [0.1, np.nan, 2 / 3], "none": []},
        channels=pd.DataFrame(
            {"area": ["CA1", "CA1", "V1"]}, index=pd.Index([7, 9, 11], name="unit")
        ),
        truth=rng.standard_normal((N, 2)),
        name="rat 1",
        subject="install",
        provenance=({"step": "bin", "width": np.float64(0.1), "window": (0, np.inf), "x": None},),
    )


def assert_same(a: Recording, b: Recording) -> None:
    np.testing.assert_array_equal(np.asarray(a.signal[:]), np.asarray(b.signal[:]))
    assert a.signal.dtype == b.signal.dtype
    assert list(a.labels) == list(b.labels)
    for name in a.labels:
        np.testing.assert_array_equal(a.labels[name], b.labels[name])
        assert a.labels[name].dtype.kind == b.labels[name].dtype.kind
    for name in a.events:
        np.testing.assert_array_equal(a.events[name], b.events[name])
    for name in ("trials", "channels", "segments"):
        pd.testing.assert_frame_equal(getattr(a, name), getattr(b, name), check_exact=True)
    for name in ("rate", "start", "kinds", "name", "subject", "whole", "fingerprint"):
        assert getattr(a, name) == getattr(b, name)


def test_round_trip_is_exact_and_the_signal_stays_lazy(tmp_path):
    recording = rich()
    path = recording.save(tmp_path / "deep" / "rat")
    again = iso.load_recording(path, verify=True)
    assert isinstance(again.signal, zarr.Array)
    assert_same(recording, again)
    np.testing.assert_array_equal(recording.truth, again.truth)
    assert again.provenance == ({"step": "bin", "width": 0.1, "window": [0, np.inf], "x": None},)
    assert [p.name for p in path.parent.iterdir()] == ["rat"]


def test_a_split_of_a_lazy_recording_is_saved_and_loaded(tmp_path):
    recording = iso.load_recording(rich().save(tmp_path / "whole"))
    train, test = recording.split(test=0.4)
    assert isinstance(train.signal, _rows.Rows)
    for part in (train, test):
        again = iso.load_recording(part.save(tmp_path / "part"), verify=True)
        assert_same(part, again)
    assert_same(rich().split(test=0.4)[0], train)


def test_saving_over_itself_keeps_the_content(tmp_path):
    path = rich().save(tmp_path / "rat")
    lazy = iso.load_recording(path)
    replace(lazy, name="renamed").save(path)
    again = iso.load_recording(path, verify=True)
    assert again.name == "renamed"
    np.testing.assert_array_equal(again.signal[:], rich().signal)


def test_no_samples_and_no_trials(tmp_path):
    empty = Recording(np.zeros((0, 2), np.int16), 10.0)
    again = iso.load_recording(empty.save(tmp_path / "empty"))
    assert again.trials is None
    assert again.signal.shape == (0, 2)
    assert again.fingerprint == empty.fingerprint


def test_a_failed_save_leaves_the_older_recording(tmp_path):
    path = rich().save(tmp_path / "rat")
    bad = replace(rich(), trials=rich().trials.assign(odd=[{1}, {2}, {3}]))
    with pytest.raises(DataError, match="column 'odd' of trials holds set; only numbers"):
        bad.save(path)
    assert_same(iso.load_recording(path, verify=True), rich())
    assert [p.name for p in tmp_path.iterdir()] == ["rat"]


@pytest.mark.parametrize(
    ("change", "differs"),
    [
        ({"name": "another"}, False),
        ({"truth": None}, False),
        ({"signal": np.asfortranarray(rich().signal)}, False),
        ({"signal": rich().signal.astype(">f8")}, False),
        ({"signal": rich().signal + 1e-15}, True),
        ({"signal": rich().signal.astype(np.float32)}, True),
        ({"rate": 30.0}, True),
        ({"kinds": {}}, True),
        ({"labels": {**rich().labels, "odor": np.resize(["α", "", "long nam"], N)}}, True),
        ({"trials": rich().trials.assign(correct=True), "segments": None}, True),
        ({"start": 0.0, "segments": None}, True),
    ],
)
def test_fingerprint_follows_the_content(change, differs):
    assert (replace(rich(), **change).fingerprint != rich().fingerprint) is differs


def test_fingerprint_does_not_depend_on_blocks_or_container(tmp_path, monkeypatch):
    recording = rich()
    expected = recording.fingerprint
    loaded = iso.load_recording(recording.save(tmp_path / "rat"))
    monkeypatch.setattr(_rows, "BLOCK_BYTES", 50)
    assert recording.fingerprint == loaded.fingerprint == expected


def test_foreign_and_damaged_folders(tmp_path):
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "precious.txt").write_text("data")
    with pytest.raises(DataError, match="replaces recordings only"):
        rich().save(tmp_path / "notes")
    with pytest.raises(ReadError, match=r"holds no recording\.json"):
        iso.load_recording(tmp_path / "notes")
    with pytest.raises(ReadError, match=r"holds no recording\.json"):
        iso.load_recording(tmp_path / "nothing")
    (tmp_path / "notes" / "recording.json").write_text('{"format": "tape"}')
    with pytest.raises(ReadError, match="does not say that it is"):
        iso.load_recording(tmp_path / "notes")


def _edit(path, **change):
    about = path / "recording.json"
    about.write_text(json.dumps({**json.loads(about.read_text()), **change}))


def test_damage_is_noticed(tmp_path):
    path = rich().save(tmp_path / "rat")
    text = (path / "recording.json").read_text()
    _edit(path, version=99)
    with pytest.raises(ReadError, match="has format 99, this isofold reads 1"):
        iso.load_recording(path)
    (path / "recording.json").write_text(text[:200])
    with pytest.raises(ReadError, match="is damaged"):
        iso.load_recording(path)
    (path / "recording.json").write_text(text)
    _edit(path, trials=None, segments=None, rate=-1)
    with pytest.raises(ReadError, match=r"is damaged .*rate must be"):
        iso.load_recording(path)
    (path / "recording.json").write_text(text)
    next(p for p in (path / "signal").iterdir() if not p.name.startswith(".z")).unlink()
    with pytest.raises(ReadError, match="content and fingerprint differ"):
        iso.load_recording(path, verify=True)
    for file in (path / "signal").iterdir():
        file.unlink()
    with pytest.raises(ReadError, match="is damaged"):
        iso.load_recording(path)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (pd.DataFrame({"a": [1]}, index=pd.MultiIndex.from_tuples([(1, 2)])), "must be flat"),
        (pd.DataFrame({1: [1]}), "must be unique strings"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "must be unique strings"),
        (pd.DataFrame({"a": pd.to_datetime(["2026-01-01"], utc=True)}), "drop its time zone"),
        (pd.DataFrame({"a": [[1, 2]]}), "column 'a' of trials holds list"),
    ],
)
def test_tables_that_cannot_be_saved(table, message):
    with pytest.raises(DataError, match=message):
        table_to_json(table, "trials")


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.floats(width=64), max_size=8), st.lists(st.text(max_size=4), min_size=8, max_size=8)
)
def test_floats_and_strings_come_back_bit_for_bit(floats, strings):
    table = pd.DataFrame({"x": np.array(floats, float), "s": strings[: len(floats)]})
    again = table_from_json(json.loads(json.dumps(table_to_json(table, "trials"), allow_nan=False)))
    pd.testing.assert_frame_equal(table, again, check_exact=True)
    same = np.signbit(table["x"]) == np.signbit(again["x"])
    assert (same | table["x"].isna()).all()


@pytest.mark.parametrize("where", ["filters", "compressor"])
def test_arrays_stored_through_pickle_are_refused(tmp_path, where):
    """Whatever a folder says, opening it runs no code that it carries."""
    from isofold.errors import UnsafeFileError
    from isofold.studies.embedding_store import load_embedding, save_embedding

    recording = Recording(np.zeros((20, 2)), rate=10.0, labels={"x": np.arange(20.0)})
    path = recording.save(tmp_path / "rec")
    z = iso.PCA(output_dimension=1).fit_transform(recording)
    save_embedding(z, tmp_path / "z")
    for folder, opened in ((path, iso.load_recording), (tmp_path / "z", load_embedding)):
        opened(folder)
        array = next(p for p in sorted(folder.rglob(".zarray")))
        about = json.loads(array.read_text())
        about[where] = [{"id": "pickle"}] if where == "filters" else {"id": "PICKLE"}
        array.write_text(json.dumps(about))
        with pytest.raises(UnsafeFileError, match="would run code"):
            opened(folder)
