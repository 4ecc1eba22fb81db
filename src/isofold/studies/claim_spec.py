"""What a study claims; its own scores answer."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from ..errors import StudyError
from ._check import check_keys, check_type, near
from .score_rows import MEDIAN_ERROR
from .score_spec import CONTROLS, ScoreSpec, label_of

CHANCE = "chance"
"""`than` of a claim against the chance level of the score itself."""

_NEEDED = ("says", "score", "better", "than")


@dataclass(frozen=True)
class ClaimSpec:
    """One `[[claims]]` block: in `score`, `better` beats `than`, by more than `margin`.

    `than` is another method, a number, "chance", or a control of the study (the same method fitted
    to permuted labels). `label`, `decoder` and `between` name the score where a study has several
    of one kind, `unit` one of the units it is given in; errors are better when lower.
    """

    says: str
    score: str
    better: str
    than: str | float
    label: str | None = None
    decoder: str | None = None
    between: str | None = None
    unit: str | None = None
    margin: float = 0.0
    recording: str | None = None

    @classmethod
    def of(cls, given: Any, where: str) -> ClaimSpec:
        """From a table or a `ClaimSpec`."""
        if isinstance(given, ClaimSpec):
            return given
        check_keys(given, _KEYS, where)
        for key in _NEEDED:
            if key not in given:
                raise StudyError(f"{where} needs {key}; got only {', '.join(given) or 'nothing'}")
        for key in set(given) - {"than", "margin"}:
            check_type(given[key], str, "a text", f"{where}.{key}")
        check_type(
            given["than"], (str, int, float), "a method, a number or chance", f"{where}.than"
        )
        check_type(given.get("margin", 0.0), (int, float), "a number", f"{where}.margin")
        for key in ("than", "margin"):
            if not isinstance(given.get(key, 0), str) and not math.isfinite(given.get(key, 0)):
                raise StudyError(f"{where}.{key} must be finite, got {given[key]!r}")
        if not given["says"].strip():
            raise StudyError(f"{where}.says must say the claim in words, got {given['says']!r}")
        score = given["score"].replace("-", "_").replace(" ", "_")
        return cls(**{**given, "score": score})

    @property
    def lower_is_better(self) -> bool:
        """Whether the score is an error."""
        return self.unit == MEDIAN_ERROR

    def check(
        self,
        where: str,
        methods: Sequence[str],
        scores: Sequence[ScoreSpec],
        recordings: Iterable[str],
        controls: Sequence[str] = (),
    ) -> None:
        """Raise `StudyError` unless the study has what the claim is about."""
        self._check_method("better", self.better, methods, where)
        asked = self.score_of(self.better, scores, where)
        if isinstance(self.than, str) and self.than != CHANCE and self.than not in controls:
            if self.than in CONTROLS:
                raise StudyError(f"{where}.than: controls = [{self.than!r}] is not in this study")
            self._check_method("than", self.than, (*methods, CHANCE, *controls), where)
            if self.than == self.better:
                raise StudyError(f"{where}: {self.better!r} cannot be better than itself")
            self.score_of(self.than, scores, where)
        elif self.than in controls and not asked.of_one_run:
            raise StudyError(f"{where}.than: {asked.score} is not taken of controls")
        if self.lower_is_better and asked.score != "decode":
            raise StudyError(
                f"{where}.unit: {MEDIAN_ERROR!r} is a unit of decode, not {asked.score}"
            )
        self._check_recording(where, asked, list(recordings))

    def score_of(self, method: str, scores: Iterable[ScoreSpec], where: str) -> ScoreSpec:
        """The one score of the study that the claim is about, as this method gets it.

        Raises
        ------
        StudyError
            No score of the study fits, or several do.
        """
        scores = list(scores)
        fitting = [s for s in scores if self._fits(s)]
        if not fitting:
            known = "; ".join(map(_described, scores)) or "none"
            raise StudyError(f"{where}: no score of this study is {_asked(self)}; it has {known}")
        base = method.split(" (")[0]
        mine = [s for s in fitting if not s.methods or base in s.methods]
        if not mine:
            raise StudyError(f"{where}: {method!r} does not get {_described(fitting[0])}")
        if len(mine) > 1:
            several = "; ".join(map(_described, mine))
            raise StudyError(
                f"{where}: several scores of {method!r} are {_asked(self)}: {several}; "
                "name label, decoder or between"
            )
        return mine[0]

    def to_dict(self) -> dict[str, Any]:
        """The block as a table."""
        table = {key: getattr(self, key) for key in _KEYS}
        defaults = {f.name: f.default for f in fields(self)}
        return {k: v for k, v in table.items() if k in _NEEDED or v != defaults[k]}

    def _fits(self, spec: ScoreSpec) -> bool:
        asked = (self.label, self.decoder, self.between)
        given = (label_of(spec), spec.decoder, _between(spec))
        same = all(a is None or a == g for a, g in zip(asked, given, strict=True))
        return spec.score == self.score and same

    def _check_method(self, key: str, name: str, known: Sequence[str], where: str) -> None:
        if name not in known:
            raise StudyError(f"{where}.{key}: no method {name!r} in this study{near(name, known)}")

    def _check_recording(self, where: str, spec: ScoreSpec, known: list[str]) -> None:
        if self.recording is None:
            return
        if _between(spec) == "datasets":
            raise StudyError(
                f"{where}.recording: consistency between datasets has no one recording"
            )
        if self.recording not in known:
            raise StudyError(
                f"{where}.recording: no recording {self.recording!r} in this study"
                f"{near(self.recording, known)}"
            )


_KEYS = tuple(f.name for f in fields(ClaimSpec))


def _between(spec: ScoreSpec) -> str | None:
    return None if spec.of_one_run else spec.between


def _described(spec: ScoreSpec) -> str:
    given = {"label": label_of(spec), "decoder": spec.decoder, "between": _between(spec)}
    return _words(spec.score, given)


def _asked(claim: ClaimSpec) -> str:
    given = {"label": claim.label, "decoder": claim.decoder, "between": claim.between}
    return _words(claim.score, given)


def _words(score: str, given: Mapping[str, str | None]) -> str:
    inside = ", ".join(f"{key} {value!r}" for key, value in given.items() if value)
    return f"{score} ({inside})" if inside else score
