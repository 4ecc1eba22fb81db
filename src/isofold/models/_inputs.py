"""What a user may hand to an estimator, brought to one form: recordings and label names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.utils.validation import validate_data

from .._missing import require_complete
from ..errors import DataError
from ..recording import Recording
from ..sampling import Targets
from ..trials import OUTSIDE, Ints, expand


@dataclass(frozen=True)
class Inputs:
    """A recording, the labels to use, and the shape in which the result goes back."""

    recording: Recording
    labels: tuple[str, ...]
    shape: tuple[int, ...] | None
    """Leading shape of an array input, (time,) or (trial, time); None for a `Recording`."""

    def give_back(self, z: NDArray) -> NDArray:
        """Rows in the leading shape of the array they came from."""
        assert self.shape is not None
        return z.reshape(*self.shape, z.shape[-1])


def positional(y: tuple, keyword: dict[str, Any]) -> tuple:
    """Labels however they were passed: scikit-learn hands over `y=`, users any number of arrays."""
    unknown = set(keyword) - {"y"}
    if unknown:
        raise TypeError(f"unexpected keyword argument(s) {sorted(unknown)}")
    return tuple(v for v in (*y, keyword.get("y")) if v is not None)


def gather(
    estimator: Any,
    X: Any,
    y: tuple = (),
    labels: Sequence[str] | str | None = None,
    trials: pd.DataFrame | None = None,
    reset: bool = False,
) -> Inputs:
    """Check what was handed to `fit` (`reset`), `transform` or `score`."""
    if is_list_of_recordings(X):
        if len(X) > 1:
            raise DataError(
                f"{type(estimator).__name__} takes one recording at a time, got {len(X)}; fit one "
                "model each and compare them with isofold.scores.consistency(between='datasets')"
            )
        X = X[0]
    if isinstance(X, Recording):
        return _from_recording(estimator, X, y, labels, trials, reset)
    if labels is not None:
        raise TypeError("labels= names labels of a Recording; give arrays as fit(X, y1, y2, ...)")
    return _from_array(estimator, X, y, trials, reset)


def is_list_of_recordings(X: Any) -> bool:
    """A list of recordings or of (time, channel) arrays, rather than one array as nested lists."""
    if not isinstance(X, (list, tuple)) or not X:
        return False
    return isinstance(X[0], Recording) or getattr(X[0], "ndim", 0) >= 2


def _from_recording(estimator, recording: Recording, y, labels, trials, reset: bool) -> Inputs:
    if y:
        raise TypeError("with a Recording, name its labels: fit(recording, labels=[...])")
    if trials is not None:
        raise TypeError("a Recording carries its trials; trials= is for arrays")
    names = (labels,) if isinstance(labels, str) else tuple(labels or ())
    if reset:
        estimator.n_features_in_ = recording.n_channels
    elif recording.n_channels != estimator.n_features_in_:
        raise DataError(
            f"X has {recording.n_channels} features, but {type(estimator).__name__} is expecting "
            f"{estimator.n_features_in_} features as input: recording {recording.name!r} must have "
            "the channels of the one the model was fitted on"
        )
    for name in names:
        recording.label(name)
    return Inputs(recording, names, None)


def _from_array(estimator, X, y: tuple, trials: pd.DataFrame | None, reset: bool) -> Inputs:
    shape: tuple[int, ...] | None = None
    if getattr(X, "ndim", 0) == 3:
        if trials is not None:
            raise TypeError("a (trial, time, channel) array carries its trials; drop trials=")
        shape = tuple(X.shape[:2])
        stop = np.arange(1, shape[0] + 1) * shape[1]
        trials = pd.DataFrame({"start": stop - shape[1], "stop": stop})
        X = np.reshape(X, (-1, X.shape[2]))
    X = validate_data(
        estimator,
        X,
        reset=reset,
        dtype=[np.float64, np.float32],
        ensure_min_samples=2 if reset else 1,
    )
    columns, kinds = {}, {}
    for number, values in enumerate(y):
        name = f"y{number}"
        columns[name] = _label_column(name, values, len(X), shape)
        kinds[name] = "continuous" if columns[name].dtype.kind == "f" else "discrete"
    recording = Recording(X, rate=1.0, labels=columns, kinds=kinds, trials=trials)
    return Inputs(recording, tuple(columns), shape or (len(X),))


def _label_column(name: str, values: Any, n: int, shape: tuple[int, ...] | None) -> NDArray:
    values = np.asarray(values)
    if values.dtype == object and not all(isinstance(v, str) for v in values.ravel()):
        raise DataError(
            f"Unknown label type in {name!r}: labels are numbers, booleans or strings, "
            f"found {sorted({type(v).__name__ for v in values.ravel()})}"
        )
    if shape is not None and values.shape[:2] == shape:
        return values.reshape(n, *values.shape[2:])
    if shape is not None and values.shape == (shape[0],):
        return np.repeat(values, shape[1])
    if values.ndim == 0 or len(values) != n:
        wanted = (
            f"{n} samples" if shape is None else f"(trial, time) = {shape} or {shape[0]} trials"
        )
        raise DataError(f"label {name!r} must have {wanted}, got shape {values.shape}")
    return values


def used_segments(
    recording: Recording, outside_trials: bool, labels: Sequence[str] = ()
) -> tuple[Ints, Ints]:
    """Start and stop of the segments that a fit or a score uses; nothing may be missing there."""
    table = recording.segments
    if not outside_trials and recording.trials is not None:
        table = table[table["trial"] != OUTSIDE]
    n = int((table["stop"] - table["start"]).sum())
    if n < 2:
        where = "" if outside_trials or recording.trials is None else " inside trials"
        raise DataError(
            f"a model needs at least 2 samples; recording {recording.name!r} has "
            f"{n} sample(s){where}"
        )
    start, stop = table["start"].to_numpy(), table["stop"].to_numpy()
    used = np.zeros(recording.n_samples, bool)
    used[expand(start, stop)] = True
    require_complete(recording, labels, used)
    return start, stop


def targets_of(recording: Recording, names: Sequence[str]) -> Targets:
    """Continuous columns (angles as cosine and sine) and joint classes of the named labels."""
    continuous, discrete = [], []
    for name in names:
        values, kind = recording.label(name), recording.kind(name)
        if kind == "discrete":
            discrete.append(np.unique(values, return_inverse=True)[1].reshape(len(values), -1))
        else:
            column = values.astype(float).reshape(len(values), -1)
            circular = kind == "circular"
            continuous.append(np.hstack([np.cos(column), np.sin(column)]) if circular else column)
    classes = None
    if discrete:
        classes = np.unique(np.hstack(discrete), axis=0, return_inverse=True)[1].ravel()
    return Targets(np.hstack(continuous) if continuous else None, classes)
