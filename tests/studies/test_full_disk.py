"""A disk that is full: an error that says so, nothing half-written, and a later resume."""

from __future__ import annotations

import errno
import importlib
import os
import subprocess
from pathlib import Path

import pytest
from stand_ins import Rotated, rat

from isofold import Study, cli, run
from isofold.studies import one_run, tables
from isofold.studies.executor import HereExecutor
from isofold.studies.run_folder import finished

run_ = importlib.import_module("isofold.studies.run")  # the package shows the function

DECODE = {"score": "decode", "label": "position", "k": 5, "metric": "euclidean", "n_chance": 2}


def study():
    return Study(
        "full",
        [rat(n_trials=5, length=20)],
        ["mine"],
        seeds=range(4),
        scores=[DECODE, "consistency"],
        estimators={"mine": Rotated},
    )


@pytest.fixture
def here(monkeypatch):
    monkeypatch.setattr(run_, "make_executor", lambda *options: HereExecutor())
    monkeypatch.setattr(run_, "_write_page", lambda out: None)


def full(*arguments, **options):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def written(out):
    return {name: (out / name).read_bytes() for name in ("scores.parquet", "pairs.parquet")}


def temporary(out):
    return [p for p in out.rglob("*") if p.name.startswith((".tmp", ".report"))]


def test_full_in_a_run_and_in_the_tables(here, tmp_path, monkeypatch):
    run(study(), tmp_path / "plain")
    out = tmp_path / "out"
    for where, name, kept in (
        (one_run, "save_embedding", 0),
        (one_run, "write_small", 0),
        (tables.pd.DataFrame, "to_parquet", 4),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(where, name, full)
            with pytest.raises(OSError, match=r"no space is left on the disk of the results.*same"):
                run(study(), out)
        assert len(finished(out)) == kept
        assert not temporary(out)
    run(study(), out)
    assert written(out) == written(tmp_path / "plain")


def test_one_line_and_exit_1(here, tmp_path, monkeypatch, capsys):
    (tmp_path / "study.toml").write_text(
        'name = "x"\nmethods = ["pca"]\nscores = []\n'
        '[[recordings]]\nsimulate = {name = "circle", n_samples = 200, n_units = 4}\n'
    )
    monkeypatch.setattr(one_run, "save_embedding", full)
    arguments = ["run", str(tmp_path / "study.toml"), "--out", str(tmp_path / "out")]
    assert cli.call(arguments) == 1
    said = capsys.readouterr().err
    assert "no space is left on the disk of the results" in said
    assert said.count("\n") == 1


@pytest.fixture
def small_disk(tmp_path):
    """A file system of one megabyte."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("no right to mount a small file system here")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=False)


def test_a_real_small_disk(here, small_disk, tmp_path):
    run(study(), tmp_path / "plain")
    out, ballast = small_disk / "out", small_disk / "ballast"
    left = 120_000  # a run has 20 files of a page each
    free = os.statvfs(small_disk)
    ballast.write_bytes(bytes(free.f_bavail * free.f_bsize - left))
    with pytest.raises(OSError, match="no space is left on the disk of the results"):
        run(study(), out)
    assert len(finished(out)) < 4
    assert not temporary(out)
    Path(ballast).unlink()
    run(study(), out)
    assert written(out) == written(tmp_path / "plain")
