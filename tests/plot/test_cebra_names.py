"""Code that plots with the functions of the cebra package runs after its import is changed.

`cebra_facts.json` holds what benchmarks/peers/plots.py found in `cebra` 0.6.1.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import isofold as iso
from isofold.errors import DataError, UnsupportedError

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
RECORDED = json.loads((Path(__file__).parent / "cebra_facts.json").read_text())


@pytest.fixture(scope="module")
def plots():
    """The script that runs the same calls in both packages."""
    pytest.importorskip("matplotlib").use("Agg")
    sys.path.insert(0, str(BENCHMARKS / "peers"))
    import plots

    yield plots
    sys.path.remove(str(BENCHMARKS / "peers"))


@pytest.fixture(scope="module")
def found(plots):
    import matplotlib.pyplot as plt

    facts = json.loads(json.dumps(plots.facts(iso, iso.scores.consistency_score)))
    plt.close("all")
    return facts


@pytest.mark.parametrize("what", [k for k in RECORDED if k != "refused"])
def test_is_as_in_the_cebra_package(found, what):
    assert found[what] == RECORDED[what]


def test_errors_are_caught_by_the_same_except(found):
    assert len(found["refused"]) == len(RECORDED["refused"])
    for ours, theirs in zip(found["refused"], RECORDED["refused"], strict=True):
        assert theirs
        assert set(theirs) <= set(ours)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_record_is_what_the_package_does():
    sys.path.insert(0, str(BENCHMARKS))
    try:
        import _jobs

        python = _jobs.peer_python()
    except (subprocess.CalledProcessError, OSError) as error:
        pytest.skip(f"the environment of the cebra package cannot be made here: {error}")
    finally:
        sys.path.remove(str(BENCHMARKS))
    assert _jobs.call("peers/plots.py", {"package": "cebra"}, python) == RECORDED


# -- what is drawn --------------------------------------------------------------------------------


RING = np.column_stack([np.cos(np.arange(9)), np.sin(np.arange(9)), np.arange(9.0)])


def test_points_and_colours_are_those_given():
    values = np.linspace(-1, 1, 9)
    drawn = iso.plot_embedding(RING, values, cmap="viridis", idx_order=(2, 0)).collections[0]
    np.testing.assert_allclose(drawn.get_offsets(), RING[:, [2, 0]])
    np.testing.assert_allclose(drawn.get_array(), values)
    assert drawn.get_cmap().name == "viridis"


def test_time_uses_the_map_that_was_asked_for():
    """The peer ignores `cmap` there, against its own description."""
    drawn = iso.plot_embedding(RING, "time").collections[0]
    assert drawn.get_cmap().name == "cool"
    assert drawn.get_array().tolist() == list(range(9))


def test_lists_and_texts_are_labels():
    drawn = iso.plot_embedding(RING, ["b", "a", "b"] * 3).collections[0]
    assert drawn.get_array().tolist() == [1, 0, 1] * 3


def test_missing_samples_and_one_point_are_drawn():
    points = RING.copy()
    points[3] = np.nan
    assert iso.plot_embedding(points, np.full(9, np.nan)).has_data()
    assert iso.plot_embedding(RING[:1], "time").has_data()


def test_recordings_and_embeddings_are_taken():
    rat = iso.simulate.place_cells(seed=0, n_laps=6, n_units=8)
    model = iso.CEBRA(max_iterations=3, output_dimension=2, random_state=0).fit(rat)
    figure, (_, _, right) = iso.plot_overview(model, rat)
    assert len(right.collections[0].get_offsets()) == len(rat.signal)
    assert not hasattr(right, "zaxis")  # the peer ends in a TypeError with two latents
    assert len(figure.axes) == 3


def test_models_of_other_kinds_have_losses_but_no_temperature():
    fitted = SimpleNamespace(loss_=[2.0, 1.0])
    assert iso.plot_loss(fitted).get_ylabel() == "Loss"
    with pytest.raises(DataError, match="without a temperature"):
        iso.plot_temperature(fitted)
    with pytest.raises(DataError, match="no loss to plot"):
        iso.plot_loss(SimpleNamespace())


def test_models_stand_on_the_axes_given():
    ax = iso.plot_loss(SimpleNamespace(loss_=[2.0, 1.0]))
    back = iso.compare_models([SimpleNamespace(loss_=[3.0])], ax=ax, cmap="viridis")
    assert back is ax
    assert len(ax.lines) == 2


def test_the_matrix_has_a_row_for_the_first_of_each_pair():
    pairs, ids = [["a", "b"], ["b", "a"]], ["b", "a"]
    image = iso.plot_consistency([0.25, 0.5], pairs, ids).images[0]
    np.testing.assert_allclose(image.get_array().filled(-1), [[-1, 50], [25, -1]])


@pytest.mark.parametrize("name", ["<script>", "$x_1$", "_hidden", "100 %"])
def test_names_of_data_sets_stay_text(name, tmp_path):
    ax = iso.plot_consistency([0.25, 0.5], [[name, "b"], ["b", name]], [name, "b"])
    assert ax.get_xticklabels()[0].get_text() == name
    assert not ax.get_xticklabels()[0].get_parse_math()
    ax.figure.savefig(tmp_path / "matrix.svg")


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: iso.plot_embedding(RING[:, :1]), DataError, "2 latents or more, got"),
        (lambda: iso.plot_embedding(RING, idx_order=(0,)), DataError, "2 or 3 dimensions, got 1"),
        (lambda: iso.plot_embedding(RING, idx_order=(0, -1)), DataError, "0 to 2, got"),
        (lambda: iso.plot_embedding(RING, RING), UnsupportedError, "one column is drawn"),
        (lambda: iso.plot_embedding(RING, [1, 2]), DataError, "one a sample is needed, 9, got 2"),
        (lambda: iso.plot_embedding(RING, "no"), DataError, "'time' or a colour"),
        (lambda: iso.compare_models([]), DataError, "a list of fitted models"),
        (lambda: iso.plot_consistency([[1.0]], [[0, 1]], [0, 1]), DataError, "got 2D"),
        (
            lambda: iso.plot_consistency([1.0, 0.5], [[0, 1], [0, 2]], [0, 1]),
            DataError,
            "got 2 scores, 2 pairs and 3 names",
        ),
        (
            lambda: iso.plot_embedding_interactive(RING, showlegend=True),
            DataError,
            "legend with continuous",
        ),
        (lambda: iso.plot_embedding_interactive(RING, colour=1), DataError, r"got \['colour'\]"),
    ],
)
def test_refuses(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_interactive_has_the_map_of_matplotlib_in_plotly():
    figure = iso.plot_embedding_interactive(RING, np.arange(9.0), markersize=4, figsize=(6, 5))
    trace = figure.data[0]
    assert (trace.type, trace.marker.size, trace.marker.opacity) == ("scatter3d", 4, 0.4)
    assert (figure.layout.width, figure.layout.height) == (600, 500)
    assert trace.marker.colorscale[0] == (0.0, "#00ffff")  # the cyan end of "cool"
    np.testing.assert_allclose(trace.z, RING[:, 2])


def test_interactive_has_a_trace_a_class_where_labels_are_discrete():
    labels = np.array(["x", "y", "x"] * 3)
    figure = iso.plot_embedding_interactive(RING, labels, discrete=True, showlegend=True)
    assert [(t.name, len(t.x)) for t in figure.data] == [("x", 6), ("y", 3)]
    assert figure.layout.showlegend


def test_interactive_draws_two_latents_and_into_subplots():
    from plotly.subplots import make_subplots

    figure = make_subplots(1, 2)
    back = iso.plot_embedding_interactive(RING[:, :2], "red", axis=figure, row=1, col=2)
    assert back is figure
    assert (figure.data[0].type, figure.data[0].xaxis) == ("scattergl", "x2")


def test_new_figures_of_one_panel_are_unknown_to_pyplot():
    code = (
        "import sys, isofold as iso; iso.plot_embedding([[0, 1], [1, 0]]); "
        "print('matplotlib.pyplot' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
