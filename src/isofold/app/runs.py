"""The table of runs: its columns, what they can be filtered by, and scores beside them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from ..report.variants import plain
from ..studies import Results

FIRST = ("method", "recording", "subject", "seed", "fold", "control", "status")
MOST_VALUES = 200
"""Values of one setting that are offered; beyond it every run has its own."""
MOST_SCORES = 4


def run_table(results: Results) -> pd.DataFrame:
    """Runs with settings and held-out scores, all as text; `key` names the run."""
    runs = results.runs
    table = pd.DataFrame({"key": runs["key"].astype(str)})
    for column in FIRST:
        table[column] = [plain(v) for v in runs[column]] if column in runs else ""
    for column in sorted(c for c in runs.columns if c.startswith("set.")):
        table[column.removeprefix("set.")] = [plain(v) for v in runs[column]]
    scores = _scores(results.scores)
    for name in scores.columns:
        table[name] = [plain(_rounded(v)) for v in table["key"].map(scores[name])]
    return table.loc[:, ~table.columns.duplicated()]


def score_names(results: Results) -> list[str]:
    """Columns of `run_table` that are scores."""
    return [str(c) for c in _scores(results.scores).columns]


def filter_values(table: pd.DataFrame, scores: list[str]) -> dict[str, list[str]]:
    """Settings that differ between runs → their values."""
    found = {}
    for column in table.columns:
        if column == "key" or column in scores:
            continue
        values = sorted(table[column].unique().tolist(), key=_order)
        if 1 < len(values) <= MOST_VALUES:
            found[str(column)] = values
    return found


def filtered(table: pd.DataFrame, wanted: Any) -> pd.DataFrame:
    """Runs that have one of the wanted values in every column of which any is wanted.

    >>> table = pd.DataFrame({"key": ["a", "b"], "seed": ["0", "1"]})
    >>> filtered(table, {"seed": ["1"], "method": []})["key"].tolist()
    ['b']
    """
    for column, values in wanted.items() if isinstance(wanted, Mapping) else ():
        if column in table.columns and isinstance(values, list) and values:
            table = table[table[column].isin([str(v) for v in values])]
    return table


def shown_columns(table: pd.DataFrame, scores: list[str]) -> list[str]:
    """Those that tell runs apart, then scores."""
    settings = [c for c in table.columns if c != "key" and c not in scores]
    differ = [c for c in settings if c == "method" or table[c].nunique() > 1]
    return [*differ, *scores]


def _scores(scores: pd.DataFrame) -> pd.DataFrame:
    """One row a run, one column a score."""
    if not len(scores):
        return pd.DataFrame()
    rows = scores[scores["part"] == "all"]
    label = rows["label"].fillna("").astype(str)
    unit = rows["unit"].fillna("").astype(str)
    named = label.where(label != "", rows["score"].astype(str).str.replace("_", " "))
    rows = rows.assign(what=named + unit.map(lambda u: f", {u}" if u else ""))
    first = list(dict.fromkeys(rows["what"]))[:MOST_SCORES]
    wide = rows.pivot_table(index="key", columns="what", values="value", aggfunc="mean")
    return wide[[c for c in first if c in wide.columns]]


def _rounded(value: Any) -> Any:
    return value if value != value else float(f"{value:.3g}")


def _order(value: str) -> tuple[bool, float, str]:
    try:
        return False, float(value), value
    except ValueError:
        return True, 0.0, value
