"""The frame of every page: head, links, and which page an address means."""

from __future__ import annotations

from importlib import resources
from typing import Any
from urllib.parse import parse_qs

from ..errors import IsofoldError, StudyError
from . import page_browse, page_jobs, page_results, page_study
from .jobs import Jobs
from .library import Library
from .parts import aria

_CSS = "/_isofold/page.css"
_REPORT_POLICY = (
    "sandbox allow-scripts allow-downloads; default-src 'none'; script-src 'unsafe-inline'; "
    "style-src 'unsafe-inline'; img-src data: blob:; frame-ancestors 'none'"
)
"""A report is a file that anybody may have written: it runs in an origin of its own."""
_INDEX = """<!doctype html>
<html lang="en">
<head>
{%metas%}
<title>{%title%}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="STYLE">
{%css%}
</head>
<body>
<a class="skip" href="#page">Skip to the page</a>
{%app_entry%}
{%config%}
{%scripts%}
{%renderer%}
</body>
</html>"""
_LINKS = {"/": "Folder", "/study": "New study", "/jobs": "Running"}


def build(app: Any, library: Library, jobs: Jobs) -> None:
    """Layout, addresses and callbacks of the app."""
    from dash import Input, Output

    app.index_string = _INDEX.replace("STYLE", _CSS)
    app.layout = _layout(library)
    _add_files(app, library)

    @app.callback(
        Output("page", "children"),
        Output("links", "children"),
        Output("notice", "hidden"),
        Input("url", "pathname"),
        Input("url", "search"),
    )
    def page(pathname: str | None, search: str | None) -> Any:
        where = pathname or "/"
        asked = {k: v[0] for k, v in parse_qs((search or "").lstrip("?")).items()}
        try:
            shown = _page(where, asked, library, jobs)
        except (IsofoldError, OSError) as error:
            shown = _sorry(str(error))
        return shown, _links(where), True

    page_results.connect(app, library)
    page_study.connect(app, library, jobs)
    page_jobs.connect(app, jobs)


def _page(where: str, asked: dict[str, str], library: Library, jobs: Jobs) -> Any:
    if where == "/":
        return page_browse.folder(library)
    if where == "/results":
        return page_results.layout(library, asked)
    if where == "/recording":
        return page_browse.recording(library, asked.get("path", ""))
    if where == "/study":
        return page_study.layout(library, asked)
    if where == "/jobs":
        return page_jobs.layout(jobs)
    raise StudyError(f"there is no page {where[:80]!r}")


def _layout(library: Library) -> Any:
    from dash import dcc, html

    return html.Div(
        [
            dcc.Location(id="url"),
            html.Nav(
                [
                    html.Strong("isofold"),
                    html.Span(library.folder.root.name, className="where"),
                    html.Span(id="links"),
                    html.Button("Dark", id="theme", type="button"),
                ],
                className="contents",
                **aria(label="Pages"),
            ),
            html.P(id="notice", className="note", hidden=True, role="alert"),
            html.Main(id="page"),
            dcc.Download(id="download"),
        ]
    )


def _links(where: str) -> list[Any]:
    from dash import dcc

    return [
        dcc.Link(name, href=href, className="here" if href == where else "")
        for href, name in _LINKS.items()
    ]


def _sorry(message: str) -> Any:
    from dash import html

    return html.Section([html.H1("This cannot be shown"), html.P(message, className="note")])


def _add_files(app: Any, library: Library) -> None:
    """The report's style, and the reports themselves."""
    import flask
    from dash.exceptions import DependencyException

    @app.server.errorhandler(DependencyException)
    def missing(error: Exception) -> Any:
        return flask.Response("404: no such file\n", 404, mimetype="text/plain")

    css = resources.files("isofold.report").joinpath("templates", "page.css").read_text("utf-8")

    @app.server.route(_CSS)
    def style() -> Any:
        return flask.Response(css, mimetype="text/css")

    @app.server.route("/report")
    def report() -> Any:
        try:
            folder = flask.request.args.get("folder", "")
            path = library.folder.inside(f"{folder}/report.html")
            text = path.read_text(encoding="utf-8")
        except (IsofoldError, OSError, UnicodeDecodeError) as error:
            return flask.Response(f"404: {error}\n", 404, mimetype="text/plain")
        response = flask.Response(text, mimetype="text/html")
        response.headers["Content-Security-Policy"] = _REPORT_POLICY
        return response
