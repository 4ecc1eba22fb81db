"""The studies that run: how far they are, and stopping them."""

from __future__ import annotations

from typing import Any

from .jobs import Job, Jobs
from .parts import link, table

_EVERY = 1000
"""Milliseconds between looks."""


def layout(jobs: Jobs) -> Any:
    """The list, looked at anew every second."""
    from dash import dcc, html

    return html.Section(
        [
            html.H1("Studies started here"),
            html.Div(_listed(jobs), id="jobs"),
            dcc.Interval(id="tick", interval=_EVERY),
            html.P(
                "A study that is stopped keeps the runs that are done; starting it again goes on "
                "with the others. When the app ends, its studies end.",
                className="fine",
            ),
        ]
    )


def connect(app: Any, jobs: Jobs) -> None:
    """Callbacks of the page."""
    from dash import ALL, Input, Output, ctx

    @app.callback(
        Output("jobs", "children"),
        Input("tick", "n_intervals"),
        Input({"type": "stop", "job": ALL}, "n_clicks"),
        prevent_initial_call=True,
    )
    def look(n_intervals: int, clicks: list[int]) -> Any:
        asked = ctx.triggered_id
        if isinstance(asked, dict) and any(clicks):
            jobs.stop(asked.get("job"))
        return _listed(jobs)


def _listed(jobs: Jobs) -> Any:
    from dash import html

    rows = [_row(jobs, key, job) for key, job in jobs.listed()]
    if not rows:
        return html.P(["None yet. ", link("Start one", "/study")])
    return table(["study", "state", "runs", "failed", "time left", "latest run", ""], rows)


def _row(jobs: Jobs, key: str, job: Job) -> list[Any]:
    from dash import html

    seen = jobs.progress(key)
    runs = [f"{seen.done + seen.failed} of {seen.total}" if seen.total else "–"]
    bar = html.Progress(value=str(seen.done + seen.failed), max=str(seen.total or 1))
    stop = html.Button("Stop", id={"type": "stop", "job": key}, n_clicks=0, type="button")
    opened = link(job.name, "/results", folder=job.out) if seen.done else job.name
    state = html.Span([seen.state, html.Br(), html.Small(seen.said)] if seen.said else seen.state)
    return [
        opened, state, html.Span([bar, " ", *runs]), str(seen.failed), seen.left or "–",
        seen.latest or "–", stop if seen.state == "running" else "",
    ]  # fmt: skip
