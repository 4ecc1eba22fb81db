"""What the study says, in sentences that claim no more than the intervals allow."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from ..studies._numbers import bracket, number
from ..studies.sweeps import Sweep
from .measures import MEDIAN_ERROR, Line, Measure, beyond_chance, difference, ranked

REACH = {
    "animals": "Student's t over {n} animals",
    "recordings": "Student's t over {n} recordings; recordings of one animal are not independent",
    "trials": "Student's t over {n} held-out trials; they speak for further trials of the same "
    "recordings, not for other animals",
    "folds": "Student's t over {n} folds; folds share training trials, so the true interval is "
    "somewhat wider, and it does not speak for other animals",
    "seeds": "Student's t over {n} seeds on one split; they show the luck of training, not how "
    "other trials, days or animals would come out",
    "resampled trials": "bootstrap over held-out trials, averaged over runs; they speak for "
    "further trials of the same recordings, not for other animals",
}
"""What an interval is taken over, and how far it carries."""


def headline(measures: list[Measure], told: Collection[str] = ()) -> Measure | None:
    """The first measure that has a method in it: what the page's first sentence is about."""
    one_run = (m for m in measures if m.between != "methods" and m.has_better)
    return next((m for m in one_run if ranked(m, told)), None)


def asked(sweeps: Sequence[Sweep]) -> str:
    """The study's first question and its first finding; "" where it asks none."""
    if not sweeps:
        return ""
    first, *others = sweeps[0].findings
    more = len(others) + sum(len(s.findings) for s in sweeps[1:])
    rest = f" ({more} more finding{'s' if more > 1 else ''} below.)" if more else ""
    return f"{sweeps[0].spec.asks} {first}{rest}"


def answer(measure: Measure | None, told: Collection[str] = ()) -> str:
    """One sentence: which method is best in the measure, if the study can tell.

    Methods that were `told` the labels of test trials (`transform = {with_labels = true}`) are no
    candidates: they would win every decoding.
    """
    if measure is None:
        return "No scores: the pictures and losses below are all there is to judge by."
    sentence = _sentence(measure, ranked(measure, told))
    if not any(line.variant in told for line in measure.lines):
        return sentence
    return f"{sentence} Embeddings that were given the labels of test trials are not compared."


def reach(measure: Measure) -> str:
    """What the intervals of a measure are taken over, and how far that carries."""
    if not measure.over:
        return "Fewer than three repeats: means and single values only, no interval."
    return f"Intervals: 95 %, {REACH[measure.over].format(n=measure.n_repeats)}."


def unit_of(measure: Measure) -> str:
    """The unit as an axis says it."""
    own = measure.unit == MEDIAN_ERROR and measure.label
    return f"{measure.unit}, in the unit of {measure.label}" if own else measure.unit


def _sentence(measure: Measure, lines: list[Line]) -> str:
    where = "On held-out trials" if measure.split == "test" else "In this study"
    sentence = f"{where}, {_verdict(measure, lines)}"
    best = lines[0]
    if best.chance is None:
        return f"{sentence}."
    sentence += f"; chance is {number(best.chance[0])}"
    if not beyond_chance(best, measure.higher_is_better):
        sentence += f", and {best.variant} does not lie clearly beyond it"
    return f"{sentence}."


def _verdict(measure: Measure, lines: list[Line]) -> str:
    best, what = lines[0], _what(measure)
    value = _value(measure, best)
    if len(lines) == 1:
        return f"{best.variant} gives {what} {value}"
    second = lines[1]
    gap, interval = difference(best, second)
    if gap < 0:  # lower is better
        gap, interval = -gap, interval and (-interval[1], -interval[0])
    if interval is None:
        return (
            f"{best.variant} has the best {what} of {len(lines)} methods ({value}); "
            f"{second.variant} follows ({_value(measure, second)}), and there are too few repeats "
            "to say whether they differ"
        )
    apart = f"{number(gap)} {bracket(interval)}, over {measure.n_repeats} {measure.over}"
    if interval[0] <= 0:
        return (
            f"{best.variant} and {second.variant} cannot be told apart in {what} "
            f"({value} and {_value(measure, second)}; difference {apart})"
        )
    level = [line.variant for line in lines[2:] if not _ahead(measure, best, line)]
    sentence = (
        f"{best.variant} has the best {'mean ' if level else ''}{what} of {len(lines)} methods "
        f"({value}), ahead of {second.variant} by {apart}"
    )
    if not level:
        return sentence
    return f"{sentence}, but not told apart from {' and '.join(level)}, whose repeats vary more"


def _ahead(measure: Measure, best: Line, other: Line) -> bool:
    """Whether the interval of the difference lies on the best one's side."""
    _, interval = difference(best, other)
    if interval is None:
        return False
    return interval[0] > 0 if measure.higher_is_better else interval[1] < 0


def _what(measure: Measure) -> str:
    names = {
        "decode": "decoding of",
        "decode_trials": "decoding, trial by trial, of",
        "goodness_of_fit": "goodness of fit",
        "recovery": "recovery of",
    }
    score = names.get(measure.score, measure.score.replace("_", " "))
    if measure.between:
        score = f"{score} between {measure.between}"
    if not measure.label:
        return score
    return f"{score} {measure.label}" if score.endswith("of") else f"{score} ({measure.label})"


def _value(measure: Measure, line: Line) -> str:
    unit = measure.unit
    shown = f"{number(line.mean)} {bracket(line.interval)}".strip()
    return (
        f"{unit} {shown}" if unit.lower() in ("r²", "r2", "accuracy") else f"{shown} {unit}".strip()
    )
