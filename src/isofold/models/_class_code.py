"""Classes of samples: what time-contrastive learning tells apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from ..recording import Recording
from ..trials import Ints, expand
from ._inputs import trials_of
from ._label_code import LabelPart

SAMPLES_PER_STRETCH = 20
"""The fewest samples of a trial that "auto" makes a class of."""

MOST_STRETCHES, LABEL_CLASSES = 40, 10
"""Classes that "auto" cuts time into at most, and a continuous label into."""


@dataclass(frozen=True)
class ClassPart:
    """How one label becomes classes: as it is, or cut where each column has as many samples."""

    name: str
    classes: tuple[Any, ...] = ()
    edges: tuple[tuple[float, ...], ...] = ()

    @property
    def n_classes(self) -> int:
        return len(self.classes) or int(np.prod([len(edges) + 1 for edges in self.edges]))

    def of(self, recording: Recording) -> Ints:
        """(time,) class of every sample; meaningless where the label is missing."""
        if self.classes:
            values = _plain(recording.label(self.name))
            return LabelPart(self.name, "discrete", self.classes).encode(values).argmax(axis=1)
        number = np.zeros(len(recording), np.int64)
        for column, edges in zip(_columns(recording, self.name), self.edges, strict=True):
            number = number * (len(edges) + 1) + np.searchsorted(edges, column, side="right")
        return number


@dataclass(frozen=True)
class ClassCode:
    """Joint classes of labels or, without any, equal stretches of time."""

    parts: tuple[ClassPart, ...]
    stretches: int = 0
    """Of each trial, or of a recording without trials."""

    @property
    def n_classes(self) -> int:
        return (
            int(np.prod([part.n_classes for part in self.parts])) if self.parts else self.stretches
        )

    def of(self, recording: Recording, start: Ints, stop: Ints) -> Ints:
        """(time,) class of every sample; of the segments given, where classes are of time."""
        if not self.parts:
            return stretch_of(recording, start, stop, self.stretches)
        number = np.zeros(len(recording), np.int64)
        for part in self.parts:
            number = number * part.n_classes + part.of(recording)
        return number

    def to_json(self) -> dict[str, Any]:
        return {"parts": [asdict(part) for part in self.parts], "stretches": self.stretches}

    @staticmethod
    def from_json(found: dict[str, Any]) -> ClassCode:
        return ClassCode(tuple(ClassPart(**part) for part in found["parts"]), found["stretches"])


def learn_classes(
    recording: Recording, labels: Sequence[str], segments: int | str, start: Ints, stop: Ints
) -> ClassCode:
    """The classes of a fit that uses these segments.

    Raises
    ------
    DataError
        There is one class only: nothing to tell apart.
    """
    if labels:
        n = LABEL_CLASSES if segments == "auto" else int(segments)
        code = ClassCode(tuple(_part(recording, name, n, expand(start, stop)) for name in labels))
    else:
        length = np.bincount(_trial_number(recording, start), weights=stop - start)
        most = int(np.median(length)) // SAMPLES_PER_STRETCH
        auto = int(np.clip(most, 2, MOST_STRETCHES))
        code = ClassCode((), auto if segments == "auto" else int(segments))
    if code.n_classes < 2:
        raise DataError(
            f"time-contrastive learning tells classes of samples apart and needs two or more; "
            f"label(s) {list(labels)} have one value in recording {recording.name!r}: give others, "
            "or none for stretches of time"
        )
    return code


def stretch_of(recording: Recording, start: Ints, stop: Ints, n: int) -> Ints:
    """Which of n equal stretches of its trial every sample lies in: gaps do not count.

    0 outside the segments given.
    """
    trial = np.repeat(_trial_number(recording, start), stop - start)
    order = np.argsort(trial, kind="stable")
    count = np.bincount(trial)
    place = np.empty(len(trial), np.int64)
    place[order] = np.arange(len(trial)) - np.repeat(np.cumsum(count) - count, count)
    out = np.zeros(len(recording), np.int64)
    out[expand(start, stop)] = place * n // count[trial]
    return out


def _trial_number(recording: Recording, start: Ints) -> Ints:
    """(segment,) trial; a recording without trials is one."""
    if recording.trials is None:
        return np.zeros(len(start), np.int64)
    return trials_of(recording, start)[0]


def _part(recording: Recording, name: str, n: int, used: Ints) -> ClassPart:
    if recording.kind(name) == "discrete":
        values = _plain(recording.label(name))[used]
        return ClassPart(name, classes=tuple(np.unique(values).tolist()))
    inner = np.arange(1, n) / n
    return ClassPart(
        name,
        edges=tuple(
            tuple(np.unique(np.quantile(column[used], inner)).tolist())
            for column in _columns(recording, name)
        ),
    )


def _columns(recording: Recording, name: str) -> NDArray[np.float64]:
    """(column, time) of a continuous label; angles from 0 to 2π."""
    values = np.asarray(recording.label(name), float).reshape(len(recording), -1).T
    return values % (2 * np.pi) if recording.kind(name) == "circular" else values


def _plain(values: NDArray) -> NDArray:
    return values.astype(np.int64) if values.dtype.kind == "b" else values
