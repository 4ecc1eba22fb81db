"""What the app works out before anything is drawn, against brute force and known answers."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path
from threading import Thread

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from app_folder import Asker, with_recording, write_results
from hypothesis import given, settings
from hypothesis import strategies as st

import isofold as iso
from isofold.app import frame, library, paint, runs, selection, study_form, view
from isofold.app.cache import Cache
from isofold.app.embedded import Embedded
from isofold.app.export import as_nwb
from isofold.app.folder import Folder
from isofold.app.jobs import Jobs
from isofold.app.library import Library
from isofold.app.trace import Signal, signal_of, trial_figure
from isofold.errors import DataError, StudyError

RNG = np.random.default_rng(0)


def ring(n: int = 200, trials: int = 10, latents: int = 3, noise: float = 0.0) -> xr.DataArray:
    angle = np.linspace(0, 2 * np.pi * trials, n, endpoint=False)
    z = np.stack([np.cos(angle), np.sin(angle), 0.1 * np.sin(2 * angle)], axis=1)[:, :latents]
    trial = np.arange(n) * trials // n
    coords = {
        "time": ("time", np.arange(n) * 0.1),
        "trial": ("time", trial),
        "split": ("time", np.where(trial < 0.8 * trials, "train", "test")),
        "angle": ("time", angle % (2 * np.pi)),
        "side": ("time", np.where(trial % 2, "left", "right")),
        "x": ("time", np.cos(angle)),
    }
    z = z + noise * RNG.normal(size=z.shape)
    return xr.DataArray(z, coords, ("time", "latent"), attrs={"kinds": {"angle": "circular"}})


def placed(embedded: Embedded, axes: str = "1-2") -> np.ndarray:
    return frame.frame_of(embedded, axes).place(embedded.points)


# -- embeddings -----------------------------------------------------------------------------------


def test_labels_keep_their_kinds():
    labels = Embedded.of(ring()).labels
    assert {k: v.kind for k, v in labels.items()} == {
        "angle": "circular", "side": "discrete", "x": "continuous",
    }  # fmt: skip
    assert labels["side"].classes == ("left", "right")


def test_without_trials_stretches_stand_in_for_them():
    z = ring(1200).drop_vars("trial")
    embedded = Embedded.of(z)
    assert not embedded.has_trials
    assert embedded.trials == ("samples 0–499", "samples 500–999", "samples 1000–1199")
    assert paint.TRIAL not in paint.color_names(embedded)


def test_missing_points_are_not_drawn():
    z = ring()
    z[5] = np.nan
    embedded = Embedded.of(z)
    shown = view.drawn(embedded, placed(embedded), view.Camera())
    assert 5 not in shown.rows
    assert len(shown.rows) == 199


def test_one_latent_is_drawn_against_time():
    assert Embedded.of(ring(latents=1)).points.shape == (200, 2)


# -- frames and alignment -------------------------------------------------------------------------


@pytest.mark.parametrize("axes", ["widest", "1-2-3", "1-2", "2-3"])
def test_almost_all_points_lie_within_the_radius(axes):
    out = placed(Embedded.of(ring(noise=0.1)), axes)
    assert np.linalg.norm(out, axis=1).max() <= 1.4
    if axes.count("-") == 1:
        assert not out[:, 2].any()


@pytest.mark.parametrize("axes", ["1-9", "0-1", "x", "1", "1-2-3-4", "../.."])
def test_axes_that_are_none_are_refused(axes):
    with pytest.raises(DataError, match="no axes"):
        frame.frame_of(Embedded.of(ring()), axes)


def test_alignment_undoes_turn_scale_and_shift():
    z = ring()
    turn, _ = np.linalg.qr(RNG.normal(size=(3, 3)))
    moved = z.copy(data=3 * z.values @ turn + [1, 2, 3])
    found = frame.aligned(Embedded.of(moved), Embedded.of(z), None)
    assert np.allclose(found.points, z.values, atol=1e-4)
    assert "R² 1.00 on held-out samples" in found.said


def test_alignment_takes_embeddings_of_different_width():
    z = ring()
    wide = xr.DataArray(np.hstack([z.values, 0 * z.values]), z.coords, z.dims)
    assert frame.aligned(Embedded.of(z), Embedded.of(wide), None).points.shape == (200, 6)


def test_other_recordings_are_aligned_by_a_label():
    z, longer = ring(), ring(330, trials=11)
    turn, _ = np.linalg.qr(RNG.normal(size=(3, 3)))
    moved = longer.copy(data=longer.values @ turn)
    found = frame.aligned(Embedded.of(moved), Embedded.of(z), "angle")
    assert "another recording" in found.said
    assert np.abs(found.points - longer.values).mean() < 0.1
    with pytest.raises(DataError, match="'nothing' is not in both"):
        frame.aligned(Embedded.of(moved), Embedded.of(z), "nothing")


# -- thinning -------------------------------------------------------------------------------------


@settings(max_examples=30, deadline=None)
@given(n=st.integers(20, 3000), trials=st.integers(1, 12), limit=st.integers(10, 400))
def test_thinning_keeps_to_the_budget_and_says_the_rule(n, trials, limit):
    embedded = Embedded.of(ring(n, trials))
    shown = view.drawn(embedded, placed(embedded), view.Camera(zoom=0.5, aspect=2.0), limit=limit)
    assert len(shown.rows) <= max(1.5 * limit, 1)
    assert len(np.unique(shown.rows)) == len(shown.rows)
    assert f"{len(shown.rows):,}" in shown.rule
    if len(shown.rows) < n:
        assert "every" in shown.rule


def test_what_is_in_view_is_drawn_denser():
    embedded = Embedded.of(ring(5000))
    points = placed(embedded)
    near = view.Camera(zoom=8.0, middle=tuple(points[0, :2]), aspect=1.0)
    whole = view.drawn(embedded, points, view.Camera(), limit=500)
    close = view.drawn(embedded, points, near, limit=500)
    seen = near.sees(near.plane(points))
    assert seen[close.rows].all()
    assert set(np.flatnonzero(seen)) >= set(close.rows)
    assert len(close.rows) / seen.sum() > len(whole.rows) / len(points)


def test_a_camera_that_is_none_is_the_first_view():
    for odd in (None, {}, {"turn": "x"}, {"turn": [1] * 9, "middle": [0, 0], "zoom": -1,
                                         "aspect": 1}, {"turn": [float("nan")] * 9}):  # fmt: skip
        assert view.Camera.of(odd) == view.Camera()


def test_only_held_out_samples_or_selected_trials_can_be_shown():
    embedded = Embedded.of(ring())
    points = placed(embedded)
    test = view.drawn(embedded, points, view.Camera(), view.HELD_OUT)
    assert test.rows.tolist() == list(range(160, 200))
    mask = np.zeros(200, bool)
    mask[25] = True
    mine = view.drawn(embedded, points, view.Camera(), view.SELECTED, mask)
    assert mine.rows.tolist() == list(range(20, 40))
    assert "selected trials" in mine.rule


# -- selection ------------------------------------------------------------------------------------


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.floats(-2, 2), st.floats(-2, 2)), min_size=3, max_size=9))
def test_a_lasso_holds_what_a_ray_count_says(corners):
    points = np.random.default_rng(len(corners)).normal(size=(40, 2))
    found = selection.in_polygon(points, np.array(corners))
    for point, inside in zip(points, found, strict=True):
        crossed = 0
        for (x0, y0), (x1, y1) in zip(corners, corners[1:] + corners[:1], strict=True):
            if (y0 > point[1]) != (y1 > point[1]):
                crossed += point[0] < (x1 - x0) * (point[1] - y0) / (y1 - y0) + x0
        assert inside == (crossed % 2 == 1)


def test_a_lasso_selects_what_is_not_drawn_too():
    embedded = Embedded.of(ring(4000))
    points = placed(embedded)
    square = [[0.0, 0.0], [2.0, 0.0], [2.0, 2.0], [0.0, 2.0]]
    mask = selection.selected_rows(embedded, points, {"lasso": square})
    assert mask.sum() == ((points[:, 0] > 0) & (points[:, 1] >= 0)).sum()
    held = selection.selected_rows(embedded, points, {"lasso": square, "show": "test"})
    assert held.sum() == mask[3200:].sum()


def test_odd_selections_select_nothing():
    embedded = Embedded.of(ring())
    points = placed(embedded)
    for odd in (None, 3, {}, {"lasso": [[1, 2]]}, {"lasso": "x"}, {"row": 10**9}, {"row": "0"},
                {"trials": [None, "no such"]}, {"lasso": [[0, 0], [1, float("nan")], [1, 1]]},
                {"lasso": {"a": 1}}):  # fmt: skip
        assert not selection.selected_rows(embedded, points, odd).any()


def test_the_table_of_trials_counts_and_tells_when():
    embedded = Embedded.of(ring())
    mask = np.zeros(200, bool)
    mask[[3, 5, 21]] = True
    table = selection.trial_table(embedded, mask)
    assert table["trial"].tolist() == ["0", "1"]
    assert table["selected"].tolist() == [2, 1]
    assert table["samples"].tolist() == [20, 20]
    assert np.allclose(table[["start", "stop"]], [[0, 2], [2, 4]])
    assert table["side"].tolist() == ["right", "left"]
    assert "angle" not in table  # it changes within a trial
    assert table["split"].tolist() == ["train", "train"]


def test_trials_read_back_as_nwb(tmp_path):
    embedded = Embedded.of(ring())
    table = selection.trial_table(embedded, np.arange(200) < 30)
    path = tmp_path / "trials.nwb"
    path.write_bytes(as_nwb(table, "ring"))
    trials = iso.read(path).trials
    assert np.allclose(trials["start"], table["start"])
    assert np.allclose(trials["stop"], table["stop"])
    assert trials["side"].tolist() == table["side"].tolist()


# -- colours --------------------------------------------------------------------------------------


def test_colours_are_on_the_scale_of_all_samples():
    label = Embedded.of(ring()).labels["x"]
    few, _ = paint.paint(label, np.arange(5))
    all_, legend = paint.paint(label, np.arange(200))
    assert np.array_equal(few, all_[:5])
    assert (legend.low, legend.high) == ("-1", "1")


def test_samples_without_a_value_are_grey():
    z = ring().assign_coords(u=("time", np.where(np.arange(200) < 3, np.nan, 1.0)))
    colors, _ = paint.paint(Embedded.of(z).labels["u"], np.arange(4))
    assert (colors[:3] == paint.NO_VALUE).all()
    assert (colors[3] != paint.NO_VALUE).any()


# -- runs -----------------------------------------------------------------------------------------


def test_runs_can_be_filtered_by_any_setting(tmp_path):
    results = iso.open_results(write_results(tmp_path / "r", grid=(0.1, 1.0)))
    table, scores = runs.run_table(results), runs.score_names(results)
    assert scores == runs.score_names(results)
    assert "position, R²" in scores
    values = runs.filter_values(table, scores)
    assert values["seed"] == ["0", "1", "2"]
    assert values["control"] == ["none", "permuted labels"]
    some = runs.filtered(table, {"seed": ["1"], "control": ["none"], "no such": ["x"]})
    assert set(some["seed"]) == {"1"}
    assert len(some) == 5
    assert len(runs.filtered(table, {"seed": "1", "method": None})) == len(table)


# -- the cache ------------------------------------------------------------------------------------


def test_the_cache_is_bounded_and_forgets_the_least_used():
    cache, made = Cache(10), []

    def value(name):
        return cache.get(name, lambda: (made.append(name) or name, 4))

    for name in "abacab":
        value(name)
    assert made == ["a", "b", "c", "b"]
    assert len(cache) == 2


def test_the_cache_serves_several_at_once():
    cache, seen = Cache(1000), []

    def work(k):
        seen.extend(cache.get(n % 7, lambda n=n: (n % 7, 1)) == n % 7 for n in range(k, k + 200))

    threads = [Thread(target=work, args=(k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(seen)
    assert len(seen) == 1600


# -- traces ---------------------------------------------------------------------------------------


def test_the_recording_is_shown_where_it_lies_in_the_folder(tmp_path):
    with_recording(tmp_path)
    lib = Library(Folder(tmp_path))
    run = lib.results("results/track").runs.iloc[0].to_dict()
    rows = np.arange(100, 120)
    signal = signal_of(lib, "results/track", run, rows)
    assert np.allclose(signal.values, np.arange(300, 360).reshape(20, 3))
    assert "binned" in signal.said
    embedded = lib.embedded("results/track", run["key"])
    figure = trial_figure(embedded, rows, signal, np.arange(1440) == 105)
    names = [t.name for t in figure.data]
    assert names == ["a", "&lt;b&gt;", "c", "position", "direction", "phase"]
    assert len(figure.layout.shapes) > 0


def test_many_channels_are_a_heat_map(tmp_path):
    embedded = Embedded.of(ring())
    rows = np.arange(20)
    signal = Signal(np.ones((20, 30)), [f"unit {k}" for k in range(30)], "")
    figure = trial_figure(embedded, rows, signal, np.zeros(200, bool))
    assert figure.data[0].type == "heatmap"
    assert np.shape(figure.data[0].z) == (30, 20)


def test_else_the_embedding_is_shown_and_why(tmp_path):
    write_results(tmp_path / "r")
    lib = Library(Folder(tmp_path))
    run = lib.results("r").runs.query("status == 'done'").iloc[0].to_dict()
    signal = signal_of(lib, "r", run, np.arange(10))
    assert signal.channels == ["latent 1", "latent 2", "latent 3"]
    assert "since" in signal.said


def test_results_that_go_on_are_read_again(tmp_path):
    folder = write_results(tmp_path / "r", seeds=(0,), failed=0)
    lib = Library(Folder(tmp_path))
    before = len(lib.results("r").runs)
    assert lib.results("r") is lib.results("r")
    shutil.rmtree(folder)
    write_results(folder, seeds=(0, 1), failed=0)
    assert len(lib.results("r").runs) > before


# -- the form -------------------------------------------------------------------------------------


FORM = {"name": "try", "recording": "simulated: circle", "methods": ("pca",)}


def test_the_form_becomes_a_study_file(tmp_path):
    form = study_form.Form(
        **{**FORM, "methods": ("pca", "cebra-behavior")}, labels=("angle",), seeds=(0, 3),
        folds=3, iterations=20, dimension=2, controls=True,
    )  # fmt: skip
    folder = Folder(tmp_path)
    path = study_form.placed(study_form.study_of(form, folder), "try", folder)
    study = study_form.checked_study(path, folder)
    assert [m.name for m in study.methods] == ["pca", "cebra-behavior"]
    assert study.methods[1].settings["max_iterations"] == 20
    assert "max_iterations" not in study.methods[0].settings
    assert study.seeds == (0, 3)
    assert study.folds == 3
    assert study.controls == ("permuted labels",)
    again = study_form.placed(study_form.study_of(form, folder), "try", folder)
    assert again == path
    with pytest.raises(StudyError, match="is another study"):
        study_form.placed("name = 'x'", "try", folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": ""}, "needs a name"),
        ({"name": "x" * 200}, "at most 100"),
        ({"name": ".."}, "needs a name"),
        ({"methods": ()}, "at least one of methods"),
        ({"methods": ("cebra-behavior",)}, "guided by labels"),
        ({"methods": ("os.system",)}, "unknown method"),
        ({"recording": "simulated: eval"}, "unknown simulator"),
        ({"recording": "nowhere.nwb"}, "nothing is at"),
        ({"seeds": (-1,)}, "not negative"),
        ({"folds": 1}, "folds"),
    ],
)
def test_a_wrong_form_says_what_is_wrong(tmp_path, change, message):
    with pytest.raises(StudyError, match=message):
        study_form.study_of(study_form.Form(**{**FORM, **change}), Folder(tmp_path))


def test_no_study_is_started_inside_of_results(tmp_path):
    folder = Folder(write_results(tmp_path / "r"))
    with pytest.raises(StudyError, match="itself a folder of results"):
        study_form.results_of("x", folder)


@pytest.mark.parametrize("given", ["", None, "a", "1.5", "-3", "9" * 30])
def test_seeds_that_are_none(given):
    with pytest.raises(StudyError, match="seed"):
        study_form.parse_seeds(given)


# -- jobs -----------------------------------------------------------------------------------------


def test_a_study_that_cannot_run_says_why(tmp_path):
    bad = tmp_path / "bad.toml"
    bad.write_text("name = 'x'")
    jobs = Jobs()
    key = jobs.start("x", bad, tmp_path / "out", "out")
    try:
        for _ in range(300):
            if (seen := jobs.progress(key)).state != "running":
                break
            time.sleep(0.1)
        assert seen.state == "failed"
        assert "a study needs recordings" in seen.said
        with pytest.raises(StudyError, match="no study"):
            jobs.stop("99")
    finally:
        jobs.close()


LONG = """name = "long"
seeds = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
[[recordings]]
simulate = {name = "circle", n_samples = 2000}
[[methods]]
method = "cebra-time"
max_iterations = 100000
"""


needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")


@needs_proc
def test_closing_ends_every_process(tmp_path):
    study = tmp_path / "long.toml"
    study.write_text(LONG)
    jobs = Jobs()
    key = jobs.start("long", study, tmp_path / "out", "out")
    process = jobs.listed()[0][1].process
    _until(lambda: jobs.progress(key).total == 10)
    assert process.pid in _groups()
    with pytest.raises(StudyError, match="a study is running into"):
        jobs.start("long", study, tmp_path / "out", "out")
    jobs.close()
    assert process.poll() is not None
    _until(lambda: process.pid not in _groups())


@needs_proc
def test_an_app_that_is_killed_leaves_no_process(tmp_path):
    (tmp_path / "long.toml").write_text(LONG)
    code = (
        "import os, pathlib, sys, time\n"
        "from isofold.app.jobs import Jobs\n"
        "jobs, here = Jobs(), pathlib.Path(sys.argv[1])\n"
        "jobs.start('long', here / 'long.toml', here / 'out', 'out')\n"
        "print(jobs.listed()[0][1].process.pid, flush=True)\n"
        "while not (here / 'out' / 'manifest.json').exists(): time.sleep(.1)\n"
        "os._exit(1)\n"
    )
    app = [sys.executable, "-c", code, str(tmp_path)]
    pid = int(subprocess.run(app, capture_output=True, text=True, timeout=60).stdout)
    _until(lambda: pid not in _groups())


def _groups() -> set[int]:
    """Process groups of all processes of this machine."""
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if fields[0] != "Z":
            found.add(int(fields[2]))
    return found


def _until(true) -> None:
    for _ in range(300):
        if true():
            return
        time.sleep(0.1)
    raise AssertionError("it did not come true within 30 s")


# -- pages ----------------------------------------------------------------------------------------


def test_every_page_is_there(tmp_path):
    write_results(tmp_path / "results" / "track")
    iso.simulate.circle(seed=0, n_samples=200).save(tmp_path / "circle")
    (tmp_path / "study.nwb").write_bytes(b"")
    asker = Asker(tmp_path)
    assert "results/track" in asker.page("/")
    assert "linear-track" in asker.page("/results?folder=results/track")
    assert "angle" in asker.page("/recording?path=circle")
    assert "What will be run" in asker.page("/study")
    assert "None yet" in asker.page("/jobs")
    assert "cannot be shown" in asker.page("/nowhere")
    assert "file is empty" in asker.page("/recording?path=study.nwb")


def test_two_people_see_their_own(tmp_path):
    """Nothing of one request is left for the next: the same question has the same answer."""
    write_results(tmp_path / "r", seeds=(0,), failed=0)
    asker = Asker(tmp_path)
    keys = iso.open_results(tmp_path / "r").runs["key"].tolist()
    plain = {"axes": "widest", "show": "all", "align": [], "folder": "r"}

    def scene(key, color):
        answer = asker.ask("scene-left", pair={"left": key}, color=color, **plain)
        return answer.get_json()["response"]["scene-left"]["data"]

    mine = scene(keys[0], "position")
    theirs = scene(keys[1], "direction")
    assert scene(keys[0], "position") == mine != theirs
    assert mine["label"] == "position"


def test_a_million_samples_are_thinned(tmp_path):
    n = 1_000_000
    angle = np.linspace(0, 2000, n)
    z = xr.DataArray(
        np.stack([np.cos(angle), np.sin(angle), angle / 2000], axis=1),
        {"time": ("time", angle), "trial": ("time", np.arange(n) // 1000)}, ("time", "latent"),
    )  # fmt: skip
    embedded = Embedded.of(z)
    points = placed(embedded, "widest")
    shown = view.drawn(embedded, points, view.Camera())
    assert len(shown.rows) <= view.MOST_POINTS
    assert "of 1,000,000 samples" in shown.rule
    close = view.drawn(embedded, points, view.Camera(zoom=20.0))
    assert len(close.rows) < n
    corners = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]]
    mask = selection.selected_rows(embedded, points, {"lasso": corners})
    assert len(selection.trial_table(embedded, mask)) > 100
    assert isinstance(selection.trial_table(embedded, mask), pd.DataFrame)
    assert embedded.size < library.MEMORY
