"""Scores along the axes of a study, and what they say in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
import pandas as pd

from . import axes
from ._bootstrap import FEWEST
from ._numbers import bracket, number
from .claim_rows import NO_CONTROL
from .score_rows import MEDIAN_ERROR, NO_BETTER, WHOLE
from .sweep_spec import METHOD, RECORDING, SweepSpec

COLUMNS = ["line", "x", "mean", "se", "low", "high", "n", "above", "chance", "chosen"]
_AT_MOST_ONE = ("R²", "accuracy")
_ONLY = "all runs"
"""Name of the line where nothing but the axis varies."""


@dataclass(frozen=True, eq=False)
class Sweep:
    """A score along an axis.

    `table` has one row a line and value of the axis: mean over runs, standard error and 95 %
    interval (Student's t over recordings × folds, over seeds where those are fewer than three),
    number of runs, share of them `above` the threshold, mean of chance, and whether the value was
    `chosen` (the smallest within one standard error of the best). `runs` has the values themselves.
    """

    spec: SweepSpec
    unit: str
    table: pd.DataFrame
    runs: pd.DataFrame
    findings: tuple[str, ...]
    """One sentence a line."""

    @property
    def numeric(self) -> bool:
        """Whether the axis is one of numbers."""
        return bool(pd.api.types.is_numeric_dtype(self.runs["x"]))


def swept(results: Any) -> list[Sweep]:
    """Every `[[sweeps]]` block of the study; one without any score is empty and says so."""
    blocks = results.study.get("sweeps", ())
    return [_sweep(SweepSpec.of(b, f"sweeps[{n}]"), results) for n, b in enumerate(blocks)]


def _sweep(spec: SweepSpec, results: Any) -> Sweep:
    runs = _runs(spec, results)
    unit = str(runs["unit"].iloc[0]) if len(runs) else spec.unit or ""
    if runs.empty:
        nothing = pd.DataFrame(columns=COLUMNS)
        return Sweep(spec, unit, nothing, runs, ("No run gave this score.",))
    order = {x: k for k, x in enumerate(dict.fromkeys(_values(spec, results.study)))}
    rows = [
        _row(spec, line, x, part) for (line, x), part in runs.groupby(["line", "x"], sort=False)
    ]
    table = pd.DataFrame(rows, columns=COLUMNS)
    key = table["x"] if pd.api.types.is_numeric_dtype(runs["x"]) else table["x"].map(order)
    lines = {line: k for k, line in enumerate(dict.fromkeys(runs["line"]))}
    table = table.assign(_key=key, _line=table["line"].map(lines))
    table = table.sort_values(["_line", "_key"], ignore_index=True).drop(columns=["_key", "_line"])
    if spec.choose:
        table["chosen"] = _chosen(spec, table)
    findings = tuple(
        _finding(spec, str(line), part, unit) for line, part in table.groupby("line", sort=False)
    )
    return Sweep(spec, unit, table, runs, findings)


def _runs(spec: SweepSpec, results: Any) -> pd.DataFrame:
    """One row a value: line, x, value, unit, recording, fold, seed."""
    pairwise = spec.score == "consistency"
    table = results.pairs if pairwise else results.scores
    table = table[(table["score"] == spec.score) & (table["control"] == NO_CONTROL)]
    if not pairwise:
        table = table[table["part"] == WHOLE]
    for column in ("label", "decoder", "between"):
        wanted = getattr(spec, column)
        if wanted is not None:
            table = table[table[column].fillna("") == wanted]
    units = table["unit"] == spec.unit if spec.unit else table["unit"] != MEDIAN_ERROR
    table = table[units & table["value"].notna()]
    methods = _places(results.study.get("methods", ()), spec.along, METHOD)
    recordings = _places(results.study.get("recordings", ()), spec.along, RECORDING)
    rows = []
    for row in table.to_dict("records"):
        place = _place(methods.get(str(row["method"])), recordings.get(str(row["recording"])))
        if place is not None:
            keep = ("value", "unit", "recording", "fold", "seed", "chance_mean")
            rows.append({**place, **{k: row[k] for k in keep}})
    found = pd.DataFrame(rows, columns=["line", "x", "value", "unit", "recording", "fold", "seed",
                                        "chance_mean"])  # fmt: skip
    return found.assign(line=_shortened(found["line"]), x=_one_kind(found["x"]))


def _values(spec: SweepSpec, study: Mapping[str, Any]) -> list[str]:
    """Values of the axis as text, in the order of the study."""
    places = [
        *_places(study.get("methods", ()), spec.along, METHOD).values(),
        *_places(study.get("recordings", ()), spec.along, RECORDING).values(),
    ]
    return [_x(x) for _, x in places if x is not None]


def _places(blocks: Any, along: str, what: str) -> dict[str, tuple[str, Any]]:
    """Name → (what it is called without the axis, its value on the axis or None)."""
    found = {}
    for block in blocks:
        point, name = axes.point_of(block), axes.name_of(block)
        if along == what:
            found[name] = ("", name)
        else:
            line = axes.name_of(block, without=("path", along))
            found[name] = (line, point.get(along, block.get(along)))
    return found


def _place(method: Any, recording: Any) -> dict[str, Any] | None:
    """Where a run lies; None where it does not lie on the axis."""
    sides = [side for side in (method, recording) if side is not None]
    x = next((x for _, x in sides if x is not None), None)
    if x is None:
        return None
    return {"line": tuple(line for line, _ in sides), "x": x}


def _shortened(lines: pd.Series) -> list[str]:
    """Names of lines, without what all of them share."""
    if lines.empty:
        return []
    parts = [tuple(dict.fromkeys(column)) for column in zip(*lines, strict=True)]
    shown = [
        " · ".join(p for p, all_ in zip(line, parts, strict=True) if p and len(all_) > 1)
        for line in lines
    ]
    return [name or _ONLY for name in shown]


def _one_kind(values: pd.Series) -> pd.Series:
    numbers = [isinstance(v, int | float) and not isinstance(v, bool) for v in values]
    return values.astype(float) if all(numbers) else values.map(_x).astype(object)


def _row(spec: SweepSpec, line: Any, x: Any, part: pd.DataFrame) -> dict[str, Any]:
    value = part["value"].astype(float)
    low, high, se = _around(part)
    high = min(high, 1.0) if part["unit"].iloc[0] in _AT_MOST_ONE else high
    low = max(low, 0.0) if part["unit"].iloc[0] in NO_BETTER else low
    over = np.nan
    if spec.above is not None:
        passed = value < spec.above if spec.lower_is_better else value > spec.above
        over = float(passed.mean())
    return {
        "line": line, "x": x, "mean": float(value.mean()), "se": se, "low": low, "high": high,
        "n": len(part), "above": over, "chance": float(part["chance_mean"].astype(float).mean()),
        "chosen": False,
    }  # fmt: skip


def _around(part: pd.DataFrame) -> tuple[float, float, float]:
    """95 % interval and standard error of the mean; NaN where there are too few repeats."""
    from scipy.stats import t

    means = part.groupby(["recording", "fold"], dropna=False)["value"].mean()
    if len(means) < FEWEST:
        means = part.groupby("seed", dropna=False)["value"].mean()
    if len(means) < FEWEST:
        return np.nan, np.nan, np.nan
    mean, se = float(part["value"].mean()), float(means.std(ddof=1) / np.sqrt(len(means)))
    half = float(t.ppf(0.975, len(means) - 1)) * se
    return mean - half, mean + half, se


def _chosen(spec: SweepSpec, table: pd.DataFrame) -> list[bool]:
    """The smallest value within one standard error of the best, in each line."""
    sign = -1.0 if spec.lower_is_better else 1.0
    chosen = set()
    for line, part in table.groupby("line", sort=False):
        rows = part.to_dict("records")
        best = max(rows, key=lambda r: sign * r["mean"])
        slack = best["se"] if np.isfinite(best["se"]) else 0.0
        near = (r for r in rows if sign * r["mean"] >= sign * best["mean"] - slack)
        chosen.add((line, next(near)["x"]))
    return [place in chosen for place in zip(table["line"], table["x"], strict=True)]


def _finding(spec: SweepSpec, line: str, part: pd.DataFrame, unit: str) -> str:
    sign = -1.0 if spec.lower_is_better else 1.0
    rows = part.to_dict("records")
    best, worst = (at(rows, key=lambda r: sign * r["mean"]) for at in (max, min))
    along = spec.along.removeprefix("simulate.").replace("_", " ")
    if unit in NO_BETTER:
        said = f"{spec.score if unit == 'dimensions' else unit} {_runs_of_equals(rows)}"
    elif spec.choose:
        row = next(r for r in rows if r["chosen"])
        said = (
            f"the smallest {along} within one standard error of the best is {_x(row['x'])} "
            f"({unit} {_value(row)}; best {_value(best)} at {_x(best['x'])})"
        )
    elif number(best["mean"]) == number(worst["mean"]):
        said = f"{unit} is {_value(best)} at every {along}"
    else:
        said = (
            f"{unit} is best at {along} {_x(best['x'])}, {_value(best)}, "
            f"and worst at {_x(worst['x'])}, {_value(worst)}"
        )
    said += f"; {_shares(spec, part)}" if spec.above is not None else ""
    return f"{said[0].upper()}{said[1:]}." if line == _ONLY else f"{line}: {said}."


def _shares(spec: SweepSpec, part: pd.DataFrame) -> str:
    assert spec.above is not None
    side = "below" if spec.lower_is_better else "above"
    each = ", ".join(
        f"{round(share * n)} of {n} at {_x(x)}"
        for x, share, n in zip(part["x"], part["above"], part["n"], strict=True)
    )
    return f"{side} {number(spec.above)} are {each}"


def _runs_of_equals(rows: list[dict[Any, Any]]) -> str:
    """ "0 at 1, 1 at 2 to 8"."""
    said = []
    for value, group in groupby(rows, key=_value):
        xs = [_x(row["x"]) for row in group]
        said.append(f"{value} at {xs[0]}" + (f" to {xs[-1]}" if len(xs) > 1 else ""))
    return ", ".join(said)


def _value(row: Mapping[Any, Any]) -> str:
    interval = (row["low"], row["high"]) if np.isfinite(row["low"]) else None
    if interval and number(interval[0]) == number(interval[1]) == number(row["mean"]):
        interval = None  # [1, 1] says nothing more
    return f"{number(row['mean'])} {bracket(interval)}".strip()


def _x(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
