"""Steps, one file each: Recording → Recording, and for raw sessions Session → Session.

Steps of recordings stop at segments; steps of sessions see the continuous acquisition and stop at
gaps. In both cases settings are noted in the provenance. A step of recordings is a scikit-learn
style object with `fit(recording) -> self` and `transform(recording)`; what it learns, it learns
from the recording that `fit` was given (the training trials of a fold).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..errors import DataError, StudyError
from ..session import Session
from ._segments import Step
from .artefacts import artefacts, find_artefacts
from .bleaching import Bleaching, fit_bleaching
from .delay import Delay, delay
from .dff import dff
from .event_clock import event_clock
from .motion import Motion, fit_motion, motion_correct
from .neuropil import neuropil
from .photometry import photometry
from .quality import quality
from .retime import retime
from .rolling_dff import rolling_dff
from .smooth import Smooth, smooth
from .soft_normalize import SoftNormalize, soft_normalize
from .square_root import SquareRoot, square_root
from .standard_score import standard_score
from .transients import Transients, transients
from .trial_baseline import TrialBaseline, trial_baseline
from .trial_column import trial_column
from .window_sum import WindowSum, window_sum
from .zscore import ZScore, zscore

__all__ = [
    "SESSION_STEPS",
    "STEPS",
    "Bleaching",
    "Delay",
    "Motion",
    "Smooth",
    "SoftNormalize",
    "SquareRoot",
    "Step",
    "Transients",
    "TrialBaseline",
    "WindowSum",
    "ZScore",
    "artefacts",
    "delay",
    "dff",
    "event_clock",
    "find_artefacts",
    "fit_bleaching",
    "fit_motion",
    "motion_correct",
    "neuropil",
    "photometry",
    "pipeline",
    "quality",
    "retime",
    "rolling_dff",
    "smooth",
    "soft_normalize",
    "square_root",
    "standard_score",
    "transients",
    "trial_baseline",
    "trial_column",
    "window_sum",
    "zscore",
]

STEPS: dict[str, type[Step]] = {
    "zscore": ZScore,
    "smooth": Smooth,
    "window_sum": WindowSum,
    "square_root": SquareRoot,
    "delay": Delay,
    "trial_baseline": TrialBaseline,
    "soft_normalize": SoftNormalize,
}

SESSION_STEPS: dict[str, Callable[..., Session]] = {
    "artefacts": artefacts,
    "event_clock": event_clock,
    "neuropil": neuropil,
    "photometry": photometry,
    "retime": retime,
    "rolling_dff": rolling_dff,
    "trial_column": trial_column,
}
"""Steps Session → Session by name: what a study file calls `clean`."""


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
