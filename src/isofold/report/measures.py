"""Scores as the page compares them: one measure a score, label and unit; one line a variant."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..plot.dots import mean_interval
from ..studies.score_rows import NO_BETTER

WHOLE = "all"
"""`part` of the rows that are the score itself."""
MEDIAN_ERROR = "median error"
"""Unit of the one score where lower is better."""
FEWEST = 3
"""Repeats below which an interval says nothing."""
_KEYS = ["score", "label", "decoder", "unit", "split", "between"]
_NUMBERS = ["value", "low", "high", "chance_mean", "chance_hi", "ceiling"]
_RANGE = {"R²": (-np.inf, 1.0), "accuracy": (0.0, 1.0)}
"""Values a score can take: an interval ends there."""


@dataclass(frozen=True)
class Line:
    """One variant in a measure."""

    variant: str
    control: bool
    dots: pd.DataFrame
    """What is drawn: one row a run (or a pair of runs)."""
    repeats: pd.Series
    """Value of each repeat (animal, recording, trial, ...) that the interval is taken over."""
    mean: float
    interval: tuple[float, float] | None
    chance: tuple[float, float] | None
    """Mean of chance, and the edge that 95 % of its draws stay below."""
    ceiling: float | None = None
    """The best that any method could reach, where the score knows it."""


@dataclass(frozen=True)
class Measure:
    """One score of one label in one unit on one split."""

    score: str
    label: str
    decoder: str
    """The decoder, or those of the methods where each has its own."""
    unit: str
    split: str
    between: str
    over: str
    """What intervals are taken over; "" where there are none. See `answer.REACH`."""
    higher_is_better: bool
    """Means nothing where `has_better` is false."""
    lines: list[Line]

    @property
    def title(self) -> str:
        """Short heading."""
        what = self.label or self.score.replace("_", " ")
        return f"{what}, between {self.between}" if self.between else what

    @property
    def has_better(self) -> bool:
        """Whether one value is better than another; a dimension is only larger."""
        return self.unit not in NO_BETTER

    @property
    def n_repeats(self) -> int:
        """Repeats behind each interval (the fewest of all lines)."""
        return min((len(line.repeats) for line in self.lines), default=0)


def score_measures(scores: pd.DataFrame, order: list[str]) -> list[Measure]:
    """Measures in `Results.scores`; `order` gives the variants in the order of the page."""
    if scores.empty:
        return []
    scores = _one_decoder_each(scores)
    whole = scores[scores["part"] == WHOLE]
    trials = scores[scores["part"].str.contains(r"(?:^|, )trial ", regex=True, na=False)]
    trials = trials.assign(trial=trials["part"].str.replace(r"^.*?trial ", "", regex=True))
    found = _measures(whole, trials, order)
    # beside each other what belongs together; numbers (R²) before classes
    units = {m.label: m.unit for m in reversed(found) if m.higher_is_better}
    return sorted(found, key=lambda m: (m.score, units.get(m.label) != "R²", m.label, m.decoder))


def pair_measures(pairs: pd.DataFrame, order: list[str]) -> list[Measure]:
    """Measures in `Results.pairs`."""
    return [] if pairs.empty else _measures(pairs, pairs.iloc[:0], order)


def beyond_chance(line: Line, higher_is_better: bool) -> bool | None:
    """Whether the interval (every dot, where there is none) lies beyond the edge of chance."""
    if line.chance is None:
        return None
    values = line.interval or tuple(line.dots["value"])
    if higher_is_better:
        return bool(min(values) > max(line.chance))
    return bool(max(values) < min(line.chance))


def difference(a: Line, b: Line) -> tuple[float, tuple[float, float] | None]:
    """a − b, with the interval of the mean over the repeats that both have."""
    gap = a.mean - b.mean
    paired = (a.repeats - b.repeats).dropna()
    return gap, _around(gap, paired)


def ranked(measure: Measure, told: Collection[str] = ()) -> list[Line]:
    """Lines that are no control and were not `told` the labels of test trials, best first."""
    lines = [line for line in measure.lines if not line.control and line.variant not in told]
    return sorted(lines, key=lambda line: line.mean, reverse=measure.higher_is_better)


# -- pieces ---------------------------------------------------------------------------------


def _measures(whole: pd.DataFrame, trials: pd.DataFrame, order: list[str]) -> list[Measure]:
    whole, trials = _tidy(whole), _tidy(trials)
    found = []
    for key, part in whole.groupby(_KEYS, sort=False):
        same = dict(zip(_KEYS, map(str, key), strict=True))
        over, repeats = _repeats(part, _where(trials, same), same["between"])
        lines = [
            _line(mine, repeats.get(str(variant)), over)
            for variant, mine in part.groupby("variant", sort=False)
        ]
        lines.sort(key=lambda line: order.index(line.variant) if line.variant in order else 1 << 30)
        better = same["unit"] != MEDIAN_ERROR
        found.append(Measure(**same, over=over, higher_is_better=better, lines=lines))
    return found


def _one_decoder_each(scores: pd.DataFrame) -> pd.DataFrame:
    """Where every variant has one decoder of a label, they stand in one measure."""
    if "decoder" not in scores:
        return scores
    asked = ["score", "label"]
    decoder = scores["decoder"].fillna("")
    of_variant = decoder.groupby([scores[c] for c in [*asked, "variant"]], dropna=False)
    of_label = decoder.groupby([scores[c] for c in asked], dropna=False)
    most = of_variant.transform("nunique").groupby([scores[c] for c in asked], dropna=False)
    joined = of_label.transform(lambda d: ", ".join(sorted(set(d))))
    return scores.assign(decoder=joined.where(most.transform("max") == 1, decoder))


def _tidy(table: pd.DataFrame) -> pd.DataFrame:
    keys = {k: table[k].fillna("").astype(str) if k in table else "" for k in _KEYS}
    numbers = {n: table[n].astype(float) if n in table else np.nan for n in _NUMBERS}
    table = table.assign(**keys, **numbers)
    return table[np.isfinite(table["value"])].reset_index(drop=True)


def _where(table: pd.DataFrame, same: dict[str, str]) -> pd.DataFrame:
    mask = np.ones(len(table), bool)
    for key, value in same.items():
        mask &= (table[key] == value).to_numpy()
    return table[mask]


def _levels(whole: pd.DataFrame, trials: pd.DataFrame, between: str) -> Iterator[tuple[str, list]]:
    """What may count as a repeat, from what carries farthest: name, and one group a repeat."""
    # recordings that are compared with each other are no repeats of each other, nor are seeds
    inside = {"runs": ["seed"], "datasets": ["recording", "subject"]}.get(between, [])
    for name, column in (("animals", "subject"), ("recordings", "recording")):
        if column not in inside:
            yield name, [whole, [column]]
    yield "trials", [trials, ["recording", "trial"]]
    yield "folds", [whole, ["fold"]]
    if "seed" not in inside:
        yield "seeds", [whole, ["seed"]]


def _repeats(
    whole: pd.DataFrame, trials: pd.DataFrame, between: str
) -> tuple[str, dict[str, pd.Series]]:
    """The farthest-reaching level with enough repeats of every variant, and their values."""
    own = bool(whole[["low", "high"]].notna().all(axis=None))
    for name, (table, columns) in _levels(whole, trials, between):
        if name == "seeds" and own:
            break
        if any(c not in table for c in columns):
            continue
        table = table[(table[columns].notna() & (table[columns] != "")).all(axis=1)]
        values = {str(v): t.groupby(columns)["value"].mean() for v, t in table.groupby("variant")}
        if len(values) == whole["variant"].nunique() and min(map(len, values.values())) >= FEWEST:
            return name, values
    return "resampled trials" if own else "", {}


def _line(whole: pd.DataFrame, repeats: pd.Series | None, over: str) -> Line:
    mean = float(whole["value"].mean())
    interval = None
    if repeats is not None:
        interval = _around(mean, repeats)
    elif over:
        interval = (float(whole["low"].mean()), float(whole["high"].mean()))
    chance = None
    if whole["chance_mean"].notna().any():
        middle, edge = float(whole["chance_mean"].mean()), float(whole["chance_hi"].mean())
        chance = (middle, edge if np.isfinite(edge) else middle)
    if interval is not None:
        floor, ceiling = _RANGE.get(str(whole["unit"].iloc[0]), (-np.inf, np.inf))
        interval = (max(interval[0], floor), min(interval[1], ceiling))
    return Line(
        variant=str(whole["variant"].iloc[0]),
        control=bool(whole["is_control"].iloc[0]),
        dots=whole.reset_index(drop=True),
        repeats=pd.Series(dtype=float) if repeats is None else repeats,
        mean=mean,
        interval=interval,
        chance=chance,
        ceiling=float(whole["ceiling"].mean()) if whole["ceiling"].notna().any() else None,
    )


def _around(mean: float, repeats: pd.Series) -> tuple[float, float] | None:
    """Interval of the repeats' mean, laid around the score itself (which may weigh them)."""
    interval = mean_interval(repeats.to_numpy())
    if interval is None:
        return None
    half = (interval[1] - interval[0]) / 2
    return mean - half, mean + half
