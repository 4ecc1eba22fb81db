"""AIND's fixed and distributed parameters as a study: N assets × M sets are N·M jobs."""

from __future__ import annotations

import importlib
import json
from itertools import product

import pytest
from capsule_shim import V1, write_asset, write_rat

from isofold import Study, cli, open_results
from isofold.errors import StudyError
from isofold.studies import dispatch, executor, method_spec
from isofold.studies.parameters import study_of_parameters
from isofold.studies.tasks import unrolled

FIXED = {
    "name": "sweep",
    "method": "pca",
    "bin": {"signal": "signal", "labels": ["position"]},
    "scores": [{"score": "decode", "label": "position", "k": 5, "n_chance": 3}],
}


def of(distributed, fixed=FIXED, assets=("a.npz", "b.npz"), folder="."):
    parameters = {"fixed_parameters": fixed, "distributed_parameters": distributed}
    return study_of_parameters(parameters, assets, folder)


@pytest.fixture
def rats(tmp_path):
    return [write_rat(tmp_path / name) for name in ("a.npz", "b.npz")]


def jobs(study):
    """(recording, its bin width, method, settings, seed) of every run."""
    fingerprints = {r.name: r.name for r in study.recordings}
    found = [
        (t.recording.name[0], t.recording.bin.get("width"), t.method.method,
         t.method.settings.get("output_dimension"), t.seed)
        for t in unrolled(study, fingerprints)
    ]  # fmt: skip
    return sorted(found, key=str)


def test_settings_seeds_and_bins_are_distributed(rats):
    """Every asset meets every set, once, in each of the ways in which sets may differ."""
    sets = [{"output_dimension": n} for n in (1, 2, 3)]
    assert jobs(of(sets, assets=rats)) == [
        (name, None, "pca", n, 0) for name, n in product("ab", (1, 2, 3))
    ]
    sets = [{"seeds": 3}, {"seeds": [5]}]
    assert jobs(of(sets, assets=rats)) == [
        (name, None, "pca", None, n) for name, n in product("ab", (3, 5))
    ]
    study = of([{"bin.width": w} for w in (0.1, 0.2)], assets=rats)
    assert jobs(study) == [(name, w, "pca", None, 0) for name, w in product("ab", (0.1, 0.2))]
    assert [r.name for r in study.recordings][:2] == ["a width=0.1", "a width=0.2"]
    assert all(r.bin["signal"] == "signal" for r in study.recordings)  # laid over, not instead


def test_distributed_wins_over_fixed_and_dots_nest(rats):
    fixed = FIXED | {"output_dimension": 3, "bin.width": 0.3}
    study = of([{"output_dimension": 2, "bin": {"width": 0.1}}], fixed, rats)
    assert jobs(study) == [("a", 0.1, "pca", 2, 0), ("b", 0.1, "pca", 2, 0)]
    assert study.recordings[0].bin == {"signal": "signal", "labels": ["position"], "width": 0.1}
    assert study.name == "sweep"


def test_several_methods_in_a_set(rats):
    methods = ["raw", {"method": "pca", "output_dimension": 1, "steps": ["zscore"]}]
    fixed = {k: v for k, v in FIXED.items() if k != "method"} | {"methods": methods}
    study = of([], fixed, rats[:1])
    assert [m.name for m in study.methods] == ["raw", "pca"]
    assert study.methods[1].steps


def test_one_set_alone_or_none(rats):
    assert len(jobs(study_of_parameters({"fixed_parameters": FIXED}, rats))) == 2
    only = {"distributed_parameters": [FIXED, FIXED | {"output_dimension": 2}]}
    assert len(jobs(study_of_parameters(only, rats))) == 4


@pytest.mark.skipif("recordings" not in method_spec._OWN, reason="needs methods.recordings")
def test_sets_that_differ_in_recording_and_method_meet_only_as_given(rats):
    """Not every bin width with every method: two sets are two jobs an asset."""
    sets = [{"bin.width": 0.1, "output_dimension": 1}, {"bin.width": 0.2, "output_dimension": 2}]
    assert jobs(of(sets, assets=rats)) == [
        (name, w, "pca", n, 0) for name, (w, n) in product("ab", ((0.1, 1), (0.2, 2)))
    ]


