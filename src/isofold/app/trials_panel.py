"""The selected trials: their table, one of them as traces and behaviour, and as files."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import StudyError
from .compare import View, chosen, selection_key
from .embedded import Embedded
from .export import as_csv, as_nwb
from .library import Library
from .paint import colored_by
from .parts import aria, table
from .selection import rows_of_trial, trial_table
from .trace import MOST_SAMPLES, signal_of, trial_figure

SHOWN = 100
"""Trials that the table on the page has; files have all of them."""


def layout() -> Any:
    """The panel; empty until something is selected."""
    from dash import dcc, html

    return [
        html.H2("Selected trials"),
        html.Div(html.P("Nothing is selected: lasso or click points above."), id="trials"),
        html.Div(
            [
                html.Button("CSV", id="save-csv", type="button", n_clicks=0),
                html.Button("NWB", id="save-nwb", type="button", n_clicks=0),
            ],
            id="save-trials", className="buttons", hidden=True, title="Save the selected trials",
        ),
        html.Div(
            [
                html.H3(id="trial-name"),
                html.Div(id="player"),
                html.Div([dcc.Graph(id="trace", config=_CONFIG), html.Div(id="cursor")],
                         className="trace"),
                html.P(id="trace-said", className="fine"),
            ],
            id="one-trial", hidden=True,
        ),
    ]  # fmt: skip


_CONFIG: Any = {
    "displaylogo": False,
    "responsive": True,
    "modeBarButtons": [["toImage", "resetScale2d"]],
    "toImageButtonOptions": {"format": "svg"},
}


def connect(app: Any, library: Library) -> None:
    """Callbacks of the panel."""
    _connect_table(app, library)
    _connect_trial(app, library)
    _connect_files(app, library)


def _connect_table(app: Any, library: Library) -> None:
    from dash import ALL, Input, Output, State, ctx, html, no_update

    @app.callback(
        Output("trials", "children"), Output("save-trials", "hidden"),
        Input("selection", "data"), Input("trial", "data"),
    )  # fmt: skip
    def listed(selection: Any, trial: Any) -> Any:
        found = chosen(library, selection)
        if found is None or not found[2].any():
            return html.P("Nothing is selected: lasso or click points above."), True
        _, embedded, mask = found
        shown = _trials(library, selection, embedded, mask)
        return _listed(embedded, mask, shown, trial), False

    @app.callback(
        Output("trial", "data"), Input("selection", "data"), State("trial", "data")
    )  # fmt: skip
    def first(selection: Any, trial: Any) -> Any:
        found = chosen(library, selection)
        if found is None:
            return None
        _, embedded, mask = found
        names = [embedded.trials[k] for k in np.unique(embedded.trial[mask]) if k >= 0]
        return trial if trial in names else next(iter(names), None)

    @app.callback(
        Output("trial", "data", allow_duplicate=True),
        Input({"type": "trial", "name": ALL}, "n_clicks"),
        prevent_initial_call=True,
    )
    def choose(clicks: list) -> Any:
        asked = ctx.triggered_id
        return asked["name"] if isinstance(asked, dict) and any(clicks) else no_update


def _connect_trial(app: Any, library: Library) -> None:
    from dash import ClientsideFunction, Input, Output, State

    @app.callback(
        Output("trace", "figure"), Output("trace", "style"), Output("trace-said", "children"),
        Output("trial-name", "children"), Output("path", "data"), Output("one-trial", "hidden"),
        Input("trial", "data"), Input("selection", "data"), Input("pair", "data"),
        Input("axes", "value"), Input("align", "value"), Input("color", "value"),
        State("folder", "data"),
    )  # fmt: skip
    def one(
        trial: Any, selection: Any, pair: Any, axes: str, align: list, color: str, folder: str
    ) -> Any:
        found = chosen(library, selection) if isinstance(trial, str) else None
        rows = rows_of_trial(found[1], trial) if found else np.zeros(0, int)
        if found is None or not len(rows):
            return {}, {}, "", "", None, True
        view, embedded, mask = found
        signal = signal_of(library, view.folder, library.run(view.folder, view.key), rows)
        views = {}
        for side, key in pair.items():
            onto = pair["left"] if side == "right" and align and pair["left"] != key else None
            views[side] = View(folder, key, axes, onto, color)
        name = f"Trial {trial}" if embedded.has_trials else trial.capitalize()
        figure = trial_figure(embedded, rows, signal, mask)
        said = _trace_said(signal.said, len(rows))
        high = {"height": f"{figure.layout.height}px"}
        return figure, high, said, name, path_of(library, embedded, rows, views), False

    app.clientside_callback(
        ClientsideFunction("isofold", "player"), Output("played", "data"), Input("path", "data")
    )


def _connect_files(app: Any, library: Library) -> None:
    from dash import Input, Output, State, ctx, dcc, no_update

    @app.callback(
        Output("download", "data"),
        Input("save-csv", "n_clicks"),
        Input("save-nwb", "n_clicks"),
        State("selection", "data"),
        prevent_initial_call=True,
    )
    def save(csv: int, nwb: int, selection: Any) -> Any:
        found = chosen(library, selection) if csv or nwb else None
        if found is None:
            return no_update
        view, embedded, mask = found
        shown = _trials(library, selection, embedded, mask)
        if not len(shown):
            raise StudyError("no trial is selected")
        if ctx.triggered_id == "save-csv":
            return dcc.send_string(as_csv(shown), "trials.csv")
        recording = str(library.run(view.folder, view.key)["recording"])
        return dcc.send_bytes(as_nwb(shown, recording), "trials.nwb")


def path_of(
    library: Library, embedded: Embedded, rows: NDArray, views: Mapping[str, View]
) -> dict[str, Any]:
    """A trial's way through the embeddings that share its clock, for playing it."""
    rows = rows[:: max(1, -(-len(rows) // MOST_SAMPLES))]
    ways = {}
    label = None
    for side, view in views.items():
        other = view.embedded(library)
        if other.same_clock(embedded):
            ways[side] = _text(view.placed(library)[rows].astype("<f4"))
            label = label or view.label
    shown = [*embedded.labels.values()][:4]
    if label in list(embedded.labels)[4:]:
        shown = [colored_by(embedded, label), *shown[:3]]
    said = [" · ".join(f"{x.name} {x.at(int(r))}" for x in shown) for r in rows]
    return {"time": embedded.time[rows].tolist(), "ways": ways, "said": said}


def _trials(library: Library, selection: Any, embedded: Embedded, mask: NDArray) -> pd.DataFrame:
    def make() -> tuple[pd.DataFrame, int]:
        table = trial_table(embedded, mask)
        return table, int(table.memory_usage().sum()) + 1

    return library.derived(("trials", *selection_key(selection, embedded)), make)


def _listed(embedded: Embedded, mask: NDArray, shown: Any, trial: Any) -> Any:
    from dash import html

    n = int(mask.sum())
    trials = "trials" if embedded.has_trials else "stretches (there are no trials)"
    said = f"{n:,} samples selected, in {len(shown)} {trials}"
    said += f"; the first {SHOWN} are listed, files hold all" if len(shown) > SHOWN else ""
    heads = ["", "trial", "start (s)", "stop (s)", "selected", "of", *shown.columns[5:]]
    rows = [
        _row(record, record["trial"] == trial) for record in shown.head(SHOWN).to_dict("records")
    ]
    return [html.P(said, id="n-selected"), html.Div(table(heads, rows), className="listed")]


def _row(record: Mapping[Any, Any], looked_at: bool) -> list[Any]:
    from dash import html

    button = html.Button("look", id={"type": "trial", "name": record["trial"]}, type="button",
                         n_clicks=0, **aria(pressed=str(looked_at).lower()))  # fmt: skip
    values = [f"{v:.6g}" if isinstance(v, float) else str(v) for v in record.values()]
    return [button, *values]


def _trace_said(said: str, n: int) -> str:
    every = -(-n // MOST_SAMPLES)
    return f"Above: {said}." + (f" Every {every}th of {n:,} samples drawn." if every > 1 else "")


def _text(values: NDArray) -> str:
    return base64.b64encode(np.ascontiguousarray(values).tobytes()).decode("ascii")
