"""Bin width and smoothing, chosen inside the training trials of a fold."""

from __future__ import annotations

from functools import lru_cache
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import StudyError
from ..recording import Recording
from .load import named
from .recording_spec import RecordingSpec
from .steps import Parts

if TYPE_CHECKING:
    from ..session import Session

INNER_FOLDS = 3
NEIGHBOURS = 15


def choose_binning(
    session: Session, spec: RecordingSpec, parts: Parts
) -> tuple[Recording, dict[str, Any]]:
    """The whole recording at the bin width and smoothing that decode the label best.

    Every candidate is scored inside the training trials alone: the label is decoded from the
    smoothed square root of the signal by its 15 nearest neighbours, over three inner folds of
    trials; the smallest median error (share of wrong samples for a discrete label) wins, the
    first of equals.

    Raises
    ------
    StudyError
        No candidate has a sample with a label in its training trials.
    """
    label = spec.choose["label"]
    candidates = list(product(spec.choose.get("width", [None]), spec.choose.get("smooth", [0.0])))
    errors = []
    for width, smooth in candidates:
        recording = _candidate(session, spec, width, smooth)
        errors.append(inner_error(parts(recording)[0], label))
    if not np.isfinite(errors).any():
        raise StudyError(f"choose: no training sample of {spec.name!r} has a label {label!r}")
    width, smooth = candidates[int(np.nanargmin(errors))]
    tried = [
        {"width": w, "smooth": s, "error": e} for (w, s), e in zip(candidates, errors, strict=True)
    ]
    chosen = {"width": width, "smooth": smooth, "label": label, "tried": tried}
    return _candidate(session, spec, width, smooth), chosen


def inner_error(train: Recording, label: str) -> float:
    """Median error of the label over inner folds; NaN where no sample has one."""
    discrete = train.kind(label) == "discrete"
    errors = [
        _decoding_error(inner, held, label, discrete) for inner, held in train.folds(INNER_FOLDS)
    ]
    errors = [e for e in errors if len(e)]
    if not errors:
        return float("nan")
    pooled = np.concatenate(errors)
    return float(np.mean(pooled) if discrete else np.median(pooled))


def _decoding_error(train: Recording, test: Recording, label: str, discrete: bool) -> NDArray:
    from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

    x_train, y_train = _labelled(train, label)
    x_test, y_test = _labelled(test, label)
    if not len(x_train) or not len(x_test):
        return np.empty(0)
    neighbours = KNeighborsClassifier if discrete else KNeighborsRegressor
    decoder = neighbours(min(NEIGHBOURS, len(x_train))).fit(x_train, y_train)
    predicted = decoder.predict(x_test)
    if discrete:
        return (predicted != y_test).astype(float)
    return np.linalg.norm((predicted - y_test).reshape(len(y_test), -1), axis=1)


def _labelled(recording: Recording, label: str) -> tuple[NDArray, NDArray]:
    """Signal and label where there is one; angles as sine and cosine."""
    signal, values = np.asarray(recording.signal), recording.label(label)
    there = np.isfinite(signal).all(axis=1)
    if values.dtype.kind == "f":
        there &= np.isfinite(values.reshape(len(values), -1)).all(axis=1)
    if recording.kind(label) == "circular":
        values = np.column_stack([np.sin(values), np.cos(values)])
    signal, values = signal[there], values[there]
    # the square root makes the variance of counts alike; other signals are taken as they are
    return (np.sqrt(signal) if len(signal) and signal.min() >= 0 else signal), values


def _candidate(session: Session, spec: RecordingSpec, width: Any, smooth: float) -> Recording:
    return _binned_smoothed(session, _Frozen(spec), width, smooth)


class _Frozen:
    """A spec that a cache can hold: equal text, equal spec."""

    def __init__(self, spec: RecordingSpec):
        self.spec, self._text = spec, repr(spec.to_dict())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Frozen) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)


@lru_cache(maxsize=16)
def _binned_smoothed(session: Session, frozen: _Frozen, width: Any, smooth: float) -> Recording:
    from ..preprocess import smooth as gaussian

    options = dict(frozen.spec.bin)
    if width is not None:
        options["width"] = width
    recording = named(session.bin(**options), frozen.spec)
    return gaussian(recording, smooth) if smooth else recording
