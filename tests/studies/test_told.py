"""What a method block says of embedding, and labels that the model itself tells."""

from __future__ import annotations

import importlib

import numpy as np
import pandas as pd
import pytest
from stand_ins import Here, Rotated, rat

from isofold import Study, run
from isofold.errors import StudyError
from isofold.models._embedding import as_embedding
from isofold.studies import one_run

run_ = importlib.import_module("isofold.studies.run")  # the package shows the function


class Knowing(Rotated):
    """Says the label as it is, a tenth too high; embeds with labels if asked."""

    def transform(self, recording, with_labels=False):
        z = super().transform(recording).values
        if with_labels:
            z = np.column_stack([recording.labels["position"], z[:, 1]])
        return as_embedding(z, recording, np.zeros(len(z), bool), "knowing", with_labels)

    def predict(self, recording, label):
        said = recording.label(label)
        return said + 0.1 if said.dtype.kind == "f" else said


@pytest.fixture
def here(monkeypatch):
    monkeypatch.setattr(run_, "make_executor", lambda *options: Here())
    monkeypatch.setattr(run_, "_write_page", lambda out: None)
    monkeypatch.setattr(one_run, "warm", lambda: None)


def scores(tmp_path, methods, scored):
    study = Study(
        "told", [rat()], methods, scores=scored, estimators={"knowing": Knowing, "rotated": Rotated}
    )
    run(study, tmp_path / "out")
    table = pd.read_parquet(tmp_path / "out" / "scores.parquet")
    return table[table["part"] == "all"]


def test_the_model_tells_the_label(here, tmp_path):
    found = scores(
        tmp_path,
        ["knowing", "rotated"],
        [{"score": "decode", "label": "position", "decoder": "model", "n_chance": 20}],
    )
    assert set(found["method"]) == {"knowing"}  # the other says nothing of labels
    error = found.loc[found["unit"] == "median error", "value"].item()
    assert error == pytest.approx(0.1, abs=1e-5)
    variance = np.var(np.linspace(0, 1, 40))
    assert found.loc[found["unit"] == "R²", "value"].item() == pytest.approx(1 - 0.01 / variance)


def test_embedding_with_labels_is_a_method_of_its_own(here, tmp_path):
    found = scores(
        tmp_path,
        [
            {"method": "knowing", "name": "without"},
            {"method": "knowing", "name": "with", "transform": {"with_labels": True}},
        ],
        [{"score": "decode", "label": "position", "decoder": "ridge", "n_chance": 5}],
    )
    value = found[found["unit"] == "R²"].set_index("method")["value"]
    assert value["with"] > 0.999 > value["without"]


@pytest.mark.parametrize(
    ("transform", "message"),
    [
        ({"labels": True}, r"unknown key 'labels'"),
        ({"with_labels": 1}, r"transform\.with_labels must be true or false"),
        ("with_labels", r"transform must be a table such as \{with_labels = true\}"),
    ],
)
def test_transform_is_checked(transform, message):
    with pytest.raises(StudyError, match=message):
        Study("x", [rat()], [{"method": "pca", "transform": transform}])


def test_a_prior_of_the_time_needs_no_labels():
    with pytest.raises(StudyError, match="learns from labels"):
        Study("x", [rat()], [{"method": "pivae"}])
    Study("x", [rat()], [{"method": "pivae", "prior": "trial_time"}])
