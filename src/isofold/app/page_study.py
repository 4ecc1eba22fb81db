"""The form that starts a study."""

from __future__ import annotations

from typing import Any

from ..errors import IsofoldError, StudyError
from ..studies.recording_spec import SIMULATORS
from .jobs import Jobs
from .library import Library
from .page_browse import label_names
from .parts import dropdown, field
from .study_form import (
    SIMULATED,
    Form,
    check_place,
    checked_study,
    parse_seeds,
    placed,
    results_of,
    study_of,
)

_FIELDS = (
    *("name", "recording", "methods", "labels", "bin", "dimension", "iterations", "seeds"),
    *("held", "number", "controls"),
)
MOST_WORKERS = 16


def layout(library: Library, asked: dict[str, str]) -> Any:
    """The form, filled in as far as the address says."""
    from dash import dcc, html

    listing = library.folder.listing()
    check_place(library.folder)
    file = asked.get("file") if asked.get("file") in listing.studies else None
    return html.Section(
        [
            html.H1("New study"),
            html.H2("From a study file"),
            html.Div(
                [
                    field("Study file in this folder",
                          dropdown("study-file", listing.studies, file, clearable=True)),
                    html.Button("Run this file", id="start-file", n_clicks=0, type="button"),
                ],
                className="controls",
            ),
            html.H2("From a form"),
            html.Div(_fields(listing.recordings, asked.get("recording")), className="form"),
            html.H3("What will be run"),
            html.Pre(id="study-text", className="command"),
            html.Div(
                [
                    field("Processes", dcc.Input(id="workers", type="number", value=1, min=1,
                                                 max=MOST_WORKERS)),
                    html.Button("Start", id="start", n_clicks=0, type="button",
                                className="main"),
                ],
                className="controls",
            ),
            html.P(id="study-said", className="fine", role="status"),
            dcc.Location(id="onward", refresh="callback-nav"),
        ]
    )  # fmt: skip


def connect(app: Any, library: Library, jobs: Jobs) -> None:
    """Callbacks of the page."""
    _connect_form(app, library)
    _connect_start(app, library, jobs)


def _connect_form(app: Any, library: Library) -> None:
    from dash import Input, Output

    @app.callback(Output("f-labels", "options"), Output("f-bin", "disabled"),
                  Input("f-recording", "value"))  # fmt: skip
    def labels(recording: str | None) -> Any:
        if not recording:
            return [], True
        if recording.startswith(SIMULATED):
            return _simulated_labels(recording.removeprefix(SIMULATED)), True
        names = label_names(library, recording)
        path = library.folder.inside(recording)
        return names, path.is_dir()

    @app.callback(Output("study-text", "children"), *(Input(f"f-{f}", "value") for f in _FIELDS))
    def preview(*values: Any) -> str:
        try:
            return study_of(_form(dict(zip(_FIELDS, values, strict=True))), library.folder)
        except (IsofoldError, OSError) as error:
            return f"# not yet: {error}"


def _connect_start(app: Any, library: Library, jobs: Jobs) -> None:
    from dash import Input, Output, State, no_update

    @app.callback(
        Output("study-said", "children"), Output("onward", "href"),
        Input("start", "n_clicks"), State("workers", "value"),
        *(State(f"f-{f}", "value") for f in _FIELDS), prevent_initial_call=True,
    )  # fmt: skip
    def start(clicks: int, workers: Any, *values: Any) -> Any:
        if not clicks:
            return no_update, no_update
        form = _form(dict(zip(_FIELDS, values, strict=True)))
        out = results_of(form.name, library.folder)
        path = placed(study_of(form, library.folder), form.name, library.folder)
        jobs.start(form.name, path, out, library.folder.name_of(out), _workers(workers))
        return "started", "/jobs"

    @app.callback(
        Output("study-said", "children", allow_duplicate=True),
        Output("onward", "href", allow_duplicate=True),
        Input("start-file", "n_clicks"), State("study-file", "value"), State("workers", "value"),
        prevent_initial_call=True,
    )  # fmt: skip
    def start_file(clicks: int, file: str | None, workers: Any) -> Any:
        if not clicks:
            return no_update, no_update
        if not file:
            raise StudyError("choose a study file first")
        path = library.folder.inside(file)
        study = checked_study(path, library.folder)
        out = results_of(study.name, library.folder)
        jobs.start(study.name, path, out, library.folder.name_of(out), _workers(workers))
        return "started", "/jobs"


def _fields(recordings: list[str], chosen: str | None) -> list[Any]:
    from dash import dcc

    from ..models import METHODS

    sources = [*recordings, *(SIMULATED + name for name in SIMULATORS)]
    methods = [(name, f"{name}: {about.summary}") for name, about in METHODS.items()]
    number: dict[str, Any] = {"type": "number", "debounce": True}
    return [
        field("Name", dcc.Input(id="f-name", type="text", maxLength=100, debounce=True)),
        field("Recording", dropdown("f-recording", sources, chosen if chosen in sources else None)),
        field("Methods", dropdown("f-methods", methods, ["pca", "cebra-time"], multi=True)),
        field("Labels", dropdown("f-labels", [], [], multi=True),
              "guide methods such as cebra-behavior, and are decoded on held-out trials"),
        field("Bin (s)", dcc.Input(id="f-bin", value=0.025, min=0.0001, step="any", **number),
              "of recordings with several clocks"),
        field("Dimensions", dcc.Input(id="f-dimension", value=3, min=1, max=1000, **number)),
        field("Training steps", dcc.Input(id="f-iterations", min=1, **number),
              "each method's own, unless given"),
        field("Seeds", dcc.Input(id="f-seeds", value="0, 1, 2", debounce=True)),
        field("Held out", dropdown("f-held", [("split", "a share of the trials"),
                                              ("folds", "every trial once: folds")], "split")),
        field("Share or folds", dcc.Input(id="f-number", value=0.2, step="any", **number)),
        field("Controls", dcc.Checklist(
            id="f-controls", options=["permuted labels"], value=[])),
    ]  # fmt: skip


def _form(given: dict[str, Any]) -> Form:
    try:
        return _filled(given)
    except (TypeError, ValueError) as error:
        if isinstance(error, StudyError):
            raise
        raise StudyError(f"the form holds something that is no number: {error}") from error


def _filled(given: dict[str, Any]) -> Form:
    folds = given["held"] == "folds"
    number = float(given["number"] or (5 if folds else 0.2))
    if folds and (number < 2 or number != int(number)):
        raise StudyError(f"folds are a whole number of at least 2, got {number:g}")
    if not given["recording"]:
        raise StudyError("choose a recording")
    return Form(
        name=str(given["name"] or ""),
        recording=str(given["recording"]),
        methods=tuple(map(str, given["methods"] or ())),
        labels=tuple(map(str, given["labels"] or ())),
        bin_width=float(given["bin"]) if given["bin"] else None,
        dimension=int(given["dimension"] or 3),
        iterations=int(given["iterations"]) if given["iterations"] else None,
        seeds=parse_seeds(given["seeds"]),
        folds=int(number) if folds else None,
        test=0.2 if folds else number,
        controls=bool(given["controls"]),
    )


def _workers(given: Any) -> int:
    return max(1, min(int(given), MOST_WORKERS)) if isinstance(given, int | float) else 1


def _simulated_labels(name: str) -> list[str]:
    from .. import simulate

    if name not in SIMULATORS:
        raise StudyError(f"unknown simulator {name!r}")
    return list(getattr(simulate, name)().labels)
