"""Every figure of the page as a file."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from fake_results import write_results

import isofold as iso
from isofold.cli import call
from isofold.errors import DataError, StudyError
from isofold.report.collect import collect
from isofold.report.figure_files import pictures
from isofold.studies import Results, run_folder
from isofold.studies.trial_answers import TrialAnswers

pytest.importorskip("matplotlib")
HOSTILE = "../../<script> $x_1$"


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Two recordings, one of them with a name that would lead out of the folder."""
    folder = tmp_path_factory.mktemp("results") / "track"
    write_results(
        folder, recordings=("rat1", HOSTILE), methods={"pca": 0.5, "cebra-time": 0.2},
        seeds=(0, 1, 2), ranked=("position",), failed=0, lap_samples=20, channels=4,
    )  # fmt: skip
    with (folder / "study.toml").open("a") as study:
        study.write("\n[[recordings]]\nname = 'rat1'\npath = 'rat1.nwb'\n")
    answers = folder / run_folder.ANSWERS / run_folder.file_name("rat1")
    _trials().write(answers / "trials_0")
    _traces().to_parquet(answers / "traces.parquet")
    return folder


def _trials() -> TrialAnswers:
    time = np.linspace(-1, 1, 5)
    samples = pd.DataFrame(np.arange(20.0).reshape(4, 5), columns=[f"t{k}" for k in range(5)])
    aligned = samples.assign(trial=range(4), channel="g", condition=["hit", "miss"] * 2)
    averages = pd.DataFrame(
        {"channel": "g", "condition": "hit", "time": time, "mean": 1.0, "low": 0.0, "high": 2.0}
    )
    about = {"event": "cue", "by": "outcome", "n_trials": 4, "time": time.tolist()}
    over = {"time": time, "value": 0.8, "chance": 0.5, "chance_low": 0.4, "chance_high": 0.6}
    return TrialAnswers("rat1", about, aligned, averages, over_time=pd.DataFrame(over))


def _traces() -> pd.DataFrame:
    rows = [
        {"part": "whole", "channel": "F0", "of": "470", "series": s, "time": t, "value": t}
        for s in ("signal", "baseline", "dff")
        for t in np.arange(4.0)
    ]
    return pd.DataFrame(rows)


@pytest.fixture(scope="module")
def page(results):
    return collect(Results(results))


@pytest.fixture(scope="module")
def found(page):
    return {p.name: p for p in pictures(page, 85.0)}


@pytest.fixture(scope="module")
def written(results, tmp_path_factory):
    out = tmp_path_factory.mktemp("figures")
    return out, iso.write_figures(results, out, format="svg")


def test_every_figure_of_the_page_has_a_file(written):
    out, paths = written
    names = {p.stem for p in paths}
    assert {
        "embedding-rat1-by-position", "embedding-rat1-by-direction", "embedding-rat1-by-phase",
        "decoding-position-r2", "decoding-position-median-error", "decoding-direction-accuracy",
        "consistency-between-runs-r2", "consistency-matrix-between-seeds", "loss-cebra-time",
        "channels-rat1-pca-position", "trials-rat1-around-cue-by-outcome",
        "decoding-over-time-rat1-around-cue-by-outcome", "cleaned-rat1-f0-whole",
    } <= names  # fmt: skip
    assert len(paths) == len(names)
    assert {p.parent for p in paths} == {out}
    assert all(p.stat().st_size > 1000 for p in paths)


def test_text_of_files_chooses_no_place_and_stays_text(written):
    out, paths = written
    assert all(re.fullmatch(r"[a-z0-9-]+\.svg", p.name) for p in paths)
    hostile = [p for p in paths if "script" in p.name]
    assert hostile
    assert all(p.is_file() for p in hostile)
    assert not any(b"<script" in p.read_bytes() for p in paths)
    assert sorted(out.rglob("*")) == sorted([*paths, out / "captions.txt"])


def test_captions_tell_of_every_file_how_it_was_made(written):
    out, paths = written
    said = (out / "captions.txt").read_text(encoding="utf-8")
    assert [p.name for p in paths] == re.findall(r"^([\w-]+\.svg)$", said, re.M)
    one = said.split("embedding-rat1-by-position.svg\n")[1].split("\n\n")[0]
    assert "Drawn is every sample, 480 of 480" in one
    assert "pca: 2 of 3 runs" in one
    assert "Procrustes on training samples" in one
    scores = said.split("decoding-position-r2.svg\n")[1].split("\n\n")[0]
    assert "Student's t over" in scores


