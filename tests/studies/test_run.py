"""A study from recordings to tables, with stand-in estimators."""

from __future__ import annotations

import importlib
import json
import os
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from stand_ins import Here, Rotated, rat

from isofold import Study, open_results, run
from isofold.errors import StudyError
from isofold.studies import one_run
from isofold.studies.dask_executor import DaskExecutor
from isofold.studies.executor import ONE_PROCESSOR, SerialExecutor
from isofold.studies.tasks import unrolled

run_ = importlib.import_module("isofold.studies.run")  # the package shows the function

DECODE = {"score": "decode", "label": "position", "k": 5, "metric": "euclidean", "n_chance": 3}


@pytest.fixture
def here(monkeypatch):
    monkeypatch.setattr(run_, "make_executor", lambda *options: Here())
    monkeypatch.setattr(run_, "_write_page", lambda out: None)
    monkeypatch.setattr(one_run, "warm", lambda: None)


def study(**changed):
    given = {
        "name": "tiny",
        "recordings": [rat()],
        "methods": ["raw", {"method": "mine", "labels": ["position"], "output_dimension": 2}],
        "seeds": [0, 1, 2],
        "scores": [DECODE, "goodness_of_fit", "consistency"],
        "estimators": {"mine": Rotated},
    }
    return Study(**(given | changed))


def test_tables(here, tmp_path):
    results = run(study(controls=["permuted labels"]), tmp_path / "out")
    assert results.runs["status"].eq("done").all()
    assert len(results.runs) == 1 + 3 + 3
    whole = results.scores[results.scores["part"] == "all"]
    r2 = whole[whole["unit"] == "R²"].set_index(["method", "seed", "control"])["value"]
    assert r2["raw", 0, "none"] > 0.9  # the channels are tuned to position
    assert r2["mine", 0, "none"] == pytest.approx(r2["mine", 1, "none"], abs=0.05)
    error = whole[whole["unit"] == "median error"]
    assert (error["value"] < 0.1).all()
    trials = results.scores["part"].str.startswith("trial ")
    assert set(results.scores.loc[trials, "part"]) == {"trial 8", "trial 9"}
    assert (whole["chance_hi"][whole["unit"] == "R²"] < 0.9).all()
    assert set(results.scores["labels_used"]) == {"", "position"}
    assert results.scores["n"].eq(80).all()
    # a rotation is a linear map: consistency of the seeds is 1
    assert len(results.pairs) == 6
    np.testing.assert_allclose(results.pairs["value"], 1.0, atol=1e-6)
    assert set(results.pairs["from"]) == {"0", "1", "2"}
    assert set(results.pairs["method"]) == {"mine"}
    assert pd.read_parquet(tmp_path / "out" / "scores.parquet")["set.output_dimension"].max() == 2


def test_what_a_run_leaves(here, tmp_path):
    results = run(study(), tmp_path / "out")
    key = results.runs.set_index(["method", "seed"]).loc[("mine", 1), "key"]
    z = results.embedding(key)
    assert z.sizes == {"time": 400, "latent": 2}
    assert set(z.coords) >= {"time", "trial", "position", "split", "edge"}
    split = pd.Series(z.coords["split"].values).groupby(z.coords["trial"].values).unique()
    assert [s.tolist() for s in split] == [["train"]] * 8 + [["test"]] * 2
    assert results.log(key).to_dict("list") == {"step": [1, 2], "loss": [1.0, 0.5]}
    settings = results.settings(key)
    assert settings["resolved"] == {"output_dimension": 2}
    assert settings["test_trials"] == [8, 9]
    assert set(results.timing(key)) == {"load", "fit", "transform", "score"}
    assert results.manifest["inputs"]["rat1"]["sha256"]
    assert results.manifest["packages"]["numpy"] == np.__version__
    assert Study.from_toml(
        tmp_path / "out" / "study.toml", estimators={"mine": Rotated}
    ).recordings[0].path == str((tmp_path / "out" / "inputs" / "rat1.zarr").resolve())


