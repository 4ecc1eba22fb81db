"""Scores of one run as rows of a table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from ..errors import DataError
from ..recording import Recording
from .results import SCORE_COLUMNS
from .score_spec import OF_SIGNAL, OF_TRUTH, ScoreSpec, label_of

if TYPE_CHECKING:
    import xarray as xr

    from ..scores import Score
    from .tasks import Task

OUTSIDE = "outside"
"""`split` of samples that are neither trained on nor scored."""

MODEL = "model"
"""`decoder` of a score that asks the model itself for the label, not a decoder of the embedding."""

WHOLE = "all"
"""`part` of the score itself; other rows are its parts and what else it says."""


NO_BETTER = ("dimensions", "Betti number")
"""Units that count something: neither more nor less of it is better."""

MEDIAN_ERROR = "median error"
"""`unit` of the median error of decoding, in the unit of the label."""


def score_rows(
    task: Task, model: Any, embedding: xr.DataArray, test: Recording, whole: Recording
) -> pd.DataFrame:
    """One row a score, part and further number, `SCORE_COLUMNS` and settings as `set.*`."""
    common = {
        "key": task.key,
        "recording": task.recording.name,
        "subject": task.recording.subject,
        "method": task.method.name,
        "seed": task.seed,
        "fold": task.fold,
        "control": task.control,
        "labels_used": ", ".join(task.method.labels),
        "n": len(test),
    }
    common |= task.columns
    rows = []
    for spec in task.scores:
        for label, score in _scored(spec, model, embedding, test, whole):
            what = {"score": spec.score, "label": label, "decoder": spec.decoder or ""}
            what["split"] = spec.split
            rows += [common | what | numbers for numbers in numbers_of(score)]
    return pd.DataFrame(rows, columns=None if rows else SCORE_COLUMNS)


def numbers_of(score: Score) -> Iterator[dict[str, Any]]:
    """The score with interval and chance, then its parts, then its further numbers."""
    chance = np.asarray(score.chance, dtype=float)
    yield {
        "part": WHOLE,
        "value": float(score.value),
        "unit": score.unit,
        "low": float(score.interval[0]),
        "high": float(score.interval[1]),
        "chance_mean": float(chance.mean()) if len(chance) else np.nan,
        "chance_hi": float(np.quantile(chance, 0.95)) if len(chance) else np.nan,
    }
    for index, value in score.parts.items():
        yield {
            "part": part_name(score.parts.index.names, index),
            "value": value,
            "unit": score.unit,
        }
    also = dict(score.also)
    if "median_error" in also:
        # the error in the label's own unit is a score of its own on the page
        yield {
            "part": WHOLE,
            "value": also.pop("median_error"),
            "unit": MEDIAN_ERROR,
            "low": also.pop("median_error_low", np.nan),
            "high": also.pop("median_error_high", np.nan),
            "chance_mean": also.pop("median_error_chance", np.nan),
        }
    for name, value in also.items():
        yield {"part": name, "value": float(value), "unit": ""}


def part_name(levels: Any, index: Any) -> str:
    """ "trial 3", "fold 0, trial 3".

    >>> part_name(["fold", "trial"], (0, 3))
    'fold 0, trial 3'
    """
    values = index if isinstance(index, tuple) else (index,)
    return ", ".join(f"{level or 'part'} {v}" for level, v in zip(levels, values, strict=True))


def _scored(
    spec: ScoreSpec, model: Any, embedding: xr.DataArray, test: Recording, whole: Recording
) -> Iterator[tuple[str, Score]]:
    """Label and score; nothing where there is none of the kind (raw activity fits nothing)."""
    from .. import scores

    split = embedding.coords["split"].values
    if spec.score == "goodness_of_fit":
        if hasattr(model, "goodness_parts"):
            yield "", scores.goodness_of_fit(model, test)
    elif spec.score == "decode_trials":
        yield spec.label or "", _of_trials(spec, embedding, test, whole)
    elif spec.score != "decode":
        mask = split != OUTSIDE if spec.split == "all" else split == spec.split
        yield from _shape_scores(spec, embedding.isel(time=mask), whole, mask)
    else:
        z_train, z_test = (embedding.isel(time=split == name) for name in ("train", "test"))
        if spec.decoder == MODEL:
            score = _told(spec, model, z_train, z_test, test)
        else:
            score = scores.decode(
                z_train, z_test=z_test, label=spec.label, decoder=spec.decoder, **spec.options
            )
        if score is not None:
            yield spec.label or "", score


def _of_trials(spec: ScoreSpec, z: xr.DataArray, test: Recording, whole: Recording) -> Score:
    """A condition of each held-out trial, told from its path through the embedding."""
    from ..single_trial import decode_trials, trajectories

    inside = z.isel(time=z.coords["split"].values != OUTSIDE)
    path = trajectories(inside, spec.event, spec.window, recording=whole, nan="exclude")
    if test.trials is None:
        raise DataError(f"recording {whole.name!r} has no trials to decode {spec.label!r} of")
    train = ~np.isin(path["trial"].values, test.trials.index)
    return decode_trials(path, spec.label, train=train, **spec.options)


def _shape_scores(
    spec: ScoreSpec, z: xr.DataArray, whole: Recording, mask: NDArray[np.bool_]
) -> Iterator[tuple[str, Score]]:
    """Scores of an embedding against the truth, the signal, or nothing."""
    from .. import scores

    function = getattr(scores, spec.score)
    if spec.score in OF_TRUTH:
        if whole.truth is not None:
            yield "", function(z, whole.truth[mask], **spec.options)
    elif spec.score in OF_SIGNAL:
        yield "", function(z, np.asarray(whole.signal)[mask], **spec.options)
    elif spec.score == "betti":
        found = function(z, **spec.options)
        for k, (number, threshold) in enumerate(zip(found.betti, found.thresholds, strict=True)):
            settings = {"threshold": float(threshold)}
            yield f"H{k}", scores.Score(float(number), "Betti number", settings=settings)
    else:
        # parts of a dimension are slopes at radii, or single samples: no repeats of it
        score = function(z, **spec.options)
        yield label_of(spec), replace(score, parts=pd.Series(dtype=float))


def _told(spec: ScoreSpec, model: Any, z_train: Any, z_test: Any, test: Recording) -> Score | None:
    """What the model says the label is, by p(label | activity); None where it says nothing."""
    from .. import scores

    if not hasattr(model, "predict"):
        return None
    said = np.asarray(model.predict(test, spec.label))
    known = z_train.coords[spec.label].values
    if test.kind(str(spec.label)) == "discrete":
        classes = np.unique(known)
        said, known = np.searchsorted(classes, said), np.searchsorted(classes, known)
    answers = [
        z.isel(latent=[0]).copy(data=np.asarray(values, float)[:, None])
        for z, values in ((z_train, known), (z_test, said))
    ]
    return scores.decode(*answers, label=spec.label, decoder=AsSaid(), **spec.options)


class AsSaid(BaseEstimator):
    """A decoder of what is the answer already, on whatever scale answers are asked for."""

    def fit(self, X: Any, y: Any) -> AsSaid:
        self.scale_, self.shift_ = np.polyfit(np.asarray(X)[:, 0], np.asarray(y), 1)
        self.whole_ = np.asarray(y).dtype.kind in "iu"
        return self

    def predict(self, X: Any) -> Any:
        values = np.asarray(X)[:, 0] * self.scale_ + self.shift_
        return np.rint(values).astype(int) if self.whole_ else values
