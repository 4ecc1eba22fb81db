"""The page as a whole: self-contained, safe, whole when parts are missing, small, repeatable."""

from __future__ import annotations

import base64
import re
from hashlib import sha256

import numpy as np
import pytest
from fake_results import write_results
from plotly.offline import get_plotlyjs
from reading import Reading

from isofold.errors import StudyError
from isofold.report import write_report
from isofold.studies import Results


def test_write_report_takes_folder_string_or_results_and_says_where(folder, tmp_path):
    assert write_report(folder) == folder / "report.html"
    assert write_report(str(folder), tmp_path / "a" / "b.html") == tmp_path / "a" / "b.html"
    one = write_report(Results(folder), tmp_path / "c.html").read_bytes()
    assert one == (folder / "report.html").read_bytes()
    assert [p.name for p in tmp_path.iterdir()] == ["a", "c.html"] or len(
        list(tmp_path.iterdir())
    ) == 2


def test_a_folder_without_results_is_refused(tmp_path):
    with pytest.raises(StudyError, match=r"study\.toml"):
        write_report(tmp_path)


def test_nothing_is_fetched_from_elsewhere(html):
    reading = Reading(html)
    for tag, attrs in reading.tags:
        for name in ("src", "href", "srcset", "action", "data", "poster", "background"):
            value = attrs.get(name)
            assert value is None or value.startswith("#"), (tag, name, value)
    for style in [*reading.styles, *(a.get("style") or "" for _, a in reading.tags)]:
        assert "@import" not in style
        assert "url(" not in style
    addresses = set(re.findall(r"(?:https?:)?//[a-z0-9-]+\.[a-z]", html))
    assert not addresses


def test_plotly_is_embedded_as_it_is_published(html):
    assert Reading(html).unpacked("plotly") == get_plotlyjs()
    assert len(html) < 2.6e6


def test_only_the_page_s_own_scripts_may_run(html):
    reading = Reading(html)
    policy = next(a["content"] for t, a in reading.tags if t == "meta" and a.get("http-equiv"))
    assert "default-src 'none'" in policy
    run = [text for attrs, text in reading.scripts if attrs.get("type") != "text/plain"]
    run.append(reading.unpacked("plotly"))
    assert len(run) == 2
    digests = {base64.b64encode(sha256(text.encode()).digest()).decode() for text in run}
    assert digests == set(re.findall(r"'sha256-([^']+)'", policy))
    assert not any(name.startswith("on") for _, attrs in reading.tags for name in attrs)


def test_same_results_same_bytes(folder, html, tmp_path):
    again = write_results(tmp_path / "track")
    assert write_report(again).read_text(encoding="utf-8") == html


def test_headline_numbers_stand_on_the_page(html, folder):
    text = Reading(html).text
    assert "cebra-behavior has the best decoding of position of 3 methods" in text
    scores = Results(folder).scores
    mine = scores[
        (scores["method"] == "cebra-behavior") & (scores["control"] == "none")
        & (scores["label"] == "position") & (scores["unit"] == "R²") & (scores["part"] == "all")
    ]  # fmt: skip
    assert f"{mine['value'].mean():.3g}" in text
    assert "isofold run study.toml --out results" in text
    assert "MissingValuesError" in text


def test_every_chart_and_picture_has_words_for_those_who_cannot_see_it(html):
    reading = Reading(html)
    figures = [a for _, a in reading.tags if "data-figure" in a]
    assert {a["data-figure"] for a in figures} == set(reading.json("figures"))
    assert all(len(a["aria-label"]) > 20 and a["role"] == "img" for a in figures)


# -- missing pieces -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"labels": ()}, "1 of 1"),
        ({"seeds": (0,)}, "cannot be told apart|best"),
        ({"scored": False}, "No scores"),
        ({"done": False, "failed": 2}, "no run finished"),
        ({"failed": 0}, "done"),
        ({"latents": 1}, "drawn against"),
        ({"latents": 2}, "done"),
        ({"latents": 6}, r"first three principal axes .* \(6 latents, \d+ %\)"),
        ({"methods": {"pca": 0.3}}, "No loss was logged"),
        ({"recordings": ("a", "b")}, "Recordings2"),
        ({"folds": (0, 1, 2)}, "3 folds"),
    ],
)
def test_missing_pieces_still_give_a_page_that_says_so(given, said, tmp_path):
    small = {"seeds": (0,), "lap_samples": 12, "methods": {"pca": 0.5, "cebra-time": 0.2}}
    folder = write_results(tmp_path / "r", **(small | given))
    text = Reading(write_report(folder).read_text(encoding="utf-8")).text
    assert re.search(said, re.sub(r"\s+", " ", text).replace("Recordings ", "Recordings"))
    assert "Reproduce" in text


def test_no_manifest_no_command(tmp_path):
    folder = write_results(tmp_path / "r", seeds=(0,), lap_samples=12)
    (folder / "manifest.json").unlink()
    text = Reading(write_report(folder).read_text(encoding="utf-8")).text
    assert "do not hold the command" in text


def test_a_broken_run_is_left_out_and_named(tmp_path):
    folder = write_results(tmp_path / "r", seeds=(0, 1), lap_samples=12, failed=0)
    key = Results(folder).runs["key"].iloc[0]
    (folder / "runs" / key / "log.parquet").unlink()
    text = Reading(write_report(folder).read_text(encoding="utf-8")).text
    assert f"Left out: log of run {key}" in text


# -- size -----------------------------------------------------------------------------------


def test_a_hundred_thousand_samples_stay_small_and_the_rule_is_said(tmp_path):
    folder = write_results(
        tmp_path / "r", seeds=(0,), lap_samples=4200, methods={"pca": 0.5, "cebra-time": 0.2}
    )
    html = write_report(folder).read_text(encoding="utf-8")
    assert len(html) < 2.6e6
    data = Reading(html).json("embedding-data")
    drawn = len(base64.b64decode(data["panels"][0]["split"]))
    assert 1000 < drawn <= 3000 * 1.5
    every = -(-24 * 4200 // 3000)
    assert f"sample 1 of every {every} of each trial, {drawn:,} of 100,800 samples" in (
        Reading(html).text
    )


def test_points_on_the_page_are_the_embedding_s(html):
    data = Reading(html).json("embedding-data")
    assert {p["variant"] for p in data["panels"]} == {
        "pca", "cebra-time", "cebra-behavior", "cebra-behavior · permuted labels"
    }  # fmt: skip
    panel, grid = data["panels"][0], data["grids"][0]
    points = np.frombuffer(base64.b64decode(panel["points"]), "<i2").reshape(-1, 3)
    time = np.frombuffer(base64.b64decode(grid["time"]), "<f4")
    assert len(points) == len(time) == 24 * 60
    radius = np.linalg.norm(points, axis=1) / data["unitsPerRadius"]
    assert 0.7 < np.percentile(radius, 99) <= radius.max() <= 1.5
    labels = {x["name"]: x for x in grid["labels"]}
    assert {n: x["kind"] for n, x in labels.items()} == {
        "position": "continuous", "direction": "discrete", "phase": "circular"
    }  # fmt: skip
    assert labels["direction"]["categories"] == ["back", "out"]