@pytest.mark.parametrize(
    ("distributed", "fixed", "message"),
    [
        ([{"outputdimension": 2}], FIXED, r"unknown key 'outputdimension' \(did you mean 'output"),
        ([{"method": "pcaa"}], FIXED, r"unknown method 'pcaa' \(did you mean 'pca'"),
        ([{"folds": 2}, {"folds": 3}], FIXED, r"one value for the study, .* put it in fixed_param"),
        ([{"seeds": 1}, {"output_dimension": 2}], FIXED, r"one value for seeds"),
        ({"seeds": 1}, FIXED, r"distributed_parameters must be a list of tables"),
        ([3], FIXED, r"distributed_parameters\[0\] must be a table of key = value, got 3"),
        ([{}], {"seeds": [0]}, r'distributed_parameters\[0\] needs "method" .*got only nothing'),
        ([{}], {"methods": ["pca"], "k": 1}, r"beside methods: unknown key 'k'"),
        ([{"bin.widht": 1}], FIXED, r"bin: unknown key 'widht' \(did you mean 'width'"),
    ],
)
def test_wrong_parameters(rats, distributed, fixed, message):
    with pytest.raises(StudyError, match=message):
        of(distributed, fixed, rats)


def test_without_assets_and_unknown_markers():
    with pytest.raises(StudyError, match="parameters need recordings to run on"):
        of([{}], assets=[])
    with pytest.raises(StudyError, match="analysis parameters: unknown key 'fixed'"):
        study_of_parameters({"fixed": {}}, ["a.npz"])


def test_the_command_line_takes_the_file(tmp_path, capsys, monkeypatch):
    """`isofold run` and `dispatch` find the assets beside it."""
    for number in (1, 2):
        name = f"71753{number}_2024-08-07_09-01-02"
        write_asset(tmp_path / "in" / name, V1 | {"name": name, "subject_id": str(number)})
    path = tmp_path / "in" / "analysis_parameters.json"
    sets = [{"output_dimension": 1}, {"output_dimension": 2}]
    path.write_text(json.dumps({"fixed_parameters": FIXED, "distributed_parameters": sets}))
    study = Study.from_file(path)
    assert [r.subject for r in study.recordings] == ["1", "2"]
    assert len(dispatch(study, tmp_path / "jobs", tmp_path / "dispatched")) == 4
    monkeypatch.chdir(tmp_path)
    run_ = importlib.import_module("isofold.studies.run")  # the package shows the function
    monkeypatch.setattr(run_, "make_executor", lambda *options: executor.HereExecutor())
    assert cli.call(["run", str(path), "--serial", "--out", "out"]) == 0
    assert "4 runs done, 0 failed" in capsys.readouterr().out
    assert set(open_results("out").runs["recording"]) == {r.name for r in study.recordings}


def test_recordings_may_stand_in_the_file(tmp_path):
    write_rat(tmp_path / "x" / "rat.npz")
    write_rat(tmp_path / "other.npz")
    path = tmp_path / "p.json"
    named = FIXED | {"recordings": [{"path": "x/rat.npz", "name": "mine"}]}
    path.write_text(json.dumps({"fixed_parameters": named}))
    (recording,) = Study.from_file(path).recordings
    assert (recording.name, recording.path) == ("mine", str(tmp_path / "x" / "rat.npz"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", r"p\.json is not a JSON file"),
        ("[]", r"p\.json is neither a study file \(TOML\) nor has it fixed_parameters or distrib"),
        ('{"a": 1}', r"is neither a study file"),
        ('{"fixed_parameters": {"method": "pca"}}', r"p\.json: parameters need recordings"),
    ],
)
def test_files_that_are_none(tmp_path, text, message, capsys):
    path = tmp_path / "p.json"
    path.write_text(text)
    with pytest.raises(StudyError, match=message):
        Study.from_file(path)
    assert cli.call(["run", str(path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1
