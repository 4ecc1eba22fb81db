"""The score rows that a claim is about: all there, and paired."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import permutations, product
from typing import Any

import pandas as pd

from ..errors import StudyError
from . import axes
from .baselines import BASELINES
from .claim_spec import CHANCE, ClaimSpec
from .score_rows import MEDIAN_ERROR, WHOLE
from .score_spec import ScoreSpec, label_of

NO_CONTROL = "none"


@dataclass(frozen=True)
class Layout:
    """What a study should have: the names of its recordings, its folds, seeds and methods."""

    recordings: tuple[str, ...]
    folds: Mapping[str, tuple[str, ...]]
    """Of each recording."""
    seeds: tuple[str, ...]
    methods: Mapping[str, str]
    """Name → estimator."""
    fitted_to: Mapping[str, tuple[str, ...]]
    """Method → its recordings."""
    scores: tuple[ScoreSpec, ...]
    controls: tuple[str, ...]

    @classmethod
    def of(cls, study: Mapping[str, Any]) -> Layout:
        """From the tables of a study as it was run."""
        recordings = {axes.name_of(r): r for r in study.get("recordings", ())}
        methods = {axes.name_of(m): m for m in study.get("methods", ())}
        return cls(
            tuple(recordings),
            {name: _folds(r.get("folds") or study.get("folds")) for name, r in recordings.items()},
            tuple(str(s) for s in study.get("seeds", (0,))),
            {name: m["method"] for name, m in methods.items()},
            _fitted_to(study.get("methods", ()), recordings),
            tuple(ScoreSpec.of(s, f"scores[{n}]") for n, s in enumerate(study.get("scores", ()))),
            tuple(study.get("controls", ())),
        )

    def recordings_of(self, side: Side) -> tuple[str, ...]:
        """Those that the method is fitted to and the score asked of."""
        asked = side.spec.recordings
        fitted = self.fitted_to[side.method]
        return tuple(r for r in fitted if not asked or r.split(" (")[0] in asked)

    def seeds_of(self, method: str) -> tuple[str, ...]:
        """Baselines draw no random numbers and have one."""
        return self.seeds[:1] if self.methods[method] in BASELINES else self.seeds


def _folds(folds: Any) -> tuple[str, ...]:
    n_folds = folds["k"] if isinstance(folds, Mapping) else folds or 1
    return tuple(str(k) for k in range(n_folds))


def _fitted_to(methods: Any, recordings: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Blocks of one name are fitted to different recordings."""
    found: dict[str, tuple[str, ...]] = {}
    for method in methods:
        only = method.get("recordings")
        named = tuple(r for r in recordings if not only or r.split(" (")[0] in only)
        found[axes.name_of(method)] = found.get(axes.name_of(method), ()) + named
    return found


@dataclass(frozen=True)
class Side:
    """A method as one side of a claim."""

    method: str
    control: str
    spec: ScoreSpec

    def __str__(self) -> str:
        return self.method if self.control == NO_CONTROL else f"{self.method} · {self.control}"

    @property
    def keys(self) -> list[str]:
        """The columns that tell the values of a side apart."""
        if self.spec.of_one_run:
            return ["recording", "fold", "seed"]
        return ["recording" if self.spec.between == "runs" else "seed", "fold", "from", "to"]


def paired(claim: ClaimSpec, results: Any, layout: Layout) -> tuple[pd.DataFrame, Side]:
    """One row a value that both sides have: `Side.keys`, `mean`, `than_mean`, `unit`.

    Raises
    ------
    StudyError
        Runs failed or are missing, or the sides have no common scale: why there is no answer.
    """
    wanted = (claim.recording,) if claim.recording else layout.recordings
    first, other = _sides(claim, layout)
    sides = [first] if other is None else [first, other]
    wanted = tuple(r for r in wanted if all(r in layout.recordings_of(s) for s in sides))
    for side in sides:
        _check_finished(side, results.runs, wanted, layout)
    tables = [_values(side, results, wanted, claim.unit) for side in sides]
    units = dict.fromkeys(u for table in tables for u in table["unit"])
    if len(units) > 1:
        raise StudyError(f"{' and '.join(units)} are no common scale; name unit or recording")
    scored = [r for r in wanted if any((t["recording"] == r).any() for t in tables)]
    for side, table in zip(sides, tables, strict=True):
        _check_complete(side, table, tuple(scored), layout)
    mine = tables[0].rename(columns={"value": "mean"})
    if other is None:
        return mine.assign(than_mean=_level(claim, mine)), first
    theirs = tables[1].rename(columns={"value": "than_mean"})
    if "seed" in first.keys:  # a method with one seed (raw activity) meets every seed of the other
        if len(layout.seeds_of(other.method)) == 1:
            theirs = theirs.drop(columns="seed")
        elif len(layout.seeds_of(first.method)) == 1:
            mine = mine.drop(columns="seed")
    keys = [k for k in first.keys if k in mine and k in theirs]
    return mine.merge(
        theirs[[*theirs.columns.intersection(first.keys), "than_mean"]], on=keys
    ), first


