"""Scores between runs that differ in one thing: seed, recording, or method."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from ..errors import DataError
from . import run_folder
from .embedding_store import load_embedding
from .score_rows import numbers_of
from .score_spec import ScoreSpec
from .tasks import NO_CONTROL, Task, done

_log = logging.getLogger(__name__)

ALL_METHODS = "all methods"
"""`method` of scores between methods."""
_NAME = {
    "runs": lambda task: str(task.seed),
    "datasets": lambda task: task.recording.name,
    "methods": lambda task: task.method.name,
}
"""What tells the runs of a group apart."""
_LEFT_OUT = {
    "runs": ("seed",),
    "datasets": ("recording", "subject"),
    "methods": ("method",),
}


@dataclass(frozen=True)
class Group:
    """Runs that are compared with each other, by the name that tells them apart."""

    spec: ScoreSpec
    keys: Mapping[str, str]
    common: Mapping[str, Any]


def groups(specs: Iterable[ScoreSpec], tasks: Iterable[Task], results: Path) -> list[Group]:
    """What there is to compare among the runs that are done, controls left out."""
    finished = [t for t in tasks if t.control == NO_CONTROL and done(results, t)]
    return [
        group
        for spec in specs
        if not spec.of_one_run
        for group in _groups(spec, [t for t in finished if spec.wanted(t.method, t.recording)])
        if len(group.keys) > 1
    ]


def pair_rows(group: Group, results: Path) -> list[dict[str, Any]]:
    """One row an ordered pair; chance is that of the whole group."""
    from ..scores import consistency

    zs = {name: _test_part(results, key) for name, key in group.keys.items()}
    spec = group.spec
    labels = list(spec.labels) if spec.between == "datasets" else None
    try:
        score = consistency(zs, between=spec.between, labels=labels)
    except DataError as error:
        _log.warning("no consistency %s for %s: %s", spec.between, dict(group.common), error)
        return []
    chance = {k: v for k, v in next(numbers_of(score)).items() if k.startswith("chance")}
    # with halves of the trials fitted and scored in turn, a pair has one part a half
    parts = score.parts.groupby(level=["from", "to"]).mean()
    same = dict(group.common) | {"unit": score.unit, "n": min(z.sizes["time"] for z in zs.values())}
    return [
        same | chance | {"from": str(a), "to": str(b), "value": float(v)}
        for (a, b), v in zip(parts.index, parts, strict=True)
    ]


def _groups(spec: ScoreSpec, tasks: list[Task]) -> Iterator[Group]:
    apart = _NAME[spec.between]

    def shared(task: Task) -> dict[str, Any]:
        same = {
            "method": task.method.name,
            "seed": task.seed,
            "fold": task.fold,
            "recording": task.recording.name,
            "subject": task.recording.subject,
        }
        for name in _LEFT_OUT[spec.between]:
            same.pop(name)
        return same

    def order(task: Task) -> str:
        return repr(list(shared(task).values()))

    for _, members in groupby(sorted(tasks, key=order), key=order):
        runs = list(members)
        keys = {apart(t): t.key for t in runs}
        common = {
            "method": ALL_METHODS,
            **shared(runs[0]),
            "split": "test",
            "control": NO_CONTROL,
            "labels_used": ", ".join(runs[0].method.labels),
            "score": spec.score,
            "between": spec.between,
            "label": ", ".join(spec.labels),
        }
        yield Group(spec, keys, common | _common([t.columns for t in runs]))


def _common(columns: list[dict[str, Any]]) -> dict[str, Any]:
    """Settings that all have, with one value."""
    first, *others = columns
    return {k: v for k, v in first.items() if all(k in o and o[k] == v for o in others)}


def _test_part(results: Path, key: str) -> Any:
    embedding = load_embedding(run_folder.run_path(results, key) / run_folder.EMBEDDING)
    return embedding.isel(time=embedding.coords["split"].values == "test")
