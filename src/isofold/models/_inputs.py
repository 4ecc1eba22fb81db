"""What a user may hand to an estimator, brought to one form: recordings and label names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.utils.validation import check_array, validate_data

from .._missing import require_complete
from ..errors import DataError
from ..recording import Recording
from ..sampling import Targets
from ..trials import OUTSIDE, Ints


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
        X, y, trials = X[0], _first(y), trials[0] if isinstance(trials, list) else trials
    inputs = inputs_of(estimator, X, y, labels, trials, reset)
    if reset:
        estimator.n_features_in_ = inputs.recording.n_channels
    elif inputs.recording.n_channels != estimator.n_features_in_:
        raise _other_channels(estimator, inputs.recording, estimator.n_features_in_)
    return inputs


def gather_several(
    estimator: Any,
    X: Sequence[Any],
    y: tuple = (),
    labels: Sequence[str] | str | None = None,
    trials: Sequence[pd.DataFrame | None] | None = None,
) -> list[Inputs]:
    """Several recordings for one fit: equal rate, label names and kinds, unique names."""
    for values in y:
        if not isinstance(values, (list, tuple)) or len(values) != len(X):
            raise DataError(
                f"Invalid number of sessions: with {len(X)} recordings each label is a list of "
                f"{len(X)} arrays, got {type(values).__name__} of {len(values)}"
            )
    if len({isinstance(x, Recording) for x in X}) > 1:
        raise TypeError("give a list of recordings or of arrays, not both")
    walls = tables_of(X, trials)
    found = []
    for n, (x, table) in enumerate(zip(X, walls, strict=True)):
        one = inputs_of(estimator, x, tuple(v[n] for v in y), labels, table, reset=None)
        if one.shape is not None:
            one = replace(one, recording=replace(one.recording, name=str(n)))
        found.append(one)
    _check_alike([one.recording for one in found], found[0].labels)
    estimator.n_features_in_ = found[0].recording.n_channels
    return found


def tables_of(X: Sequence[Any], trials: Any) -> list[pd.DataFrame | None]:
    """One trial table (or None) for each of several arrays."""
    if trials is None:
        return [None] * len(X)
    if isinstance(trials, pd.DataFrame) or len(trials) != len(X):
        found = "one table" if isinstance(trials, pd.DataFrame) else len(trials)
        raise DataError(
            f"with {len(X)} arrays, trials is a list of {len(X)} tables (None for those without), "
            f"got {found}"
        )
    return list(trials)


def _check_alike(recordings: Sequence[Recording], labels: Sequence[str]) -> None:
    names = [r.name for r in recordings]
    if len(set(names)) < len(names) or not all(names):
        raise DataError(
            f"recordings of one fit need names of their own, got {names}; "
            "dataclasses.replace(recording, name=...)"
        )
    rates = {r.name: r.rate for r in recordings}
    if len(set(rates.values())) > 1:
        raise DataError(f"recordings of one fit must have one rate, got {rates}; bin them alike")
    for label in labels:
        kinds = {r.name: r.kind(label) for r in recordings}
        widths = {r.name: r.label(label).shape[1:] for r in recordings}
        if len(set(kinds.values())) > 1 or len(set(widths.values())) > 1:
            raise DataError(
                f"label {label!r} must be of one kind and width in all recordings, got "
                f"{kinds}, columns {widths}"
            )


def _first(y: tuple) -> tuple:
    """Labels of the only recording of a list."""
    return tuple(v[0] if isinstance(v, (list, tuple)) and len(v) == 1 else v for v in y)


def inputs_of(
    estimator: Any, X: Any, y: tuple = (), labels: Any = None, trials: Any = None,
    reset: bool | None = True,
) -> Inputs:  # fmt: skip
    """One recording or array, with its labels.

    An array sets (`reset`) or must have the estimator's number of channels; None: neither.
    """
    if isinstance(X, Recording):
        return _from_recording(X, y, labels, trials)
    if labels is not None:
        raise TypeError("labels= names labels of a Recording; give arrays as fit(X, y1, y2, ...)")
    return _from_array(estimator, X, y, trials, reset)


def _other_channels(estimator: Any, recording: Recording, expected: int) -> DataError:
    return DataError(
        f"X has {recording.n_channels} features, but {type(estimator).__name__} is expecting "
        f"{expected} features as input: recording {recording.name!r} must have the channels of the "
        "one the model was fitted on"
    )


def is_list_of_recordings(X: Any) -> bool:
    """A list of recordings or of (time, channel) arrays, rather than one array as nested lists."""
    if not isinstance(X, (list, tuple)) or not X:
        return False
    return isinstance(X[0], Recording) or getattr(X[0], "ndim", 0) >= 2


def is_list_of_arrays(values: Any) -> bool:
    """One array for each of several recordings, rather than one array as nested lists."""
    return isinstance(values, (list, tuple)) and getattr(next(iter(values), None), "ndim", 0) >= 1


def _from_recording(recording: Recording, y, labels, trials) -> Inputs:
    if y:
        raise TypeError("with a Recording, name its labels: fit(recording, labels=[...])")
    if trials is not None:
        raise TypeError("a Recording carries its trials; trials= is for arrays")
    names = (labels,) if isinstance(labels, str) else tuple(labels or ())
    for name in names:
        recording.label(name)
    return Inputs(recording, names, None)


def _from_array(estimator, X, y: tuple, trials: pd.DataFrame | None, reset: bool | None) -> Inputs:
    shape: tuple[int, ...] | None = None
    if getattr(X, "ndim", 0) == 3:
        if trials is not None:
            raise TypeError("a (trial, time, channel) array carries its trials; drop trials=")
        shape = tuple(X.shape[:2])
        stop = np.arange(1, shape[0] + 1) * shape[1]
        trials = pd.DataFrame({"start": stop - shape[1], "stop": stop})
        X = np.reshape(X, (-1, X.shape[2]))
    check: dict[str, Any] = {"dtype": [np.float64, np.float32]}
    check["ensure_min_samples"] = 2 if reset else 1
    if reset is None:
        X = check_array(X, **check)
    else:
        X = validate_data(estimator, X, reset=reset, **check)
    columns, kinds = {}, {}
    for number, values in enumerate(y):
        name = f"y{number}"
        columns[name] = _label_column(name, values, len(X), shape)
        kinds[name] = "continuous" if columns[name].dtype.kind == "f" else "discrete"
    recording = Recording(X, rate=1.0, labels=columns, kinds=kinds, trials=trials)
    return Inputs(recording, tuple(columns), shape or (len(X),))


def _label_column(name: str, values: Any, n: int, shape: tuple[int, ...] | None) -> NDArray:
    if is_list_of_arrays(values) and len(values) != n:
        raise DataError(
            f"Invalid number of sessions for labels: one recording has one array for each label, "
            f"got a list of {len(values)} for {name!r}; several labels are fit(X, y1, y2)"
        )
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
        raise DataError(
            f"Invalid number of samples: label {name!r} must have {wanted}, got shape "
            f"{values.shape}"
        )
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
    mark = np.zeros(recording.n_samples + 1, np.int8)
    mark[start] += 1
    mark[stop] -= 1
    used = np.cumsum(mark[:-1], dtype=np.int8).astype(bool)
    require_complete(recording, labels, used)
    return start, stop


def targets_of(recordings: Sequence[Recording], names: Sequence[str]) -> list[Targets]:
    """Continuous columns (angles as cosine and sine) and joint classes of the named labels.

    Classes match by value: one number means one class in every recording.
    """
    border = np.cumsum([len(r) for r in recordings])[:-1]
    continuous, discrete = [], []
    for name in names:
        values = np.concatenate([r.label(name) for r in recordings])
        if recordings[0].kind(name) == "discrete":
            discrete.append(np.unique(values, return_inverse=True)[1].reshape(len(values), -1))
            continue
        column = values.astype(float).reshape(len(values), -1)
        circular = recordings[0].kind(name) == "circular"
        continuous.append(np.hstack([np.cos(column), np.sin(column)]) if circular else column)
    columns: list = [None] * len(recordings)
    classes: list = [None] * len(recordings)
    if continuous:
        columns = np.split(np.hstack(continuous), border)
    if discrete:
        joint = np.unique(np.hstack(discrete), axis=0, return_inverse=True)[1].ravel()
        classes = np.split(joint, border)
    return [Targets(c, k) for c, k in zip(columns, classes, strict=True)]


def trials_of(recording: Recording, start: Ints) -> tuple[Ints, Ints]:
    """Trial of the segments that begin at the given samples, and samples from the trial's start."""
    table = recording.segments
    if recording.trials is None:
        return np.arange(len(start)), np.zeros(len(start), np.int64)
    row = np.searchsorted(table["start"].to_numpy(), start)
    trial = np.unique(table["trial"].to_numpy()[row], return_inverse=True)[1]
    time = table["time0"].to_numpy()[row]
    first = np.full(trial.max(initial=0) + 1, np.inf)
    np.minimum.at(first, trial, time)
    return trial, np.rint((time - first[trial]) * recording.rate).astype(np.int64)
