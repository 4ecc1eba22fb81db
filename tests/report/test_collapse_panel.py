"""Collapse and identifiability: counts of runs, no more than they say."""

from __future__ import annotations

import re

import pandas as pd
import pytest
from fake_results import write_results
from reading import Reading

from isofold.report import write_report
from isofold.report._diagnosis import diagnosed


@pytest.fixture(scope="module")
def reading(tmp_path_factory) -> Reading:
    folder = write_results(
        tmp_path_factory.mktemp("collapse") / "r", diagnosed=("cebra-time",), collapsed=1,
        lap_samples=12,
    )  # fmt: skip
    return Reading(write_report(folder).read_text(encoding="utf-8"))


def said(reading: Reading) -> str:
    text = re.sub(r"\s+", " ", reading.text)
    return text[text.index("Collapse and identifiability") :]


def test_findings_count_runs(reading):
    text = said(reading)
    assert "In 1 of 3 runs a latent is collapsed" in text
    assert "with a share of 0.333" in text
    assert "above one half in 1 of 3 runs" in text
    assert "in all 6 directions that identify the latents in 3 of 3 runs." in text
    assert "not proof" in text
    assert "All <b>latents</b> carry activity." in text  # the model's own words, as text


def test_every_run_is_a_dot(reading):
    figure = reading.json("figures")["diagnosis-0"]
    dots = [t for t in figure["data"] if t.get("mode") == "markers" and t.get("text")]
    assert len(dots) == 3
    assert min(min(decoded(t["x"])) for t in dots) == pytest.approx(0.001)


def decoded(values):
    from visit import unpacked

    return unpacked(values["bdata"], values["dtype"]) if isinstance(values, dict) else values


def test_without_a_diagnosis_there_is_no_panel(html):
    assert "Collapse and identifiability" not in Reading(html).text


def found(*runs: dict):
    table = pd.DataFrame({"key": range(len(runs)), "variant": "m", "recording": "r", "fold": 0})
    table = table.assign(seed=range(len(runs)), is_control=False)
    return diagnosed(table, lambda key: runs[key])


ACTIVE = {"kl": 1.0, "gain": 0.7, "active": True}


def test_no_collapse_and_mixed_latents():
    run = {"latents": [ACTIVE, ACTIVE], "rank": 2, "rank_needed": 4, "verdict": []}
    whole = run | {"rank": 4, "condition": 1e5}
    (block,) = found(run, whole)
    text = " ".join(block.findings)
    assert "No latent is collapsed in any of 2 runs." in text
    assert "in 1 of 2 runs; in the others latents may be mixed with each other." in text
    (block,) = found(whole)
    assert "in 1 of 1 runs, in 1 of them hardly in some" in " ".join(block.findings)


def test_without_labels_nothing_is_claimed_of_identifiability():
    (block,) = found({"latents": [ACTIVE], "rank": None, "label_swap": None, "verdict": ["x"]})
    assert block.findings[-1].startswith("Without labels latents are not identified")
    assert len(block.findings) == 2


def test_a_failed_diagnosis_is_only_quoted():
    (block,) = found({"latents": [], "verdict": ["Not diagnosed: no labels"]})
    assert block.findings == []
    assert block.said == [{"seed": "0", "fold": "0", "says": "Not diagnosed: no labels"}]
    assert found({}) == []
