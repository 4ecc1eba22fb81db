"""dispatch, worker and collect give what one run gives, wherever the input is mounted."""

from __future__ import annotations

import importlib
import json
import os
import shutil
import tempfile
from pathlib import Path

import pytest
from aind_data_schema.core.processing import Processing
from aind_data_schema.core.quality_control import QualityControl
from capsule_shim import ASSET, V1, files, write_asset, write_study

from isofold import cli, open_results
from isofold.capsule.modes import CACHES, slug
from isofold.studies import executor


@pytest.fixture(autouse=True)
def here(monkeypatch):
    """Runs execute in this process; what a capsule sets is set back."""

    module = importlib.import_module("isofold.studies.run")
    monkeypatch.setattr(module, "make_executor", lambda *options: executor.HereExecutor())
    for name in (*CACHES, "DATA"):
        monkeypatch.setenv(name, os.environ.get(name, tempfile.gettempdir()))
    monkeypatch.delenv("DATA")
    monkeypatch.setenv("CO_CPUS", "1")
    monkeypatch.delenv("CO_MEMORY", raising=False)


def capsule(folder: Path, *arguments: str) -> int:
    places = [f"--{name}={folder / name}" for name in ("data", "results", "scratch")]
    return cli.call(["capsule", *places, *arguments])


def given(folder: Path) -> Path:
    write_asset(folder / "data" / ASSET)
    write_study(folder / "data" / "study.toml")
    return folder


def tables(results: Path) -> list[bytes]:
    return [(results / name).read_bytes() for name in ("scores.parquet", "pairs.parquet")]


def test_the_parts_of_a_pipeline_give_what_one_run_gives(tmp_path, capsys):
    one = given(tmp_path / "one")
    assert capsule(one) == 0
    first = given(tmp_path / "first")
    assert capsule(first, "--mode", "dispatch") == 0
    jobs = sorted((first / "results" / "jobs").iterdir())
    assert len(jobs) == 2
    assert {p.name for p in (first / "results").iterdir()} == {"jobs"}
    last = given(tmp_path / "last")
    for number, job in enumerate(jobs):
        worker = tmp_path / f"worker{number}"
        write_asset(worker / "data" / "other mount" / ASSET)  # where it was is gone
        shutil.copy(job, worker / "data" / "job_dict")  # as Code Ocean stages it
        if number == 1:
            shutil.rmtree(first / "data" / ASSET)
        assert capsule(worker, "--mode", "worker") == 0
        (made,) = (worker / "results").iterdir()  # one folder of its own name, to be collected
        key = made.name.removeprefix("job_")
        assert {p.name for p in made.iterdir()} == {
            *("runs", "processing.json", "data_description.json", "quality_control.json")
        }
        Processing.model_validate_json((made / "processing.json").read_text())
        assert (made / "runs" / key / "done").exists()
        shutil.move(made, last / "data" / "runs" / made.name)
    capsys.readouterr()
    assert capsule(last, "--mode", "collect") == 0
    shown = capsys.readouterr().out
    assert "2 runs taken over" in shown
    assert "2 of 2 runs\n" in shown  # nothing was started
    assert "seed" not in shown
    assert tables(last / "results" / "small") == tables(one / "results" / "small")
    assert capsule(last, "--mode", "dispatch") == 0
    assert "0 jobs" in capsys.readouterr().out


def test_damaged_and_failed_runs_are_not_taken_over(tmp_path, capsys):
    one = given(tmp_path / "one")
    assert capsule(one) == 0
    before = one / "results" / "small"
    whole = tables(before)
    first, _ = sorted((before / "runs").iterdir())
    (first / "scores.parquet").write_bytes(b"")
    shutil.move(before, one / "data" / "earlier results")
    shutil.rmtree(one / "results")
    capsys.readouterr()
    assert capsule(one) == 0
    assert "1 runs taken over" in capsys.readouterr().out
    assert tables(one / "results" / "small") == whole


