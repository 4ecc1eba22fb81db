"""Two embeddings: what the browser needs to draw them, and what is marked in both."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import IsofoldError, StudyError
from .embedded import TEST, Embedded
from .frame import axis_choices, is_flat
from .library import Library
from .paint import Legend, color_names, colored_by, paint
from .selection import selected_rows
from .view import EVERYTHING, Camera, drawn

MOST_KEYS = 10
"""Classes that a legend lists; more are shown as a ramp."""


@dataclass(frozen=True)
class View:
    """How a side is looked at; a selection carries it, so that it means the same ever after."""

    folder: str
    key: str
    axes: str
    onto: str | None = None
    """Run that it is aligned to."""
    label: str | None = None
    """What colours it."""

    @classmethod
    def of(cls, given: Any) -> View:
        """From what a browser says.

        Raises
        ------
        StudyError
            It is no view.
        """
        names = ("folder", "key", "axes", "onto", "label")
        values = [given.get(n) for n in names] if isinstance(given, Mapping) else [None]
        if not all(isinstance(v, str) for v in values[:3]) or len(values) != len(names):
            raise StudyError("a selection says in which view it was made; this one does not")
        if not all(v is None or isinstance(v, str) for v in values[3:]):
            raise StudyError("a selection says in which view it was made; this one does not")
        return cls(*values)

    def embedded(self, library: Library) -> Embedded:
        """The embedding."""
        return library.embedded(self.folder, self.key)

    def placed(self, library: Library) -> NDArray:
        """Its points as drawn."""
        return library.placed(self.folder, self.key, self.axes, self.onto, self.label)


def chosen(library: Library, selection: Any) -> tuple[View, Embedded, NDArray] | None:
    """The view that a selection was made in, and every selected sample of it."""
    if not isinstance(selection, Mapping):
        return None
    view = View.of(selection.get("view"))
    embedded = view.embedded(library)

    def make() -> tuple[NDArray, int]:
        mask = selected_rows(embedded, view.placed(library), dict(selection))
        return mask, mask.nbytes

    # several parts of the page ask for it at once
    return view, embedded, library.derived(selection_key(selection, embedded), make)


def selection_key(selection: Mapping[str, Any], embedded: Embedded) -> tuple[str, str, str]:
    """Equal selections of the same embedding have equal keys."""
    text = json.dumps(selection, sort_keys=True, default=str)
    return "selection", hashlib.sha256(text.encode()).hexdigest(), embedded.stamp


def connect(app: Any, library: Library) -> None:
    """Callbacks of the two embeddings."""
    from dash import Input, Output, State

    controls = [Input(name, "value") for name in ("color", "axes", "show", "align")]
    for side in ("left", "right"):
        _connect_side(app, library, side, controls)

    @app.callback(
        Output("axes", "options"), Output("axes", "value"), Output("color", "options"),
        Output("color", "value"), Input("pair", "data"), State("folder", "data"),
        State("axes", "value"), State("color", "value"), prevent_initial_call=True,
    )  # fmt: skip
    def choices(pair: Any, folder: str, axes: str, color: str) -> Any:
        embedded = library.embedded(folder, pair["left"])
        along = axis_choices(embedded.points.shape[1])
        names = color_names(embedded)
        axes = axes if axes in dict(along) else along[0][0]
        options = [{"value": value, "label": name} for value, name in along]
        return options, axes, names, color if color in names else names[0]

    @app.callback(
        Output("marks", "data"),
        Input("selection", "data"),
        Input("pair", "data"),
        State("folder", "data"),
    )
    def marks(selection: Any, pair: Any, folder: str) -> Any:
        found = chosen(library, selection)
        if found is None or not isinstance(pair, Mapping):
            return None
        _, embedded, mask = found
        bits = _text(np.packbits(mask))
        return {
            side: bits if library.embedded(folder, key).same_clock(embedded) else None
            for side, key in pair.items()
        }

    _connect_browser(app)


def _connect_browser(app: Any) -> None:
    """What the browser does by itself (assets/5-app.js)."""
    from dash import ClientsideFunction, Input, Output

    app.clientside_callback(
        ClientsideFunction("isofold", "draw"),
        Output("drawn", "data"),
        Input("scene-left", "data"),
        Input("scene-right", "data"),
        Input("marks", "data"),
    )
    app.clientside_callback(
        ClientsideFunction("isofold", "link"),
        Output("linked", "data"),
        Input("pair", "data"),
        Input("color", "value"),
        Input("axes", "value"),
    )
    app.clientside_callback(
        ClientsideFunction("isofold", "clear"),
        Output("selection", "data"),
        Input("clear", "n_clicks"),
        prevent_initial_call=True,
    )


def _connect_side(app: Any, library: Library, side: str, controls: list[Any]) -> None:
    from dash import Input, Output, State, ctx, no_update

    outputs = [Output(f"scene-{side}", "data"), Output(f"title-{side}", "children")]
    outputs += [Output(f"rule-{side}", "children"), Output(f"more-{side}", "data")]
    outputs += [Output("legend", "children")] if side == "left" else []

    @app.callback(
        *outputs, Input("pair", "data"), *controls, Input("camera", "data"),
        Input("selection", "data"), State("folder", "data"), State(f"more-{side}", "data"),
    )  # fmt: skip
    def scene(
        pair: Any, color: str, axes: str, show: str, align: list, camera: Any, selection: Any,
        folder: str, more: Any,
    ) -> Any:  # fmt: skip
        unchanged = [no_update] * len(outputs)
        key = pair.get(side) if isinstance(pair, Mapping) else None
        if key is None:
            return unchanged
        if ctx.triggered_id == "selection" and show != "selected":
            return unchanged
        if ctx.triggered_id == "camera" and not more:
            return unchanged
        if show != "selected":
            selection = None
        onto = pair["left"] if side == "right" and align and pair["left"] != key else None
        view = View(folder, key, axes, onto, color)
        payload, legend, rule = scene_of(library, view, Camera.of(camera), show, selection)
        title = _title(library.run(folder, key), _said(library, view))
        shown = [payload, title, rule, payload["more"], _legend(legend)]
        return shown[: len(outputs)]


def scene_of(
    library: Library, view: View, camera: Camera, show: str = EVERYTHING, selection: Any = None
) -> tuple[dict[str, Any], Legend, str]:
    """What the browser draws of one side: as text what it takes, how colours read, the rule."""
    embedded = view.embedded(library)
    try:
        placed = view.placed(library)
    except IsofoldError as error:
        if view.onto is None:
            raise
        raise StudyError(f"not aligned: {error}") from error
    found = chosen(library, selection)
    mask = found[2] if found and found[1].same_clock(embedded) else None
    shown = drawn(embedded, placed, camera, show, mask)
    label = colored_by(embedded, view.label)
    colors, legend = paint(label, shown.rows)
    rows = shown.rows
    payload = {
        "view": vars(view),
        "n": len(rows),
        "more": len(rows) < int(embedded.finite.sum()),
        "flat": is_flat(view.axes) or embedded.points.shape[1] < 3,
        "names": _names(view, embedded),
        "points": _text(placed[rows].astype("<f4")),
        "rows": _text(rows.astype("<u4")),
        "rgb": _text(colors),
        "test": _text((embedded.split[rows] == TEST).astype("u1")),
        "time": _text(embedded.time[rows].astype("<f4")),
        "trial": _text(embedded.trial[rows].astype("<i4")),
        "trials": list(embedded.trials),
        "value": _text(label.values[rows].astype("<f4")),
        "classes": list(label.classes),
        "label": label.name,
        "show": show,
    }
    return payload, legend, shown.rule


def _names(view: View, embedded: Embedded) -> list[str]:
    """Of the axes."""
    if "-" in view.axes:
        return view.axes.split("-")
    return ["a", "b", "c"][: min(3, embedded.points.shape[1])]


def _said(library: Library, view: View) -> str:
    if view.onto is None:
        return ""
    return library.aligned(view.folder, view.key, view.onto, view.label).said


def _title(run: Mapping[str, Any], said: str) -> Any:
    from dash import html

    control = run.get("control")
    parts = [f"{run['method']}"]
    parts += [str(control)] if control not in (None, "", "none") else []
    about = f"{run['recording']}, seed {run['seed']}, fold {run['fold']}"
    return [" · ".join(parts), " ", html.Small(about + (f"; {said}" if said else ""))]


def _legend(legend: Legend) -> Any:
    from dash import html

    name = html.Span(legend.name, className="name")
    if legend.classes and len(legend.classes) <= MOST_KEYS:
        keys = [
            html.Span([html.Span(className="swatch", style={"background": color}), text],
                      className="key")
            for text, color in zip(legend.classes, legend.colors, strict=True)
        ]  # fmt: skip
        return [name, *keys]
    ramp = html.Span(
        className="ramp",
        style={"background": f"linear-gradient(to right, {', '.join(legend.colors)})"},
    )
    ends = (legend.low, legend.high)
    if legend.classes:
        ends = (legend.classes[0], f"{legend.classes[-1]} ({len(legend.classes)} values)")
    return [name, html.Span(ends[0]), ramp, html.Span(ends[1])]


def _text(values: NDArray) -> str:
    """Bytes as JSON can carry them."""
    return base64.b64encode(np.ascontiguousarray(values).tobytes()).decode("ascii")
