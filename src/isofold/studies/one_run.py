"""One run, from file to scores; executes in a process of its own."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from ..errors import DataError, StudyError
from ..recording import Recording
from . import run_folder
from .choose import choose_binning
from .diagnosis import diagnosis
from .embedding_store import save_embedding
from .executor import ONE_PROCESSOR
from .integrity import DONE
from .keys import code_version
from .load import load_binned, load_session, located
from .pair_rows import Group, pair_rows
from .place import Place, same_place
from .score_rows import OUTSIDE, score_rows
from .steps import apply_steps
from .tables import write_small
from .tasks import NO_CONTROL, Task

HELD_OUT = "held_out_bits"
"""Column of a log: information on trials held out inside the fit."""

MOST_MAPS = 25_000
"""Stretches of memory, of which Linux allows a process 65,530; each program that JAX compiles holds
several, and without any left the process dies."""

COMPILES = 0.2
"""Seconds below which a run has compiled nothing."""


def execute(task: Task, results: str | Path) -> str:
    """Run a task into its folder; "done", or "error" where it failed and says why."""
    place = same_place(str(results))
    if place.is_done(task.key):  # the answer was lost, not the work
        return DONE
    _check_code(task)
    warm()
    start = perf_counter()
    with run_folder.new_run(place.path, task.key, task.settings()) as folder:
        _execute(replace(task, recording=located(task.recording, place)), folder)
    if perf_counter() - start > COMPILES:
        _let_go()
    return _kept(task, place)


def record(task: Task, error: Exception, place: Place) -> None:
    """An error that the run itself could not record."""
    with run_folder.new_run(place.path, task.key, task.settings()):
        raise error
    _kept(task, place)


def compare(group: Group, results: str | Path) -> list[dict[str, Any]]:
    """Scores between runs."""
    place = same_place(str(results))
    names = [f"runs/{key}/{run_folder.EMBEDDING}" for key in group.keys.values()]
    place.pull(*names)
    try:
        return pair_rows(group, place.path)
    finally:
        place.forget(*names)


def describe(task: Task) -> str:
    """Which run it is, in words."""
    control = "" if task.control == NO_CONTROL else f", {task.control}"
    return f"{task.recording.name}, {task.method.name}, seed {task.seed}, fold {task.fold}{control}"


def _kept(task: Task, place: Place) -> str:
    status = run_folder.status(place.path, task.key)
    place.push_run(task.key)
    return status or "error"


def _execute(task: Task, folder: Path) -> None:
    seconds: dict[str, float] = {}
    with _timed(seconds, "load"):
        recording, chosen, train, test = _parts(_Input(task))
    model = task.method.estimator(task.seed, task.estimators)
    with _timed(seconds, "fit"):
        model.fit(controlled(train, task), **_labels(task))
    if getattr(model, "interrupted_", False):
        raise KeyboardInterrupt
    with _timed(seconds, "transform"):
        embedding = model.transform(recording, **task.method.transform)
        split = split_names(recording, train, test)
        embedding = embedding.assign_coords(split=("time", split))
    with _timed(seconds, "score"):
        rows = score_rows(task, model, embedding, test, recording)
    ranks = None
    if task.attribution:
        with _timed(seconds, "attribution"):
            ranks = channel_ranks(task, model, test)
    found = None
    if task.control == NO_CONTROL and hasattr(model, "diagnose"):
        with _timed(seconds, "diagnosis"):
            found = diagnosis(model, test)
    resolved = {"resolved": dict(getattr(model, "settings_", {})), "chosen": chosen}
    held_out = None if test.trials is None else test.trials.index.tolist()
    about = {"n_train": len(train), "n_test": len(test), "test_trials": held_out}
    run_folder.write_json(folder / run_folder.SETTINGS, task.settings() | resolved | about)
    if hasattr(model, "save"):
        model.save(folder / run_folder.MODEL)
    save_embedding(embedding, folder / run_folder.EMBEDDING)
    write_small(loss_log(model), folder / run_folder.LOG)
    write_small(rows, folder / run_folder.SCORES)
    if ranks is not None:
        write_small(ranks, folder / run_folder.ATTRIBUTION)
    if found is not None:
        run_folder.write_json(folder / run_folder.DIAGNOSIS, found)
    run_folder.write_json(folder / run_folder.TIMING, seconds)


class _Input:
    """What of a task decides its recording, as the key of a cache."""

    def __init__(self, task: Task):
        self.task = task
        decoded = sorted({s.label for s in task.scores if s.label})
        own = (task.recording.to_dict(), task.method.steps, task.folds, task.split, task.fold)
        self._text = json.dumps([task.fingerprint, *own, decoded], sort_keys=True, default=str)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Input) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)


@lru_cache(maxsize=1)  # seeds and settings of one fold follow each other
def _parts(given: _Input) -> tuple[Recording, dict[str, Any], Recording, Recording]:
    recording, chosen = prepared(given.task)
    return recording, chosen, *given.task.parts(recording)


def prepared(task: Task) -> tuple[Recording, dict[str, Any]]:
    """The whole recording, binned (as the training trials choose) and through all steps."""
    spec = task.recording
    chosen: dict[str, Any] = {}
    if spec.choose:
        session = load_session(spec, task.fingerprint)
        recording, chosen = choose_binning(session, spec, task.parts)
    else:
        recording = load_binned(spec, task.fingerprint)
    recording = with_trial_labels(recording, [s.label for s in task.scores if s.label])
    return apply_steps(recording, (*spec.steps, *task.method.steps), task.parts), chosen


def with_trial_labels(recording: Recording, names: list[str]) -> Recording:
    """Trial columns that are decoded become labels, so that embeddings carry them."""
    wanted = {n: recording.label(n) for n in names if n not in recording.labels}
    kinds = {n: recording.kind(n) for n in wanted}
    return replace(
        recording, labels={**recording.labels, **wanted}, kinds={**recording.kinds, **kinds}
    )


def controlled(train: Recording, task: Task) -> Recording:
    """The training part as the control wants it: labels permuted over trials, or as it is."""
    if task.control == NO_CONTROL:
        return train
    from ..scores.control import permuted

    return permuted(train, list(task.method.labels), np.random.default_rng([task.seed, task.fold]))


def split_names(recording: Recording, train: Recording, test: Recording) -> NDArray:
    """ "train", "test" or "outside" of every sample of the whole recording."""
    names = np.full(len(recording), OUTSIDE)
    middle = recording.time - 0.5 / recording.rate  # rounding must not move a sample by one
    for name, part in (("train", train), ("test", test)):
        names[np.searchsorted(middle, part.time, side="right") - 1] = name
    if np.sum(names != OUTSIDE) != len(train) + len(test):
        raise DataError("train and test must be different samples of one recording with one clock")
    return names


def _check_code(task: Task) -> None:
    """A key that the sender made is made again here."""
    if replace(task).key != task.key:
        raise StudyError(
            f"this process runs isofold {code_version()}, not that of the study: install the same "
            "version wherever runs execute"
        )


@lru_cache(maxsize=1)
def warm() -> None:
    """One processor, also on a scheduler's own workers; compiled programs are found again."""
    if "jax" not in sys.modules:
        os.environ.update(ONE_PROCESSOR)
    threadpool_limits(1)  # of libraries that were loaded before
    from .._cache import enable_cache

    enable_cache()


