"""A study unrolled: one task a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Any

from ..recording import Recording
from .baselines import BASELINES
from .keys import code_version, run_key
from .method_spec import MethodSpec
from .recording_spec import RecordingSpec
from .run_folder import run_path
from .score_spec import ScoreSpec
from .spec import Estimators, Study

NO_CONTROL = "none"


@dataclass(frozen=True)
class Task:
    """One run: a recording, a method, a seed, a fold, a control or none."""

    recording: RecordingSpec
    method: MethodSpec
    seed: int
    fold: int
    folds: int | Mapping[str, Any] | None
    split: Mapping[str, Any] | None
    control: str
    scores: tuple[ScoreSpec, ...]
    fingerprint: str
    estimators: Estimators
    attribution: tuple[str, ...] = ()

    @cached_property  # asked for many times a run
    def key(self) -> str:
        """What the folder of the run is called."""
        return run_key(code_version(), self.fingerprint, self._identity())

    @property
    def columns(self) -> dict[str, Any]:
        """Settings of the method, and points on axes, as tables of results have them."""
        values = {**self.recording.point, **self.method.columns}
        return {f"set.{name}": value for name, value in values.items()}

    def settings(self) -> dict[str, Any]:
        """What settings.json begins with."""
        return {
            "key": self.key,
            "recording": self.recording.name,
            "subject": self.recording.subject,
            "method": self.method.name,
            "seed": self.seed,
            "fold": self.fold,
            "control": self.control,
            "labels": list(self.method.labels),
            "estimator": self.method.method,
            "settings": dict(self.method.settings),
            "axes": {**self.recording.point, **self.method.point},
            "input": self.fingerprint,
            "code": code_version(),
        }

    def parts(self, recording: Recording) -> tuple[Recording, Recording]:
        """(train, test) of the fold."""
        if self.folds is None:
            train, test = recording.split(**(self.split or {}))
            return train, test
        folds = {"k": self.folds} if isinstance(self.folds, int) else self.folds
        return recording.folds(**folds)[self.fold]

    def _identity(self) -> dict[str, Any]:
        recording = self.recording.to_dict()
        recording.pop("path", None)  # the fingerprint stands for it
        return {
            "recording": recording,
            "method": _without(self.method.to_dict(), "recordings")
            | {"name": self.method.name, "method": self.method.method},
            "seed": self.seed,
            "fold": self.fold,
            "folds": self.folds,
            "split": self.split,
            "control": self.control,
            "scores": [_without(s.to_dict(), "recordings", "methods") for s in self.scores],
            "attribution": list(self.attribution),
        }


def unrolled(study: Study, fingerprints: Mapping[str, str]) -> list[Task]:
    """All tasks of a study, in a fixed order; baselines have one seed, controls need labels."""
    return list(_tasks(study, fingerprints))


def _tasks(study: Study, fingerprints: Mapping[str, str]) -> Iterator[Task]:
    for recording, method in product(study.recordings, study.methods):
        if not method.wanted(recording):
            continue
        seeds = study.seeds[:1] if method.method in BASELINES else study.seeds
        controls = (NO_CONTROL, *(study.controls if method.labels else ()))
        scores = tuple(
            s for s in study.scores or () if s.wanted(method, recording) and s.of_one_run
        )
        for fold, control, seed in product(range(study.n_folds(recording)), controls, seeds):
            yield Task(
                recording,
                method,
                seed,
                fold,
                study.folds_of(recording),
                None if study.folds_of(recording) else study.split,
                control,
                scores,
                fingerprints[recording.name],
                {k: v for k, v in study.estimators.items() if k == method.method},
                tuple(study.attribution) if control == NO_CONTROL else (),
            )


def _without(table: dict[str, Any], *keys: str) -> dict[str, Any]:
    """What says which runs there are is no part of a run."""
    return {k: v for k, v in table.items() if k not in keys}


def done(results: Path, task: Task) -> bool:
    """Whether the run has finished well."""
    return (run_path(results, task.key) / "done").exists()
