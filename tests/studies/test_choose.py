"""Bin width and smoothing: chosen by the training trials alone."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from isofold import Session, Study
from isofold.errors import StudyError
from isofold.studies import load, one_run
from isofold.studies.choose import choose_binning, inner_error
from isofold.studies.recording_spec import RecordingSpec
from isofold.studies.tasks import unrolled

CHOOSE = {"width": [0.05, 0.1], "smooth": [0.0, 0.15], "label": "position"}


def session(seed=0, n_laps=8, scrambled=()):
    """Place cells of a rat that runs one way; in the scrambled laps spikes say nothing."""
    import pynapple as nap

    rng = np.random.default_rng(seed)
    t = np.arange(0, n_laps * 2, 0.01)
    position = (t % 2) / 2
    lap = (t // 2).astype(int)
    rates = 25 * np.exp(-((position[:, None] - np.linspace(0, 1, 8)) ** 2) / 0.01)
    rates[np.isin(lap, scrambled)] = 5
    spikes = rng.random(rates.shape) < rates * 0.01
    start = np.arange(n_laps) * 2.0
    return Session(
        units={u: t[spikes[:, u]] for u in range(8)},
        series={"position": nap.Tsd(t=t, d=position)},
        trials=pd.DataFrame({"start": start + 0.1, "stop": start + 1.9}),
    )


def spec(**changed):
    given = {"bin": {"labels": ["position"]}, "choose": CHOOSE} | changed
    return RecordingSpec("rat1", path="rat.nwb", **given)


def parts(recording):
    return recording.split(test=0.25)


def test_the_smallest_inner_error_wins():
    recording, chosen = choose_binning(session(), spec(), parts)
    tried = pd.DataFrame(chosen["tried"]).set_index(["width", "smooth"])["error"]
    assert tried.idxmin() == (chosen["width"], chosen["smooth"])
    assert chosen["smooth"] == 0.15  # 50 ms of few spikes say little without their neighbours
    assert recording.rate == pytest.approx(1 / chosen["width"])
    assert tried.min() < 0.1 < tried.max() * 4


def test_held_out_trials_have_no_say():
    """Spoiling the held-out laps changes no error that was chosen by."""
    _, clean = choose_binning(session(), spec(), parts)
    _, spoilt = choose_binning(session(scrambled=[6, 7]), spec(), parts)
    assert clean["tried"] == spoilt["tried"]
    _, spoilt = choose_binning(session(scrambled=[0]), spec(), parts)
    assert clean["tried"] != spoilt["tried"]


def test_one_run_records_what_was_chosen(monkeypatch):
    monkeypatch.setattr(one_run, "load_session", lambda spec, fingerprint: session())
    study = Study("x", [spec()], ["raw"], scores=[])
    recording, chosen = one_run.prepared(unrolled(study, {"rat1": "f"})[0])
    assert set(chosen) == {"width", "smooth", "label", "tried"}
    assert len(chosen["tried"]) == 4
    assert recording.name == "rat1"


def test_discrete_and_missing_labels():
    recording = session().bin(0.1, labels=["position"])
    half = np.where(recording.labels["position"] > 0.5, "far", "near")
    sided = type(recording)(
        recording.signal, recording.rate, labels={"half": half}, trials=recording.trials
    )
    assert 0 <= inner_error(sided, "half") < 0.3
    empty = type(recording)(
        recording.signal, recording.rate, trials=recording.trials,
        labels={"position": np.full(len(recording), np.nan)},
    )  # fmt: skip
    assert np.isnan(inner_error(empty, "position"))


def test_nothing_to_choose_by(monkeypatch):
    silent = session()
    silent.series["position"].values[:] = np.nan
    with pytest.raises(StudyError, match="no training sample of 'rat1' has a label 'position'"):
        choose_binning(silent, spec(), parts)


def test_the_session_is_read_once(monkeypatch, tmp_path):
    import isofold.readers as readers

    calls = []
    monkeypatch.setattr(readers, "read", lambda path, **o: calls.append(path) or session())
    one = spec(choose={}, bin={"width": 0.1}, restrict={"where": "trials"})
    assert load.load_binned(one, "once").name == "rat1"
    load.load_binned(one, "once")
    assert len(calls) == 1
    load.load_binned(one, "changed file")
    assert len(calls) == 2
