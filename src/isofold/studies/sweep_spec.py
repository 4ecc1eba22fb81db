"""What a study asks along an axis; its own scores answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import combinations
from typing import Any

from ..errors import StudyError
from ._check import check_keys, check_type, near
from .score_rows import MEDIAN_ERROR
from .score_spec import ScoreSpec, label_of

METHOD, RECORDING = "method", "recording"
"""`along` of a sweep over the methods or the recordings themselves."""


@dataclass(frozen=True)
class SweepSpec:
    """One `[[sweeps]]` block: `score` against the axis `along`, one line for all else.

    `above` counts the fits that score more (an error: less); `choose` names the smallest value of
    the axis within one standard error of the best. `label`, `decoder`, `between` and `unit` name
    the score where a study has several of one kind.
    """

    asks: str
    score: str
    along: str
    label: str | None = None
    decoder: str | None = None
    between: str | None = None
    unit: str | None = None
    above: float | None = None
    choose: bool = False

    @classmethod
    def of(cls, given: Any, where: str) -> SweepSpec:
        """From a table or a `SweepSpec`."""
        if isinstance(given, SweepSpec):
            return given
        check_keys(given, _KEYS, where)
        for key in ("asks", "score", "along"):
            if key not in given:
                raise StudyError(f"{where} needs {key}; got only {', '.join(given) or 'nothing'}")
        for key in set(given) - {"above", "choose"}:
            check_type(given[key], str, "a text", f"{where}.{key}")
        check_type(given.get("above", 0.0), (int, float), "a number", f"{where}.above")
        check_type(given.get("choose", False), bool, "true or false", f"{where}.choose")
        score = given["score"].replace("-", "_").replace(" ", "_")
        return cls(**{**given, "score": score})

    @property
    def lower_is_better(self) -> bool:
        """Whether the score is an error."""
        return self.unit == MEDIAN_ERROR

    def check(self, where: str, points: Iterable[Mapping[str, Any]], scores: Sequence[ScoreSpec]):
        """Raise `StudyError` unless the study has the axis and the score."""
        known = {METHOD, RECORDING, *(key for point in points for key in point)}
        if self.along not in known:
            raise StudyError(
                f"{where}.along: no axis {self.along!r} in this study{near(self.along, known)}"
            )
        fitting = [s for s in scores if self.fits(s)]
        if not fitting:
            known = {s.score for s in scores}
            raise StudyError(
                f"{where}.score: no score of this study is {self.score!r}{near(self.score, known)}"
            )
        if self.score == "betti" and self.label is None:
            raise StudyError(f'{where} (betti) needs label = "H0", "H1" or "H2": which number')
        if any(_shared(a, b) for a, b in combinations(fitting, 2)):
            raise StudyError(
                f"{where}: several scores of one method are {self.score!r}, which would be mixed; "
                "name label, decoder or between"
            )

    def fits(self, spec: ScoreSpec) -> bool:
        """Whether this is the score that the sweep asks for."""
        between = None if spec.of_one_run else spec.between
        if spec.score == self.score == "betti":  # its labels are H0, H1, …
            return True
        asked = (self.label, self.decoder, self.between)
        given = (label_of(spec), spec.decoder, between)
        same = all(a is None or a == g for a, g in zip(asked, given, strict=True))
        return spec.score == self.score and same

    def to_dict(self) -> dict[str, Any]:
        """The block as a table."""
        return {k: v for k in _KEYS if (v := getattr(self, k)) not in (None, False)}


def _shared(a: ScoreSpec, b: ScoreSpec) -> bool:
    """Whether some method gets both scores."""
    return not a.methods or not b.methods or bool(set(a.methods) & set(b.methods))


_KEYS = tuple(f.name for f in fields(SweepSpec))