def test_a_failing_run_stops_no_other(here, tmp_path):
    failing = {"method": "mine", "fail_on_seed": 1}
    results = run(study(methods=[failing]), tmp_path / "out")
    assert results.runs.set_index("seed")["status"].to_dict() == {0: "done", 1: "error", 2: "done"}
    assert results.runs.set_index("seed").loc[1, "error"] == "ValueError: this seed\nfails"
    assert set(results.scores["seed"]) == {0, 2}
    assert set(results.pairs["from"]) == {"0", "2"}


def test_steps_are_fitted_on_training_trials(here, tmp_path):
    """The z-scored training trials have mean 0; the held-out ones, moved, have not."""
    recording = rat()
    signal = recording.signal.copy()
    signal[320:] += 5.0
    moved = type(recording)(signal, 20.0, trials=recording.trials, name="rat1")
    method = {"method": "raw", "steps": ["zscore"]}
    results = run(study(recordings=[moved], methods=[method], scores=[]), tmp_path / "out")
    z = results.embedding(results.runs["key"][0])
    split = z.coords["split"].values
    np.testing.assert_allclose(z.values[split == "train"].mean(axis=0), 0, atol=1e-5)
    assert z.values[split == "test"].mean() > 5


def test_control_moves_labels_between_trials():
    recording = rat()
    lap = recording.trials["lap"].to_numpy()
    tasks = unrolled(study(controls=["permuted labels"]), {"rat1": "x"})
    control = next(t for t in tasks if t.control != "none")
    train, _ = control.parts(one_run.with_trial_labels(recording, ["lap"]))
    moved = one_run.controlled(train, control)
    assert not np.array_equal(moved.label("position"), train.label("position"))
    np.testing.assert_array_equal(
        np.sort(moved.label("position")), np.sort(train.label("position"))
    )
    np.testing.assert_array_equal(train.label("lap"), np.repeat(lap[:8], 40))
    plain = next(t for t in tasks if t.control == "none" and t.method.labels)
    assert one_run.controlled(train, plain) is train


def test_split_names_with_gaps_and_samples_outside_trials():
    trials = pd.DataFrame({"start": [2, 12, 22], "stop": [10, 20, 30]})
    recording = type(rat())(np.arange(35.0)[:, None], rate=3.0, trials=trials, start=7.1)
    keep = recording.signal[:, 0] != 15
    holed = type(recording)(
        np.where(keep[:, None], recording.signal, np.nan), rate=3.0, trials=trials, start=7.1
    ).fill("drop")
    train, test = holed.split(test=0.34)
    names = one_run.split_names(holed, train, test)
    expected = np.full(35, "outside")
    expected[2:10] = expected[12:20] = "train"
    expected[22:30] = "test"
    assert names.tolist() == expected[keep].tolist()


def test_finished_runs_are_not_repeated(here, tmp_path, monkeypatch):
    out = tmp_path / "out"
    first = run(study(seeds=[0, 1]), out)
    before = (out / "scores.parquet").read_bytes()
    lost = first.runs["key"][0]
    (out / "runs" / lost / "done").unlink()  # as if it had been interrupted
    ran = []
    execute = one_run.execute

    def noted(task, results):
        ran.append(task.key)
        return execute(task, results)

    monkeypatch.setattr(run_, "execute", noted)
    run(study(seeds=[0, 1]), out)
    assert ran == [lost]
    assert (out / "scores.parquet").read_bytes() == before
    more = run(study(seeds=[0, 1, 2]), out, resume=True)
    assert len(ran) == 2
    assert len(more.runs) == 4
    fewer = run(study(seeds=[2]), out, resume=True)
    assert set(fewer.runs["seed"]) == set(fewer.scores["seed"]) == {2}


def test_results_of_another_study_are_not_touched(here, tmp_path):
    out = tmp_path / "out"
    run(study(seeds=[0]), out)
    before = {p: p.stat().st_mtime_ns for p in out.rglob("*")}
    with pytest.raises(StudyError, match=r"holds another study \('tiny'\).*--resume"):
        run(study(seeds=[1]), out)
    with pytest.raises(StudyError, match="other input"):
        run(study(seeds=[0], recordings=[rat(seed=5)]), out)
    assert {p: p.stat().st_mtime_ns for p in out.rglob("*")} == before
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").touch()
    for resume in (False, True):
        with pytest.raises(StudyError, match="not empty and holds no results"):
            run(study(), tmp_path / "mine", resume=resume)
    assert [p.name for p in (tmp_path / "mine").iterdir()] == ["thesis.txt"]
    with pytest.raises(StudyError, match="is a file"):
        run(study(), tmp_path / "mine" / "thesis.txt")


