"""What is asked of the embeddings of a study."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import StudyError
from ._check import check_keys, check_names, check_type, near

CONTROLS = ("permuted labels",)
"""Fits of which chance is made."""

_DECODE = (
    *("kind", "nuisance", "n_chance"),
    *("metric", "k", "alpha", "C", "n_bins", "smoothing", "estimate"),
)
"""Options of `isofold.scores.decode` that a study file may set."""

_KEYS = {
    "decode": ("label", "decoder", *_DECODE),
    "goodness_of_fit": (),
    "consistency": ("between", "labels"),
    "recovery": (),
}
_BETWEEN = ("runs", "datasets", "methods")


@dataclass(frozen=True)
class ScoreSpec:
    """One `[[scores]]` block: which score, of what, for which methods (all unless named)."""

    score: str
    label: str | None = None
    decoder: str | None = None
    between: str = "runs"
    labels: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, given: Any, where: str) -> ScoreSpec:
        """From a table, the name of a score, or a `ScoreSpec`."""
        if isinstance(given, ScoreSpec):
            return given
        table: Any = {"score": given} if isinstance(given, str) else given
        if not isinstance(table, Mapping) or not isinstance(table.get("score"), str):
            raise StudyError(f'{where} needs score = "…"{near("", _KEYS)}')
        score = table["score"].replace("-", "_").replace(" ", "_")
        if score not in _KEYS:
            raise StudyError(f"{where}: unknown score {table['score']!r}{near(score, _KEYS)}")
        check_keys(table, ("score", "methods", *_KEYS[score]), f"{where} ({score})")
        names = {
            k: check_names(table[k], f"{where}.{k}") for k in ("labels", "methods") if k in table
        }
        own: dict[str, Any] = {k: v for k, v in table.items() if k not in _DECODE}
        options = {k: v for k, v in table.items() if k in _DECODE}
        if score == "decode":
            own.setdefault("decoder", "knn")
        spec = cls(**{**own, **names, "score": score, "options": options})
        spec._check(where)
        return spec

    @classmethod
    def default(cls, labels: Iterable[str], simulated: bool = False) -> list[ScoreSpec]:
        """What is asked where a study names no score; the truth, where a recording has one."""
        first = [cls("goodness_of_fit"), cls("consistency")]
        first += [cls("recovery")] if simulated else []
        return first + [cls("decode", label=label, decoder="knn") for label in labels]

    @property
    def of_one_run(self) -> bool:
        """Whether one run is enough; consistency needs several."""
        return self.score != "consistency"

    def wanted(self, method: Any) -> bool:
        """Whether a method of the study (each point of its grid) gets this score."""
        return not self.methods or method.base in self.methods

    def to_dict(self) -> dict[str, Any]:
        """The block as a table."""
        keys = ("score", *(k for k in _KEYS[self.score] if k not in _DECODE), "methods")
        pairs = ((k, getattr(self, k)) for k in keys)
        table = {k: list(v) if isinstance(v, tuple) else v for k, v in pairs if v}
        return table | dict(self.options)

    def _check(self, where: str) -> None:
        if self.score == "decode":
            if self.label is None:
                raise StudyError(f'{where} (decode) needs label = "…": one label a score')
            check_type(self.label, str, "the name of one label", f"{where}.label")
            check_type(self.decoder, str, "the name of a decoder", f"{where}.decoder")
        if self.between not in _BETWEEN:
            raise StudyError(
                f"{where}.between: unknown {self.between!r}{near(self.between, _BETWEEN)}"
            )
        if self.between == "datasets" and not self.labels:
            raise StudyError(
                f"{where}: consistency between datasets aligns recordings by labels; "
                'name them: labels = ["position"]'
            )


def label_of(spec: ScoreSpec) -> str:
    """`label` of the rows of a score.

    >>> label_of(ScoreSpec("consistency", between="datasets", labels=("x", "y")))
    'x, y'
    """
    return spec.label or ", ".join(spec.labels)
