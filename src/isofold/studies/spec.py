"""What to run: recordings × methods × seeds × folds × scores."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path
from typing import Any

from ..errors import StudyError
from ._check import check_folds, check_keys, check_names, check_type, check_unique, near
from ._toml import to_toml
from .claim_spec import ClaimSpec
from .cluster_spec import ClusterSpec
from .method_spec import MethodSpec
from .recording_spec import RecordingSpec, found_files
from .score_spec import CONTROLS, ScoreSpec
from .single_trial_spec import SingleTrialSpec
from .sweep_spec import SweepSpec

Estimators = Mapping[str, Callable[..., Any]]
"""Names and factories of estimators beyond `isofold.METHODS`."""


@dataclass(frozen=True)
class Study:
    """What to run, on what, and how to score it.

    Runs are recordings × methods × seeds × folds; every score is taken on trials that the fit has
    not seen.

    Parameters
    ----------
    name
        Title of the report.
    recordings
        Tables as in a study file (`path`, `name`, `subject`, `read`, `restrict`, `bin`, `choose`,
        `steps`; or `simulate`; axes as below), or `Recording` objects; those are saved beside the
        results.
    methods
        Names of `isofold.METHODS` or "raw", or tables: `method`, `name`, `labels`, `steps`,
        `transform`, axes in `grid`, `zip` and `sample`, and any setting of the estimator.
    seeds
        One run a seed: `random_state` of the estimator.
    folds
        Number of folds, or a table `{k, how, by}`. Excludes `split`.
    split
        Table of `Recording.split`: `{test = 0.2, how, stratify, seed}`. Without folds and split
        the last fifth of the trials is held out.
    scores
        Tables with `score` = "decode", "goodness_of_fit", "consistency" or "recovery". Without
        any: goodness of fit, consistency over seeds and decoding of every label that is binned.
    attribution
        Labels for which channels are ranked by what they give (`isofold.attribution.rank`, on
        held-out trials, methods with an encoder).
    controls
        "permuted labels": fits of the label-guided methods once more, with labels permuted over
        trials.
    claims
        Tables with `says`, `score`, `better`, `than`: what the study is expected to show. They
        change no run; `Results.claims` and the report say which hold.
    sweeps
        Tables with `asks`, `score`, `along`: a score against an axis. They change no run;
        `Results.sweeps` and the report draw them and say what they show.
    single_trials
        Tables with `event`, `window`: what is asked of single trials around an event. They change
        no run; `Results.single_trials` and the report hold the answers.
    cluster
        Table of the jobs of SLURM in which runs execute (docs/scale.md). It is no part of what is
        run, and of no run's key.
    estimators
        Factories of further methods by name; not part of a study file.

    Raises
    ------
    StudyError
        A key, name or value is unknown; the message says which, where, and what is known.

    Examples
    --------
    >>> import numpy as np
    >>> from isofold import Recording
    >>> x = np.linspace(0, 1, 200)
    >>> recording = Recording(np.outer(x, [1.0, 2.0]), rate=40.0, labels={"x": x}, name="rat1")
    >>> study = Study("tiny", [recording], ["raw"], seeds=[0, 1], folds=5)
    >>> [score.score for score in study.scores], study.scores[-1].label
    (['goodness_of_fit', 'consistency', 'decode'], 'x')
    """

    name: str
    recordings: Sequence[Any]
    methods: Sequence[Any]
    seeds: Sequence[int] = (0,)
    folds: int | Mapping[str, Any] | None = None
    split: Mapping[str, Any] | None = None
    scores: Sequence[Any] | None = None
    controls: Sequence[str] = ()
    attribution: Sequence[str] = ()
    claims: Sequence[Any] = ()
    sweeps: Sequence[Any] = ()
    single_trials: Sequence[Any] = ()
    cluster: Any = None
    estimators: Estimators = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        put = lambda name, value: object.__setattr__(self, name, value)  # noqa: E731
        check_type(self.name, str, "a name", "name")
        put("seeds", _seeds(self.seeds))
        _check_held_out(self.folds, self.split)
        recordings = _each(self.recordings, "recordings", RecordingSpec.all_of)
        put("recordings", tuple(one for specs in recordings for one in specs))
        check_unique([r.name for r in self.recordings], "recordings")
        methods = _each(
            self.methods, "methods", lambda m, at: MethodSpec.all_of(m, at, self.estimators)
        )
        put("methods", tuple(one for specs in methods for one in specs))
        for recording in self.recordings:
            mine = [m.name for m in self.methods if m.wanted(recording)]
            check_unique(mine, f"methods of recording {recording.name!r}")
        labels = dict.fromkeys(label for r in self.recordings for label in r.label_names)
        simulated = any(r.simulate for r in self.recordings)
        scores = ScoreSpec.default(labels, simulated) if self.scores is None else self.scores
        put("scores", tuple(_each(scores, "scores", ScoreSpec.of, empty=True)))
        put("controls", check_names(self.controls, "controls"))
        put("attribution", check_names(self.attribution, "attribution"))
        for control in self.controls:
            if control not in CONTROLS:
                raise StudyError(f"controls: unknown control {control!r}{near(control, CONTROLS)}")
        singles = _each(self.single_trials, "single_trials", SingleTrialSpec.of, empty=True)
        put("single_trials", tuple(singles))
        self._check_named()
        put("claims", tuple(_each(self.claims, "claims", ClaimSpec.of, empty=True)))
        self._check_claims()
        put("sweeps", tuple(_each(self.sweeps, "sweeps", SweepSpec.of, empty=True)))
        points = [{**s.point} for s in (*self.methods, *self.recordings)]
        for number, sweep in enumerate(self.sweeps):
            sweep.check(f"sweeps[{number}]", points, self.scores or ())
        put("cluster", ClusterSpec.of(self.cluster))

    @classmethod
    def from_dict(
        cls,
        tables: Mapping[str, Any],
        folder: str | Path = ".",
        estimators: Estimators | None = None,
    ) -> Study:
        """A study from nested tables; paths of recordings are relative to `folder`."""
        check_keys(tables, _KEYS, "study")
        for key in ("name", "recordings", "methods"):
            if key not in tables:
                raise StudyError(f"a study needs {key}; got only {', '.join(tables) or 'nothing'}")
        found = found_files(tables["recordings"], Path(folder))
        study = cls(**{**tables, "recordings": found}, estimators=estimators or {})
        recordings = tuple(r.located(Path(folder)) for r in study.recordings)
        return replace(study, recordings=recordings)

    @classmethod
    def from_toml(cls, path: str | Path, estimators: Estimators | None = None) -> Study:
        """A study from a file; paths of recordings are relative to it, `${NAME}` is expanded.

        Raises
        ------
        StudyError
            The file is not TOML, or breaks a rule of a study.
        OSError
            The file cannot be read.
        """
        path = Path(path)
        try:
            tables = tomllib.loads(path.read_text(encoding="utf-8"))
            return cls.from_dict(tables, path.parent, estimators)
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise StudyError(f"{path} is not a TOML file: {error}") from error
        except StudyError as error:
            raise StudyError(f"{path}: {error}") from error

    @classmethod
    def from_file(cls, path: str | Path) -> Study:
        """A study from a study file, or from AIND's `analysis_parameters.json` (`.json`).

        Raises
        ------
        StudyError
            The file is neither, or breaks a rule of a study.
        OSError
            The file cannot be read.
        """
        if Path(path).suffix.lower() != ".json":
            return cls.from_toml(path)
        from .parameters import study_of_file

        return study_of_file(path)

    def to_dict(self) -> dict[str, Any]:
        """The study as tables, defaults and grids written out."""
        tables: dict[str, Any] = {"name": self.name, "seeds": list(self.seeds)}
        if self.folds is not None:
            tables["folds"] = self.folds if isinstance(self.folds, int) else dict(self.folds)
        if self.split is not None:
            tables["split"] = dict(self.split)
        if self.controls:
            tables["controls"] = list(self.controls)
        if self.attribution:
            tables["attribution"] = list(self.attribution)
        tables["recordings"] = [r.to_dict() for r in self.recordings]
        tables["methods"] = [m.to_dict() for m in self.methods]
        tables["scores"] = [s.to_dict() for s in self.scores or ()]
        if self.claims:
            tables["claims"] = [c.to_dict() for c in self.claims]
        if self.sweeps:
            tables["sweeps"] = [s.to_dict() for s in self.sweeps]
        if self.single_trials:
            tables["single_trials"] = [s.to_dict() for s in self.single_trials]
        if self.cluster:
            tables["cluster"] = self.cluster.to_dict()
        return tables

    def to_toml(self) -> str:
        """Text of a study file; recordings need a path by then."""
        return to_toml(self.to_dict())

    def folds_of(self, recording: RecordingSpec) -> int | Mapping[str, Any] | None:
        """Folds of a recording: its own, else those of the study; None for a split."""
        return recording.folds or self.folds

    def n_folds(self, recording: RecordingSpec) -> int:
        """Number of folds of a recording; a split is one."""
        folds = self.folds_of(recording)
        if folds is None:
            return 1
        return folds if isinstance(folds, int) else folds["k"]

    def _check_named(self) -> None:
        """Blocks name methods and recordings that the study has."""
        known = {what: {x.base for x in getattr(self, what)} for what in ("methods", "recordings")}
        for block, what in product(("methods", "scores", "single_trials"), known):
            for number, spec in enumerate(getattr(self, block) or ()):
                for name in getattr(spec, what, ()):
                    if name not in known[what]:
                        raise StudyError(
                            f"{block}[{number}].{what}: no {what[:-1]} {name!r} in this study"
                            f"{near(name, known[what])}"
                        )

    def _check_claims(self) -> None:
        methods, recordings = ([x.name for x in some] for some in (self.methods, self.recordings))
        for number, claim in enumerate(self.claims):
            where = f"claims[{number}]"
            claim.check(where, methods, self.scores or (), recordings, self.controls)


_KEYS = (
    *("name", "recordings", "methods", "seeds", "folds", "split", "scores", "controls"),
    *("attribution", "claims", "sweeps", "single_trials", "cluster"),
)


def _each(tables: Any, where: str, of: Callable[[Any, str], Any], empty: bool = False) -> list:
    if isinstance(tables, str | Mapping) or not isinstance(tables, Sequence):
        raise StudyError(f"{where} must be a list (in a file: [[{where}]] blocks), got {tables!r}")
    if not tables and not empty:
        raise StudyError(f"a study needs at least one of {where}, got none")
    return [of(table, f"{where}[{number}]") for number, table in enumerate(tables)]


def _seeds(seeds: Any) -> tuple[int, ...]:
    if not isinstance(seeds, Sequence) or isinstance(seeds, str) or not seeds:
        raise StudyError(f"seeds must be a list of whole numbers such as [0, 1, 2], got {seeds!r}")
    for seed in seeds:
        check_type(seed, int, "whole numbers", "seeds")
    if len(set(seeds)) != len(seeds) or min(seeds) < 0:
        raise StudyError(f"seeds must be different and not negative, got {list(seeds)}")
    return tuple(seeds)


def _check_held_out(folds: Any, split: Any) -> None:
    if folds is not None and split is not None:
        raise StudyError("a study has folds or a split, not both; drop one of the two")
    check_folds(folds, "folds")
    if split is not None:
        check_keys(split, ("test", "how", "stratify", "seed"), "split")
