"""Results of a study: the table of runs, two embeddings side by side, selected trials."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from . import compare, trials_panel
from .frame import WIDEST, axis_choices
from .library import Library
from .paint import color_names
from .parts import aria, dropdown, field, link
from .parts import table as as_table
from .runs import filter_values, filtered, run_table, score_names, shown_columns
from .view import EVERYTHING, HELD_OUT, SELECTED

ROWS = 12
"""Runs on one page of the table."""
SIDES = ("left", "right")
_SHOWN = [
    (EVERYTHING, "all samples"), (HELD_OUT, "held-out samples"), (SELECTED, "selected trials"),
]  # fmt: skip


def layout(library: Library, asked: dict[str, str]) -> Any:
    """The page; `asked` holds folder, and what else a link says (left, right, color, axes)."""
    from dash import dcc, html

    folder = asked.get("folder", "")
    results = library.results(folder)
    table, scores = run_table(results), score_names(results)
    pair = _pair(library, folder, asked)
    where = library.folder.inside(folder)
    report = [
        html.A("Open the report", href=f"/report?{urlencode({'folder': folder})}", target="_blank")
    ]
    return html.Div(
        [
            html.Section(
                [
                    html.P(folder, className="kicker"),
                    html.H1(str(results.study.get("name", folder))),
                    html.P(report if (where / "report.html").is_file() else
                           ["No report was written yet. ", link("Watch", "/jobs")]),
                    html.Div(_filters(table, scores), className="controls filters"),
                    html.Div(_table(table, table, scores, pair), id="runs"),
                ]
            ),
            html.Section(_compare(library, folder, pair, asked), id="compare"),
            html.Section(trials_panel.layout(), id="selected"),
            dcc.Store(id="folder", data=folder),
            dcc.Store(id="pair", data=pair),
            *(dcc.Store(id=name) for name in (
                "page-number", "camera", "selection", "marks", "drawn", "linked", "path", "played",
                "trial", *(f"{what}-{side}" for what in ("scene", "more") for side in SIDES))),
        ]
    )  # fmt: skip


def connect(app: Any, library: Library) -> None:
    """Callbacks of the page."""
    _connect_table(app, library)
    compare.connect(app, library)
    trials_panel.connect(app, library)


def _connect_table(app: Any, library: Library) -> None:
    from dash import ALL, Input, Output, State, ctx, no_update

    @app.callback(
        Output("runs", "children"),
        Input({"type": "filter", "column": ALL}, "value"),
        Input({"type": "turn", "to": ALL}, "n_clicks"),
        Input("pair", "data"),
        State({"type": "filter", "column": ALL}, "id"),
        State("folder", "data"),
    )
    def runs(values: list, clicks: list, pair: Any, ids: list, folder: str) -> Any:
        results = library.results(folder)
        table = run_table(results)
        wanted = {i["column"]: v for i, v in zip(ids, values, strict=True)}
        asked = ctx.triggered_id or {}
        page = int(asked["to"]) if isinstance(asked, dict) and "to" in asked else 0
        return _table(table, filtered(table, wanted), score_names(results), pair, page)

    @app.callback(
        Output("pair", "data"),
        Input({"type": "show", "side": ALL, "key": ALL}, "n_clicks"),
        State("pair", "data"),
        State("folder", "data"),
        prevent_initial_call=True,
    )
    def show(clicks: list, pair: Any, folder: str) -> Any:
        asked = ctx.triggered_id
        if not isinstance(asked, dict) or not any(clicks) or asked.get("side") not in SIDES:
            return no_update
        library.run(folder, asked["key"])
        pair = pair if isinstance(pair, dict) else {}
        return {**pair, asked["side"]: asked["key"]}


def _pair(library: Library, folder: str, asked: dict[str, str]) -> dict[str, str]:
    """The two runs of a link; else the first of the first two methods."""
    runs = library.results(folder).runs
    done = runs[runs["status"] == "done"]
    first = done.drop_duplicates("method")["key"].tolist()
    keys = (first + done["key"].tolist())[:2] if len(first) < 2 else first[:2]
    pair = dict(zip(SIDES, keys, strict=False))
    for side in SIDES:
        if side in asked:
            pair[side] = library.run(folder, asked[side])["key"]
    return pair


def _filters(table: Any, scores: list[str]) -> list[Any]:
    return [
        field(name, dropdown({"type": "filter", "column": name}, values, [], multi=True,
                             placeholder="any", clearable=True))
        for name, values in filter_values(table, scores).items()
    ]  # fmt: skip


def _table(whole: Any, table: Any, scores: list[str], pair: Any, page: int = 0) -> Any:
    """One page of the runs that are wanted, with the columns in which all of them differ."""
    from dash import html

    pages = max(1, -(-len(table) // ROWS))
    page = max(0, min(page, pages - 1))
    columns = shown_columns(whole, scores)
    chosen = pair if isinstance(pair, dict) else {}
    shown = table.iloc[page * ROWS : (page + 1) * ROWS].to_dict("records")
    rows = [[_buttons(run, chosen), *(run[c] for c in columns)] for run in shown]
    said = f"{len(whole)} runs"
    said = said if len(table) == len(whole) else f"{len(table)} of {said}"
    turns = [
        html.Button(name, id={"type": "turn", "to": to}, type="button",
                    disabled=not 0 <= to < pages, n_clicks=0)
        for name, to in (("‹", page - 1), ("›", page + 1))
    ] if pages > 1 else []  # fmt: skip
    where = f", page {page + 1} of {pages}" if pages > 1 else ""
    return [
        as_table(["show", *columns], rows),
        html.P([said, where, " ", *turns], className="fine", id="n-runs"),
    ]


def _buttons(run: dict[str, str], chosen: dict[str, str]) -> Any:
    from dash import html

    if run["status"] != "done":
        return html.Span("failed", className="fine")
    return html.Div(
        [
            html.Button(
                side,
                id={"type": "show", "side": side, "key": run["key"]},
                type="button",
                n_clicks=0,
                **aria(pressed=str(chosen.get(side) == run["key"]).lower()),
            )
            for side in SIDES
        ],
        className="buttons",
    )


def _compare(library: Library, folder: str, pair: dict[str, str], asked: dict[str, str]) -> Any:
    from dash import html

    if not pair:
        return html.P("No run of this study is done yet.", className="note")
    embedded = library.embedded(folder, pair["left"])
    axes = axis_choices(embedded.points.shape[1])
    colors = color_names(embedded)
    axis = asked.get("axes") if asked.get("axes") in dict(axes) else axes[0][0]
    color = asked.get("color") if asked.get("color") in colors else colors[0]
    return [
        html.H2("Two embeddings"),
        html.Div(
            [
                field("Colour", dropdown("color", colors, color)),
                field("Axes", dropdown("axes", axes, axis or WIDEST)),
                *_tools(),
            ],
            className="controls",
        ),
        html.Div(id="legend", className="legend", role="note"),
        html.Div([_scene(side) for side in SIDES], className="scenes"),
        html.P(
            "Drag turns both (Shift moves, the wheel zooms); Lasso selects all samples inside it, "
            "drawn or not, through the whole depth; a click selects one sample. Both embeddings "
            "have one camera and one selection. Training samples are pale, held-out ones strong.",
            className="fine",
        ),
    ]  # fmt: skip


def _tools() -> list[Any]:
    from dash import dcc, html

    def button(name: str, id_: str) -> Any:
        return html.Button(name, id=id_, type="button", n_clicks=0)

    return [
        field("Show", dropdown("show", _SHOWN, EVERYTHING)),
        field("Right onto left", dcc.Checklist(
            id="align", options=[{"value": "on", "label": "align"}], value=[])),
        html.Div([button("Turn", "tool-turn"), button("Lasso", "tool-lasso")],
                 className="buttons"),
        button("Reset view", "reset"),
        button("Clear selection", "clear"),
        html.Div([button("PNG", "save-png"), button("SVG", "save-svg")],
                 className="buttons", title="Save both embeddings as a picture"),
    ]  # fmt: skip


def _scene(side: str) -> Any:
    from dash import html

    return html.Figure(
        [
            html.Figcaption(id=f"title-{side}", className="name"),
            html.Div(
                id=f"view-{side}", className="view", tabIndex=0, role="img",
                **aria(label=f"{side} embedding; arrow keys turn it, + and − zoom"),
            ),
            html.P(id=f"rule-{side}", className="fine"),
        ]
    )  # fmt: skip
