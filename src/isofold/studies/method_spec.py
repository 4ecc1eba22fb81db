"""Which estimator, with what labels and settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import StudyError
from . import axes
from ._check import check_keys, check_names, check_type, near
from .baselines import BASELINES
from .recording_spec import check_steps

_OWN = ("method", "name", "labels", "steps", "transform", "recordings")
_TRANSFORM = {"with_labels": bool, "posterior": str}
"""Options of `transform` that a block may set."""


@dataclass(frozen=True)
class MethodSpec:
    """One `[[methods]]` block; keys that are not its own are settings of the estimator."""

    method: str
    name: str
    labels: tuple[str, ...] = ()
    steps: tuple[Mapping[str, Any], ...] = ()
    transform: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    recordings: tuple[str, ...] = ()
    """Recordings it is fitted to; all unless named."""
    point: Mapping[str, Any] = field(default_factory=dict)
    """Where on the axes of its block this method lies; its values are in their places already."""

    @property
    def base(self) -> str:
        """The name without the point."""
        return self.name.split(" (")[0]

    @property
    def columns(self) -> dict[str, Any]:
        """What tables of results say of it as `set.*`."""
        return {**self.settings, **self.point}

    @classmethod
    def all_of(cls, given: Any, where: str, estimators: Mapping[str, Callable]) -> list[MethodSpec]:
        """From a table, the name of a method, or a `MethodSpec`: one method a point of its axes."""
        if isinstance(given, MethodSpec):
            return [given]
        table: Any = {"method": given} if isinstance(given, str) else given
        if not isinstance(table, Mapping) or "method" not in table:
            raise StudyError(f'{where} needs method = "…", got {given!r}')
        block, over = axes.split(table)
        _check_method(block["method"], where, estimators)
        _check_axes(block["method"], over, where, estimators)
        return [
            cls._of(axes.put(block, point, where), point, where, estimators)
            for point in axes.points(over, where)
        ]

    @classmethod
    def _of(
        cls, table: Mapping[str, Any], point: axes.Point, where: str, estimators: Mapping
    ) -> MethodSpec:
        method = table["method"]
        settings = {k: v for k, v in table.items() if k not in _OWN}
        check_keys(settings, _setting_names(method, estimators), f"{where} ({method})")
        name = table.get("name", method)
        check_type(name, str, "a name", f"{where}.name")
        if "(" in name:
            raise StudyError(
                f"{where}.name must not hold '(', which begins a point of an axis: {name!r}"
            )
        labels = check_names(table.get("labels", ()), f"{where}.labels")
        needed = getattr(factory(method, estimators), "labels", "") == "required"
        # A prior of the time, or none, stands in the place of labels.
        if needed and not labels and table.get("prior", "labels") in ("labels", "auto"):
            raise StudyError(f'{where} ({method}) learns from labels; name them: labels = ["…"]')
        steps = check_steps(table.get("steps", ()), f"{where}.steps")
        transform = _checked_transform(table.get("transform", {}), f"{where}.transform")
        name = axes.named(name, point)
        only = check_names(table.get("recordings", ()), f"{where}.recordings")
        return cls(method, name, labels, steps, transform, settings, only, dict(point))

    def wanted(self, recording: Any) -> bool:
        """Whether it is fitted to a recording of the study (each point of its axes)."""
        return not self.recordings or recording.base in self.recordings

    def estimator(self, seed: int, estimators: Mapping[str, Callable]) -> Any:
        """A new, unfitted estimator."""
        return factory(self.method, estimators)(**self.settings, random_state=seed)

    def to_dict(self) -> dict[str, Any]:
        """The block as a table."""
        table: dict[str, Any] = {"method": self.method}
        if self.base != self.method:
            table["name"] = self.base
        if self.labels:
            table["labels"] = list(self.labels)
        if self.steps:
            table["steps"] = [dict(s) for s in self.steps]
        if self.recordings:
            table["recordings"] = list(self.recordings)
        if self.transform:
            table["transform"] = dict(self.transform)
        own = {k: v for k, v in self.settings.items() if k not in self.point}
        return table | own | axes.one_point(self.point)


def _check_method(method: Any, where: str, estimators: Mapping[str, Callable]) -> None:
    known = method_names(estimators)
    if method not in known:
        raise StudyError(f"{where}: unknown method {method!r}{near(method, known)}")


def _check_axes(method: str, over: Mapping[str, Any], where: str, estimators: Mapping) -> None:
    """Axes are settings of the method, or lead into its steps or transform."""
    for kind, table in over.items():
        names = [k for k in table if "." not in k] if isinstance(table, Mapping) else []
        own = ("n", "seed") if kind == "sample" else ()
        known = ["labels", *_setting_names(method, estimators), *own]
        check_keys(dict.fromkeys(names), known, f"{where}.{kind} ({method})")


def _checked_transform(given: Any, where: str) -> dict[str, Any]:
    if not isinstance(given, Mapping):
        raise StudyError(f"{where} must be a table such as {{with_labels = true}}, got {given!r}")
    check_keys(given, tuple(_TRANSFORM), where)
    for key, value in given.items():
        check_type(value, _TRANSFORM[key], "true or false, or a name", f"{where}.{key}")
    return dict(given)


def factory(method: str, estimators: Mapping[str, Callable]) -> Callable[..., Any]:
    """What makes the estimator: given by hand, a baseline, or of `isofold.METHODS`."""
    if method in estimators:
        return estimators[method]
    if method in BASELINES:
        return BASELINES[method]
    from ..models import METHODS

    return METHODS[method]


def method_names(estimators: Mapping[str, Callable]) -> list[str]:
    """Every name that `method` may have."""
    from ..models import METHODS

    return [*estimators, *BASELINES, *METHODS]


def _setting_names(method: str, estimators: Mapping[str, Callable]) -> list[str]:
    # `random_state` comes from `seeds`
    names = factory(method, estimators)().get_params(deep=False)
    return [name for name in names if name != "random_state"]
