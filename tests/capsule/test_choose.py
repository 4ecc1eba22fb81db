"""What lies in /data is told by content, and several candidates are a question, not a guess."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from capsule_shim import ASSET, V1, write_asset, write_rat, write_study

import isofold as iso
from isofold import Session, cli
from isofold.capsule import Settings, run_capsule
from isofold.capsule.choose import chosen_study, same_file
from isofold.errors import StudyError
from isofold.studies.find import asset_of, find

PARAMETERS = {"fixed_parameters": {"method": "pca", "output_dimension": 2, "bin.signal": "signal"}}


@pytest.fixture(autouse=True)
def no_data_variable(monkeypatch):
    monkeypatch.setenv("DATA", "")
    monkeypatch.delenv("DATA")


def choose(folder, **given):
    settings = Settings.of({"data": str(folder)} | given, (), {"CO_CPUS": "1"})
    return chosen_study(settings, find(folder))


def test_everything_is_found_by_content(tmp_path):
    write_asset(tmp_path / "a" / "b" / ASSET)
    write_study(tmp_path / "c" / "anything.toml")
    (tmp_path / "c" / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    (tmp_path / "c" / "settings.json").write_text(json.dumps(PARAMETERS))
    (tmp_path / "c" / "job_dict").write_text('{"format": "isofold job", "key": "1"}')
    (tmp_path / "c" / "list.json").write_text("[1, 2]")
    (tmp_path / "c" / "archive.zip").write_bytes(b"PK\x03\x04")
    (tmp_path / "d").mkdir()
    Session(units={0: np.array([0.1, 0.2])}).to_nwb(tmp_path / "d" / "x.h5")
    saved = iso.simulate.circle(n_samples=50, seed=0)
    saved.save(tmp_path / "d" / "saved")
    zarr = tmp_path / "d" / "session.nwb.zarr"
    zarr.mkdir()
    (zarr / ".zattrs").write_text('{"nwb_version": "2.6.0"}')
    (zarr / ".zgroup").write_text("{}")
    earlier = tmp_path / "earlier" / "runs" / "0123"
    earlier.mkdir(parents=True)
    (earlier / "settings.json").write_text("{}")
    (tmp_path / "earlier" / "study.toml").write_text("methods = []\nrecordings = []\n")
    (tmp_path / ".git").mkdir()
    write_study(tmp_path / ".git" / "hidden.toml")
    os.symlink(tmp_path, tmp_path / "a" / "loop")
    os.symlink(tmp_path / "c" / "anything.toml", tmp_path / "zz.toml")  # one file, two names
    os.symlink(tmp_path / "nowhere", tmp_path / "dangling.toml")
    found = find(tmp_path)
    shown = {
        kind: [p.relative_to(tmp_path).as_posix() for p in paths]
        for kind, paths in vars(found).items()
        if kind != "broken"
    }
    assert shown == {
        "studies": ["zz.toml"],
        "parameters": ["c/settings.json"],
        "jobs": ["c/job_dict"],
        "recordings": [
            *(f"a/b/{ASSET}/deep/rat.npz", "d/x.h5"),
            *("d/saved", "d/session.nwb.zarr"),
        ],
        "results": ["earlier"],
        "assets": [f"a/b/{ASSET}"],
    }
    assert found.broken == {}
    assert asset_of(found.recordings[0], found.assets) == found.assets[0]
    assert asset_of(found.recordings[1], found.assets) is None


def test_several_studies_are_listed(tmp_path):
    write_rat(tmp_path / "rat.npz")
    write_study(tmp_path / "one" / "study.toml", name="first")
    write_study(tmp_path / "two" / "study.toml", name="second")
    (tmp_path / "p.json").write_text(json.dumps(PARAMETERS))
    with pytest.raises(StudyError) as caught:
        choose(tmp_path)
    said = str(caught.value)
    assert "holds 3 studies (one/study.toml, two/study.toml, p.json)" in said
    assert "choose one with --study" in said
    assert choose(tmp_path, study="two/study.toml").name == "second"
    assert choose(tmp_path, study="p").name == "analysis"
    with pytest.raises(StudyError, match=r"'study' fits several studies .*: one/study.toml, two/"):
        choose(tmp_path, study="study")
    with pytest.raises(StudyError, match=r"'three' fits no study .*there are: one/study.toml, two"):
        choose(tmp_path, study="three")


def test_nothing_to_run(tmp_path):
    with pytest.raises(StudyError, match=r"holds no study file .*attach a data asset that does"):
        choose(tmp_path)
    with pytest.raises(StudyError, match=r"input is read from .*which is no folder"):
        run_capsule(Settings.of({"data": str(tmp_path / "no")}), print)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("s.toml", "[[methods]\n", r"s\.toml is not a TOML file: .*; mend it, or choose another"),
        ("p.json", '{"fixed_parameters": {,}}', r"p\.json is not a JSON file: .*line 1 column"),
    ],
)
def test_a_broken_file_is_not_passed_over(tmp_path, name, text, message):
    """Recordings are there: without the file a default study would run, unasked for."""
    write_rat(tmp_path / "rat.npz")
    (tmp_path / name).write_text(text)
    with pytest.raises(StudyError, match=message):
        choose(tmp_path)
    with pytest.raises(StudyError, match="is not a"):
        choose(tmp_path, study=name)
    write_study(tmp_path / "good.toml")
    assert choose(tmp_path, study="good").name == "small"


def test_what_a_study_breaks_is_said_with_its_file(tmp_path):
    write_rat(tmp_path / "rat.npz")
    path = write_study(tmp_path / "deep" / "s.toml")
    path.write_text(path.read_text().replace("seeds", "sedes"))
    with pytest.raises(
        StudyError, match=r"^deep/s.toml: study: unknown key 'sedes' \(did you mean"
    ):
        choose(tmp_path)


def test_parameters_change_the_study(tmp_path):
    write_asset(tmp_path / "x" / ASSET)
    write_study(tmp_path / "study.toml")
    study = choose(tmp_path, seeds="[4,5,6]", folds="3", controls="true")
    assert (study.seeds, study.folds, study.controls) == ((4, 5, 6), 3, ("permuted labels",))
    assert study.recordings[0].path == str(tmp_path / "x" / ASSET / "deep" / "rat.npz")
    with pytest.raises(StudyError, match=r"--labels shapes the study of recordings without a stu"):
        choose(tmp_path, labels="position")


def test_a_recording_is_found_by_its_name(tmp_path):
    for folder in ("a/s1", "b/s1", "b/s2"):
        write_rat(tmp_path / folder / "rat.npz")
    assert same_file(Path("/elsewhere/b/s2/rat.npz"), tmp_path) == tmp_path / "b/s2/rat.npz"
    with pytest.raises(StudyError, match=r"by its name in .*: there is several \(.*a/s1/rat.npz"):
        same_file(Path("/elsewhere/s1/rat.npz"), tmp_path)
    with pytest.raises(StudyError, match="there is none"):
        same_file(Path("/elsewhere/mouse.npz"), tmp_path)


def test_the_variable_data_is_the_folder(tmp_path):
    write_rat(tmp_path / "rat.npz")
    write_study(tmp_path / "deep" / "s.toml", "${DATA}/rat.npz")
    assert choose(tmp_path).recordings[0].path == str(tmp_path / "rat.npz")


def test_a_default_study_of_units_and_of_series(tmp_path):
    session = Session(units={n: np.arange(1, 40) / 2 + n / 10 for n in range(2)})
    (tmp_path / ASSET).mkdir()
    session.to_nwb(tmp_path / ASSET / "x.nwb")
    (tmp_path / ASSET / "data_description.json").write_text(json.dumps(V1))
    study = choose(tmp_path)
    (recording,) = study.recordings
    assert (recording.name, recording.subject) == (ASSET, "717531")
    assert recording.bin == {"signal": "units", "width": 0.05}
    assert [m.method for m in study.methods] == ["pca", "cebra-time"]
    assert study.methods[0].settings == {"output_dimension": 2}  # of two units
    guided = choose(tmp_path, labels="speed", methods="cebra-behavior,raw", trials="laps")
    assert guided.methods[0].labels == ("speed",)
    assert guided.recordings[0].bin["trials"] == "laps"
    np.savez(tmp_path / "two.npz", a=np.zeros(9), b=np.zeros(9), time=np.arange(9.0))
    with pytest.raises(
        StudyError, match=r"'two' has no units, and series: a, b; say with --signal"
    ):
        choose(tmp_path)


def test_names_of_recordings_that_are_alike(tmp_path):
    for name in ("a", "b"):
        write_rat(tmp_path / name / "rat.npz")
    study = choose(tmp_path, signal="signal")
    assert [r.name for r in study.recordings] == ["a/rat", "b/rat"]


def test_an_unknown_parameter(tmp_path, capsys):
    assert cli.call(["capsule", "--data", str(tmp_path), "--sedes", "1"]) == 2
    said = capsys.readouterr().err
    assert "--sedes" in said
    assert "--seeds" in said


def test_an_acquisition_folder_is_one_recording(tmp_path):
    """A Phy folder in an asset, and the study beside its files; what lies in it is no other."""
    folder = tmp_path / "asset"
    (folder / "deeper").mkdir(parents=True)
    for name, values in (("spike_times", [30, 60]), ("spike_clusters", [1, 1])):
        np.save(folder / f"{name}.npy", np.array(values))
    (folder / "params.py").write_text("sample_rate = 30000.0\n")
    write_rat(folder / "deeper" / "part.npz")
    write_study(folder / "study.toml")
    (folder / "data_description.json").write_text("{}")
    (tmp_path / "cut.nwb").write_bytes(b"")
    found = find(tmp_path)
    assert found.recordings == [tmp_path / "cut.nwb", folder]
    assert found.studies == [folder / "study.toml"]
    assert found.assets == [folder]