def test_ctrl_c_keeps_finished_runs(here, tmp_path):
    def stop(done, total, what):
        if done == 2:
            raise KeyboardInterrupt

    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        run(study(), out, progress=stop)
    assert open_results(out).runs["status"].eq("done").all()
    seen = []
    results = run(study(), out, progress=lambda *now: seen.append(now[:2]))
    assert len(results.runs) == 4
    assert seen[-1] == (4, 4)


@pytest.mark.parametrize(
    "options", [{"workers": 2}, {"scheduler": "tcp://x:1"}, {"memory": "1 GiB"}]
)
def test_options_that_exclude_each_other(tmp_path, options):
    with pytest.raises(StudyError, match="serial runs have one process"):
        run(study(), tmp_path / "out", serial=True, **options)
    with pytest.raises(StudyError, match="a scheduler has its own workers"):
        run(study(), tmp_path / "out", scheduler="tcp://x:1", memory="1 GiB")
    with pytest.raises(StudyError, match="workers must be at least 1"):
        run(study(), tmp_path / "out", workers=0)


def environment(_):
    return {name: os.environ.get(name) for name in ONE_PROCESSOR}


@pytest.mark.parametrize("executor", [SerialExecutor, lambda: DaskExecutor(1)])
def test_workers_have_one_processor(executor):
    before = environment(None)
    pool = executor()
    try:
        assert list(pool.each(environment, ["x"])) == [("x", ONE_PROCESSOR)]
    finally:
        pool.close()
    assert environment(None) == before


def test_serial_and_cluster_write_the_same_bytes(tmp_path):
    small = study(seeds=[0, 1], scores=[DECODE, "consistency"])
    for name, options in (("serial", {"serial": True}), ("cluster", {"workers": 2})):
        run(small, tmp_path / name, **options)
    for table in ("scores.parquet", "pairs.parquet"):
        serial, cluster = ((tmp_path / n / table).read_bytes() for n in ("serial", "cluster"))
        assert serial == cluster
    page = (tmp_path / "serial" / "report.html").read_text(encoding="utf-8")
    assert "tiny" in page
    keys = json.loads((tmp_path / "serial" / "manifest.json").read_text())["keys"]
    assert len(keys) == 3


def test_channels_are_ranked_on_held_out_trials_where_asked(here, tmp_path):
    """Methods without an encoder and controls have no table; a key knows what was asked."""
    asked = study(
        methods=["raw", {"method": "pca", "labels": ["position"], "output_dimension": 2}],
        seeds=[0],
        controls=["permuted labels"],
        attribution=["position", "lap"],
        scores=[],
    )
    results = run(asked, tmp_path / "out")
    assert results.study["attribution"] == ["position", "lap"]
    done = results.runs.set_index(["method", "control"])["key"]
    table = results.attribution(done["pca", "none"])
    assert table.groupby("label")["share"].sum().tolist() == pytest.approx([1, 1])
    assert set(table["channel"]) == {str(k) for k in range(6)}
    assert "attribution" in results.timing(done["pca", "none"])
    assert results.attribution(done["raw", "none"]).empty
    assert results.attribution(done["pca", "permuted labels"]).empty
    with pytest.raises(StudyError, match="no run 'nothing'"):
        results.attribution("nothing")
    plain = run(replace(asked, attribution=()), tmp_path / "plain")
    assert done["pca", "none"] not in set(plain.runs["key"])


def test_attribution_names_labels():
    assert study(attribution="position").attribution == ("position",)
    assert "attribution" not in study().to_dict()
    with pytest.raises(StudyError, match="attribution must be a list of names, got 3"):
        study(attribution=3)
