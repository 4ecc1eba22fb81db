"""Results at an address: a real S3 server on loopback, and fsspec's memory."""

from __future__ import annotations

import importlib

import pandas as pd
import pytest
from stand_ins import rat

from isofold import Study, open_results, run
from isofold.errors import StudyError
from isofold.studies import dispatch, place, work
from isofold.studies.executor import HereExecutor

run_ = importlib.import_module("isofold.studies.run")  # the package shows the function
DECODE = {"score": "decode", "label": "position", "k": 5, "metric": "euclidean", "n_chance": 3}
TABLES = ("scores.parquet", "pairs.parquet")


def study(**changed):
    given = {
        "name": "tiny",
        "recordings": [rat()],
        "methods": ["raw", {"method": "pca", "output_dimension": 2}],
        "seeds": [0, 1],
        "scores": [DECODE, "consistency"],
    }
    return Study(**(given | changed))


@pytest.fixture(scope="module")
def s3():
    server = pytest.importorskip("moto.server", reason="moto is not installed")
    pytest.importorskip("s3fs", reason="s3fs is not installed")
    running = server.ThreadedMotoServer("127.0.0.1", 0)
    running.start()
    host, port = running.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        patch.setenv("AWS_ACCESS_KEY_ID", "somebody")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        import s3fs

        fs = s3fs.S3FileSystem(skip_instance_cache=True)
        fs.mkdir("bucket")
        yield fs
    running.stop()


@pytest.fixture
def here(monkeypatch):
    monkeypatch.setattr(run_, "make_executor", lambda *options: HereExecutor())


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    out = tmp_path_factory.mktemp("plain") / "out"
    run(study(), out, serial=True)
    return {name: (out / name).read_bytes() for name in TABLES}


def test_s3_holds_what_a_folder_holds(s3, plain, monkeypatch):
    address = "s3://bucket/deep/study"
    results = run(study(), address, workers=2)
    monkeypatch.setattr(run_, "make_executor", lambda *options: HereExecutor())
    assert repr(results) == f"<Results '{address}': 3 runs done, 0 failed>"
    assert results.page == f"{address}/report.html"
    for name, content in plain.items():
        assert s3.cat(f"bucket/deep/study/{name}") == content
    assert b"tiny" in s3.cat("bucket/deep/study/report.html")
    again = open_results(address)
    assert again.manifest["finished"]
    key = again.runs["key"][0]
    assert again.embedding(key).sizes["time"] == 400
    assert set(again.timing(key)) == {"load", "fit", "transform", "score"}
    assert again.attribution(key).empty
    pd.testing.assert_frame_equal(again.scores, results.scores)
    with pytest.raises(StudyError, match="no run 'k9'"):
        again.log("k9")
    # resumed: nothing runs; what lost a file, or is shorter, runs again
    said = []
    run(study(), address, progress=lambda *now: said.append(now))
    assert said == [(3, 3, "")]
    first, second, third = again.runs["key"]
    s3.rm(f"bucket/deep/study/runs/{first}/embedding.zarr/values/0.0")
    s3.pipe(f"bucket/deep/study/runs/{second}/settings.json", b"{}")
    s3.rm(f"bucket/deep/study/runs/{third}/done")
    said.clear()
    run(study(), address, progress=lambda *now: said.append(now[0]))
    assert said == [0, 1, 2, 3]
    for name, content in plain.items():
        assert s3.cat(f"bucket/deep/study/{name}") == content
    with pytest.raises(StudyError, match=r"'s3://bucket/deep/study' holds another study"):
        run(study(seeds=[7]), address)


def test_workers_write_to_s3(s3, plain, tmp_path, here):
    address = "s3://bucket/jobs"
    for job in dispatch(study(), tmp_path / "jobs", address):
        assert work(job) == "done"
    said = []
    run(study(), address, progress=lambda *now: said.append(now))
    assert said == [(3, 3, "")]
    for name, content in plain.items():
        assert s3.cat(f"bucket/jobs/{name}") == content


def test_a_bucket_with_something_else_is_not_touched(s3):
    s3.pipe("bucket/mine/thesis.txt", b"all of it")
    with pytest.raises(StudyError, match="not empty and holds no results"):
        run(study(), "s3://bucket/mine")
    assert s3.find("bucket/mine") == ["bucket/mine/thesis.txt"]
    with pytest.raises(StudyError, match=r"'s3://bucket/none' does not"):
        open_results("s3://bucket/none")


def test_memory_runs_in_this_process(plain):
    failing = study(methods=["raw", {"method": "pca", "output_dimension": 9}])
    results = run(failing, "memory://study")
    assert results.runs["status"].tolist() == ["error", "error", "done"]
    assert results.runs["error"].str.contains("output_dimension must lie between").sum() == 2
    results = run(study(), "memory://study", resume=True)
    assert results.runs["status"].eq("done").all()
    assert results.path.joinpath("scores.parquet").exists() or len(results.scores)
    pd.testing.assert_frame_equal(open_results("memory://study").pairs, results.pairs)


def test_addresses_that_are_none(tmp_path, monkeypatch):
    with pytest.raises(StudyError, match=r"'nonsense://x' is none: Protocol not known"):
        run(study(), "nonsense://x")
    assert isinstance(place.place_of(f"file://{tmp_path}/x"), place.Folder)
    assert place.place_of(f"file://{tmp_path}/x").path == tmp_path / "x"
