"""Labels as columns that any decoder can average: numbers, (cos, sin), or one column a class."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import f1_score, recall_score

from ..errors import DataError
from ..trials import Ints
from ._inputs import Label
from ._linear import Floats, Sums, r2


def wrap(angle: Floats) -> Floats:
    """To (-π, π]."""
    return -np.mod(np.pi - angle, 2 * np.pi) + np.pi


@dataclass(frozen=True)
class Target:
    """How one label is written as columns, read back and judged."""

    kind: str
    classes: NDArray = field(default_factory=lambda: np.empty(0))

    @classmethod
    def of(cls, train: Label, test: Label) -> Target:
        if train.kind != test.kind:
            raise DataError(
                f"{train.name} is {train.kind} in training and {test.kind} in the test part; "
                "give kind= or one dtype"
            )
        if train.kind != "discrete":
            return cls(train.kind)
        classes = np.unique(train.values)
        unknown = np.setdiff1d(test.values, classes)
        if len(classes) < 2:
            raise DataError(
                f"decoding {train.name} needs at least two classes in the training trials, "
                f"got only {classes[0]!r}"
            )
        if len(unknown):
            raise DataError(
                f"every class of {train.name} in the test trials must occur in training; "
                f"{unknown.tolist()} does not; split with stratify= or drop it"
            )
        return cls("discrete", classes)

    @property
    def discrete(self) -> bool:
        return self.kind == "discrete"

    @property
    def unit(self) -> str:
        return "accuracy" if self.discrete else "R²"

    def encode(self, label: Label) -> Floats:
        values = label.columns()
        if self.discrete:
            return (values == self.classes).astype(float)
        return np.hstack([np.cos(values), np.sin(values)]) if self.kind == "circular" else values

    def decode(self, columns: Floats) -> NDArray:
        if self.discrete:
            return self.classes[np.argmax(columns, axis=1)]
        if self.kind == "circular":
            cosine, sine = np.split(columns, 2, axis=1)
            return np.arctan2(sine, cosine)
        return columns

    def score(self, truth: Floats, predicted: Floats) -> float:
        if self.discrete:
            return float(np.mean(truth.argmax(1) == predicted.argmax(1)))
        return r2(truth, predicted)

    def by_trial(self, truth: Floats, predicted: Floats, codes: Ints, weights: Floats):
        """Score of each trial, and of every bootstrap draw."""
        if not self.discrete:
            sums = Sums.of(truth, predicted, codes)
            return sums.parts(), sums.r2(weights)
        right = np.bincount(codes, truth.argmax(1) == predicted.argmax(1))
        count = np.bincount(codes)
        return right / count, (weights @ right) / (weights @ count)

    def errors(self, truth: Floats, predicted: Floats) -> Floats:
        """Distance of each sample in the label's own unit (radians for angles)."""
        difference = self.decode(predicted) - self.decode(truth)
        difference = wrap(difference) if self.kind == "circular" else difference
        return np.linalg.norm(difference, axis=1)

    def also(self, truth: Floats, predicted: Floats) -> dict[str, float]:
        if not self.discrete:
            error = self.errors(truth, predicted)
            return {"median_error": float(np.median(error)), "mean_error": float(error.mean())}
        y, guess = truth.argmax(1), predicted.argmax(1)
        kinds = np.unique(y)
        recall = recall_score(y, guess, labels=kinds, average="macro", zero_division=0)
        f1 = f1_score(y, guess, average="macro", zero_division=0)
        return {"balanced_accuracy": float(recall), "macro_f1": float(f1)}
