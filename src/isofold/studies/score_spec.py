"""What is asked of the embeddings of a study."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import StudyError
from ._check import check_keys, check_names, check_type, check_window, near

CONTROLS = ("permuted labels",)
"""Fits of which chance is made."""

_DECODE = (
    *("kind", "nuisance", "n_chance"),
    *("metric", "k", "alpha", "C", "n_bins", "smoothing", "estimate"),
)
"""Options of `isofold.scores.decode` that a study file may set."""

_DECODE_TRIALS = ("features", "scale", "balanced", "groups", "n_chance", "seed")
"""Options of `isofold.single_trial.decode_trials` that a study file may set."""
OF_TRUTH = ("recovery", "procrustes", "mcc", "geodesic_correlation")
"""Scores against the truth of a simulation; a recording without truth has none."""
OF_SIGNAL = ("trustworthiness", "continuity")
"""Scores against the signal that was embedded."""
OF_SHAPE = ("dimension", "betti")
"""What an embedding is by itself."""
_OWN = {
    "decode": ("label", "decoder"),
    "decode_trials": ("label", "decoder", "event", "window"),
    "goodness_of_fit": (),
    "consistency": ("between", "labels"),
    **dict.fromkeys((*OF_TRUTH, *OF_SIGNAL, *OF_SHAPE), ("split",)),
}
"""Keys of a block that are none of the function's options."""
_LISTS = ("labels", "methods", "recordings")
_SPLITS = ("test", "train", "all")
_BETWEEN = ("runs", "datasets", "methods")


@dataclass(frozen=True)
class ScoreSpec:
    """One `[[scores]]` block: which score, of what; of all methods and recordings unless named."""

    score: str
    label: str | None = None
    decoder: str | None = None
    """Of trials: what the decoder is called in tables; what it sees, unless given."""
    event: str = "start"
    window: tuple[float, float] | None = None
    between: str = "runs"
    labels: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    recordings: tuple[str, ...] = ()
    split: str = "test"
    """Which samples of an embedding are scored; "all" has training samples among them."""
    options: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, given: Any, where: str) -> ScoreSpec:
        """From a table, the name of a score, or a `ScoreSpec`."""
        if isinstance(given, ScoreSpec):
            return given
        table: Any = {"score": given} if isinstance(given, str) else given
        if not isinstance(table, Mapping) or not isinstance(table.get("score"), str):
            raise StudyError(f'{where} needs score = "…"{near("", _OWN)}')
        score = table["score"].replace("-", "_").replace(" ", "_")
        if score not in _OWN:
            raise StudyError(f"{where}: unknown score {table['score']!r}{near(score, _OWN)}")
        own_keys = ("score", *_LISTS[1:], *_OWN[score])
        check_keys(table, (*own_keys, *_options(score)), f"{where} ({score})")
        names = {k: check_names(table[k], f"{where}.{k}") for k in _LISTS if k in table}
        own: dict[str, Any] = {k: v for k, v in table.items() if k in own_keys}
        options = {k: v for k, v in table.items() if k not in own_keys}
        if score == "decode":
            own.setdefault("decoder", "knn")
        if score == "decode_trials":
            own |= _of_trials(own, options, where)
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

    def wanted(self, method: Any, recording: Any) -> bool:
        """Whether a method on a recording (each point of their axes) gets this score."""
        of_method = not self.methods or method.base in self.methods
        return of_method and (not self.recordings or recording.base in self.recordings)

    def to_dict(self) -> dict[str, Any]:
        """The block as a table."""
        keys = ("score", *_OWN[self.score], "methods", "recordings")
        pairs = ((k, v) for k in keys if (v := getattr(self, k)) != _DEFAULTS.get(k))
        table = {k: list(v) if isinstance(v, tuple) else v for k, v in pairs if v}
        return table | dict(self.options)

    def _check(self, where: str) -> None:
        if self.score in ("decode", "decode_trials"):
            if self.label is None:
                raise StudyError(f'{where} ({self.score}) needs label = "…": one label a score')
            check_type(self.label, str, "the name of one label", f"{where}.label")
            check_type(self.decoder, str, "the name of a decoder", f"{where}.decoder")
        if self.split not in _SPLITS:
            raise StudyError(f"{where}.split: unknown {self.split!r}{near(self.split, _SPLITS)}")
        if self.between not in _BETWEEN:
            raise StudyError(
                f"{where}.between: unknown {self.between!r}{near(self.between, _BETWEEN)}"
            )
        if self.between == "datasets" and not self.labels:
            raise StudyError(
                f"{where}: consistency between datasets aligns recordings by labels; "
                'name them: labels = ["position"]'
            )


_DEFAULTS = {"split": "test", "event": "start"}
"""Defaults that a block need not write out."""


def _options(score: str) -> tuple[str, ...]:
    """Options of the function of `isofold.scores` that a block may set."""
    if score == "decode":
        return _DECODE
    if score == "decode_trials":
        return _DECODE_TRIALS
    if score not in (*OF_TRUTH, *OF_SIGNAL, *OF_SHAPE):
        return ()
    from .. import scores

    parameters = inspect.signature(getattr(scores, score)).parameters.values()
    named = (p for p in parameters if p.kind in (p.KEYWORD_ONLY, p.POSITIONAL_OR_KEYWORD))
    own = (p.name for p in named if p.default is not p.empty and p.name not in _GIVEN)
    return (*own, *_OF_ESTIMATORS) if score == "dimension" else tuple(own)


_OF_ESTIMATORS = (
    *("r_range", "pair_range", "max_pairs", "n_neighbors", "n_points"),
    *("discard", "criterion", "alpha"),
)
"""Options of single estimators of `isofold.scores.dimension`."""
_GIVEN = ("groups", "original", "truth", "distances")
"""Arguments that the study itself gives."""


def _of_trials(own: Mapping[str, Any], options: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Window and name of what the decoder sees of a trial."""
    if "window" not in own:
        raise StudyError(
            f"{where} (decode_trials) needs window = [start, stop] in s from the event"
        )
    window = check_window(own["window"], f"{where}.window")
    what = options.get("features", "trajectory")
    if what not in _FEATURES:
        raise StudyError(f"{where}.features: unknown {what!r}{near(str(what), _FEATURES)}")
    name = f"{_FEATURES[what]}, {window[0]:g} to {window[1]:g} s"
    return {"window": window, "decoder": own.get("decoder", name)}


_FEATURES = {"trajectory": "course", "mean": "mean"}


def label_of(spec: ScoreSpec) -> str:
    """`label` of the rows of a score.

    >>> label_of(ScoreSpec("consistency", between="datasets", labels=("x", "y")))
    'x, y'
    """
    # dimensions by several estimators are several scores, as decoding of several labels is
    estimator = str(spec.options.get("estimator", ""))
    return spec.label or ", ".join(spec.labels) or estimator
