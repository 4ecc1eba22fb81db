"""The results folder: atomic, readable, honest about failures."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from isofold.errors import StudyError
from isofold.studies import open_results
from isofold.studies.embedding_store import load_embedding, save_embedding
from isofold.studies.results import SCORE_COLUMNS
from isofold.studies.run_folder import finished, new_run, run_path, status, sweep
from isofold.studies.tables import tidy, write_table

SETTINGS = {
    "key": "k1", "recording": "rat", "subject": None, "method": "pca", "seed": 0, "fold": 1,
    "control": "none", "settings": {"output_dimension": 3},
}  # fmt: skip


def embedding(trial):
    n = len(trial)
    coords = {
        "time": np.arange(n) / 10,
        "trial": ("time", trial),
        "position": ("time", np.linspace(0, 1, n)),
        "direction": ("time", np.array(["left", "right"])[np.arange(n) % 2]),
        "edge": ("time", np.arange(n) == 0),
        "split": ("time", np.where(np.arange(n) < 3, "train", "test")),
        "rate": 10.0,
    }
    z = np.random.default_rng(0).normal(size=(n, 3)).astype(np.float32)
    return xr.DataArray(z, coords, ("time", "latent"), attrs={"method": "pca", "n": np.int64(3)})


@pytest.mark.parametrize(
    "trial", [[0, 0, 1, 1, -1], ["a", "a", "b", "b", "c"], ["a", "a", "b", "b", -1]]
)
def test_embedding_comes_back_as_it_was(tmp_path, trial):
    trial = np.array(trial, dtype=object if len({type(t) for t in trial}) > 1 else None)
    before = embedding(trial)
    save_embedding(before, tmp_path / "e.zarr")
    after = load_embedding(tmp_path / "e.zarr")
    xr.testing.assert_identical(after.drop_attrs(), before.drop_attrs())
    assert after.dtype == np.float32
    assert after.attrs == {"method": "pca", "n": 3}


def test_a_run_appears_whole(tmp_path):
    with new_run(tmp_path, "k1", SETTINGS) as folder:
        assert finished(tmp_path) == []
        assert folder.parent == tmp_path / "runs"
    assert status(tmp_path, "k1") == "done"
    assert sorted(p.name for p in run_path(tmp_path, "k1").iterdir()) == ["done", "settings.json"]


def test_a_failure_is_recorded_and_does_not_spread(tmp_path):
    with new_run(tmp_path, "k1", SETTINGS) as folder:
        (folder / "half.txt").write_text("x")
        raise ValueError("no laps")
    error = json.loads((run_path(tmp_path, "k1") / "error.json").read_text())
    assert (error["type"], error["message"]) == ("ValueError", "no laps")
    assert "test_results.py" in error["traceback"]
    assert not (run_path(tmp_path, "k1") / "half.txt").exists()
    with new_run(tmp_path, "k1", SETTINGS):  # a failed run may be tried again
        pass
    assert status(tmp_path, "k1") == "done"


def test_ctrl_c_leaves_nothing(tmp_path):
    with pytest.raises(KeyboardInterrupt), new_run(tmp_path, "k1", SETTINGS):
        raise KeyboardInterrupt
    assert list((tmp_path / "runs").iterdir()) == []
    (tmp_path / "runs" / ".tmp-k1-killed").mkdir()  # what a killed process leaves
    assert finished(tmp_path) == []
    sweep(tmp_path)
    assert list((tmp_path / "runs").iterdir()) == []


def test_results_reads_what_was_written(tmp_path):
    (tmp_path / "study.toml").write_text('name = "tiny"\n')
    with new_run(tmp_path, "k1", SETTINGS) as folder:
        save_embedding(embedding([0, 0, 1, 1, 1]), folder / "embedding.zarr")
        pd.DataFrame({"step": [1], "loss": [0.5]}).to_parquet(folder / "log.parquet")
        (folder / "timing.json").write_text('{"fit": 1.5}')
    with new_run(tmp_path, "k2", SETTINGS | {"key": "k2", "seed": 1}):
        raise ValueError("no laps")
    results = open_results(tmp_path)
    assert results.study == {"name": "tiny"}
    assert results.manifest == {}
    assert results.runs["status"].tolist() == ["done", "error"]
    assert results.runs["error"].tolist() == ["", "ValueError: no laps"]
    assert results.runs["set.output_dimension"].tolist() == [3, 3]
    assert results.settings("k1")["method"] == "pca"
    assert results.log("k1")["loss"].tolist() == [0.5]
    assert results.timing("k1") == {"fit": 1.5}
    assert results.embedding("k1").dims == ("time", "latent")
    assert results.scores.empty
    assert "part" in results.scores
    assert repr(results).endswith("1 runs done, 1 failed>")
    with pytest.raises(StudyError, match="no run 'k9'"):
        results.log("k9")
    with pytest.raises(StudyError, match="'k2' failed and has no"):
        results.embedding("k2")


def test_a_folder_without_results_is_refused(tmp_path):
    with pytest.raises(StudyError, match=r"holds study\.toml.* does not"):
        open_results(tmp_path)


def test_tables_open_without_us(tmp_path):
    """pandas, DuckDB and Polars read what a study leaves."""
    duckdb = pytest.importorskip("duckdb", reason="duckdb is not installed")
    polars = pytest.importorskip("polars", reason="polars is not installed")
    rows = [
        {"method": "pca", "seed": seed, "value": 0.5 + seed, "set.temperature": temperature}
        for seed, temperature in enumerate(["auto", 1.0, None])
    ]
    path = tmp_path / "scores.parquet"
    write_table(tidy(rows, SCORE_COLUMNS), path)
    assert pd.read_parquet(path)["value"].tolist() == [0.5, 1.5, 2.5]
    query = f"select avg(value), count(\"set.temperature\") from '{path}' where method = 'pca'"
    assert duckdb.sql(query).fetchall() == [(1.5, 2)]
    table = polars.read_parquet(path)
    assert table["set.temperature"].to_list() == ["auto", "1.0", None]
    assert table["seed"].to_list() == [0, 1, 2]
