"""Weights of objectives over training: callables step (array) → weight (array), NumPy only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import DataError

Schedule = Callable[[ArrayLike], NDArray[np.float64]]


@dataclass(frozen=True)
class Constant:
    """The same weight at every step.

    >>> Constant(0.5)([0, 10])
    array([0.5, 0.5])
    """

    weight: float | int

    def __post_init__(self):
        _check_weights(weight=self.weight)

    def __call__(self, step: ArrayLike | int) -> NDArray[np.float64]:
        return np.full(np.shape(step), float(self.weight))


@dataclass(frozen=True)
class Linear:
    """From `start_weight` to `end_weight` between two steps (both counted in); 0 outside.

    >>> Linear(0.0, 1.0, start_step=10, end_step=20)([0, 10, 15, 20, 21])
    array([0. , 0. , 0.5, 1. , 0. ])
    """

    start_weight: float | int
    end_weight: float | int
    start_step: int
    end_step: int

    def __post_init__(self):
        _check_weights(start_weight=self.start_weight, end_weight=self.end_weight)
        _check_steps(self.start_step, self.end_step)

    def __call__(self, step: ArrayLike | int) -> NDArray[np.float64]:
        step = np.asarray(step, float)
        weight = np.interp(
            step, (self.start_step, self.end_step), (self.start_weight, self.end_weight)
        )
        return np.where((step >= self.start_step) & (step <= self.end_step), weight, 0.0)


@dataclass(frozen=True)
class RampUp:
    """0 before `start_step`, rising linearly from `start_weight` to `end_weight`, which it keeps.

    >>> RampUp(0.1, start_step=10, end_step=20)([0, 10, 15, 20, 1000])
    array([0.  , 0.  , 0.05, 0.1 , 0.1 ])
    """

    end_weight: float | int
    start_step: int
    end_step: int
    start_weight: float | int = 0.0

    def __post_init__(self):
        _check_weights(start_weight=self.start_weight, end_weight=self.end_weight)
        _check_steps(self.start_step, self.end_step)

    def __call__(self, step: ArrayLike | int) -> NDArray[np.float64]:
        step = np.asarray(step, float)
        weight = np.interp(
            step, (self.start_step, self.end_step), (self.start_weight, self.end_weight)
        )
        return np.where(step >= self.start_step, weight, 0.0)


def _check_weights(**weights: float | int) -> None:
    for name, weight in weights.items():
        if not (np.isreal(weight) and np.isfinite(weight) and weight >= 0):
            raise DataError(f"{name} must be a number >= 0, got {weight!r}")


def _check_steps(start: int, end: int) -> None:
    if not 0 <= start < end:
        raise DataError(
            f"a schedule rises between two steps: 0 <= start_step < end_step, got {start} and {end}"
        )
