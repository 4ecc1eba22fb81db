"""One run, from file to scores; executes in a process of its own."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import DataError
from ..recording import Recording
from . import run_folder
from .choose import choose_binning
from .embedding_store import save_embedding
from .executor import ONE_PROCESSOR
from .load import load_binned, load_session
from .score_rows import OUTSIDE, score_rows
from .steps import apply_steps
from .tasks import NO_CONTROL, Task

HELD_OUT = "held_out_bits"
"""Column of a log: information on trials held out inside the fit."""


def execute(task: Task, results: Path) -> str:
    """Run a task into its folder; "done", or "error" where it failed and says why."""
    _warm()
    with run_folder.new_run(results, task.key, task.settings()) as folder:
        _execute(task, folder)
    return run_folder.status(results, task.key) or "error"


def _execute(task: Task, folder: Path) -> None:
    seconds: dict[str, float] = {}
    with _timed(seconds, "load"):
        recording, chosen = prepared(task)
        train, test = task.parts(recording)
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
    resolved = {"resolved": dict(getattr(model, "settings_", {})), "chosen": chosen}
    held_out = None if test.trials is None else test.trials.index.tolist()
    about = {"n_train": len(train), "n_test": len(test), "test_trials": held_out}
    run_folder.write_json(folder / run_folder.SETTINGS, task.settings() | resolved | about)
    if hasattr(model, "save"):
        model.save(folder / run_folder.MODEL)
    save_embedding(embedding, folder / run_folder.EMBEDDING)
    loss_log(model).to_parquet(folder / run_folder.LOG)
    rows.to_parquet(folder / run_folder.SCORES)
    if ranks is not None:
        ranks.to_parquet(folder / run_folder.ATTRIBUTION)
    run_folder.write_json(folder / run_folder.TIMING, seconds)


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


def _warm() -> None:
    """One processor, also on a scheduler's own workers; compiled programs are found again."""
    if "jax" not in sys.modules:
        os.environ.update(ONE_PROCESSOR)
    from .._cache import enable_cache

    enable_cache()


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
