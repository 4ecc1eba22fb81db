"""Axes: one block of a study file becomes one method or recording a point."""

import json
import tomllib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import isofold as iso
from isofold.errors import StudyError
from isofold.studies import Study, axes
from isofold.studies.tasks import unrolled

CIRCLE = {"simulate": {"name": "circle", "n_samples": 200}}
PCA = {"method": "pca"}


def study(recording=CIRCLE, method=PCA, **more):
    return Study("axes", [recording], [method], scores=[], **more)


def names(specs):
    return [spec.name for spec in specs]


# -- points ---------------------------------------------------------------------------------------


def test_grid_zip_and_sample_are_crossed():
    found = axes.points(
        {
            "grid": {"a": [1, 2], "b": [3]},
            "zip": {"c": [4, 5], "d": [6, 7]},
            "sample": {"n": 3, "e": ["x", "y"]},
        },
        "here",
    )
    assert len(found) == 2 * 2 * 3
    assert {(p["c"], p["d"]) for p in found} == {(4, 6), (5, 7)}
    assert all(set(p) == set("abcde") for p in found)


@given(st.floats(0.01, 10), st.floats(0.01, 10), st.integers(0, 5), st.booleans())
def test_draws_lie_in_their_range_and_follow_the_seed(low, width, seed, log):
    table = {"n": 20, "seed": seed, "x": {"low": low, "high": low + width, "log": log}}
    found = [p["x"] for p in axes.points({"sample": table}, "here")]
    assert all(low * 0.999 <= x <= (low + width) * 1.001 for x in found)
    assert found == [p["x"] for p in axes.points({"sample": table}, "here")]


def test_whole_numbers_and_logarithms_are_drawn_evenly():
    table = {"n": 4000, "k": {"low": 1, "high": 4, "whole": True}}
    counts = np.unique([p["k"] for p in axes.points({"sample": table}, "here")], return_counts=True)
    assert counts[0].tolist() == [1, 2, 3, 4]
    assert np.all(np.abs(counts[1] / 1000 - 1) < 0.15)
    table = {"n": 4000, "x": {"low": 0.01, "high": 100.0, "log": True}}
    drawn = np.log10([p["x"] for p in axes.points({"sample": table}, "here")])
    assert abs(np.mean(drawn)) < 0.1
    assert abs(np.mean(drawn < -1) - 0.25) < 0.03


def test_another_axis_does_not_move_the_draws_of_one():
    table = {"n": 5, "x": {"low": 0.0, "high": 1.0}}
    alone = [p["x"] for p in axes.points({"sample": table}, "here")]
    both = [p["x"] for p in axes.points({"sample": table | {"z": ["a", "b"]}}, "here")]
    assert alone == both


# -- methods and recordings -----------------------------------------------------------------------


def test_a_method_of_axes_is_many_methods():
    method = {"method": "pca", "name": "linear", "grid": {"output_dimension": [1, 2]}}
    specs = study(method=method).methods
    assert names(specs) == ["linear (output_dimension=1)", "linear (output_dimension=2)"]
    assert [s.estimator(0, {}).output_dimension for s in specs] == [1, 2]
    assert {s.base for s in specs} == {"linear"}


def test_an_axis_over_a_step():
    method = PCA | {
        "steps": [{"smooth": {"sigma": 0.1}}, "zscore"],
        "grid": {"steps.smooth.sigma": [0.2, 0.4]},
    }
    specs = study(method=method).methods
    assert [s.steps[0] for s in specs] == [{"smooth": {"sigma": 0.2}}, {"smooth": {"sigma": 0.4}}]
    assert specs[0].columns["steps.smooth.sigma"] == 0.2


def test_an_axis_over_a_simulation():
    recording = CIRCLE | {"grid": {"simulate.noise": [0.0, 0.5]}, "name": "ring"}
    specs = study(recording).recordings
    assert names(specs) == ["ring (noise=0)", "ring (noise=0.5)"]
    assert [s.simulate["noise"] for s in specs] == [0.0, 0.5]


def test_a_study_of_axes_reads_back_what_it_wrote():
    """Before, a point of a grid was refused as a name."""
    recording = CIRCLE | {"zip": {"simulate.noise": [0.0, 0.5], "simulate.turns": [1.0, 2.0]}}
    method = PCA | {
        "steps": [{"smooth": {"sigma": 0.1}}],
        "grid": {"steps.smooth.sigma": [0.2, 0.4]},
        "sample": {"n": 2, "output_dimension": {"low": 1, "high": 9, "whole": True}},
    }
    first = study(recording, method)
    again = Study.from_dict(tomllib.loads(first.to_toml()))
    assert names(again.methods) == names(first.methods)
    assert names(again.recordings) == names(first.recordings)
    prints = dict.fromkeys(names(first.recordings), "x")
    assert [t.key for t in unrolled(again, prints)] == [t.key for t in unrolled(first, prints)]
    assert again.to_toml() == first.to_toml()


def test_a_pattern_finds_its_files(tmp_path):
    for name in ("b", "a"):
        np.savez(tmp_path / f"{name}.npz", signal=np.zeros((10, 2)), rate=1.0)
    (tmp_path / "study.toml").write_text(
        'name = "x"\nmethods = ["pca"]\nscores = []\n[[recordings]]\npath = "*.npz"\n'
    )
    found = Study.from_toml(tmp_path / "study.toml").recordings
    assert names(found) == ["a", "b"]
    (tmp_path / "study.toml").write_text(
        'name = "x"\nmethods = ["pca"]\n[[recordings]]\npath = "*.nwb"\n'
    )
    with pytest.raises(StudyError, match=r"no file fits the pattern .*\*\.nwb"):
        Study.from_toml(tmp_path / "study.toml")


