"""Job files: one run each without Dask, into the same results."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from stand_ins import Rotated, rat

from isofold import Study, run
from isofold.errors import StudyError
from isofold.studies import dispatch, open_results, work

DECODE = {"score": "decode", "label": "position", "k": 5, "metric": "euclidean", "n_chance": 3}


def study(**changed):
    given = {
        "name": "tiny",
        "recordings": [rat()],
        "methods": ["raw", {"method": "pca", "output_dimension": 2}],
        "seeds": [0, 1],
        "scores": [DECODE, "consistency"],
    }
    return Study(**(given | changed))


def tables(out):
    return [(out / name).read_bytes() for name in ("scores.parquet", "pairs.parquet")]


def test_workers_at_one_time_give_the_tables_of_a_plain_run(tmp_path):
    """Two processes do one job at one time, a third later; `run` then starts nothing."""
    files = dispatch(study(), tmp_path / "jobs", tmp_path / "out")
    assert len(files) == 3
    jobs = [files[0], files[0]]

    def worker(path):
        command = [sys.executable, "-m", "isofold", "worker", str(path)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    with ThreadPoolExecutor(2) as pool:
        ended = list(pool.map(worker, jobs))
    assert [e.returncode for e in ended] == [0] * 2, ended
    assert {e.stdout for e in ended} == {f"{files[0].name}: done\n"}
    assert [work(job) for job in files] == ["done"] * 3
    said = []
    run(study(), tmp_path / "out", serial=True, progress=lambda *now: said.append(now))
    assert said == [(3, 3, "")]
    run(study(), tmp_path / "plain", serial=True)
    assert tables(tmp_path / "out") == tables(tmp_path / "plain")
    assert dispatch(study(), tmp_path / "jobs", tmp_path / "out") == []
    assert list((tmp_path / "jobs").iterdir()) == []


def test_a_job_that_fails_is_recorded(tmp_path):
    wrong = study(methods=[{"method": "pca", "output_dimension": 9}], seeds=[0])
    (job,) = dispatch(wrong, tmp_path / "jobs", tmp_path / "out")
    assert work(job).startswith("DataError: output_dimension must lie between 1 and 6")
    assert open_results(tmp_path / "out").runs["status"].tolist() == ["error"]
    assert dispatch(wrong, tmp_path / "jobs", tmp_path / "out") == [job]  # it is tried again


def test_job_files_are_refused_where_something_changed(tmp_path):
    np.savez(tmp_path / "rat.npz", signal=np.random.default_rng(0).normal(size=(200, 3)), rate=20.0)
    tables = {
        "name": "x",
        "recordings": [{"path": "rat.npz", "read": {"rate": 20.0}, "bin": {"signal": "signal"}}],
        "methods": ["raw"],
        "scores": [],
    }
    (job,) = dispatch(Study.from_dict(tables, tmp_path), tmp_path / "jobs", tmp_path / "out")
    with pytest.raises(StudyError, match="holds jobs of another study"):
        dispatch(study(), tmp_path / "jobs", tmp_path / "other")
    assert not (tmp_path / "other").exists()
    text = job.read_text()
    (tmp_path / "rat.npz").write_bytes(b"other")
    with pytest.raises(StudyError, match=r"recording 'rat' has changed since job_.*dispatch again"):
        work(job)
    (tmp_path / "rat.npz").unlink()
    with pytest.raises(StudyError, match=r"recording 'rat': no file .*on this machine"):
        work(job)
    job.write_text(text.replace(json.loads(text)["code"], "0.0.1"))
    with pytest.raises(StudyError, match=r"is for isofold 0\.0\.1, this is"):
        work(job)
    job.write_text(text.replace("isofold job", "other job"))
    with pytest.raises(StudyError, match="'other job' 1, this isofold runs 1"):
        work(job)
    for nonsense in ("{", "[]", "{}"):
        job.write_text(nonsense)
        with pytest.raises(StudyError, match="is not a job file of isofold dispatch"):
            work(job)
    own = study(methods=["mine"], estimators={"mine": Rotated})
    with pytest.raises(StudyError, match=r"estimators \['mine'\] are given as objects"):
        dispatch(own, tmp_path / "jobs", tmp_path / "out")
