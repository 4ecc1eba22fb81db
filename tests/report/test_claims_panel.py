"""The page answers what the study claimed, in words."""

from __future__ import annotations

import re

import pytest
from fake_results import write_results
from reading import Reading

from isofold.errors import StudyError
from isofold.report import write_report
from isofold.report.claims import VERDICTS, Claim, count
from isofold.studies import Results
from isofold.studies import claims as answers

HOSTILE = "</script><img src=x onerror=alert(2)>&amp;{{7*7}}"
BETWEEN = {"score": "consistency", "between": "runs"}
DIRECTION = {"score": "decode", "label": "direction"}
CLAIMS = (
    {
        "says": "Behavior agrees better than PCA",
        **BETWEEN,
        "better": "cebra-behavior",
        "than": "pca",
    },
    {"says": HOSTILE, **BETWEEN, "better": "pca", "than": "cebra-time"},
    {"says": "Time needs no labels", **DIRECTION, "better": "cebra-time", "than": "cebra-behavior"}
    | {"margin": -0.06},
    {"says": "MIND reads direction", **DIRECTION, "better": "mind", "than": "chance"},
)


@pytest.fixture(scope="module")
def claimed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("claimed") / "r"
    return write_results(folder, folds=(0, 1, 2), seeds=(0, 1), lap_samples=10, claims=CLAIMS)


def said(folder) -> str:
    return re.sub(r"\s+", " ", Reading(write_report(folder).read_text(encoding="utf-8")).text)


def test_each_claim_stands_with_its_verdict_and_numbers(claimed):
    text = said(claimed)
    table = Results(claimed).claims()
    assert table["verdict"].tolist() == [
        "holds", "does not hold", "not decided", "cannot be answered"
    ]  # fmt: skip
    for says, verdict, detail in table[["says", "verdict", "detail"]].itertuples(index=False):
        shown = detail[0].upper() + detail[1:]
        assert f"{verdict.capitalize()}: {says} {shown}" in text
    assert "Of 4 claims 1 holds, 1 does not hold, 1 is not decided, 1 cannot be answered." in text
    assert text.index("What was claimed") < text.rindex("What was run")


def test_claims_are_text(claimed):
    reading = Reading(write_report(claimed).read_text(encoding="utf-8"))
    assert HOSTILE in reading.text
    assert not [tag for tag, _ in reading.tags if tag == "img"]


def test_without_claims_there_is_no_panel(html):
    assert "What was claimed" not in html
    assert 'href="#claims"' not in html


def test_a_claim_that_is_none_is_refused(tmp_path):
    folder = write_results(tmp_path / "r", seeds=(0,), lap_samples=10, claims=({"says": "x"},))
    with pytest.raises(StudyError, match=r"claims\[0\] needs score"):
        write_report(folder)


def test_every_verdict_can_be_counted():
    known = (answers.HOLDS, answers.FAILS, answers.OPEN, answers.UNANSWERED)
    assert tuple(VERDICTS) == known
    twice = [Claim("", verdict, "") for verdict in known for _ in range(2)]
    assert count(twice) == (
        "Of 8 claims 2 hold, 2 do not hold, 2 are not decided, 2 cannot be answered."
    )
    assert count(twice[2:3]) == "Of 1 claim 1 does not hold."
