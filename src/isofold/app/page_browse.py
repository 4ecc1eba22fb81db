"""What lies in the folder: results, recordings, study files."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from ..errors import IsofoldError
from ..studies import run_folder
from .folder import MOST_FOLDERS, MOST_LISTED, SAVED
from .foreign import check_contents
from .library import Library
from .parts import link, table


def folder(library: Library) -> Any:
    """Results first, then what studies can be made of."""
    from dash import html

    listing = library.folder.listing()
    rows = [_results_row(library, name) for name in listing.results]
    results = table(["results", "study", "done", "failed", "began", ""], rows)
    recordings = [[link(name, "/recording", path=name)] for name in listing.recordings]
    studies = [[link(name, "/study", file=name)] for name in listing.studies]
    parts = [html.H1(library.folder.root.name or "/"), html.H2("Results")]
    parts.append(results if rows else html.P("No folder here holds results of a study yet."))
    if recordings:
        parts += [html.H2("Recordings"), table(["file"], recordings)]
    if studies:
        parts += [html.H2("Study files"), table(["file"], studies)]
    if not listing.whole:
        parts.append(
            html.P(
                f"Not everything is listed: at most {MOST_LISTED:,} of each, from the first "
                f"{MOST_FOLDERS:,} folders.",
                className="note",
            )
        )
    return html.Section(parts)


def recording(library: Library, name: str) -> Any:
    """What is in a recording."""
    from dash import html

    path = library.folder.inside(name)
    check_contents(library.folder, path)
    parts = [html.P("recording", className="kicker"), html.H1(name)]
    parts += _saved(path) if (path / SAVED).is_file() else _session(path)
    parts.append(html.P(link("Start a study of it", "/study", recording=name)))
    return html.Section(parts)


def label_names(library: Library, name: str) -> list[str]:
    """What of a recording can be a label: its labels, or series and trial columns."""
    path = library.folder.inside(name)
    check_contents(library.folder, path)
    if (path / SAVED).is_file():
        from .._store import load_recording

        recording = load_recording(path)
        return [*recording.labels, *recording.conditions]
    from ..readers import read

    summary = read(path).summary()
    tables = [t for t in (summary["trials"], *summary["intervals"]) if t]
    names = [s["name"] for s in summary["series"]] + [c for t in tables for c in t["columns"]]
    return list(dict.fromkeys(map(str, names)))


def _results_row(library: Library, name: str) -> list[Any]:
    path = library.folder.root / name
    keys: list[str] = []
    began = title = ""
    try:
        library.folder.inside(f"{name}/{run_folder.STUDY}")
        title = str(tomllib.loads((path / run_folder.STUDY).read_text("utf-8")).get("name", ""))
        if (path / "runs").exists():
            library.folder.inside(f"{name}/runs")
            keys = run_folder.finished(path)
        library.folder.inside(f"{name}/{run_folder.MANIFEST}")
        began = str(run_folder.read_json(path / run_folder.MANIFEST).get("started", ""))[:16]
    except (IsofoldError, OSError, ValueError, AttributeError):
        pass  # damaged results are listed; opening them says what is wrong
    failed = sum(run_folder.status(path, k) == "error" for k in keys)
    shown = link(name if name != "." else "(this folder)", "/results", folder=name)
    report = _report_link(name) if (path / run_folder.PAGE).is_file() else ""
    return [shown, title, str(len(keys) - failed), str(failed), began.replace("T", " "), report]


def _report_link(name: str) -> Any:
    from urllib.parse import urlencode

    from dash import html

    return html.A("report", href=f"/report?{urlencode({'folder': name})}", target="_blank")


def _saved(path: Path) -> list[Any]:
    from .._store import load_recording

    recording = load_recording(path)
    rows = [[name, recording.kinds.get(name, "")] for name in recording.labels]
    return [_facts({
        "samples": f"{recording.n_samples:,}", "channels": f"{recording.n_channels:,}",
        "rate": f"{recording.rate:g} Hz",
        "trials": str(0 if recording.trials is None else len(recording.trials)),
    }), table(["label", "kind"], rows)]  # fmt: skip


def _session(path: Path) -> list[Any]:
    from dash import html

    from ..readers import read

    summary = read(path).summary()
    units = summary["units"]
    facts = {"subject": summary["subject"] or "–"}
    facts |= {"units": f"{units['n']:,}", "spikes": f"{units['spikes']:,}"} if units else {}
    series = [
        [s["name"], " × ".join(map(str, s["shape"])), f"{s['rate']:.4g}", f"{s['gaps']}"]
        for s in summary["series"]
    ]
    intervals = [t for t in (summary["trials"], *summary["intervals"]) if t is not None]
    spans = [
        [t["name"], str(t["n"]), f"{t['median_seconds']:.3g}", ", ".join(t["columns"])]
        for t in intervals
    ]
    events = [[e["name"], str(e["n"])] for e in summary["events"]]
    parts = [_facts(facts)]
    parts += [table(["series", "shape", "rate (Hz)", "gaps"], series)] if series else []
    parts += [table(["intervals", "number", "median (s)", "columns"], spans)] if spans else []
    parts += [table(["events", "number"], events)] if events else []
    return parts + [html.P(w, className="note") for w in summary["warnings"]]


def _facts(facts: dict[str, str]) -> Any:
    from dash import html

    return html.Dl(
        [html.Div([html.Dt(k), html.Dd(v)]) for k, v in facts.items()], className="facts"
    )
