"""`isofold demo`, at full size in a slow test, as a small rat in a fast one."""

from __future__ import annotations

import importlib

import pytest

from isofold import cli, open_results, simulate


def check(out, runs):
    results = open_results(out)
    assert results.runs["status"].eq("done").all()
    assert len(results.runs) == runs
    assert (out / "report.html").stat().st_size > 100_000
    whole = results.scores[results.scores["part"] == "all"]
    return whole[(whole["label"] == "position") & (whole["unit"] == "R²")].groupby("method")[
        "value"
    ]


def test_small(tmp_path, monkeypatch, capsys):
    module = importlib.import_module("isofold.cli.demo")  # the package shows the function
    whole = simulate.place_cells_session
    monkeypatch.setattr(
        simulate, "place_cells_session", lambda seed: whole(seed=seed, n_laps=10, n_units=12)
    )
    small = module.study_of(tmp_path / "out" / "inputs" / "rat.nwb")
    small |= {"seeds": [0], "methods": small["methods"][:1], "scores": small["scores"][:1]}
    monkeypatch.setattr(module, "study_of", lambda path: small)
    assert cli.call(["demo", "--out", str(tmp_path / "out"), "--workers", "1"]) == 0
    shown = capsys.readouterr().out
    assert "report.html" in shown
    assert check(tmp_path / "out", runs=1).mean()["pca"] > 0


@pytest.mark.slow
def test_full(tmp_path):
    assert cli.call(["demo", "--out", str(tmp_path / "out")]) == 0
    r2 = check(tmp_path / "out", runs=9).mean()
    assert r2["cebra-behavior"] > r2["pca"] + 0.1
    assert r2["cebra-time"] > r2["pca"] + 0.1
