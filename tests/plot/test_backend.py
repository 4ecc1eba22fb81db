"""The other backend: what is drawn in plotly is drawn in matplotlib, number for number."""

from __future__ import annotations

import inspect
import io
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from isofold import plot
from isofold.errors import DataError, MissingDependencyError
from isofold.scores import Score, choose_dimension

pytest.importorskip("matplotlib")
from matplotlib.figure import Figure

HOSTILE = ["<script>alert(1)</script>", "$x_1$", "_under", "a & b", "100 %", "\\frac", "é µ ²"]


def drawn(figure, **options):
    """By the other backend, and rendered once, so that layout errors show."""
    from isofold.plot._matplotlib import draw

    made = draw(figure, **options)
    getattr(made, "figure", made).savefig(io.BytesIO(), format="svg")
    return made


def z(n=40, latents=3) -> xr.DataArray:
    coords = {
        "time": np.arange(n) * 0.1,
        "trial": ("time", np.repeat(np.arange(4), n // 4)),
        "position": ("time", np.linspace(0, 1, n)),
        "angle": ("time", np.linspace(0, 6, n), {"kind": "circular"}),
        "side": ("time", np.where(np.arange(n) % 2, "l", "r")),
        "split": ("time", np.where(np.arange(n) < 30, "train", "test")),
    }
    points = np.random.default_rng(0).normal(size=(n, latents))
    return xr.DataArray(points, coords, ("time", "latent"))


TIME = np.linspace(-1, 2, 13)
TENSOR = xr.DataArray(
    np.random.default_rng(1).normal(size=(6, 13, 1)),
    dims=("trial", "time", "channel"),
    coords={"time": TIME, "side": ("trial", list("lrlrlr"))},
)
OVER_TIME = pd.DataFrame(
    {"time": TIME, "value": 0.5 + 0.1 * np.arange(13), "chance": 0.5, "chance_low": 0.4,
     "chance_high": 0.6}
)  # fmt: skip
SWEEP = pd.DataFrame(
    {"line": ["a", "a", "b", "b"], "x": [1.0, 64.0] * 2, "mean": [0.5, 0.9, 0.4, 0.6],
     "low": [0.4, 0.8, np.nan, np.nan], "high": [0.6, 1.0, np.nan, np.nan], "chosen": [0, 1, 0, 0]}
)  # fmt: skip
RANKS = pd.DataFrame(
    {"channel": HOSTILE[:3], "share": [0.5, 0.3, 0.2], "chance_mean": 0.1, "chance": 0.2}
)
PAIRS = pd.DataFrame([[np.nan, 0.9], [0.8, np.nan]], ["a", "b"], ["a", "b"])
SCORE = Score(
    0.8, "R²", parts=pd.Series([0.7, 0.9]), interval=(0.7, 0.95), chance=np.linspace(0, 0.1, 101),
    ceiling=0.97,
)  # fmt: skip

CALLS = {
    "embedding": (z(),),
    "loss": ([3.0, 2.0, 1.5],),
    "decoding": (SCORE,),
    "consistency": (PAIRS,),
    "trials": (TENSOR, "side"),
    "traces": ({"raw": {"470": (TIME, TIME), "fit": (TIME, TIME)}, "ΔF/F": {"": (TIME, TIME)}},),
    "over_time": (OVER_TIME,),
    "sweep": (SWEEP,),
    "channels": (RANKS,),
    "dimension": (choose_dimension({1: [0.1, 0.2], 2: [0.8, 0.9]}),),
}


# -- the choice -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CALLS)
def test_every_function_gives_either(name):
    function = getattr(plot, name)
    assert type(function(*CALLS[name])).__module__ == "plotly.graph_objs._figure"
    made = function(*CALLS[name], backend="matplotlib")
    assert isinstance(made, Figure)
    made.savefig(io.BytesIO(), format="pdf")


def test_overview_too():
    assert {"backend", "ax"} <= inspect.signature(plot.overview).parameters.keys()


@pytest.mark.parametrize("name", [n for n in plot.__all__ if n != "save"])
def test_both_keywords_are_in_signature_and_docstring(name):
    function = getattr(plot, name)
    *_, backend, ax = inspect.signature(function).parameters.values()
    assert (backend.name, backend.default, ax.name) == ("backend", "plotly", "ax")
    parameters = function.__doc__.split("Parameters\n")[1].split("\n\n")[0]
    assert "\nbackend\n" in parameters
    assert "\nax\n" in parameters


def test_other_backends_are_refused():
    with pytest.raises(DataError, match=r"one of \('plotly', 'matplotlib'\), got 'bokeh'"):
        plot.loss([1.0], backend="bokeh")


def test_axes_given_are_drawn_on_and_returned():
    figure = Figure()
    left, right = figure.subplots(1, 2)
    assert plot.loss([3.0, 2.0], ax=right) is right
    assert plot.loss([3.0, 2.0], backend="matplotlib", ax=right) is right
    assert (len(left.lines), len(right.lines), len(figure.axes)) == (0, 2, 2)


def test_axes_must_fit():
    flat, deep = Figure().add_subplot(), Figure().add_subplot(projection="3d")
    with pytest.raises(DataError, match="one panel; this one has 2"):
        plot.trials(TENSOR, ax=flat)
    with pytest.raises(DataError, match="projection='3d'; ax is flat"):
        plot.embedding(z(), ax=flat)
    with pytest.raises(DataError, match="needs flat axes"):
        plot.loss([1.0, 2.0], ax=deep)
    assert plot.embedding(z(), ax=deep) is deep
    assert len(deep.collections) == 2


def test_pyplot_is_not_touched():
    code = (
        "import sys; from isofold import plot; plot.loss([2.0, 1.0], backend='matplotlib'); "
        "print('matplotlib.pyplot' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_without_matplotlib_the_message_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingDependencyError, match=r'pip install "isofold\[figures\]"'):
        plot.loss([1.0], backend="matplotlib")


# -- what is drawn --------------------------------------------------------------------------------


def test_points_are_those_of_the_embedding():
    made = z()
    ax = plot.embedding(made, backend="matplotlib").axes[0]
    train, test = ax.collections
    np.testing.assert_allclose(np.column_stack(train._offsets3d), made.values[:30])
    np.testing.assert_allclose(test.get_array(), np.linspace(0, 1, 40)[30:])
    assert test.get_sizes()[0] > train.get_sizes()[0]
    assert test.get_alpha() > train.get_alpha()
    assert train.norm.vmin == 0
    assert train.norm.vmax == 1
    assert [a.get_zlabel() for a in [ax]] == ["latent 3"]


def test_one_colour_bar_for_both_parts():
    figure = plot.embedding(z(latents=2), backend="matplotlib")
    assert [a.get_ylabel() for a in figure.axes] == ["latent 2", "position"]
    assert figure.axes[0].get_aspect() == 1


def test_angles_have_a_cyclic_map_and_signed_values_one_that_diverges():
    angles = plot.embedding(z(), "angle", backend="matplotlib").axes[0].collections[0]
    np.testing.assert_allclose(angles.cmap(0.0), angles.cmap(1.0))
    assert (angles.norm.vmin, angles.norm.vmax) == (0, pytest.approx(2 * np.pi))
    signed = plot.embedding(z(), np.linspace(-1, 2, 40), backend="matplotlib").axes[0]
    first = signed.collections[0]
    assert (first.norm.vmin, first.norm.vmax) == (-2, 2)
    middle, low, high = (np.mean(first.cmap(k)[:3]) for k in (0.5, 0.0, 1.0))
    assert middle > max(low, high)


def test_classes_are_in_the_legend_in_their_colours():
    figure = plot.embedding(z(), "side", backend="matplotlib")
    legend = figure.legends[0]
    assert [t.get_text() for t in legend.get_texts()] == [
        "side l · train", "side r · train", "side l · test", "side r · test",
    ]  # fmt: skip
    colors = [h.get_facecolor()[0][:3] for h in legend.legend_handles]
    np.testing.assert_allclose(colors[0], colors[2])
    assert not np.allclose(colors[0], colors[1])


def test_losses_are_lines():
    ax = plot.loss({"a": [3.0, 2.0], "b": [4.0, 1.0]}, backend="matplotlib").axes[0]
    assert [line.get_ydata().tolist() for line in ax.lines] == [[3, 2], [4, 1]]
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_xlim()[0]) == ("step", "loss", 0)


def test_scores_have_interval_chance_and_ceiling():
    ax = plot.decoding({"knn": SCORE}, backend="matplotlib").axes[0]
    runs = np.concatenate([c.get_offsets()[:, 0] for c in ax.collections[:1]])
    np.testing.assert_allclose(runs, [0.7, 0.9])
    (bar,) = [c for c in ax.collections if hasattr(c, "get_segments")]
    np.testing.assert_allclose(bar.get_segments()[0][:, 0], [0.7, 0.95])
    (band,) = [p for p in ax.patches if p.get_width() < 1]
    np.testing.assert_allclose([band.get_x(), band.get_width()], [0.05, 0.045])
    at = [line.get_xdata()[0] for line in ax.lines if len(set(line.get_xdata())) == 1]
    assert 0.97 in at
    assert ax.get_xlim()[0] < 0.05
    assert ax.get_xlim()[1] > 0.97
    assert [t.get_text() for t in ax.get_yticklabels()] == ["knn"]


def test_a_matrix_reads_from_the_top_and_says_its_values():
    ax, bar = plot.consistency(PAIRS, backend="matplotlib").axes
    mesh = ax.collections[0]
    np.testing.assert_allclose(mesh.get_array().filled(-1).reshape(2, 2), [[-1, 0.9], [0.8, -1]])
    assert {t.get_text(): t.get_position() for t in ax.texts} == {"0.90": (1, 0), "0.80": (0, 1)}
    assert ax.get_ylim()[0] > ax.get_ylim()[1]
    assert (bar.get_ylabel(), mesh.norm.vmin, mesh.norm.vmax) == ("consistency", 0, 1)


def test_several_matrices_are_alike_in_size_and_share_a_scale():
    figure = drawn(plot.consistency({"a": PAIRS, "a long name that goes on and on": PAIRS}))
    first, second, bar = figure.axes
    boxes = [a.get_window_extent() for a in (first, second)]
    assert boxes[0].width == pytest.approx(boxes[1].width, rel=0.02)
    assert bar.get_ylabel() == "consistency"
    assert second.get_title().replace("\n", " ") == "a long name that goes on and on"


def test_trials_are_rows_with_means_below():
    heat, means, _ = plot.trials(TENSOR, by="side", backend="matplotlib").axes
    mesh = heat.collections[0]
    order = [0, 2, 4, 1, 3, 5]
    np.testing.assert_allclose(mesh.get_array().reshape(6, 13), TENSOR.values[order, :, 0])
    np.testing.assert_allclose(
        mesh._coordinates[0, [0, -1], 0], [TIME[0] - 0.125, TIME[-1] + 0.125]
    )
    np.testing.assert_allclose(means.lines[0].get_ydata(), TENSOR.values[::2, :, 0].mean(axis=0))
    band = means.patches[0].get_path().vertices
    sem = TENSOR.values[::2, :, 0].std(axis=0, ddof=1) / np.sqrt(3)
    assert band[:, 1].max() >= (TENSOR.values[::2, :, 0].mean(axis=0) + sem).max() - 1e-9
    assert heat.get_shared_x_axes().joined(heat, means)
    assert [t.get_text() for t in heat.get_yticklabels()] == ["l", "r"]


def test_traces_share_their_time():
    figure = plot.traces(CALLS["traces"][0], rule=[0.5], backend="matplotlib")
    raw, dff = figure.axes
    lines = [[line for line in a.lines if len(line.get_xdata()) == 13] for a in (raw, dff)]
    assert [len(found) for found in lines] == [2, 1]
    assert raw.get_shared_x_axes().joined(raw, dff)
    assert dff.get_xlabel() == "time (s)"
    assert [a.get_ylabel() for a in (raw, dff)] == ["raw", "ΔF/F"]


def test_a_sweep_over_wide_numbers_is_logarithmic_and_stars_the_choice():
    ax = plot.sweep(SWEEP, above=0.7, backend="matplotlib").axes[0]
    assert ax.get_xscale() == "log"
    first = next(line for line in ax.lines if line.get_linestyle() == "-")
    np.testing.assert_allclose(first.get_ydata(), [0.5, 0.9])
    segments = [c.get_segments() for c in ax.collections if hasattr(c, "get_segments")]
    np.testing.assert_allclose([s[:, 1] for s in segments[0]], [[0.4, 0.6], [0.8, 1.0]])
    assert [t.get_text() for t in ax.get_xticklabels()] == ["1", "64"]
    stars = [c for c in ax.collections if hasattr(c, "get_sizes") and len(c.get_offsets()) == 1]
    assert [64.0, 0.9] in [c.get_offsets()[0].tolist() for c in stars]


def test_texts_of_an_axis_are_categories():
    table = SWEEP.assign(x=["offset1", "offset10"] * 2)
    ax = plot.sweep(table, backend="matplotlib").axes[0]
    assert [t.get_text() for t in ax.get_xticklabels()] == ["offset1", "offset10"]


def test_channels_are_bars():
    ax = plot.channels(RANKS, backend="matplotlib").axes[0]
    assert [b.get_width() for b in ax.containers[0]] == [0.5, 0.3, 0.2]
    assert [t.get_text() for t in ax.get_yticklabels()] == HOSTILE[:3]


def test_bars_and_points_of_chance_are_behind():
    ax = plot.channels(RANKS, backend="matplotlib").axes[0]
    band = next(p for p in ax.patches if p.get_width() == 0.2 and p.get_height() == 0.9)
    assert band.get_zorder() < ax.containers[0][0].get_zorder()


# -- texts ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", HOSTILE)
def test_names_stay_text(name):
    figure = plot.loss({name: [2.0, 1.0], "b": [3.0, 1.0]}, title=name, unit=name)
    made = drawn(figure)
    ax = made.axes[0]
    shown = [made.legends[0].get_texts()[0], ax.title, ax.yaxis.label]
    assert [t.get_text() for t in shown] == [name] * 3
    assert not any(t.get_parse_math() for t in shown)


def test_hostile_names_are_escaped_in_a_file():
    out = io.BytesIO()
    figure = plot.channels(RANKS, title=HOSTILE[0], backend="matplotlib")
    figure.savefig(out, format="svg")
    assert b"<script>" not in out.getvalue()


def test_long_names_are_wrapped_not_cut():
    table = pd.DataFrame({"method": "method " * 9, "value": [0.1, 0.2], "unit": "R²"})
    figure = drawn(plot.decoding(table), size=(3.3, 2))
    label = figure.axes[0].get_yticklabels()[0]
    assert label.get_text().split() == ["method"] * 9
    assert label.get_window_extent().x0 >= 0


def test_fonts_follow_the_users_settings():
    import matplotlib

    with matplotlib.rc_context({"font.size": 17, "axes.labelsize": "medium"}):
        ax = plot.loss([2.0, 1.0], backend="matplotlib").axes[0]
        assert ax.xaxis.label.get_fontsize() == 17
