"""`isofold inspect`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

File = Annotated[Path, typer.Argument(metavar="PATH", exists=True, help="A file or NWB folder.")]
Rate = Annotated[
    float | None, typer.Option("--rate", help="Samples per second, for arrays without time.")
]


def inspect(path: File, rate: Rate = None) -> None:
    """Show what is in a file: units, series, trials, rates, gaps, warnings."""
    from ..readers import read
    from ._show import console

    options = {} if rate is None else {"rate": rate}
    show(read(path, **options).summary(), console())


_COLUMNS = {
    "units": {
        "units": "n",
        "spikes": "spikes",
        "silent": "silent",
        "start (s)": "start",
        "stop (s)": "stop",
        "columns": "columns",
    },
    "series": {
        "series": "name",
        "shape": "shape",
        "rate (Hz)": "rate",
        "gaps": "gaps",
        "start (s)": "start",
        "stop (s)": "stop",
    },
    "intervals": {
        "intervals": "name",
        "number": "n",
        "median (s)": "median_seconds",
        "start (s)": "start",
        "stop (s)": "stop",
        "columns": "columns",
    },
    "events": {"events": "name", "number": "n", "first (s)": "first", "last (s)": "last"},
}
"""For each part of a summary: heading → key."""


def show(summary: dict[str, Any], out: Console) -> None:
    """The summary of a session, part by part."""
    from ._show import table, text

    subject = f" (subject {summary['subject']})" if summary.get("subject") else ""
    out.print(f"session {summary['name'] or 'without name'}{subject}")
    units, series = summary["units"], summary["series"]
    shaped = [s | {"shape": " × ".join(map(str, s["shape"]))} for s in series]
    intervals = [t for t in (summary["trials"], *summary["intervals"]) if t is not None]
    parts = {"units": units and [units], "series": shaped, "intervals": intervals}
    for part, rows in (parts | {"events": summary["events"]}).items():
        if rows:
            out.print("", table(list(_COLUMNS[part]), _cells(rows, part)))
    for warning in summary["warnings"]:
        out.print(f"warning: {text(warning)}")


def _cells(rows: list[dict[str, Any]], part: str) -> list[list[Any]]:
    return [[row[key] for key in _COLUMNS[part].values()] for row in rows]