def _sides(claim: ClaimSpec, layout: Layout) -> tuple[Side, Side | None]:
    methods = list(layout.methods)
    claim.check("claim", methods, layout.scores, layout.recordings, layout.controls)
    first = Side(claim.better, NO_CONTROL, claim.score_of(claim.better, layout.scores, "claim"))
    if not isinstance(claim.than, str) or claim.than == CHANCE:
        return first, None
    if claim.than in layout.controls:
        return first, Side(claim.better, claim.than, first.spec)
    spec = claim.score_of(claim.than, layout.scores, "claim")
    return first, Side(claim.than, NO_CONTROL, spec)


def _check_finished(side: Side, runs: pd.DataFrame, recordings: tuple, layout: Layout) -> None:
    mine = _of(side, runs)
    mine = mine[mine["recording"].isin(recordings)]
    folds = sum(len(layout.folds[r]) for r in recordings)
    wanted = folds * len(layout.seeds_of(side.method))
    failed = int((mine["status"] == "error").sum())
    missing = wanted - len(mine)
    counts = {"failed": failed, "did not finish": missing}
    if said := " and ".join(f"{n} {what}" for what, n in counts.items() if n > 0):
        raise StudyError(f"of {wanted} runs of {side} {said}")


def _values(side: Side, results: Any, recordings: tuple, unit: str | None) -> pd.DataFrame:
    spec = side.spec
    table = results.scores if spec.of_one_run else results.pairs
    table = _of(side, table)
    table = table[(table["score"] == spec.score) & (_text(table["label"]) == label_of(spec))]
    if spec.of_one_run:
        decoder = _text(table["decoder"]) == (spec.decoder or "")
        table = table[(table["part"] == WHOLE) & decoder]
    else:
        table = table[table["between"] == spec.between]
    if spec.of_one_run or spec.between == "runs":
        table = table[table["recording"].isin(recordings)]
    there = list(dict.fromkeys(table["unit"]))
    asked = (table["unit"] == unit) if unit else (table["unit"] != MEDIAN_ERROR)
    table = table[asked & table["value"].notna()]
    if unit and there and table.empty:
        raise StudyError(f"{spec.score} of {side} is given in {' and '.join(there)}, not in {unit}")
    table = table.assign(**{key: table[key].map(_plain) for key in side.keys})
    return table[list(dict.fromkeys(["recording", *side.keys, "value", "unit", "chance_mean"]))]


def _check_complete(side: Side, table: pd.DataFrame, scored: tuple, layout: Layout) -> None:
    expected = set(_expected(side, scored, layout))
    found = set(table[side.keys].itertuples(index=False, name=None))
    if missing := expected - found:
        share = "no" if len(missing) == len(expected) else f"{len(missing)} of {len(expected)}"
        lack = "has no" if share == "no" else f"lacks {share} values of"
        raise StudyError(f"{side} {lack} {side.spec.score}")
    if not expected:
        raise StudyError(f"{side} has no {_nothing(side)}")


def _expected(side: Side, scored: tuple, layout: Layout) -> Iterable[tuple[str, ...]]:
    seeds = layout.seeds_of(side.method)
    if side.spec.of_one_run:
        return [(r, f, s) for r in scored for f, s in product(layout.folds[r], seeds)]
    if side.spec.between == "runs":
        pairs = list(permutations(seeds, 2))
        return [(r, f, *p) for r in scored for f, p in product(layout.folds[r], pairs)]
    recordings = layout.recordings_of(side)
    folds = layout.folds[recordings[0]] if recordings else ()
    return [(s, f, *p) for s, f, p in product(seeds, folds, permutations(recordings, 2))]


def _nothing(side: Side) -> str:
    if side.spec.of_one_run or side.spec.between == "datasets":
        return side.spec.score
    return "consistency between seeds, or only one seed"


def _level(claim: ClaimSpec, table: pd.DataFrame) -> Any:
    if claim.than != CHANCE:
        return float(claim.than)
    if table["chance_mean"].isna().any():
        raise StudyError(f"{claim.score} in {table['unit'].iloc[0]} has no chance level")
    return table["chance_mean"]


def _of(side: Side, table: pd.DataFrame) -> pd.DataFrame:
    return table[(table["method"] == side.method) & (table["control"] == side.control)]


def _text(column: pd.Series) -> pd.Series:
    return column.fillna("").astype(str)


def _plain(value: Any) -> str:
    """Folds and seeds as text, also from a column with gaps, which pandas makes floats."""
    return str(int(value)) if isinstance(value, float) else str(value)
