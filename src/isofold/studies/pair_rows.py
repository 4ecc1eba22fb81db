"""Scores between runs: the same recording under other seeds, other recordings under one seed."""

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
        for group in _groups(spec, [t for t in finished if spec.wanted(t.method)])
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
    def shared(task: Task) -> dict[str, Any]:
        same = {"method": task.method.name, "fold": task.fold}
        if spec.between == "runs":
            return same | {"recording": task.recording.name, "subject": task.recording.subject}
        return same | {"seed": task.seed}

    def order(task: Task) -> str:
        return repr(list(shared(task).values()))

    for _, members in groupby(sorted(tasks, key=order), key=order):
        runs = list(members)
        by_seed = spec.between == "runs"
        keys = {str(t.seed) if by_seed else t.recording.name: t.key for t in runs}
        common = {
            **shared(runs[0]),
            "split": "test",
            "control": NO_CONTROL,
            "labels_used": ", ".join(runs[0].method.labels),
            "score": spec.score,
            "between": spec.between,
            "label": ", ".join(spec.labels),
        }
        settings = {f"set.{k}": v for k, v in runs[0].method.settings.items()}
        yield Group(spec, keys, common | settings)


def _test_part(results: Path, key: str) -> Any:
    embedding = load_embedding(run_folder.run_path(results, key) / run_folder.EMBEDDING)
    return embedding.isel(time=embedding.coords["split"].values == "test")
