"""What plotting calls return, of the `cebra` package or of isofold: python plots.py JOB.json.

The job names the `package` and the file `out`. The same lines run in both environments: signatures
of the functions, and of each call the type returned, the number and kind of axes, their texts, and
what is drawn in them.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np

NAMES = (
    "plot_embedding", "plot_loss", "plot_temperature", "plot_consistency", "compare_models",
    "plot_overview",
)  # fmt: skip
BUILT_IN = (NotImplementedError, ValueError, TypeError, AttributeError)
INTERACTIVE = "plot_embedding_interactive"
STEPS = 12


def facts(package: Any, consistency_score: Callable) -> dict[str, Any]:
    """All that is compared, as JSON takes it."""
    found = {f"signature of {name}": signature(getattr(package, name)) for name in NAMES}
    found[f"signature of {INTERACTIVE}"] = (
        signature(getattr(package, INTERACTIVE))
        if INTERACTIVE in dir(package)
        else read_signature(Path(package.__file__).parent / "integrations" / "plotly.py")
    )
    return found | dict(calls(package, consistency_score))


def signature(function: Callable) -> list[list[str]]:
    """Names, kinds and defaults of the arguments."""
    return [
        [p.name, p.kind.name, "none" if p.default is p.empty else shown(p.default)]
        for p in inspect.signature(function).parameters.values()
    ]


def shown(value: Any) -> str:
    """A default; of several empty mappings there is one."""
    return "{}" if hasattr(value, "keys") and not value else repr(value)


def read_signature(path: Path) -> list[list[str]]:
    """The same out of the source: the module needs plotly, which its package does not bring."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    node = next(n for n in ast.walk(tree) if getattr(n, "name", "") == INTERACTIVE)
    arguments = node.args
    required = len(arguments.args) - len(arguments.defaults)
    rows = [[a.arg, "POSITIONAL_OR_KEYWORD", "none"] for a in arguments.args]
    for row, default in zip(rows[required:], arguments.defaults, strict=True):
        row[2] = repr(ast.literal_eval(default))
    return [*rows, [arguments.kwarg.arg, "VAR_KEYWORD", "none"]]


def calls(package: Any, consistency_score: Callable):
    """(what is called, what came back)."""
    import matplotlib.pyplot as plt

    rng = np.random.default_rng(0)
    X, y = rng.uniform(size=(200, 10)), rng.uniform(size=(200, 2))
    own = {"max_iterations": STEPS, "batch_size": 64, "learning_rate": 3e-4}
    three = package.CEBRA(output_dimension=3, **own).fit(X, y)
    eight = package.CEBRA(output_dimension=8, temperature_mode="auto", **own).fit(X, y)
    z = np.asarray(three.transform(X))
    yield "embedding", about(package.plot_embedding(z))
    yield "by label", about(package.plot_embedding(z, embedding_labels=y[:, 0], cmap="magma"))
    yield "by time", about(package.plot_embedding(z, embedding_labels="time", title="t"))
    yield "two latents", about(package.plot_embedding(z[:, :2], embedding_labels="red"))
    yield "two of three", about(package.plot_embedding(z, idx_order=(2, 0), markersize=3))
    yield "eight latents", about(package.plot_embedding(np.asarray(eight.transform(X)), alpha=1))
    figure, ax = plt.subplots(1, 2)
    back = package.plot_embedding(z[:, :2], ax=ax[1])
    yield "on given axes", [back is ax[1], len(figure.axes)]
    yield "loss", about(package.plot_loss(three, label="a"))
    yield "loss, no texts", about(package.plot_loss(three, x_label=False, y_label=False))
    yield "loss, styled", about(package.plot_loss(three, color="k", linewidth=3, linestyle="--"))
    yield "temperature", about(package.plot_temperature(three))
    yield "learned temperature", about(package.plot_temperature(eight, figsize=(4, 2), dpi=50))
    yield "models", about(package.compare_models([three, eight], ["a", 2]))
    yield "models, one colour", about(package.compare_models([three, eight], color="blue"))
    runs = consistency_score([z, z[:, ::-1], z[:, [1, 0, 2]]], between="runs")
    yield "runs", about(package.plot_consistency(*runs))
    names = {"labels": [y[:, 0]] * 3, "dataset_ids": ["a", "b", "c"], "between": "datasets"}
    animals = consistency_score([z, z[:, ::-1], z[:, [1, 0, 2]]], **names)
    yield "animals", about(package.plot_consistency(*animals, vmin=0, vmax=100, title="t"))
    plain = package.plot_consistency(*animals, text_color=None, colorbar_label=None)
    yield "animals, plain", about(plain)
    figure, axes = package.plot_overview(three, X, embedding_kwargs={"embedding_labels": "time"})
    yield "overview", [kind(figure), [kind(a) for a in axes], *[about(a) for a in axes]]
    yield "refused", [*refused(package, three, z, y, animals)]


def refused(package: Any, model: Any, z: Any, y: Any, animals: Any):
    """Which `except` catches the error that each wrong call ends in; [] where it ends in none."""
    wrong = [
        lambda: package.plot_embedding(z, embedding_labels="no colour"),
        lambda: package.plot_embedding(z, embedding_labels=y[:5, 0]),
        lambda: package.plot_embedding(z, embedding_labels=y),
        lambda: package.plot_embedding(z, idx_order=(0, 7)),
        lambda: package.plot_loss(package.CEBRA()),
        lambda: package.plot_temperature(package.CEBRA()),
        lambda: package.compare_models(model),
        lambda: package.compare_models([model], ["a", "b"]),
        lambda: package.compare_models([model], "a"),
        lambda: package.plot_consistency(animals[0]),
        lambda: package.plot_consistency(animals[0][:3], *animals[1:]),
    ]
    for call in wrong:
        try:
            call()
        except Exception as error:
            yield [t.__name__ for t in BUILT_IN if isinstance(error, t)]
        else:
            yield []


def kind(thing: Any) -> str:
    return type(thing).__name__


def about(ax: Any) -> dict[str, Any]:
    """What can be told of axes and their figure."""
    figure = ax.figure
    legend = ax.get_legend()
    return {
        "kind": kind(ax),
        "axes": [kind(a) for a in figure.axes],
        "size": [*figure.get_size_inches().tolist(), float(figure.dpi)],
        "texts": [ax.get_title(), ax.get_xlabel(), ax.get_ylabel()],
        "other axes": [[a.get_xlabel(), a.get_ylabel()] for a in figure.axes if a is not ax],
        "lines": [
            [len(line.get_ydata()), line.get_linewidth(), line.get_linestyle()] for line in ax.lines
        ],
        "points": [len(c.get_offsets()) for c in ax.collections],
        "sizes": [c.get_sizes().tolist() for c in ax.collections],
        "alpha": [c.get_alpha() for c in ax.collections],
        "images": [list(image.get_array().shape) for image in ax.images],
        "limits": [list(image.get_clim()) for image in ax.images if ax.get_title() == "t"],
        "values": len(ax.texts),
        "ticks": [t.get_text() for t in ax.get_xticklabels()] if ax.images else [],
        "legend": [t.get_text() for t in legend.get_texts()] if legend else None,
    }


def main(path: str) -> None:
    matplotlib.use("Agg")
    job = json.loads(Path(path).read_text())
    package = importlib.import_module(job["package"])
    if job["package"] == "isofold":
        from isofold.scores import consistency_score
    else:
        consistency_score = package.sklearn.metrics.consistency_score
    Path(job["out"]).write_text(json.dumps(facts(package, consistency_score)))


if __name__ == "__main__":
    main(sys.argv[1])
