"""Scores along the axes of a study."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

import isofold as iso
from isofold.errors import DataError, StudyError
from isofold.studies import Study
from isofold.studies.sweeps import swept

RING = {"name": "circle", "n_samples": 300, "n_trials": 9, "n_units": 8, "mixing": "linear"}


class FakeResults:
    """Scores by hand: method "m", d = 1, 2, 3, of recordings a and b."""

    def __init__(self, values, sweep, unit="R²"):
        self.study = {
            "methods": [{"method": "m", "grid": {"d": [d]}} for d in (1, 2, 3)]
            + [{"method": "raw"}],
            "recordings": [{"name": name} for name in ("a", "b")],
            "sweeps": [{"asks": "How many?", "score": "recovery", "along": "d", **sweep}],
        }
        rows = [
            {"recording": r, "method": f"m (d={d})", "fold": f, "seed": s, "value": v}
            for (r, d), folds in values.items()
            for f, seeds in enumerate(folds)
            for s, v in enumerate(seeds)
        ]
        rows.append({"recording": "a", "method": "raw", "fold": 0, "seed": 0, "value": 0.99})
        same = {"control": "none", "score": "recovery", "part": "all", "label": "", "decoder": ""}
        self.scores = pd.DataFrame(rows).assign(**same, unit=unit, chance_mean=-0.1, between="")
        self.pairs = self.scores.iloc[:0]


def values(by_d):
    """Three folds of two seeds; the spread over folds is .01, over seeds 0."""
    return {("a", d): [[v - 0.01] * 2, [v] * 2, [v + 0.01] * 2] for d, v in by_d.items()}


def test_mean_interval_and_share():
    found = swept(FakeResults(values({1: 0.5, 2: 0.9, 3: 0.8}), {"above": 0.895}))[0]
    table = found.table.set_index("x")
    assert list(table.index) == [1, 2, 3]
    np.testing.assert_allclose(table["mean"], [0.5, 0.9, 0.8])
    se = 0.01 / np.sqrt(3)
    np.testing.assert_allclose(table["se"], se)
    np.testing.assert_allclose(table["high"] - table["mean"], 4.302653 * se, rtol=1e-5)
    np.testing.assert_allclose(table["above"], [0, 4 / 6, 0])
    assert set(found.table["line"]) == {"all runs"}
    assert "R² is best at d 2, 0.9 [" in found.findings[0]
    assert found.findings[0].endswith("above 0.895 are 0 of 6 at 1, 4 of 6 at 2, 0 of 6 at 3.")


@pytest.mark.parametrize(
    ("means", "smallest"),
    [
        ({1: 0.5, 2: 0.898, 3: 0.9}, 2),
        ({1: 0.5, 2: 0.89, 3: 0.9}, 3),
        ({1: 0.9, 2: 0.9, 3: 0.9}, 1),
    ],
)
def test_smallest_within_one_standard_error_of_the_best(means, smallest):
    found = swept(FakeResults(values(means), {"choose": True}))[0]
    assert found.table.loc[found.table["chosen"], "x"].tolist() == [smallest]
    assert f"within one standard error of the best is {smallest} " in found.findings[0]


def test_errors_are_better_when_low():
    sweep = {"choose": True, "above": 0.6, "unit": "median error"}
    results = FakeResults(values({1: 0.5, 2: 0.9, 3: 0.8}), sweep, unit="median error")
    found = swept(results)[0]
    assert found.table.loc[found.table["chosen"], "x"].tolist() == [1]
    assert found.findings[0].endswith("below 0.6 are 6 of 6 at 1, 0 of 6 at 2, 0 of 6 at 3.")


def test_what_else_varies_makes_lines():
    both = values({1: 0.5, 2: 0.9}) | {("b", d): v for (_, d), v in values({1: 0.4}).items()}
    found = swept(FakeResults(both, {}))[0]
    assert found.table["line"].tolist() == ["a", "a", "b"]
    assert found.findings[1].startswith("b: R² is 0.4")


def test_an_axis_of_recordings_or_methods():
    found = swept(FakeResults(values({1: 0.5, 2: 0.9}), {"along": "method"}))[0]
    assert found.table["x"].tolist() == ["m (d=1)", "m (d=2)", "raw"]
    assert not found.numeric


def test_without_scores_it_says_so():
    found = swept(FakeResults(values({1: 0.5}), {"unit": "bits"}))[0]
    assert found.table.empty
    assert found.findings == ("No run gave this score.",)


@pytest.mark.parametrize(
    ("sweep", "message"),
    [
        ({}, "needs asks"),
        ({"asks": "?", "score": "recovery"}, "needs along"),
        ({"asks": "?", "score": "recovery", "along": "dims"}, r"no axis 'dims' .*output_dimension"),
        (
            {"asks": "?", "score": "decode", "along": "output_dimension"},
            "no score of this study is 'decode'",
        ),
        (
            {"asks": "?", "score": "recovery", "along": "output_dimension", "above": "much"},
            "above must be a number",
        ),
        ({"asks": "?", "score": "recovery", "along": "method", "best": 1}, "unknown key 'best'"),
    ],
)
def test_wrong_sweeps_are_refused(sweep, message):
    method = {"method": "pca", "grid": {"output_dimension": [1, 2]}}
    with pytest.raises(StudyError, match=message):
        Study("s", [{"simulate": RING}], [method], scores=["recovery"], sweeps=[sweep])


@pytest.mark.parametrize(
    ("scores", "sweep", "message"),
    [
        (["recovery", {"score": "recovery", "split": "all"}], "recovery", "would be mixed"),
        (
            ["consistency", {"score": "consistency", "between": "methods"}],
            "consistency",
            "name label, decoder or between",
        ),
        (["betti"], "betti", "needs label"),
    ],
)
def test_scores_are_not_mixed(scores, sweep, message):
    method = {"method": "pca", "grid": {"output_dimension": [1, 2]}}
    asked = {"asks": "?", "score": sweep, "along": "output_dimension"}
    with pytest.raises(StudyError, match=message):
        Study("s", [{"simulate": RING}], [method], scores=scores, sweeps=[asked])


def test_a_circle_fits_in_two_dimensions(tmp_path):
    """From file to page: PCA of a circle that units see linearly."""
    methods = [{"method": "pca", "grid": {"output_dimension": [1, 2, 3]}}, "raw"]
    sweep = {"asks": "How many <b>?", "score": "recovery", "along": "output_dimension"}
    study = Study(
        "circle", [{"simulate": RING | {"noise": 0.3}}], methods, folds=3, scores=["recovery"],
        sweeps=[sweep | {"choose": True}],
    )  # fmt: skip
    results = iso.run(study, tmp_path, serial=True)
    found = results.sweeps()[0]
    assert found.table.loc[found.table["chosen"], "x"].tolist() == [2]
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "What was asked" in page
    assert "How many &lt;b&gt;?" in page
    assert "the best is 2 (R² " in page
    # without the question it is the same runs
    seen = []
    plain = dataclasses.replace(study, sweeps=[])
    again = iso.run(
        plain, tmp_path, serial=True, resume=True, progress=lambda done, *_: seen.append(done)
    )
    assert again.sweeps() == []
    assert seen == [12]


def test_a_figure_of_a_sweep():
    table = pd.DataFrame({"line": "a", "x": [0.01, 1.0], "mean": [0.5, 0.9]})
    figure = iso.plot.sweep(table, along="temperature", unit="R²", above=0.7)
    assert figure.layout.xaxis.type == "log"
    with pytest.raises(DataError, match=r"lacks \['mean'\]"):
        iso.plot.sweep(table.drop(columns="mean"))
    with pytest.raises(DataError, match="has no rows"):
        iso.plot.sweep(table.iloc[:0])
