"""What a model says of its latents is kept with its run."""

from __future__ import annotations

import importlib
import json

import pandas as pd
import pytest
from stand_ins import Here, Rotated, rat

from isofold import Study, run
from isofold.errors import DataError
from isofold.models._vae_diagnosis import Diagnosis
from isofold.studies import one_run

run_ = importlib.import_module("isofold.studies.run")  # the package shows the function


class Honest(Rotated):
    def diagnose(self, recording):
        assert len(recording) < len(rat())  # held-out trials only
        latents = pd.DataFrame({"kl": [0.5, 0.0], "gain": [0.8, 0.0], "active": [True, False]})
        return Diagnosis(
            latents, label_swap=0.25, rank=2, rank_needed=4, verdict=["One <is> gone."]
        )


class Blind(Rotated):
    def diagnose(self, recording):
        raise DataError("labels must be given")


@pytest.fixture
def done(monkeypatch, tmp_path):
    monkeypatch.setattr(run_, "make_executor", lambda *options: Here())
    monkeypatch.setattr(run_, "_write_page", lambda out: None)
    monkeypatch.setattr(one_run, "warm", lambda: None)
    own = {"honest": Honest, "blind": Blind, "rotated": Rotated}
    return run(Study("diagnosed", [rat()], list(own), seeds=[0], estimators=own), tmp_path / "out")


def key_of(results, method):
    return results.runs.loc[results.runs["method"] == method, "key"].item()


def test_a_diagnosis_is_plain_data_without_nan(done):
    found = done.diagnosis(key_of(done, "honest"))
    assert found["latents"][1] == {"kl": 0.0, "gain": 0.0, "active": False}
    assert (found["label_swap"], found["rank"], found["rank_needed"]) == (0.25, 2, 4)
    assert found["weight_at_one"] is None
    assert found["verdict"] == ["One <is> gone."]
    path = done.path / "runs" / key_of(done, "honest") / "diagnosis.json"
    json.loads(path.read_text(), parse_constant=pytest.fail)


def test_methods_without_one_have_none_and_a_failed_one_says_why(done):
    assert done.diagnosis(key_of(done, "rotated")) == {}
    assert done.diagnosis(key_of(done, "blind"))["verdict"] == [
        "Not diagnosed: labels must be given"
    ]
    assert (done.runs["status"] == "done").all()