# -- refusals -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ({"grid": {"output_dimension": 3}}, "must be a list of values"),
        ({"grid": {"output_dimension": []}}, "must be a list of values"),
        ({"grid": {"output_dim": [3]}}, r"unknown key 'output_dim' \(did you mean 'output_dim"),
        ({"grid": {}}, "must be a table of setting"),
        ({"zip": {"output_dimension": [1, 2], "outside_trials": [True]}}, "of one length"),
        ({"grid": {"output_dimension": [1]}, "zip": {"output_dimension": [1]}}, "an axis twice"),
        ({"sample": {"output_dimension": [1]}}, "needs n"),
        ({"sample": {"n": 0, "output_dimension": [1]}}, "n of at least 1"),
        ({"sample": {"n": 2, "output_dimension": {"low": 3}}}, r"\{low = …, high = …\}"),
        ({"sample": {"n": 2, "output_dimension": {"low": 3, "high": 1}}}, "low < high"),
        (
            {"sample": {"n": 2, "output_dimension": {"low": 0, "high": 1, "log": True}}},
            "both above 0",
        ),
        ({"grid": {"steps.smooth.sigma": [0.1]}}, r"of a step that stands once .* are \[\]"),
    ],
)
def test_wrong_axes_are_refused(block, message):
    with pytest.raises(StudyError, match=message):
        study(method=PCA | block)


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ({"simulate": {"name": "cirle"}}, r"unknown simulator 'cirle' \(did you mean 'circle'"),
        ({"simulate": {}}, 'needs name = "…"'),
        ({"simulate": {"name": "circle", "noises": 1}}, "unknown key 'noises'"),
        ({"simulate": {"name": "circle"}, "bin": {"width": 0.1}}, "bin is for files"),
        ({"name": "x"}, 'needs path = "…" or simulate'),
        (CIRCLE | {"grid": {"simulate.name.x": [1]}}, "leads into 'name', which is no table"),
    ],
)
def test_wrong_simulations_are_refused(block, message):
    with pytest.raises(StudyError, match=message):
        study(block)


# -- run ------------------------------------------------------------------------------------------


def test_points_are_columns_of_the_results(tmp_path):
    ring = {"name": "circle", "n_samples": 200, "n_trials": 10, "n_units": 8, "mixing": "linear"}
    recording = {"simulate": ring, "grid": {"simulate.noise": [0.0, 0.5]}}
    method = PCA | {"grid": {"output_dimension": [1, 2]}}
    asked = [{"score": "recovery"}, {"score": "consistency", "between": "methods"}]
    results = iso.run(Study("axes", [recording], [method], scores=asked), tmp_path, serial=True)
    whole = results.scores.query("part == 'all'")
    value = whole.set_index(["set.simulate.noise", "set.output_dimension"])["value"]
    assert len(value) == 4
    assert value[0.0, 2] > 0.99 > value[0.0, 1]
    assert value[0.5, 2] < value[0.0, 2]
    assert results.runs["set.simulate.noise"].tolist() == [0.0, 0.0, 0.5, 0.5]
    between = results.pairs.query("between == 'methods' and `set.simulate.noise` == 0")
    one, two = "pca (output_dimension=1)", "pca (output_dimension=2)"
    r2 = between.set_index(["from", "to"])["value"]
    assert r2[two, one] > 0.999 > r2[one, two]
    assert set(between["method"]) == {"all methods"}
    inputs = json.loads((tmp_path / "manifest.json").read_text())["inputs"]
    assert inputs["circle (noise=0)"]["simulate"]["name"] == "circle"


def test_scores_of_shape(tmp_path):
    """Against truth, signal, and nothing: each is a score of the study, of the part it names."""
    ring = {"name": "circle", "n_samples": 600, "n_trials": 10, "n_units": 12, "mixing": "linear"}
    asked = [
        *({"score": s} for s in ("procrustes", "mcc", "geodesic_correlation", "trustworthiness")),
        {"score": "continuity", "n_neighbors": 5},
        {"score": "dimension", "estimator": "two-nn", "split": "all"},
        {"score": "dimension", "estimator": "participation-ratio"},
        {"score": "betti", "n_points": 60, "n_shuffles": 5, "split": "all"},
    ]
    methods = [{"method": "pca", "output_dimension": 2}]
    results = iso.run(
        Study("x", [{"simulate": ring}], methods, scores=asked), tmp_path, serial=True
    )
    assert (results.runs["status"] == "done").all(), results.runs["error"].tolist()
    rows = results.scores.query("part == 'all'").set_index(["score", "label"])
    value = rows["value"]
    assert value["procrustes", ""] > 0.9
    assert value["continuity", ""] > 0.95
    z = results.embedding(results.runs["key"].iloc[0])
    spread = np.linalg.eigvalsh(np.cov(z.values[z["split"].values == "test"].T))
    ratio = spread.sum() ** 2 / np.sum(spread**2)
    assert value["dimension", "participation-ratio"] == pytest.approx(ratio)
    assert value["betti", "H0"] == value["betti", "H1"] == 1
    assert rows.loc[("dimension", "two-nn"), "split"] == "all"
    assert set(results.scores.query("score == 'dimension'")["part"]) == {"all"}
    assert "Betti number" in (tmp_path / "report.html").read_text(encoding="utf-8")
    with pytest.raises(StudyError, match=r"split: unknown 'tests' \(did you mean 'test'"):
        Study("x", [{"simulate": ring}], methods, scores=[{"score": "betti", "split": "tests"}])
    with pytest.raises(StudyError, match="unknown key 'estimators'"):
        Study("x", [{"simulate": ring}], methods, scores=[{"score": "dimension", "estimators": 1}])
