"""Steps between a recording and a fit; those that learn see the training trials only."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..recording import Recording
from ..session import Session

Parts = Callable[[Recording], tuple[Recording, Recording]]
"""Splits a recording into (train, test)."""


def step_names() -> dict[str, list[str]]:
    """Every step and its options."""
    return {name: list(inspect.signature(step).parameters) for name, step in _table().items()}


def make_step(name: str, options: Mapping[str, Any]) -> Any:
    """The transformer of a step."""
    return _table()[name](**options)


def apply_steps(
    recording: Recording, steps: Iterable[Mapping[str, Any]], parts: Parts
) -> Recording:
    """The whole recording after all steps, each fitted on the training part of the one before."""
    for step in steps:
        for name, options in step.items():
            transformer = make_step(name, options)
            transformer.fit(parts(recording)[0])
            recording = transformer.transform(recording)
    return recording


def clean_names() -> dict[str, list[str]]:
    """Every step of a session and its options."""
    from ..preprocess import SESSION_STEPS

    names = {k: list(inspect.signature(step).parameters) for k, step in SESSION_STEPS.items()}
    return {k: options[1:] for k, options in names.items()}  # the first is the session


def cleaned(session: Session, steps: Iterable[Mapping[str, Any]]) -> Session:
    """The session after all steps of `clean`, one after the other."""
    from ..preprocess import SESSION_STEPS

    for step in steps:
        for name, options in step.items():
            session = SESSION_STEPS[name](session, **options)
    return session


class Fill:
    """`Recording.fill` as a step; it learns nothing."""

    def __init__(self, how: str, max_gap: float | None = None):
        self.how, self.max_gap = how, max_gap

    def fit(self, recording: Recording) -> Fill:
        return self

    def transform(self, recording: Recording) -> Recording:
        return recording.fill(self.how, self.max_gap)


def _table() -> dict[str, Callable[..., Any]]:
    from ..preprocess import STEPS

    return {"fill": Fill, **STEPS}
