"""code/run as Code Ocean runs it: folders, text for parameters, SIGTERM, and again."""

from __future__ import annotations

import signal
import subprocess
import time
from itertools import pairwise

import pytest
from aind_data_schema.core.data_description import DataDescription
from aind_data_schema.core.processing import Processing
from aind_data_schema.core.quality_control import QualityControl
from capsule_shim import ASSET, ROOT, environment, files, shim, start, write_asset, write_study

from isofold import open_results
from isofold.studies.run_folder import finished

MODELS = {
    "processing.json": Processing,
    "data_description.json": DataDescription,
    "quality_control.json": QualityControl,
}


@pytest.fixture
def capsule(tmp_path):
    return shim(tmp_path / "capsule")


def set_writable(folder, writable):
    for path in [folder, *folder.rglob("*")]:
        path.chmod(path.stat().st_mode | 0o200 if writable else path.stat().st_mode & ~0o222)


def test_a_whole_run(capsule):
    """By an absolute path from elsewhere; text for parameters; only results and scratch change."""
    write_asset(capsule / "data" / "mounted as anything" / ASSET)
    write_study(capsule / "data" / "config" / "study.toml")
    set_writable(capsule / "data", False)
    before = {name: files(capsule / name) for name in ("data", "code", "home", "elsewhere")}
    named = {"PIPELINE_NAME": "foraging", "PIPELINE_VERSION": "1.2", "PIPELINE_URL": "https://x/y"}
    ended = subprocess.run(
        [str(capsule / "code" / "run"), "", "all", "--seeds", "[0,1]", "--folds", ""],
        cwd=capsule / "elsewhere",
        env=environment(capsule, **named),
        capture_output=True,
        text=True,
        check=False,
    )
    set_writable(capsule / "data", True)
    assert ended.returncode == 0, ended.stderr
    assert "2 of 2 runs" in ended.stdout
    assert before == {name: files(capsule / name) for name in before}
    assert {p.name for p in capsule.iterdir()} == {*before, "results", "scratch"}
    results = open_results(capsule / "results" / "small")
    assert results.runs["status"].tolist() == ["done", "done"]
    assert results.runs["seed"].tolist() == [0, 1]
    assert (results.path / "report.html").stat().st_size > 10_000
    assert {p.name for p in (capsule / "results").iterdir()} == {*MODELS, "small"}
    read = {
        name: model.model_validate_json((capsule / "results" / name).read_text())
        for name, model in MODELS.items()
    }
    check_processing(read["processing.json"], results)
    about = read["data_description.json"]
    assert about.name.startswith(f"{ASSET}_isofold_20")
    assert about.subject_id == "717531"
    assert [m.abbreviation for m in about.modalities] == ["fib"]


def check_processing(processing, results):
    names = [p.name for p in processing.data_processes]
    assert set(processing.dependency_graph) == set(names)
    assert len(names) == 5
    assert processing.notes is None  # they were in order already
    assert processing.pipelines[0].version == "1.2"
    for process in processing.data_processes:
        assert process.pipeline_name == "foraging"
        assert process.start_date_time.tzinfo is not None
        assert process.start_date_time <= process.end_date_time
        assert process.experimenters == ["A. One"]
        assert process.code.input_data[0].name == ASSET
    starts = [p.start_date_time for p in processing.data_processes]
    assert all(a <= b for a, b in pairwise(starts))
    (whole,) = [p for p in processing.data_processes if p.name == "isofold all"]
    fingerprints = results.manifest["inputs"]
    told = whole.code.parameters.model_dump()["inputs"]
    assert {k: v["sha256"] for k, v in told.items()} == {
        k: v["sha256"] for k, v in fingerprints.items()
    }
    assert all(name.endswith(": evaluation") for name in processing.dependency_graph[whole.name])


@pytest.mark.parametrize(
    "processors",
    ["1", pytest.param("2", marks=pytest.mark.slow)],  # without Dask, and with
)
def test_sigterm_and_again(capsule, processors):
    """143, nothing half-written; the second start keeps what is done and does the rest."""
    write_asset(capsule / "data" / ASSET)
    write_study(capsule / "data" / "study.toml", seeds=list(range(30)), n_chance=60)
    out = capsule / "results" / "small"
    process = start(capsule, CO_CPUS=processors)
    deadline = time.monotonic() + 60
    while len(finished(out)) < 2 and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 143, said
    assert "interrupted; runs that are done are kept" in said
    kept = finished(out)
    assert 2 <= len(kept) < 30
    assert {p.name for p in (out / "runs").iterdir()} == set(kept)
    assert not [p for p in out.rglob("*") if p.name.startswith(".tmp")]
    assert not list((capsule / "results").glob("*.json"))
    stamps = {key: (out / "runs" / key / "done").stat().st_mtime_ns for key in kept}
    process = start(capsule, CO_CPUS=processors)
    shown, said = process.communicate(timeout=120)
    assert process.returncode == 0, said
    assert f"{len(kept)} of 30 runs\n" in shown
    assert stamps == {key: (out / "runs" / key / "done").stat().st_mtime_ns for key in kept}
    assert open_results(out).runs["status"].eq("done").all()
    Processing.model_validate_json((capsule / "results" / "processing.json").read_text())


def test_a_failure_names_its_cause(capsule):
    write_asset(capsule / "data" / ASSET)
    write_study(capsule / "data" / "study.toml", dimension=9, seeds=[0])
    process = start(capsule)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 1
    last = said.strip().splitlines()[-1]
    assert last.startswith("isofold: 1 of 1 runs failed; first: rat")
    assert "output_dimension must lie between 1 and 3" in last
    read = {
        name: model.model_validate_json((capsule / "results" / name).read_text())
        for name, model in MODELS.items()
    }
    (metric,) = read["quality_control.json"].metrics
    assert (metric.value, metric.status.status) == (1, "Fail")
    assert "output_dimension" in metric.description
    assert "failed: DataError" in read["processing.json"].data_processes[1].notes


def test_a_clone_has_the_files_of_a_capsule(tmp_path):
    listed = subprocess.run(
        ["git", "ls-files", "-s", "code", "environment", "metadata", "pipeline"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    modes = {line.split("\t")[1]: line.split()[0] for line in listed.stdout.splitlines()}
    assert modes["code/run"] == modes["environment/postInstall"] == "100755"
    assert {"environment/Dockerfile", "metadata/metadata.yml", "pipeline/main.nf"} <= set(modes)


def test_from_a_whole_clone_its_own_source_runs(capsule):
    """Beside src/ nothing need be installed; the working folder of the caller does not matter."""
    (capsule / "src" / "isofold").mkdir(parents=True)
    main = 'import os, sys\nprint(sys.argv[1:], os.path.samefile(os.getcwd(), "../code"))\n'
    (capsule / "src" / "isofold" / "__main__.py").write_text(main)
    (capsule / "src" / "isofold" / "__init__.py").touch()
    ended = subprocess.run(
        ["bash", "code/run", "a b", "--seeds", "[0, 1]", "--x", ""],
        cwd=capsule,
        env=environment(capsule),
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended.stdout == "['capsule', 'a b', '--seeds', '[0, 1]', '--x', ''] True\n"
    assert not list((capsule / "src").rglob("*.pyc"))
