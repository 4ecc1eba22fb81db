"""From raw photometry to answers about single trials and a page, through a study."""

from __future__ import annotations

import base64
import json
import zlib
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import isofold as iso
from isofold.studies.session_facts import MOST_POINTS, thinned
from isofold.studies.single_trial_spec import SingleTrialSpec
from isofold.studies.single_trials import answers
from isofold.studies.trial_answers import TrialAnswers

CLEAN = [
    {"photometry": {"signal": "470", "control": "415", "bleaching": "exp"}},
    {"event_clock": {"event": "cue", "window": [-1.0, 3.0]}},
    {"trial_column": {"name": "large", "query": "amplitude > 0.01"}},
]
BLOCK = {"event": "cue", "window": [-1, 3], "baseline": [-1, 0], "by": "condition"}


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photometry")
    session = iso.simulate.photometry_session(seed=1, duration=900.0, n_fibers=2)
    session.to_nwb(folder / "mouse.nwb")
    recording = {
        "path": str(folder / "mouse.nwb"),
        "name": "<mouse> 1",
        "clean": CLEAN,
        "bin": {"signal": "dff", "width": 0.1, "labels": ["condition", "time_from_cue"],
                "align": "cue", "window": [-1.0, 3.0]},
        "steps": ["zscore"],
    }  # fmt: skip
    study = iso.Study(
        "photometry",
        [recording],
        ["raw", {"method": "pca", "output_dimension": 2}],
        folds=2,
        scores=[
            {"score": "decode_trials", "label": "condition", "event": "cue", "window": [0, 2],
             "n_chance": 50},
            {"score": "decode_trials", "label": "condition", "event": "cue", "window": [0, 2],
             "features": "mean", "n_chance": 50},
        ],
        single_trials=[BLOCK, BLOCK | {"by": "colour"}],
    )  # fmt: skip
    return iso.run(study, folder / "results", serial=True, progress=False)


def test_conditions_are_told_from_held_out_trials(results):
    assert (results.runs["status"] == "done").all(), results.runs["error"].tolist()
    whole = results.scores.query("part == 'all' and score == 'decode_trials'")
    assert set(whole["decoder"]) == {"course, 0 to 2 s", "mean, 0 to 2 s"}
    assert len(whole) == 2 * 2 * 2
    assert set(whole["unit"]) == {"accuracy"}
    mean = whole[whole["decoder"] == "course, 0 to 2 s"].groupby("method")["value"].mean()
    assert mean["raw"] > whole["chance_mean"].mean() + 0.2


def test_the_session_is_told_of(results):
    facts = results.session_facts()["<mouse> 1"]
    assert {row["status"] for row in facts["quality.json"]} <= {"pass", "fail", "pending"}
    table = facts["traces.parquet"]
    assert set(table["part"]) == {"whole", "close"}
    wanted = {"signal", "control", "baseline", "dff_uncorrected", "motion", "dff"}
    assert set(table["series"]) == wanted
    assert table.groupby(["part", "channel", "series"]).size().max() <= MOST_POINTS
    assert table["channel"].nunique() == 2


def test_answers_about_trials(results):
    found, refused = results.single_trials()
    assert found.about["n_trials"] == len(found.per_trial) > 10
    assert found.tensor().sizes["channel"] == 2
    channels = found.tensor()["channel"].values.tolist()
    wanted = {f"{name} {c}" for name in ("peak", "latency", "area") for c in channels}
    assert wanted | {"distance", "outlier", "p_outlier", "in_channel"} <= set(found.per_trial)
    assert set(found.averages["condition"]) == {"CS+", "CS-"}
    assert (found.averages["low"] <= found.averages["mean"]).all()
    assert found.about["decode"]["value"] > found.about["decode"]["chance_hi"]
    before = found.over_time.query("time < -0.2")
    after = found.over_time.query("0.3 < time < 1.5")
    assert after["value"].mean() > before["value"].mean() + 0.2
    assert 0 <= found.about["variability"]["share"] <= 1
    assert refused.about["n_trials"] == 0
    assert "no trial column 'colour'" in refused.about["notes"][0]


