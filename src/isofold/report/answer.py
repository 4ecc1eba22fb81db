"""What the study says, in sentences that claim no more than the intervals allow."""

from __future__ import annotations

from .measures import Line, Measure, beyond_chance, difference, ranked

REACH = {
    "animals": "over {n} animals",
    "recordings": "over {n} recordings; recordings of one animal are not independent",
    "folds": "over {n} folds; folds share training trials, so the true interval is somewhat wider, "
    "and it says nothing about another animal",
    "seeds": "over {n} seeds on one split; it shows the luck of training, not how other trials, "
    "days or animals would come out",
}


def headline(measures: list[Measure]) -> Measure | None:
    """The first measure that has a method in it: what the page's first sentence is about."""
    return next((m for m in measures if ranked(m)), None)


def answer(measure: Measure | None) -> str:
    """One sentence: which method is best in the measure, if the study can tell."""
    if measure is None:
        return "No scores: the pictures and losses below are all there is to judge by."
    return _sentence(measure, ranked(measure))


def reach(measure: Measure) -> str:
    """What the intervals of a measure are taken over, and how far that carries."""
    if not measure.over:
        return "Fewer than three independent repeats: means and single values only, no interval."
    return f"Intervals: 95 %, Student's t {REACH[measure.over].format(n=measure.n_units)}."


def number(value: float) -> str:
    """Three significant digits, a real minus sign.

    >>> number(0.12345), number(-3.0), number(1234.5)
    ('0.123', '−3', '1230')
    """
    if value and not 1e-4 <= abs(value) < 1e6:
        return f"{value:.3g}".replace("-", "−")
    if abs(value) >= 1000:
        return f"{round(value, 2 - len(str(int(abs(value)))) + 1):.0f}".replace("-", "−")
    return f"{value:.3g}".replace("-", "−")


def bracket(interval: tuple[float, float] | None) -> str:
    """[low, high], or ""."""
    return "" if interval is None else f"[{number(interval[0])}, {number(interval[1])}]"


def _sentence(measure: Measure, lines: list[Line]) -> str:
    where = "On held-out trials" if measure.split == "test" else f"On the {measure.split} trials"
    if measure.split in ("", "all"):
        where = "In this study"
    what = _what(measure)
    best = lines[0]
    head = f"{where}, {_verdict(measure, lines, what)}"
    beyond = beyond_chance(best, measure.higher_is_better)
    if beyond is None or best.chance is None:
        return f"{head}."
    tail = f"chance is {number(best.chance[0])}"
    if not beyond:
        few = "" if best.interval else " in every run"
        tail += f", and not even {best.variant} lies clearly beyond it{few}"
    return f"{head}; {tail}."


def _verdict(measure: Measure, lines: list[Line], what: str) -> str:
    best = lines[0]
    value = _value(measure, best)
    if len(lines) == 1 or measure.higher_is_better is None:
        return f"{best.variant} gives {what} {value}"
    second = lines[1]
    if not measure.over:
        n = len(best.runs)
        repeats = "1 value" if n == 1 else f"mean of {n} values"
        return (
            f"{best.variant} has the best {what} of {len(lines)} methods ({value}, {repeats}; "
            "too few repeats to say by how much)"
        )
    gap, interval = difference(best, second)
    gap, interval = (
        (gap, interval) if gap >= 0 else (-gap, interval and (-interval[1], -interval[0]))
    )
    apart = f"{number(gap)} {bracket(interval)}".strip()
    if interval is not None and interval[0] > 0:
        return (
            f"{best.variant} has the best {what} of {len(lines)} methods ({value}), "
            f"ahead of {second.variant} by {apart} across {measure.n_units} {measure.over}"
        )
    return (
        f"{best.variant} and {second.variant} cannot be told apart in {what} "
        f"({value} and {_value(measure, second)}; "
        f"difference {apart} across {measure.n_units} {measure.over})"
    )


def _what(measure: Measure) -> str:
    names = {
        "decode": "decoding of",
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
