"""Embeddings of any size: what is drawn, what is left out, and that it is said."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from isofold import plot
from isofold.errors import DataError
from isofold.plot._thin import thinned
from isofold.plot.style import ACCENT, GREY

RNG = np.random.default_rng(0)


def embedding(points, **coords) -> xr.DataArray:
    given = {name: ("time", values) for name, values in coords.items()}
    return xr.DataArray(points, given, ("time", "latent"))


def said(figure) -> str:
    return next((a.text for a in figure.layout.annotations if a.name == "note"), "")


@pytest.mark.parametrize("backend", ["plotly", "matplotlib"])
@pytest.mark.parametrize("n_latents", [1, 2, 3, 8])
@pytest.mark.parametrize("n", [1, 2, 50])
def test_any_number_of_latents_and_samples(n, n_latents, backend):
    points = RNG.normal(size=(n, n_latents))
    made = plot.embedding(points, backend=backend)
    if backend == "plotly":
        drawn = made.data[0]
        last = drawn.y if n_latents < 3 else drawn.z
        np.testing.assert_allclose(last, points[:, min(n_latents, 3) - 1])
    else:
        made.canvas.draw()
        assert len(made.axes[0].collections[0].get_offsets()) == n


def test_one_latent_stands_against_time():
    z = xr.DataArray(np.ones((4, 1)), {"time": [0.1, 0.2, 0.5, 0.6]}, ("time", "latent"))
    figure = plot.embedding(z)
    assert figure.data[0].x.tolist() == [0.1, 0.2, 0.5, 0.6]
    assert figure.layout.xaxis.title.text == "time (s)"
    assert plot.embedding(np.ones((4, 1))).layout.xaxis.title.text == "sample"


def test_latents_are_those_asked_for():
    points = RNG.normal(size=(5, 8))
    figure = plot.embedding(points, latents=(7, 0))
    np.testing.assert_array_equal(figure.data[0].x, points[:, 7])
    assert figure.layout.xaxis.title.text == "latent 8"
    with pytest.raises(DataError, match=r"one to three of 0 to 7, got \[8\]"):
        plot.embedding(points, latents=[8])


# -- left out, and said ---------------------------------------------------------------------------


def test_many_samples_are_thinned_trial_by_trial_and_it_is_said():
    n = 100_000
    trial = np.arange(n) // 1000
    figure = plot.embedding(embedding(RNG.normal(size=(n, 3)), trial=trial), None)
    drawn = figure.data[0]
    assert len(drawn.x) == 20_000
    kept = [int(text.split("<br>")[0].split()[1]) for text in drawn.text]
    assert kept == [k for k in range(n) if k % 1000 % 5 == 0]
    assert said(figure) == ("drawn: sample 1 of every 5 of each trial, 20,000 of 100,000 samples")
    assert said(plot.embedding(np.zeros((40, 2)), most_points=10)) == (
        "drawn: sample 1 of every 4, 10 of 40 samples"
    )


def test_all_samples_are_drawn_where_they_are_few():
    figure = plot.embedding(RNG.normal(size=(500, 3)))
    assert len(figure.data[0].x) == 500
    assert said(figure) == ""


def test_the_note_stands_in_the_other_backend_too():
    figure = plot.embedding(np.zeros((40, 2)), most_points=10, backend="matplotlib")
    figure.canvas.draw()
    shown = figure.get_supxlabel().replace("\n", " ")
    assert shown == "drawn: sample 1 of every 4, 10 of 40 samples"


def test_thinning_keeps_the_first_sample_of_each_trial_and_the_limit():
    trial = np.repeat([3, 1, 2], [70, 31, 99])
    kept, every, by_trial = thinned(np.arange(200), trial, 50)
    assert (every, by_trial) == (4, True)
    assert {0, 70, 101} <= set(kept)
    kept, _, by_trial = thinned(np.arange(200), np.arange(200), 50)
    assert (len(kept), by_trial) == (50, False)


def test_samples_that_are_not_finite_are_left_out_and_counted():
    points = RNG.normal(size=(6, 3))
    points[1, 0], points[4, 2] = np.nan, np.inf
    figure = plot.embedding(points, np.arange(6.0))
    np.testing.assert_array_equal(figure.data[0].marker.color, [0, 2, 3, 5])
    assert said(figure) == "2 samples that are not finite left out"
    nothing = plot.embedding(np.full((3, 3), np.nan))
    assert sum(len(t.x) for t in nothing.data) == 0
    assert plot.embedding(np.full((3, 3), np.nan), backend="matplotlib").axes


def test_samples_in_no_split_are_left_out_and_those_of_validation_are_not():
    split = ["train", "valid", "test", "", "test"]
    figure = plot.embedding(embedding(np.zeros((5, 3)), split=split), None)
    assert [(t.name, len(t.x)) for t in figure.data] == [("train", 1), ("valid", 1), ("test", 2)]
    assert said(figure) == "1 samples in no split left out"


# -- colours --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "lost"),
    [
        ([0.5, np.nan, 1.0], 1),
        ([np.nan, np.nan, np.nan], 3),
        ([0, -1, 1], 1),
        (["a", "", "b"], 1),
        ([None, "a", None], 2),
    ],
)
def test_samples_without_a_value_are_grey(values, lost):
    figure = plot.embedding(np.zeros((3, 3)), np.array(values))
    assert (figure.data[0].marker.color, len(figure.data[0].x)) == (GREY, lost)
    assert figure.data[0].name == "no value"
    assert sum(len(t.x) for t in figure.data) == 3


def test_minus_one_beside_other_negative_numbers_is_a_value():
    figure = plot.embedding(np.zeros((3, 3)), np.array([-2, -1, 1]))
    assert [t.name for t in figure.data] == ["-2", "-1", "1"]


def test_no_label_is_one_colour():
    assert plot.embedding(np.zeros((3, 3))).data[0].marker.color == ACCENT


def test_signed_values_diverge_from_zero():
    marker = plot.embedding(np.zeros((3, 3)), np.array([-1.0, 0.0, 4.0])).data[0].marker
    assert (marker.cmin, marker.cmax) == (-4, 4)
    values = np.array([-0.1, 0.0, 4.0])
    assert plot.embedding(np.zeros((3, 3)), values).data[0].marker.cmin == -0.1
    shown = plot.embedding(np.zeros((3, 3)), values, kind="signed").data[0].marker
    assert shown.cmin == -4


def test_trials_of_many_numbers_are_a_scale_and_few_are_classes():
    z = embedding(np.zeros((40, 3)), trial=np.arange(40))
    assert plot.embedding(z, "trial").data[0].marker.showscale
    z = embedding(np.zeros((40, 3)), trial=np.arange(40) // 10)
    assert [t.name for t in plot.embedding(z, "trial").data] == [f"trial {k}" for k in range(4)]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "angle"}, "kind must be one of"),
        ({"most_points": 0}, "most_points must be at least 1"),
        ({"color": "speed"}, "names no coordinate: 'speed'"),
    ],
)
def test_refuses_options(options, message):
    with pytest.raises(DataError, match=message):
        plot.embedding(np.zeros((3, 3)), **{"color": np.arange(3.0), **options})


def test_hostile_names_are_escaped_for_plotly():
    z = embedding(np.zeros((2, 3)), **{"<b>x</b>": ["<script>", "<i>"]})
    figure = plot.embedding(z, "<b>x</b>")
    page = figure.to_json()
    assert "<script>" not in page
    assert "<b>" not in page.replace("<br>", "")
    assert figure.data[1].name == "&lt;b&gt;x&lt;/b&gt; &lt;script&gt;"