def test_embeddings_are_those_of_the_page(page, found):
    figure = found["embedding rat1 by position"].figure
    pca = [p for p in page.gallery.panels if p.grid == 0 and p.variant == "pca"]
    train, test = figure.data[:2]
    points = np.concatenate([np.column_stack([t.x, t.y, t.z]) for t in (train, test)])
    order = np.argsort(pca[0].split, kind="stable")
    np.testing.assert_allclose(points, pca[0].points[order])
    np.testing.assert_allclose(
        np.concatenate([train.marker.color, test.marker.color]),
        page.gallery.grids[0].labels[0].values[order],
    )
    assert (figure.layout.coloraxis.cmin, figure.layout.coloraxis.cmax) == (0, 1.6)


def test_angles_are_cyclic_and_classes_have_names(found):
    scale = found["embedding rat1 by phase"].figure.layout.coloraxis
    assert scale.colorscale[0][1] == scale.colorscale[-1][1]
    assert scale.cmax == pytest.approx(2 * np.pi)
    names = {t.name for t in found["embedding rat1 by direction"].figure.data}
    assert {"direction out · test", "direction back · train"} <= names


def test_wide_figures_have_more_columns(page):
    def titles(width):
        figure = next(iter(pictures(page, width))).figure
        return [a.text for a in figure.layout.annotations]

    assert titles(85.0)[:3] == ["pca, seed 0", "pca, seed 1", "cebra-time, seed 0"]
    assert titles(174.0)[:3] == ["pca, seed 0", "pca, seed 1", "pca, seed 2"]


@pytest.mark.parametrize("latents", [1, 2, 5])
def test_embeddings_of_any_dimension(tmp_path, latents):
    folder = write_results(
        tmp_path / "r", methods={"pca": 0.5}, seeds=(0,), latents=latents, lap_samples=10,
        labels=(), control=False, failed=0, scored=False,
    )  # fmt: skip
    paths = iso.write_figures(folder, format="png")
    assert [p.name for p in paths] == ["embedding-rat1-by-trial.png"]
    assert paths[0].parent == folder / "figures"


def test_signed_labels_diverge(tmp_path):
    folder = write_results(
        tmp_path / "r", methods={"pca": 0.5}, seeds=(0,), lap_samples=10, labels=("position",),
        control=False, failed=0, scored=False,
    )  # fmt: skip
    made = collect(Results(folder))
    label = made.gallery.grids[0].labels[0]
    label.values[:] -= 0.8
    figure = next(iter(pictures(made, 85.0))).figure
    assert figure.layout.coloraxis.cmin == -figure.layout.coloraxis.cmax


def test_no_results_no_figures(tmp_path):
    with pytest.raises(StudyError, match=r"study\.toml"):
        iso.write_figures(tmp_path)


@pytest.mark.parametrize(
    ("options", "message"),
    [({"format": "jpg"}, "format must be one of"), ({"size": 500}, "30 to 400 mm, got 500")],
)
def test_refuses(results, tmp_path, options, message):
    with pytest.raises(DataError, match=message):
        iso.write_figures(results, tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


# -- the command ----------------------------------------------------------------------------------


def test_the_command_writes_figures_or_the_page(tmp_path, capsys):
    folder = write_results(
        tmp_path / "r", methods={"pca": 0.5}, seeds=(0,), lap_samples=10, labels=("position",),
        control=False, failed=0,
    )  # fmt: skip
    out = tmp_path / "out"
    assert call(["report", str(folder), "--format", "pdf", "--size", "100", "--out", str(out)]) == 0
    assert "figures:" in capsys.readouterr().out
    page = (out / "embedding-rat1-by-position.pdf").read_bytes()
    width = float(re.search(rb"/MediaBox \[ ?\S+ \S+ (\S+)", page)[1])
    assert width == pytest.approx(100 * 72 / 25.4, abs=0.6)
    assert not (folder / "report.html").exists()
    assert call(["report", str(folder), "--out", str(out)]) == 0
    assert (out / "report.html").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--format", "jpg"], "jpg"),
        (["--format", "pdf", "--size", "huge"], "one-column"),
        (["--size", "one-column"], "give --format with it"),
    ],
)
def test_wrong_use_of_the_command(results, options, message, capsys):
    assert call(["report", str(results), *options]) == 2
    assert message in " ".join(capsys.readouterr().err.split())


def test_an_embedding_without_split_is_drawn_whole(tmp_path):
    folder = write_results(
        tmp_path / "r", methods={"pca": 0.5}, seeds=(0,), lap_samples=10, labels=("position",),
        control=False, failed=0, scored=False,
    )  # fmt: skip
    made = collect(Results(folder))
    panel = made.gallery.panels[0]
    panel.split[:] = -1
    figure = next(iter(pictures(made, 85.0))).figure
    assert sum(len(t.x) for t in figure.data) == len(panel.points)
