"""Figures of dimension."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from isofold import plot, scores
from isofold.errors import DataError
from isofold.scores import Score


def slopes(value=2.0) -> Score:
    radius = pd.Index([0.1, 1.0, 10.0], name="radius")
    return Score(
        value, "dimensions", parts=pd.Series([2.2, 2.0, 1.0], radius),
        also={"r_low": 0.2, "r_high": 2.0}, settings={"estimator": "correlation"},
    )  # fmt: skip


def test_slopes_stand_over_the_radii_that_were_used():
    figure = plot.dimension(slopes())
    curve, line = figure.data
    assert curve.y.tolist() == [2.2, 2.0, 1.0]
    assert curve.name == "correlation: D = 2.00"
    assert list(line.y) == [2.0, 2.0]
    box = figure.layout.shapes[0]
    assert (box.x0, box.x1, figure.layout.xaxis.type) == (0.2, 2.0, "log")


def test_estimators_without_slopes_are_lines_across():
    bare = Score(1.5, "dimensions", settings={"estimator": "two-nn"})
    figure = plot.dimension({"a": slopes(), "b": bare})
    assert [t.name for t in figure.data if t.showlegend] == ["a: D = 2.00", "b: D = 1.50"]
    assert list(figure.data[-1].x) == [0.1, 10.0]


def test_estimators_without_slopes_alone_are_dots_with_intervals():
    figure = plot.dimension({"<b>": Score(1.5, "dimensions", interval=(1.0, 2.0))})
    mean = figure.data[-1]
    assert (mean.x[0], mean.error_x.array[0]) == (1.5, 0.5)
    assert figure.layout.yaxis.ticktext == ("&lt;b&gt;",)


def test_the_choice_is_the_star():
    choice = scores.choose_dimension({1: [0.2, 0.3], 2: [0.8, 0.9], 3: [0.82, 0.9]})
    curve = plot.dimension(choice, unit="R²").data[0]
    np.testing.assert_array_equal(curve.x, [1, 2, 3])
    np.testing.assert_allclose(curve.y, choice.table["mean"])
    np.testing.assert_allclose(curve.error_y.array, choice.table["se"])
    assert curve.marker.symbol == ("circle", "star", "circle")


def test_the_slopes_of_the_other_backend_are_the_same():
    ax = plot.dimension(slopes(), backend="matplotlib").axes[0]
    assert ax.get_xscale() == "log"
    np.testing.assert_allclose(ax.lines[0].get_ydata(), [2.2, 2.0, 1.0])
    assert ax.patches[0].get_x() == 0.2


@pytest.mark.parametrize("wrong", [3.0, {}, Score(1.0, "R²"), {"a": slopes(), "b": 2}])
def test_refuses_what_is_no_dimension(wrong):
    with pytest.raises(DataError, match=r"draws what scores\.dimension or"):
        plot.dimension(wrong)
