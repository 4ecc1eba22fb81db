"""Steps Recording → Recording, one file each; every one stops at segments.

A step is a scikit-learn style object with `fit(recording) -> self` and `transform(recording)`; what
it learns, it learns from the recording that `fit` was given (the training trials of a fold).
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import DataError, StudyError
from ._segments import Step
from .retime import retime
from .smooth import Smooth, smooth
from .square_root import SquareRoot, square_root
from .window_sum import WindowSum, window_sum
from .zscore import ZScore, zscore

__all__ = [
    "STEPS",
    "Smooth",
    "SquareRoot",
    "Step",
    "WindowSum",
    "ZScore",
    "pipeline",
    "retime",
    "smooth",
    "square_root",
    "window_sum",
    "zscore",
]

STEPS: dict[str, type[Step]] = {
    "zscore": ZScore,
    "smooth": Smooth,
    "window_sum": WindowSum,
    "square_root": SquareRoot,
}


def pipeline(steps: Sequence[Mapping[str, Mapping[str, Any]]]) -> list[Step]:
    """Step objects from what a study file says: [{name: {argument: value}}, …].

    Raises
    ------
    StudyError
        A step or argument that does not exist, is missing or has a value out of range.

    Examples
    --------
    >>> pipeline([{"square_root": {}}, {"smooth": {"sigma": 0.1}}])
    [SquareRoot(), Smooth(sigma=0.1)]
    """
    return [_step(number, entry) for number, entry in enumerate(steps, start=1)]


def _step(number: int, entry: Mapping[str, Mapping[str, Any]]) -> Step:
    if not isinstance(entry, Mapping) or len(entry) != 1:
        raise StudyError(f"step {number} must be {{name = {{settings}}}}, one name; got {entry!r}")
    ((name, settings),) = entry.items()
    if name not in STEPS:
        raise StudyError(f"step {number}: no step {name!r}; there are {sorted(STEPS)}")
    if not isinstance(settings, Mapping):
        raise StudyError(f"step {number}: settings of {name} must be a table, got {settings!r}")
    known = inspect.signature(STEPS[name]).parameters
    unknown = sorted(set(settings) - set(known))
    absent = [k for k, p in known.items() if p.default is p.empty and k not in settings]
    if unknown or absent:
        raise StudyError(
            f"step {number}: {name} takes {sorted(known)}; unknown: {unknown}, missing: {absent}"
        )
    try:
        return STEPS[name](**settings)
    except DataError as error:
        raise StudyError(f"step {number}: {error}") from error
