"""Nothing is lost and nothing doubled, whatever is killed, and whenever."""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import os
import random
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest
from stand_ins import Greedy, Slow, rat

from isofold import Study, open_results, run
from isofold.studies import dask_executor, executor
from isofold.studies.run_folder import finished

run_ = importlib.import_module("isofold.studies.run")  # the package shows the function

DECODE = {"score": "decode", "label": "position", "k": 5, "metric": "euclidean", "n_chance": 2}


def study(n, seconds, notes=None):
    slow = {"method": "slow", "seconds": seconds, "notes": None if notes is None else str(notes)}
    return Study(
        "killed",
        [rat(n_trials=5, length=20)],
        [slow],
        seeds=range(n),
        scores=[DECODE, "consistency"],
        estimators={"slow": Slow},
    )


def sums(out):
    names = ("scores.parquet", "pairs.parquet")
    return [hashlib.sha256((out / name).read_bytes()).hexdigest() for name in names]


def ran(study, out, **options):
    """How many runs a call starts; in this process, unless options say otherwise."""
    begun = []
    with pytest.MonkeyPatch.context() as patch:
        if "workers" not in options:
            patch.setattr(run_, "make_executor", lambda *options: executor.HereExecutor())
        run(study, out, progress=lambda *now: begun.append(now[0]), **options)
    return len(begun) - 1


def worker_processes(of):
    """Not the resource tracker of multiprocessing."""
    return [
        p
        for p in psutil.Process(of).children(recursive=True)
        if "spawn_main" in " ".join(p.cmdline())
    ]


@contextlib.contextmanager
def killing(out, after, every):
    """Kill a random worker once so many runs are done, and then every so many seconds."""
    stop, killed = threading.Event(), []

    def kill():
        while len(finished(out)) < after and not stop.wait(0.05):
            pass
        while not stop.is_set():
            with contextlib.suppress(psutil.NoSuchProcess, IndexError):
                victim = random.choice(worker_processes(os.getpid()))
                victim.kill()
                killed.append(victim.pid)
            stop.wait(every)

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        yield killed
    finally:
        stop.set()
        thread.join()


@pytest.fixture(autouse=True)
def no_page(monkeypatch):
    monkeypatch.setattr(run_, "_write_page", lambda place: None)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    out = tmp_path_factory.mktemp("undisturbed") / "out"
    ran(study(5, 0.2), out)
    return sums(out)


SERIAL_TOO = pytest.mark.parametrize(
    "options",
    [
        pytest.param({"workers": 2}, id="cluster"),
        pytest.param({"serial": True}, id="serial", marks=pytest.mark.slow),
    ],
)


@SERIAL_TOO
def test_a_killed_worker(tmp_path, undisturbed, options):
    with killing(tmp_path / "out", after=1, every=60) as killed:
        results = run(study(5, 0.2), tmp_path / "out", **options)
    assert len(killed) == 1
    assert results.runs["status"].eq("done").all()
    assert sums(tmp_path / "out") == undisturbed
    assert ran(study(5, 0.2), tmp_path / "out") == 0
    assert not list((tmp_path / "out" / "runs").glob(".tmp*"))


SCRIPT = """
import sys
sys.path[:0] = {paths!r}
from test_killed import run, study
if __name__ == "__main__":
    run(study({n}, {seconds}), {out!r}, **{options!r})
"""


def client(folder, n, seconds, options):
    """A study in a process of its own, to be killed."""
    script = folder / "client.py"
    paths = [str(Path(__file__).parent)]
    script.write_text(
        SCRIPT.format(paths=paths, n=n, seconds=seconds, out=str(folder / "out"), options=options)
    )
    return subprocess.Popen(
        [sys.executable, str(script)], env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    )


@SERIAL_TOO
def test_a_killed_client(tmp_path, undisturbed, options):
    """Its workers end with it, runs that are done are kept, and the rest is done later."""
    process = client(tmp_path, 5, 0.2, options)
    out = tmp_path / "out"
    deadline = time.monotonic() + 60
    while len(finished(out)) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    workers = worker_processes(process.pid)
    process.kill()
    process.wait()
    assert workers
    assert not psutil.wait_procs(workers, timeout=10)[1]
    kept = len(finished(out))
    assert kept >= 2
    assert ran(study(5, 0.2), out) == 5 - kept
    assert sums(out) == undisturbed


@pytest.mark.parametrize(
    ("how", "options"),
    [
        ("die", {"serial": True}),
        pytest.param("eat", {"workers": 1, "memory": "500 MB"}, marks=pytest.mark.slow),
    ],
)
def test_a_run_that_kills_its_process_stops_no_other(tmp_path, monkeypatch, how, options):
    monkeypatch.setattr(executor, "DEATHS", 1)
    setting = "distributed.scheduler.allowed-failures"
    monkeypatch.setitem(dask_executor.SETTINGS, setting, 1)
    greedy = Study(
        "greedy",
        [rat(n_trials=5, length=20)],
        [{"method": "greedy", "how": how}],
        seeds=[0, 1, 2, 3],
        scores=["consistency"],
        estimators={"greedy": Greedy},
    )
    results = run(greedy, tmp_path / "out", **options)
    status = results.runs.set_index("seed")["status"]
    assert status.to_dict() == {0: "done", 1: "error", 2: "done", 3: "done"}
    times = 2 if "serial" in options else 4  # on Dask once more, alone
    said = results.runs.set_index("seed")["error"][1]
    assert f"the process of this run ended {times} times without an answer" in said
    assert "used more than its memory" in said
    assert set(results.pairs["from"]) == {"0", "2", "3"}


def test_damaged_runs_are_repeated(tmp_path, undisturbed):
    out = tmp_path / "out"
    quick = study(5, 0.2)
    assert ran(quick, out) == 5
    keys = open_results(out).runs["key"].tolist()
    chunk = out / "runs" / keys[0] / "embedding.zarr" / "values" / "0.0"
    chunk.write_bytes(chunk.read_bytes()[:-1] + b"x")  # same size
    (out / "runs" / keys[1] / "scores.parquet").write_bytes(b"")
    (out / "runs" / keys[2] / "done").write_bytes(b"")
    (out / "scores.parquet").write_bytes(b"PAR1")
    (out / "pairs.parquet").unlink()
    assert ran(quick, out) == 3
    assert sums(out) == undisturbed
    (out / "manifest.json").write_text("{")
    assert ran(quick, out, resume=True) == 0
    assert sums(out) == undisturbed
    assert open_results(out).manifest["finished"]


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_two_hundred_runs_under_fire(tmp_path):
    """A random worker is killed every 5 s, the client once; 200 runs of 2 s."""
    process = client(tmp_path, 200, 2.0, {"workers": 2})
    out = tmp_path / "out"
    while len(finished(out)) < 40:
        time.sleep(5)
        with contextlib.suppress(psutil.NoSuchProcess, IndexError):
            random.choice(worker_processes(process.pid)).kill()
    process.kill()
    process.wait()
    kept = len(finished(out))
    with killing(out, after=0, every=5) as killed:
        assert ran(study(200, 2.0), out, workers=2) == 200 - kept
    assert len(killed) > 20
    results = open_results(out)
    assert results.runs["status"].eq("done").all()
    assert len(results.runs) == len(list((out / "runs").glob("[!.]*"))) == 200
    assert ran(study(200, 2.0), out, workers=2) == 0
    undisturbed = tmp_path / "undisturbed"
    run(study(200, 2.0), undisturbed, workers=2)
    assert sums(out) == sums(undisturbed)