def test_a_worker_that_fails(tmp_path, capsys):
    folder = tmp_path / "one"
    write_asset(folder / "data" / ASSET)
    write_study(folder / "data" / "study.toml", dimension=9, seeds=[0])
    assert capsule(folder, "--mode", "dispatch") == 0
    shutil.move(folder / "results" / "jobs", folder / "data" / "jobs")
    capsys.readouterr()
    assert capsule(folder, "--mode", "worker") == 1
    assert "output_dimension must lie between 1 and 3" in capsys.readouterr().err
    (made,) = (folder / "results").glob("job_*")
    read = QualityControl.model_validate_json((made / "quality_control.json").read_text())
    assert read.metrics[0].status.status == "Fail"
    # the run that failed is tried again by collect, and named
    shutil.move(made, folder / "data" / made.name)
    assert capsule(folder, "--mode", "collect") == 1
    assert "output_dimension must lie between 1 and 3" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("mode", "message"),
    [("worker", "holds no job"), ("collect", "nothing to collect")],
)
def test_modes_without_their_input(tmp_path, capsys, mode, message):
    folder = given(tmp_path / "one")
    assert capsule(folder, "--mode", mode) == 2
    assert message in capsys.readouterr().err
    assert files(folder / "results") == {}


def test_a_job_whose_input_is_not_there(tmp_path, capsys):
    folder = given(tmp_path / "one")
    assert capsule(folder, "--mode", "dispatch") == 0
    shutil.move(folder / "results" / "jobs", folder / "data" / "jobs")
    shutil.rmtree(folder / "data" / ASSET)
    assert capsule(folder, "--mode", "worker") == 2
    assert "recording 'rat.npz' is looked for by its name" in capsys.readouterr().err
    (folder / "data" / "jobs" / "job_x.json").write_text('{"format": "isofold job"}')
    assert capsule(folder, "--mode", "worker") == 2
    assert files(folder / "results") == {}


def test_quality_and_warnings_of_recordings_become_metrics(tmp_path, capsys):
    folder = given(tmp_path / "one")
    assert capsule(folder) == 0
    facts = folder / "results" / "small" / "recordings" / "rat"
    facts.mkdir(parents=True)
    row = {"check": "correlation", "channel": "Fiber_0", "value": float("nan"), "threshold": 0.5}
    rows = [row | {"status": "pending", "reason": "one NaN"}, row | {"status": "fail"}]
    (facts / "quality.json").write_text(json.dumps([rows[0], rows[1] | {"channel": None}]))
    (facts / "warnings.json").write_text('["G_1: timestamps off the sync clock"]')
    assert capsule(folder) == 0
    read = QualityControl.model_validate_json(
        (folder / "results" / "quality_control.json").read_text()
    )
    said = {m.name: (m.value, m.status.status, m.description) for m in read.metrics}
    assert said["correlation, Fiber_0 (rat)"] == (None, "Pending", "one NaN; threshold 0.5")
    assert said["correlation, all (rat)"] == (None, "Fail", "threshold 0.5")
    assert said["warning 1 (rat)"][:2] == ("G_1: timestamps off the sync clock", "Pending")
    assert said["runs that failed (rat)"][:2] == (0, "Pass")
    assert read.status["channel:Fiber_0"] == "Pending"


def test_a_dry_run_writes_nothing(tmp_path, capsys):
    folder = given(tmp_path / "one")
    for mode in ("all", "dispatch"):
        assert capsule(folder, "--mode", mode, "--dry-run", "true") == 0
        assert "2 runs, 2 left; nothing is run" in capsys.readouterr().out
        assert files(folder / "results") == {}


def test_recordings_alone_are_studied(tmp_path, capsys):
    """Two assets, no study file: the default, with the parameters of the App Panel."""
    for number in (1, 2):
        name = ASSET.replace("717531", f"71753{number}")
        about = V1 | {"name": name, "subject_id": f"71753{number}"}
        write_asset(tmp_path / "data" / name, about)
    told = ["--methods", "pca", "--labels", '["position"]', "--dimension", "2"]
    assert capsule(tmp_path, *told, "--signal", "signal") == 0
    results = open_results(tmp_path / "results" / "capsule")
    assert results.runs["subject"].tolist() == ["717531", "717532"]
    assert results.runs["recording"].str.startswith("behavior_71753").all()
    assert "position" in set(results.scores["label"])
    about = json.loads((tmp_path / "results" / "data_description.json").read_text())
    assert about["name"].startswith("Behavior-Platform_capsule_20")
    assert len(about["source_data"]) == 2
    assert about["subject_id"] is None


def test_slug():
    assert [slug(x) for x in ("a/b", "..", "x y_z")] == ["a-b", "study", "x-y-z"]
