"""What is asked of single trials, around which event."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import StudyError
from ._check import check_keys, check_names, check_type, check_window

_KEYS = ("event", "window", "baseline", "response", "by", "groups", "recordings", "rate", "seed")


@dataclass(frozen=True)
class SingleTrialSpec:
    """One `[[single_trials]]` block: windows of the binned recording around an event.

    Windows (s from the event), minus their mean in `baseline`, are averaged by the condition `by`
    with intervals; each trial gets its peak, area and latency in `response`, its distance to the
    mean path of its condition and whether it is an outlier; the condition is decoded over time.
    `groups` is a trial column (the animal) that stays together in cross-validation and is drawn
    first in the bootstrap. `rate` resamples by interpolation (never counts).
    """

    event: str
    window: tuple[float, float]
    baseline: tuple[float, float] | None = None
    response: tuple[float, float] | None = None
    by: str | None = None
    groups: str | None = None
    rate: float | None = None
    recordings: tuple[str, ...] = ()
    seed: int = 0

    @classmethod
    def of(cls, given: Any, where: str) -> SingleTrialSpec:
        """From a table or a `SingleTrialSpec`.

        Raises
        ------
        StudyError
            A key is unknown or missing, or a value is of the wrong kind.
        """
        if isinstance(given, SingleTrialSpec):
            return given
        check_keys(given, _KEYS, where)
        for key in ("event", "window"):
            if key not in given:
                raise StudyError(f"{where} needs {key}; got only {', '.join(given) or 'nothing'}")
        table = dict(given)
        for key in {"event", "by", "groups"} & set(table):
            check_type(table[key], str, "a name", f"{where}.{key}")
        for key in {"window", "baseline", "response"} & set(table):
            table[key] = check_window(table[key], f"{where}.{key}")
        if "rate" in table:
            check_type(table["rate"], (int, float), "samples per second", f"{where}.rate")
        if "seed" in table:
            check_type(table["seed"], int, "a whole number", f"{where}.seed")
        table["recordings"] = check_names(table.get("recordings", ()), f"{where}.recordings")
        return cls(**table)

    def wanted(self, recording: Any) -> bool:
        """Whether it is asked of a recording of the study."""
        return not self.recordings or recording.base in self.recordings

    def to_dict(self) -> dict[str, Any]:
        """The block as a table."""
        values: Mapping[str, Any] = {k: getattr(self, k) for k in _KEYS}
        return {
            k: list(v) if isinstance(v, tuple) else v for k, v in values.items() if v or v == 0.0
        }
