"""Scores as the page compares them: one measure a score, label and unit; one line a variant."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..plot.dots import mean_interval
from .variants import is_control

HIGHER = ("r²", "r2", "accuracy", "bit", "explained", "auc", "correlation", "likelihood")
LOWER = ("error", "loss", "nat", "distance")
LEVELS = (("animals", "subject"), ("recordings", "recording"), ("folds", "fold"), ("seeds", "seed"))
"""What an interval is taken over: the first of these with at least three values everywhere."""


@dataclass(frozen=True)
class Line:
    """One variant: its runs, their mean with interval, and chance."""

    variant: str
    control: bool
    runs: pd.DataFrame
    units: pd.Series
    """Mean of each repeat (animal, recording, fold or seed) that the interval is taken over."""
    mean: float
    interval: tuple[float, float] | None
    chance: tuple[float, float] | None
    """Mean of chance, and the edge that 95 % of its draws stay below."""


@dataclass(frozen=True)
class Measure:
    """One score of one label in one unit on one split."""

    score: str
    label: str
    unit: str
    split: str
    between: str
    over: str
    """"animals", "recordings", "folds", "seeds", or "" where there are fewer than three repeats."""
    higher_is_better: bool | None
    lines: list[Line]

    @property
    def title(self) -> str:
        """Short heading."""
        what = self.label or self.score.replace("_", " ")
        return f"{what}, between {self.between}" if self.between else what

    @property
    def n_units(self) -> int:
        """Repeats behind each interval (the fewest of all lines)."""
        return min((len(line.units) for line in self.lines), default=0)


def measures(table: pd.DataFrame, order: list[str]) -> list[Measure]:
    """All measures in `Results.scores` or `Results.pairs`, in the order they are first met.

    `order` gives the variants in the order of the page, so that every chart has the same lines.
    """
    if not len(table):
        return []
    table = table.reset_index(drop=True)
    if "part" in table:
        table = table[table["part"].fillna("all") == "all"]
    keys = [k for k in ("score", "label", "unit", "split", "between") if k in table]
    table = table.assign(**{k: table[k].fillna("").astype(str) for k in keys})
    table = table[np.isfinite(table["value"].astype(float))]
    place = table["variant"].map({v: k for k, v in enumerate(order)}).fillna(len(order))
    table = table.assign(_first=range(len(table)), _place=place)
    groups = [(part["_first"].min(), key, part) for key, part in table.groupby(keys)]
    return [
        _measure(
            dict(zip(keys, map(str, key), strict=True)), part.sort_values(["_place", "_first"])
        )
        for _, key, part in sorted(groups, key=lambda group: group[0])
    ]


def beyond_chance(line: Line, higher_is_better: bool | None) -> bool | None:
    """Whether the interval (every run, where there is none) lies beyond the edge of chance."""
    if line.chance is None or higher_is_better is None:
        return None
    mean, edge = line.chance
    values = line.interval or tuple(line.runs["value"].astype(float))
    if higher_is_better:
        return bool(min(values) > max(edge, mean))
    return bool(max(values) < min(edge, mean))


def difference(a: Line, b: Line) -> tuple[float, tuple[float, float] | None]:
    """Mean of a − b over the repeats both have, with its interval."""
    paired = (a.units - b.units).dropna()
    if not len(paired):
        return a.mean - b.mean, None
    return float(paired.mean()), mean_interval(paired.to_numpy())


def ranked(measure: Measure) -> list[Line]:
    """Lines that are no control, best first (as they come where the direction is unknown)."""
    lines = [line for line in measure.lines if not line.control]
    if measure.higher_is_better is None:
        return lines
    return sorted(lines, key=lambda line: line.mean, reverse=measure.higher_is_better)


def _measure(key: dict[str, str], table: pd.DataFrame) -> Measure:
    key = {"split": "", "between": "", "label": ""} | key
    level, column = _level(table, key["between"])
    lines = []
    for (control, variant), part in table.groupby(
        [table["control"].map(is_control), "variant"], sort=False
    ):
        lines.append(_line(str(variant), bool(control), part, column))
    lines.sort(key=lambda line: line.control)
    return Measure(**key, over=level, higher_is_better=_direction(key), lines=lines)


def _level(table: pd.DataFrame, between: str) -> tuple[str, str]:
    for level, column in LEVELS:
        # pairs share their runs (or recordings): they are no repeats of each other
        inside = {"runs": ("seed",), "datasets": ("recording", "subject")}.get(between, ())
        if column not in table or column in inside:
            continue
        if table.groupby("variant")[column].nunique().min() >= 3:
            return level, column
    return "", ""


def _line(variant: str, control: bool, runs: pd.DataFrame, column: str) -> Line:
    runs = runs.reset_index(drop=True)
    units = runs["value"].astype(float)
    if column:
        units = runs.assign(value=units).groupby(column)["value"].mean()
    interval = mean_interval(units.to_numpy()) if column else None
    chance = None
    if {"chance_mean", "chance_hi"} <= set(runs):
        draws = runs[["chance_mean", "chance_hi"]].astype(float)
        if draws["chance_mean"].notna().any():
            mean = float(draws["chance_mean"].mean())
            edge = float(draws["chance_hi"].mean())
            chance = (mean, edge if np.isfinite(edge) else mean)
    return Line(variant, control, runs, units, float(units.mean()), interval, chance)


def _direction(key: dict[str, str]) -> bool | None:
    named = f"{key['unit']} {key['score']}".lower()
    if any(word in named for word in LOWER):
        return False
    if key["score"] == "consistency" or any(word in named for word in HIGHER):
        return True
    return None
