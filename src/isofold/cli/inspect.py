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


def show(summary: dict[str, Any], out: Console) -> None:
    """The summary of a session, part by part."""
    from ._show import table, text

    subject = f" (subject {summary['subject']})" if summary.get("subject") else ""
    out.print(f"session {summary['name'] or 'without name'}{subject}")
    units = summary["units"]
    if units is not None:
        names = ("units", "spikes", "silent", "start (s)", "stop (s)", "columns")
        keys = ("n", "spikes", "silent", "start", "stop", "columns")
        out.print("", table(names, [[units[k] for k in keys]]))
    if summary["series"]:
        names = ("series", "shape", "rate (Hz)", "gaps", "start (s)", "stop (s)")
        keys = ("name", "shape", "rate", "gaps", "start", "stop")
        shaped = [s | {"shape": " × ".join(map(str, s["shape"]))} for s in summary["series"]]
        out.print("", table(names, [[s[k] for k in keys] for s in shaped]))
    tables = [t for t in (summary["trials"], *summary["intervals"]) if t is not None]
    if tables:
        names = ("intervals", "number", "median (s)", "start (s)", "stop (s)", "columns")
        keys = ("name", "n", "median_seconds", "start", "stop", "columns")
        out.print("", table(names, [[t[k] for k in keys] for t in tables]))
    if summary["events"]:
        keys = ("name", "n", "first", "last")
        names = ("events", "number", "first (s)", "last (s)")
        out.print("", table(names, [[e[k] for k in keys] for e in summary["events"]]))
    for warning in summary["warnings"]:
        out.print(f"warning: {text(warning)}")
