"""What would be run: counts, a timed run that leaves nothing, an estimate; and progress."""

from __future__ import annotations

import io
import re

import pytest
from stand_ins import rat

from isofold import Study, cli, run
from isofold.studies import dry_run
from isofold.studies.progress import Bar, Told


def study(**changed):
    given = {
        "name": "tiny",
        "recordings": [rat()],
        "methods": [
            "raw",
            {"method": "pca", "labels": ["position"], "grid": {"output_dimension": [1, 2]}},
        ],
        "seeds": [0, 1],
        "folds": 2,
        "controls": ["permuted labels"],
        "scores": [],
    }
    return Study(**(given | changed))


def test_counts_and_an_estimate_that_leave_nothing(tmp_path):
    out = tmp_path / "out"
    plan = dry_run(study(), out, workers=2)
    assert not out.exists()
    rows = plan.runs.set_index(["method", "control"])[["seeds", "folds", "runs", "done"]]
    assert rows.loc[("raw", "none")].tolist() == [1, 2, 2, 0]
    assert rows.loc[("pca (output_dimension=2)", "permuted labels")].tolist() == [2, 2, 4, 0]
    assert (plan.total, plan.left) == (18, 18)
    assert plan.timed == "rat1, raw, seed 0, fold 0"
    assert plan.error == ""
    assert 0 < plan.seconds < 5
    assert plan.estimate == pytest.approx(plan.seconds * 9)


def test_what_is_done_is_not_counted_again(tmp_path):
    few = study(methods=["raw"])
    run(few, tmp_path / "out", serial=True)
    plan = dry_run(few, tmp_path / "out")
    assert plan.runs["done"].tolist() == [2]
    assert (plan.left, plan.timed, plan.estimate) == (0, "", 0)


def test_the_command(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "study.toml").write_text(
        'name = "x"\nseeds = [0, 1, 2]\nscores = []\n[[methods]]\nmethod = "pca"\n'
        "output_dimension = 9\n"
        '[[recordings]]\nsimulate = {name = "circle", n_samples = 100, n_units = 4}\n'
    )
    assert cli.call(["run", "study.toml", "--dry-run"]) == 0
    shown = capsys.readouterr().out
    assert re.search(r"circle +pca +none +3 +1 +3 +0", shown)
    assert "3 runs, 0 done, 3 left" in shown
    assert "the first fails (circle, pca, seed 0, fold 0): output_dimension must lie" in shown
    text = (tmp_path / "study.toml").read_text()
    (tmp_path / "study.toml").write_text(text.replace("= 9", "= 2"))
    assert cli.call(["run", "study.toml", "--dry-run", "--workers", "2"]) == 0
    assert re.search(r"about [\d.]+ s with 2 processes", capsys.readouterr().out)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["study.toml"]


def test_the_bar_says_what_failed_and_what_is_left(monkeypatch):
    from rich.console import Console

    shown = io.StringIO()
    monkeypatch.setattr(
        "rich.console.Console",
        lambda **options: Console(file=shown, force_terminal=True, width=150),
    )
    bar = Bar()
    bar.begin(10, 4, "http://127.0.0.1:8787/status")
    bar.advance("rat1, pca, seed 0", failed=False)
    bar.advance("rat1, pca, seed 1", failed=True)
    bar.stop()
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.getvalue())
    assert text.count("Dask's dashboard: http://127.0.0.1:8787/status") == 1
    last = text.strip().splitlines()[-1]
    assert "6/10" in last
    assert "1 failed" in last
    assert re.search(r"\d:\d\d left", last)
    assert "rat1, pca, seed 1" in last


def test_a_function_is_told_three_things():
    seen = []
    told = Told(lambda *now: seen.append(now))
    told.begin(3, 1, "")
    told.advance("x", failed=True)
    assert seen == [(1, 3, ""), (2, 3, "x")]
