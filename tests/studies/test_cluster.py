"""The [cluster] of a study file: what SLURM would be asked, and what wins over it."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import threading
import time

import pytest
from stand_ins import Slow, rat

from isofold import Study, run
from isofold.errors import StudyError
from isofold.studies import dask_executor, dask_keeper
from isofold.studies.cluster_spec import ClusterSpec, check_memory
from isofold.studies.executor import ONE_PROCESSOR, HereExecutor, SerialExecutor
from isofold.studies.place import Folder
from isofold.studies.run import make_executor

FULL = {
    "kind": "slurm",
    "queue": "gpu",
    "account": "lab",
    "walltime": "02:30:00",
    "cores": 4,
    "memory": "16 GiB",
    "jobs": 10,
    "gres": "gpu:1",
    "job_script_prologue": ["module load cuda"],
    "job_extra_directives": ["--exclusive"],
}


def study(**more):
    return Study("small", [rat()], ["raw"], scores=[], **more)


def test_the_job_script():
    pytest.importorskip("dask_jobqueue", reason="dask-jobqueue is not installed")
    cluster = ClusterSpec.of(FULL).cluster()
    try:
        script = cluster.job_script()
    finally:
        cluster.close()
    lines = script.splitlines()
    for directive in ("-p gpu", "-A lab", "-t 02:30:00", "--mem=16G", "--gres=gpu:1"):
        assert f"#SBATCH {directive}" in lines
    assert "#SBATCH --cpus-per-task=4" in lines
    assert "#SBATCH --exclusive" in lines
    worker = shlex.split(next(line for line in lines if "dask" in line and "tcp://" in line))
    assert worker[worker.index("--nthreads") + 1] == "1"
    assert worker[worker.index("--nworkers") + 1] == "4"
    assert worker[worker.index("--memory-limit") + 1].startswith("4")  # GiB, of each of four
    # the environment stands before the worker starts, the user's own lines after it
    start = next(n for n, line in enumerate(lines) if "tcp://" in line)
    for name, value in ONE_PROCESSOR.items():
        assert f"export {name}={value}" in lines[:start]
    assert "module load cuda" in lines[:start]


def test_the_block_comes_back_as_it_was(tmp_path):
    spec = ClusterSpec.of(FULL)
    assert spec.to_dict() == FULL
    assert ClusterSpec.of(spec) is spec
    assert ClusterSpec.of(None) is None
    assert ClusterSpec.of({"memory": "8 GB"}).walltime == "01:00:00"
    tables = {"name": "x", "recordings": [{"simulate": {"name": "circle"}}], "methods": ["pca"]}
    given = Study.from_dict(tables | {"cluster": FULL})
    path = tmp_path / "again.toml"
    path.write_text(given.to_toml())
    assert Study.from_toml(path).cluster == spec


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"kind": "slrum"}, r"cluster\.kind: unknown 'slrum' \(did you mean 'slurm'"),
        ({"queues": "gpu"}, r"cluster: unknown key 'queues' \(did you mean 'queue'"),
        ({"cores": 0}, r"cluster\.cores must be at least 1, got 0"),
        ({"jobs": "10"}, r"cluster\.jobs must be a whole number, got '10'"),
        ({"memory": "16"}, r"cluster\.memory must be an amount such as \"8 GiB\".* got '16'"),
        ({"walltime": 60}, r"cluster\.walltime must be a time"),
        ({"walltime": "soon"}, r"cluster\.walltime must be a time such as .* got 'soon'"),
        ({"queue": 3}, r"cluster\.queue must be a text, got 3"),
        ({"job_extra_directives": [3]}, r"cluster\.job_extra_directives must be a list of names"),
    ],
)
def test_wrong_settings_are_named(changed, message):
    with pytest.raises(StudyError, match=message):
        study(cluster=FULL | changed)


def test_a_cluster_needs_memory_and_a_table():
    with pytest.raises(StudyError, match='cluster needs memory = "…"'):
        study(cluster={"kind": "slurm"})
    with pytest.raises(StudyError, match="cluster must be a table"):
        study(cluster="slurm")


def test_options_win_over_the_cluster(monkeypatch, tmp_path):
    asked = []
    monkeypatch.setattr(dask_executor, "DaskExecutor", lambda *options: asked.append(options))
    here, spec = Folder(tmp_path), ClusterSpec.of(FULL)
    make_executor(None, False, None, None, spec, here)
    make_executor(2, False, None, None, spec, here)
    make_executor(None, False, "tcp://x:1", None, spec, here)
    make_executor(None, False, None, "1 GiB", spec, here)
    assert [options[-1] for options in asked] == [spec, None, None, None]
    serial = make_executor(None, True, None, None, spec, here)
    serial.close()
    assert isinstance(serial, SerialExecutor)


def test_the_cluster_is_no_part_of_what_was_run(monkeypatch, tmp_path):
    """Another walltime goes on in the same folder."""
    import importlib

    run_ = importlib.import_module("isofold.studies.run")
    monkeypatch.setattr(run_, "make_executor", lambda *options: HereExecutor())
    run(study(cluster=FULL), tmp_path / "out")
    said = []
    run(study(), tmp_path / "out", progress=lambda *now: said.append(now))
    assert said == [(1, 1, "")]


@pytest.mark.parametrize("text", ["8GiB", "500 MB", "1.5 GiB", "2 tb"])
def test_memory_has_a_unit(text):
    assert check_memory(text, "memory") == text
    with pytest.raises(StudyError, match="must be an amount"):
        check_memory(text[:-2], "memory")


SBATCH = """#!/bin/sh
cp "$1" "{folder}/job-$$"
setsid sh "{folder}/job-$$" >> "{folder}/said" 2>&1 &
echo $! >> "{folder}/jobs"
echo "Submitted batch job $!"
"""


@pytest.fixture
def slurm(tmp_path, monkeypatch):
    """A batch system that starts its jobs at once, here."""
    pytest.importorskip("dask_jobqueue", reason="dask-jobqueue is not installed")
    folder = tmp_path / "slurm"
    folder.mkdir()
    for name, text in (
        ("sbatch", SBATCH.format(folder=folder)),
        ("scancel", "#!/bin/sh\nkill -9 -$1\n"),
    ):
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", os.path.dirname(__file__), prepend=os.pathsep)
    yield folder
    for job in jobs(folder):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(job, signal.SIGKILL)


def jobs(folder):
    path = folder / "jobs"
    return [int(line) for line in path.read_text().split()] if path.exists() else []


@pytest.mark.slow
def test_a_lost_job_is_submitted_anew(slurm, tmp_path, monkeypatch):
    """Its run is done by another; the bytes are those of a serial study."""
    monkeypatch.setattr(dask_keeper, "GRACE", 2.0)
    spec = {"memory": "1 GiB", "jobs": 1, "interface": "lo", "log_directory": str(slurm)}
    given = Study(
        "small",
        [rat()],
        [{"method": "slow", "seconds": 1.0}],
        seeds=range(6),
        scores=["consistency"],
        cluster=spec,
        estimators={"slow": Slow},
    )
    out = tmp_path / "out"

    def lose():
        while len(list(out.glob("runs/*/done"))) < 2:
            time.sleep(0.1)
        os.killpg(jobs(slurm)[0], signal.SIGKILL)

    thread = threading.Thread(target=lose)
    thread.start()
    results = run(given, out)
    thread.join()
    assert results.runs["status"].tolist() == ["done"] * 6
    assert len(jobs(slurm)) == 2
    run(given, tmp_path / "serial", serial=True)
    for name in ("scores.parquet", "pairs.parquet"):
        assert (out / name).read_bytes() == (tmp_path / "serial" / name).read_bytes()


def test_a_slurm_that_is_not_there_or_refuses_is_said(slurm, tmp_path, monkeypatch):
    asked = study(cluster={"memory": "1 GiB", "interface": "lo", "jobs": 2})
    (slurm / "sbatch").write_text("#!/bin/sh\necho 'invalid account' >&2\nexit 1\n")
    with pytest.raises(StudyError, match=r"SLURM refused 2 of 2 jobs; sbatch says above why"):
        run(asked, tmp_path / "out")
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(StudyError, match="with sbatch, which this machine has not"):
        run(asked, tmp_path / "out")
