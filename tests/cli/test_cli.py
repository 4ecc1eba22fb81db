"""Commands as a user types them: output, exit codes, one line where something is wrong."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest

from isofold import cli, open_results
from isofold.errors import DataError

COMMANDS = ["demo", "inspect", "embed", "run", "report", "methods", "dispatch", "worker", "capsule"]


@pytest.fixture
def recording_file(tmp_path):
    """A recording as arrays, with a position that the channels follow."""
    rng = np.random.default_rng(0)
    x = np.tile(np.linspace(0, 1, 40), 10)
    signal = np.c_[x, 1 - x, x**2] + 0.05 * rng.normal(size=(400, 3))
    path = tmp_path / "rat.npz"
    np.savez(path, signal=signal, position=x, time=np.arange(400) / 20)
    return path


def study_file(folder, method='method = "raw"', recording='path = "rat.npz"'):
    path = folder / "study.toml"
    path.write_text(
        f'name = "small"\n[[recordings]]\n{recording}\nbin = {{signal = "signal", '
        f'labels = ["position"]}}\n[[methods]]\n{method}\n'
        '[[scores]]\nscore = "decode"\nlabel = "position"\nk = 5\nn_chance = 3\n'
    )
    return path


def test_help_is_fast_and_complete():
    start = time.perf_counter()
    shown = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "isofold", "--help"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    took = time.perf_counter() - start
    for command in COMMANDS:
        assert f"  {command} " in shown.stdout
    loaded = {line.split("|")[-1].strip() for line in shown.stderr.splitlines()}
    heavy = {"jax", "numpy", "pandas", "xarray", "sklearn", "dask", "plotly", "pynapple"}
    assert not heavy & loaded
    assert took < 5  # 0.3 s on an idle machine; what takes time is named above


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command, capsys):
    assert cli.call([command, "--help"]) == 0
    assert len(capsys.readouterr().out.splitlines()) > 3


def test_methods(capsys):
    assert cli.call(["methods"]) == 0
    shown = capsys.readouterr().out
    for name in ("pca", "cebra-time", "cebra-behavior", "raw"):
        assert name in shown
    assert "required" in shown


def test_inspect(recording_file, capsys):
    assert cli.call(["inspect", str(recording_file)]) == 0
    shown = capsys.readouterr().out
    assert "signal" in shown
    assert "400 × 3" in shown
    assert "20" in shown


def test_run_report_and_again(recording_file, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli.call(["run", str(study_file(tmp_path)), "--serial"]) == 0
    shown = capsys.readouterr().out
    assert "1 runs done, 0 failed" in shown
    assert "report: results/small/report.html" in shown
    assert "raw" in shown
    page = tmp_path / "results" / "small" / "report.html"
    before = page.read_bytes()
    page.unlink()
    assert cli.call(["report", "results/small"]) == 0
    assert page.read_bytes() == before
    # another study does not write over it
    study_file(tmp_path, 'method = "pca"')
    capsys.readouterr()
    assert cli.call(["run", "study.toml", "--serial"]) == 2
    said = capsys.readouterr().err
    assert "holds another study ('small')" in said
    assert said.count("\n") == 1


def test_embed(recording_file, tmp_path, capsys):
    out = tmp_path / "out"
    arguments = ["embed", str(recording_file), "--method", "pca", "--dimension", "2"]
    arguments += ["--signal", "signal", "--decode", "position", "--out", str(out)]
    assert cli.call(arguments) == 0
    assert "position, R²" in capsys.readouterr().out
    results = open_results(out)
    assert results.embedding(results.runs["key"][0]).sizes == {"time": 400, "latent": 2}
    assert isinstance(results.scores, pd.DataFrame)


def test_a_failed_run_is_said_and_exits_1(recording_file, tmp_path, capsys):
    study_file(tmp_path, 'method = "pca"\noutput_dimension = 9')
    out = tmp_path / "out"
    assert cli.call(["run", str(tmp_path / "study.toml"), "--serial", "--out", str(out)]) == 1
    shown = capsys.readouterr()
    assert "0 runs done, 1 failed" in shown.out
    assert "output_dimension must lie between 1 and 3" in shown.out
    assert "Traceback" not in shown.out + shown.err


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["nonsense"], 2, "No such command 'nonsense'"),
        (["demo", "--foo"], 2, "No such option"),
        (["demo", "--workers", "0"], 2, "Invalid value for '--workers'"),
        (["demo", "--out", "text"], 1, "text"),
        (["inspect"], 2, "Missing argument 'PATH'"),
        (["inspect", "none.nwb"], 2, "'none.nwb' does not exist"),
        (["inspect", "text"], 1, "text"),
        (["inspect", "rat.npz", "--rate", "fast"], 2, "Invalid value for '--rate'"),
        (["embed", "rat.npz"], 2, "Missing option '--method'"),
        (
            ["embed", "rat.npz", "--method", "pcca"],
            2,
            "unknown method 'pcca' (did you mean 'pca'?)",
        ),
        (["embed", "rat.npz", "--method", "cebra-behavior"], 2, "learns from labels"),
        (["embed", "none.npz", "--method", "pca"], 2, "'none.npz' does not exist"),
        (["embed", "rat.npz", "--method", "pca", "--dimension", "0"], 2, "'--dimension'"),
        (["run"], 2, "Missing argument 'STUDY.toml'"),
        (["run", "none.toml"], 2, "'none.toml' does not exist"),
        (["run", "text"], 2, "text is not a TOML file"),
        (["run", "unknown.toml"], 2, "unknown.toml: methods[0]: unknown method 'pcca'"),
        (["run", "missing.toml"], 2, "recording 'none': no file"),
        (["run", "unknown.toml", "--jobs", "3"], 2, "No such option"),
        (["run", "unknown.toml", "--serial", "--workers", "2"], 2, "--serial has one process"),
        (["run", "unknown.toml", "--scheduler", "tcp://x:1", "--workers", "2"], 2, "own workers"),
        (["run", "unknown.toml", "--serial", "--memory", "1 GiB"], 2, "--serial has one process"),
        (["run", "unknown.toml", "--memory", "much"], 2, "unknown.toml"),
        (["run", "small.toml", "--memory", "much"], 2, "memory must be an amount"),
        (["dispatch", "small.toml"], 2, "Missing option '--jobs'"),
        (["worker"], 2, "Missing argument 'JOB.json'"),
        (["worker", "text"], 2, "text is not a job file of isofold dispatch"),
        (["report"], 2, "Missing argument 'DIR'"),
        (["report", "none"], 2, "'none' does not exist"),
        (["report", "empty"], 2, "holds study.toml; 'empty' does not"),
        (["methods", "extra"], 2, "unexpected extra argument"),
    ],
)
def test_wrong_use(arguments, code, message, recording_file, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text").write_text("not a recording")
    (tmp_path / "empty").mkdir()
    study_file(tmp_path, recording='path = "none.npz"').rename(tmp_path / "missing.toml")
    study_file(tmp_path, method='method = "pcca"').rename(tmp_path / "unknown.toml")
    study_file(tmp_path).rename(tmp_path / "small.toml")
    assert cli.call(arguments) == code
    said = capsys.readouterr()
    assert message in said.err
    assert "Traceback" not in said.err
    assert said.err.strip().splitlines()[-1].startswith(("isofold: ", "Error: "))
    assert not (tmp_path / "results").exists()


def test_debug_shows_the_traceback(tmp_path, monkeypatch):
    (tmp_path / "text").write_text("not a recording")
    with pytest.raises((DataError, ValueError)):
        cli.call(["--debug", "inspect", str(tmp_path / "text")])


@pytest.mark.parametrize(
    ("workers", "sent", "code"),
    [
        (["--serial"], signal.SIGINT, 130),
        (["--workers", "1"], signal.SIGINT, 130),
        (["--workers", "1"], signal.SIGTERM, 143),
    ],
)
def test_signals(recording_file, tmp_path, workers, sent, code):
    """A real signal: one line, its exit code, no process is left. A terminal sends Ctrl-C to the
    whole group, a batch system sends SIGTERM to the main process."""
    path = study_file(tmp_path)
    path.write_text(path.read_text().replace("n_chance = 3", "n_chance = 1000000"))  # for hours
    arguments = [sys.executable, "-m", "isofold", "run", str(path), "--out", str(tmp_path / "out")]
    process = subprocess.Popen(
        [*arguments, *workers], stderr=subprocess.PIPE, text=True, start_new_session=True,
        # A shell that runs the tests in the background has them ignore Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob("out/runs/.tmp-*")) and time.monotonic() < deadline:
        time.sleep(0.05)
    (os.killpg if sent == signal.SIGINT else os.kill)(process.pid, sent)
    _, said = process.communicate(timeout=60)
    assert process.returncode == code
    assert said.strip().splitlines()[-1] == "isofold: interrupted; runs that are done are kept"
    assert "Traceback" not in said
    deadline = time.monotonic() + 10  # the group is gone, or goes within seconds
    while _alive(process.pid) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not _alive(process.pid)


def _alive(group):
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True