def test_the_page_shows_them_and_escapes_names(results):
    text = (results.path / "report.html").read_text(encoding="utf-8")
    assert "How recordings were cleaned" in text
    assert "Single trials" in text
    assert "<mouse>" not in text
    packed = text.split('id="figures">')[1].split("</script>")[0]
    figures = json.loads(zlib.decompress(base64.b64decode(packed)))
    names = set(figures)
    assert {"traces-0-0-whole", "traces-0-1-close", "trials-0-0", "trials-0-1"} <= names
    heat = next(t for t in figures["trials-0-0"]["data"] if t["type"] == "heatmap")
    assert np.array(heat["z"], float).shape[0] == results.single_trials()[0].about["n_trials"]


def test_the_same_study_again_gives_the_same_bytes(results, tmp_path):
    before = {
        p.relative_to(results.path): p.read_bytes()
        for p in (results.path / "recordings").rglob("*")
        if p.is_file()
    }
    again = iso.Study.from_dict(results.study)
    iso.run(again, results.path, serial=True, progress=False, resume=True)
    for name, content in before.items():
        assert (results.path / name).read_bytes() == content, name


def simulated(n=40, n_channels=1, size=1.0, seed=0):
    """A recording whose trials of one condition respond after the event."""
    rng = np.random.default_rng(seed)
    condition = np.tile(["a", "b"], n // 2)
    x = rng.normal(size=(n, 30, n_channels))
    x[condition == "a", 10:20] += size
    start = 30 * np.arange(n)
    rat = np.repeat(["p", "q"], n // 2)
    trials = pd.DataFrame({"start": start, "stop": start + 30, "condition": condition, "rat": rat})
    trials["go"] = (start + 10) / 10.0
    return iso.Recording(x.reshape(-1, n_channels), rate=10.0, trials=trials, name="x")


def test_an_injected_outlier_is_named_with_its_time():
    recording = simulated()
    signal = recording.signal.copy()
    signal[30 * 7 + 15] += 9.0
    spec = SingleTrialSpec("go", (-1.0, 2.0), by="condition")
    table = answers(replace(recording, signal=signal), spec).per_trial
    row = table.loc[table["p_outlier"].idxmin()]
    assert (row["trial"], bool(row["outlier"])) == (7, True)
    assert row["at"] == pytest.approx(0.5, abs=0.01)


def test_groups_are_left_out_and_trials_compared_within_them():
    recording = simulated(n=80)
    spec = SingleTrialSpec("go", (-1.0, 2.0), by="condition", groups="rat")
    found = answers(recording, spec)
    assert found.about["decode"]["split"] == "one group left out"
    assert "one rat left out at a time" in found.about["notes"][0]
    assert "rat" in found.per_trial


def test_few_or_no_trials_are_refused():
    spec = SingleTrialSpec("go", (-1.0, 2.0))
    with pytest.raises(iso.errors.DataError, match="at least 8 whole windows"):
        answers(simulated(n=4), spec)
    late = SingleTrialSpec("go", (-1.0, 9.0))
    with pytest.raises(iso.errors.DataError, match="has 0 of 40"):
        answers(simulated(), late)


def test_answers_on_disk_are_what_they_were(tmp_path):
    found = answers(simulated(n_channels=2), SingleTrialSpec("go", (-1.0, 2.0), by="condition"))
    found.write(tmp_path / "a")
    again = TrialAnswers.read(tmp_path / "a")
    assert again.about == json.loads(json.dumps(found.about))
    pd.testing.assert_frame_equal(again.aligned, found.aligned)
    pd.testing.assert_frame_equal(again.per_trial, found.per_trial, check_dtype=False)
    np.testing.assert_array_equal(again.tensor().values, found.tensor().values)


def test_thinning_is_means_of_neighbours():
    t = np.arange(10_000.0)
    values = np.sin(t)
    values[:9] = np.nan
    x, y = thinned(t, values)
    assert len(x) <= MOST_POINTS
    assert np.isnan(y[0])
    assert y[5] == pytest.approx(values[45:54].mean())
    assert x[5] == pytest.approx(49.0)