def _let_go() -> None:
    """Compiled programs, before a process of many runs has used up its memory maps."""
    maps = Path("/proc/self/maps")
    if "jax" in sys.modules and maps.exists():
        with maps.open("rb") as lines:
            many = sum(1 for _ in lines) > MOST_MAPS
        if many:
            sys.modules["jax"].clear_caches()


def channel_ranks(task: Task, model: Any, test: Recording) -> pd.DataFrame | None:
    """Channels ranked by label on held-out trials; None for a model without an encoder."""
    from ..attribution import has_encoder, rank

    if not has_encoder(model):
        return None
    ranks = rank(model, test, task.attribution, seed=task.seed)
    return ranks.assign(channel=ranks["channel"].astype(str))


def loss_log(model: Any) -> pd.DataFrame:
    """Step and loss of the training, and information on trials held out of it where it looked;
    no rows for a model without."""
    loss = np.asarray(getattr(model, "loss_", ()), dtype=float)
    log = pd.DataFrame({"step": np.arange(1, len(loss) + 1), "loss": loss})
    looks = getattr(model, "validation_", None)
    if looks is None:
        return log
    return log.merge(looks.rename(columns={"bits": HELD_OUT}), on="step", how="left")


def _labels(task: Task) -> dict[str, list[str]]:
    return {"labels": list(task.method.labels)} if task.method.labels else {}


@contextmanager
def _timed(seconds: dict[str, float], name: str) -> Iterator[None]:
    start = perf_counter()
    yield
    seconds[name] = perf_counter() - start
