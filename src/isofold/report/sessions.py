"""How recordings were cleaned: traces, quality and what their files say wrongly."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from .. import plot
from ..studies.session_facts import CLOSE, MOST_POINTS, QUALITY, TRACES, WARNINGS

ROWS = (
    ("raw signal", ("signal", "baseline")),
    ("control", ("control",)),
    ("ΔF/F before", ("dff_uncorrected", "motion")),
    ("ΔF/F", ("dff",)),
)
"""Rows of a picture of traces, from the raw signal down; the second line of a row is its fit."""
LINES = {"baseline": "baseline fit", "motion": "motion fit"}
MOST_CHANNELS = 4
"""Channels of a recording that are drawn."""
STATUS = {"pass": "pass", "fail": "fail", "pending": "look"}

Rows = dict[str, dict[str, tuple[list[float], list[float]]]]


@dataclass(frozen=True)
class Cleaned:
    """What the page shows of one recording's session."""

    recording: str
    warnings: list[str]
    quality: list[dict[str, str]]
    traces: dict[str, dict[str, Rows]] = field(default_factory=dict)
    """channel → "whole" or "close" → row → line → (time, value)."""
    n_channels: int = 0

    @property
    def verdict(self) -> str:
        """How many checks passed, in words."""
        count = {s: sum(q["status"] == s for q in self.quality) for s in STATUS.values()}
        said = [f"{count['pass']} of {len(self.quality)} checks pass"]
        said += [f"{count['fail']} fail"] if count["fail"] else []
        said += [f"{count['look']} need a look"] if count["look"] else []
        return ", ".join(said)


def cleaned(results: Any) -> list[Cleaned]:
    """Of every recording that has something to show."""
    found = [_cleaned(name, facts) for name, facts in results.session_facts().items()]
    return [c for c in found if c.warnings or c.quality or c.traces]


def session_blocks(found: list[Cleaned], figures: dict[str, Any]) -> list[dict[str, Any]]:
    """What the template draws; its figures are added to `figures`."""
    blocks = []
    for number, about in enumerate(found):
        pictures = []
        for k, (channel, parts) in enumerate(about.traces.items()):
            for part, rows in parts.items():
                name = f"traces-{number}-{k}-{part}"
                figures[name] = json.loads(plot.traces(rows).to_json())
                pictures.append(
                    {"figure": name, "caption": _caption(channel, part, rows),
                     "alt": f"{channel}: {', '.join(rows)}, {part}"}
                )  # fmt: skip
        blocks.append({"about": about, "pictures": pictures})
    return blocks


def _caption(channel: str, part: str, rows: Rows) -> str:
    what = f"{channel}: {', '.join(rows)}. "
    if any("fit" in line for lines in rows.values() for line in lines):
        what += "Grey lines: the fitted bleaching, and what the control says is motion. "
    if part == "whole":
        drawn = f"in at most {MOST_POINTS:,} means of neighbours"
        return f"{what}The whole recording, {drawn}; time from its first sample."
    return f"{channel}: {CLOSE:g} s from the middle of the recording."


def _cleaned(name: str, facts: dict[str, Any]) -> Cleaned:
    table = facts.get(TRACES, pd.DataFrame())
    channels = _channels(table)
    return Cleaned(
        name,
        [str(w) for w in facts.get(WARNINGS, [])],
        [_check(row) for row in facts.get(QUALITY, [])],
        {
            _title(own): _pictures(own)
            for c in channels[:MOST_CHANNELS]
            for own in [table[table["channel"] == c]]
        },
        len(channels),
    )


def _channels(table: pd.DataFrame) -> list[str]:
    """Those whose ΔF/F is there."""
    if not len(table):
        return []
    return list(dict.fromkeys(table.loc[table["series"] == "dff", "channel"]))


def _title(table: pd.DataFrame) -> str:
    """The channel; the series, where each channel is one of its own ("G_1")."""
    channel = str(table["channel"].iloc[0])
    series = str(table.loc[table["series"] == "signal", "of"].iloc[0])
    return series if channel in series else channel


def _pictures(table: pd.DataFrame) -> dict[str, Rows]:
    parts = {}
    table = table.assign(time=table["time"] - table["time"].min())
    for part, own in table.groupby("part", sort=False):
        lines = dict(iter(own.groupby("series", sort=False)))
        rows: Rows = {}
        for row, wanted in ROWS:
            there = {LINES.get(s, s): _line(lines[s]) for s in wanted if s in lines}
            if there:
                rows[row] = there
        parts[str(part)] = rows
    return {k: parts[k] for k in ("whole", "close") if k in parts}


def _line(table: pd.DataFrame) -> tuple[list[float], list[float]]:
    value = [None if v != v else float(f"{v:.5g}") for v in table["value"]]
    return table["time"].round(4).tolist(), value  # type: ignore[return-value]


def _check(row: dict[str, Any]) -> dict[str, str]:
    value, threshold = row.get("value"), row.get("threshold")
    return {
        "check": str(row.get("check", "")),
        "channel": str(row.get("channel") or ""),
        "value": _number(value),
        "threshold": _number(threshold),
        "status": STATUS.get(str(row.get("status")), str(row.get("status"))),
        "reason": str(row.get("reason") or ""),
    }


def _number(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return "" if value is None else str(value)
    return f"{value:.5g}" if isinstance(value, int | float) else str(value)
