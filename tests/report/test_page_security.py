"""Text of files stays text: whatever a study, recording, label, channel or trial is called."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from fake_results import write_results
from reading import Reading
from visit import visit

from isofold.report import write_report
from isofold.studies.run_folder import file_name, write_json
from isofold.studies.tables import write_table
from isofold.studies.trial_answers import TrialAnswers

TAG = "<script>alert(1)</script>"
HOSTILE = {
    "tag": TAG,
    "end": f"</script>{TAG}<!--",
    "picture": "<img src=x onerror=alert(2)>&amp;'\"{{7*7}}",
    "link": '<a href="javascript:alert(3)">x</a><style>*{display:none}</style>',
    "template": "{% include 'page.css' %}${alert(4)}%{x}<extra>e</extra>",
    "unicode": "Ратка \u202e鼠\u2028\u2029\U0001f400\ufeff <b>",
    "long": "x" * 200 + " <i>",
}


def hostile_results(folder, name: str):
    """Results in which every text that comes from a file is `name`."""
    write_results(
        folder, name=name, recordings=(name, "rat"), methods={name: 0.2, "pca": 0.5}, seeds=(0, 1),
        lap_samples=8, ranked=(name,), diagnosed=(name,), collapsed=1,
        extra={name: "outcome", f"{name} speed": "speed"},
        claims=(
            {"says": name, "score": "decode", "label": "position", "better": name, "than": "pca"},
        ),
    )  # fmt: skip
    run = next(p for p in sorted((folder / "runs").iterdir()) if (p / "error.json").exists())
    write_json(run / "error.json", {"type": name, "message": name, "traceback": name})
    manifest = {"isofold": name, "packages": {name: name}, "inputs": {name: {name: name}}}
    write_json(folder / "manifest.json", manifest | {"command": ["isofold", "run", name]})
    own = folder / "recordings" / file_name(name)
    own.mkdir(parents=True)
    if len(name) < 200:  # a folder's name has an end
        write_session(own, name)
    return folder


def write_session(own, name: str) -> None:
    write_json(own / "warnings.json", [f"{name}: {name}"])
    check = {"check": name, "channel": name, "value": 1.0, "threshold": name, "status": name}
    write_json(own / "quality.json", [check | {"reason": name}])
    time = np.arange(20) / 10
    parts = [
        pd.DataFrame(
            {"time": time, "value": time, "series": s, "channel": name, "part": "whole", "of": name}
        )
        for s in ("signal", "baseline", "dff")
    ]
    write_table(pd.concat(parts), own / "traces.parquet")
    columns = {f"t{k}": np.arange(6) * 0.1 for k in range(5)}
    aligned = pd.DataFrame({"trial": range(6), "channel": name, "condition": [name, "b"] * 3})
    per_trial = pd.DataFrame({"trial": [0], "p_value": [0.1], "why": [name], name: [name]})
    averages = pd.DataFrame(
        {"channel": name, "condition": name, "time": np.arange(5) / 5, "mean": 0.1, "low": 0.0,
         "high": 0.2, "n_trials": 3}
    )  # fmt: skip
    about = {
        "event": name, "by": name, "unit": name, "n_trials": 6, "n_left_out": 1, "notes": [name],
        "time": [0.0, 0.1, 0.2, 0.3, 0.4], "channels": [name],
    }  # fmt: skip
    answers = TrialAnswers(name, about, aligned.assign(**columns), averages, per_trial)
    answers.write(own / "trials_0")


@pytest.fixture(scope="module")
def tags(html) -> set[str]:
    return {tag for tag, _ in Reading(html).tags}


@pytest.fixture(scope="module", params=list(HOSTILE))
def hostile(request, tmp_path_factory):
    name = HOSTILE[request.param]
    page = write_report(hostile_results(tmp_path_factory.mktemp("hostile") / "r", name))
    return name, page, Reading(page.read_text(encoding="utf-8"))


def test_names_stay_text(hostile):
    name, _, reading = hostile
    squeezed = re.sub(r"\s+", " ", reading.text)
    said = re.sub(r"\s+", " ", name)
    assert squeezed.count(said) > 8
    assert len(reading.scripts) == 4
    assert len(reading.styles) == 1
    assert not [a for _, attrs in reading.tags for a in attrs if a.startswith("on")]
    assert all((a.get("href") or "#").startswith("#") for _, a in reading.tags)


def test_no_name_adds_a_tag(hostile, tags):
    own = {"br", "em", "pre", "code", "details", "summary", "ul", "li", "strong", "small"}
    assert {tag for tag, _ in hostile[2].tags} <= tags | own


def test_data_blocks_hold_names_as_they_are(hostile):
    name, _, reading = hostile
    data = reading.json("embedding-data")
    assert name in {grid["recording"] for grid in data["grids"]}
    assert name in {panel["variant"] for panel in data["panels"]}
    assert name in {label["name"] for grid in data["grids"] for label in grid["labels"]}


def test_plotly_gets_no_tags_of_files(hostile):
    for text in strings(hostile[2].json("figures")):
        rest = re.sub(r"</?(?:b|br|extra)>", "", text)
        assert "<" not in rest, text[:200]


def test_in_a_browser_nothing_runs_and_nothing_is_fetched(browser, hostile):
    name, page, _ = hostile
    seen = visit(browser, page, wait="drawn")
    assert seen.complaints == []
    assert seen.state("error") is None
    assert [a for a in seen.asked if not a.startswith(("blob:", "data:"))] == [page.as_uri()]
    assert (
        seen.tab.evaluate(
            "document.querySelectorAll('img, iframe, object, embed, a[href^=java]').length"
        )
        == 0
    )
    assert seen.tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for label in seen.tab.evaluate(
        "[...document.querySelector('[data-name=color]').options].map(o => o.value)"
    ):
        seen.tab.locator("[data-name=color]").select_option(value=label)
    canvas = seen.tab.locator("canvas[data-plane=behaviour]")
    canvas.hover(position={"x": 200, "y": 40})
    assert "trial" in seen.tab.locator("#tip").inner_text()
    assert seen.complaints == []
    assert name
    seen.tab.context.close()


def strings(value):
    """Every text that a figure may show: no packed numbers, and no `legendgroup`, a mere key."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key not in ("bdata", "legendgroup"):
                yield from strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from strings(inner)
    elif isinstance(value, str):
        yield value
