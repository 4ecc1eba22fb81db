"""Figures for Python users."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from isofold import plot
from isofold.errors import DataError
from isofold.plot.dots import mean_interval
from isofold.scores import Score


@pytest.fixture
def z() -> xr.DataArray:
    n = 40
    coords = {
        "time": np.arange(n) * 0.1,
        "trial": ("time", np.repeat(np.arange(4), 10)),
        "position": ("time", np.linspace(0, 1, n)),
        "angle": ("time", np.linspace(0, 6, n), {"kind": "circular"}),
        "direction": ("time", np.where(np.arange(n) % 2, "<in>", "out")),
        "split": ("time", np.where(np.arange(n) < 30, "train", "test")),
    }
    points = np.random.default_rng(0).normal(size=(n, 3))
    return xr.DataArray(points, coords, ("time", "latent"))


def test_embedding_draws_train_and_test_apart(z):
    train, test = plot.embedding(z).data
    assert (train.type, len(train.x), len(test.x)) == ("scatter3d", 30, 10)
    assert test.marker.size > train.marker.size
    assert test.opacity > train.opacity
    np.testing.assert_allclose(train.z, z.values[:30, 2])


def test_embedding_has_one_scale_for_both_parts(z):
    train, test = plot.embedding(z, "position").data
    assert (train.marker.cmin, train.marker.cmax) == (test.marker.cmin, test.marker.cmax) == (0, 1)


def test_circular_labels_get_a_cyclic_scale_over_one_turn(z):
    marker = plot.embedding(z, "angle").data[0].marker
    assert marker.cmax - marker.cmin == pytest.approx(2 * np.pi)
    first, last = marker.colorscale[0][1], marker.colorscale[-1][1]
    assert first == last


def test_classes_get_a_trace_each_and_stay_text(z):
    names = {trace.name for trace in plot.embedding(z, "direction").data}
    assert "direction &lt;in&gt; · train" in names


def test_many_classes_get_ordered_colours(z):
    colors = {t.marker.color for t in plot.embedding(z, np.arange(40) // 2, kind="discrete").data}
    assert len(colors) == 20


def test_hover_has_every_coordinate(z):
    text = plot.embedding(z, None).data[0].text[3]
    assert "trial 0" in text
    assert "position 0.07692" in text


def test_two_latents_are_flat(z):
    assert plot.embedding(z[:, :2]).data[0].type == "scattergl"
    assert plot.embedding(z, latents=(0, 2)).layout.yaxis.title.text == "latent 3"


@pytest.mark.parametrize(
    ("points", "color", "message"),
    [
        (np.zeros(5), None, r"\(time, latent\), got shape \(5,\)"),
        (np.zeros((5, 0)), None, "one to three of 0 to -1"),
        (np.zeros((5, 3)), np.zeros(4), r"one value a row, \(5,\), got shape \(4,\)"),
        (np.zeros((5, 3)), "speed", "names no coordinate: 'speed'"),
    ],
)
def test_embedding_refuses(points, color, message):
    with pytest.raises(DataError, match=message):
        plot.embedding(points, color)


def test_loss_of_a_model_a_log_and_several():
    for model in (SimpleNamespace(loss_=[3.0, 2.0]), SimpleNamespace(state_dict_={"loss": [3, 2]})):
        np.testing.assert_array_equal(plot.loss(model).data[0].y, [3, 2])
    log = pd.DataFrame({"step": [10, 20], "loss": [1.0, 0.5]})
    np.testing.assert_array_equal(plot.loss(log).data[0].x, [10, 20])
    assert [t.name for t in plot.loss({"a": log, "b": [1.0]}).data] == ["a", "b"]


@pytest.mark.parametrize("log", [pd.DataFrame({"step": [1]}), object(), "text"])
def test_loss_refuses_what_holds_none(log):
    with pytest.raises(DataError, match="loss"):
        plot.loss(log)


def test_decoding_of_scores_keeps_their_interval_and_chance():
    parts, chance = pd.Series([0.7, 0.9]), np.linspace(0, 0.1, 101)
    score = Score(0.8, "R²", parts=parts, interval=(0.7, 0.9), chance=chance)
    figure = plot.decoding({"knn": score})
    mean = next(t for t in figure.data if t.meta == "ink")
    assert (mean.x[0], mean.error_x.array[0]) == pytest.approx((0.8, 0.1))
    box = figure.layout.shapes[0]
    assert (box.x0, box.x1) == pytest.approx((0.05, 0.095))


def test_decoding_of_a_bare_score_has_a_mean_alone():
    figure = plot.decoding(Score(0.8, "R²"))
    assert not figure.layout.shapes
    assert next(t for t in figure.data if t.meta == "ink").error_x.array is None


def test_decoding_refuses_two_units_on_one_axis():
    table = pd.DataFrame({"method": ["a", "b"], "value": [1.0, 2.0], "unit": ["R²", "bits"]})
    with pytest.raises(DataError, match="one unit, got"):
        plot.decoding(table)


def test_consistency_matrix_is_square_and_ordered():
    index = pd.MultiIndex.from_tuples([(0, 10), (10, 0), (2, 0)], names=["from", "to"])
    matrix = plot.consistency(pd.Series([0.1, 0.2, 0.3], index)).data[0]
    assert matrix.x == ("0", "2", "10")
    np.testing.assert_allclose(matrix.z[2, 0], 0.2)
    assert np.isnan(matrix.z[0, 0])


def test_consistency_refuses_parts_without_pairs():
    with pytest.raises(DataError, match="'from' and 'to'"):
        plot.consistency(pd.Series([1.0], pd.Index([0], name="fold")))


def test_mean_interval_is_student_s():
    values = np.array([0.1, 0.4, 0.35, 0.8])
    low, high = mean_interval(values)
    assert (low + high) / 2 == pytest.approx(values.mean())
    assert (high - low) / 2 == pytest.approx(3.182446 * values.std(ddof=1) / 2)
