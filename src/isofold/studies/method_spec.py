"""Which estimator, with what labels and settings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any

from ..errors import StudyError
from ._check import check_keys, check_names, check_type, near
from .baselines import BASELINES
from .recording_spec import check_steps

_OWN = ("method", "name", "labels", "steps", "transform", "grid")
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
    grid: Mapping[str, list] = field(default_factory=dict)

    @property
    def base(self) -> str:
        """The name without the point of the grid."""
        return self.name.split(" (")[0]

    @classmethod
    def of(cls, given: Any, where: str, estimators: Mapping[str, Callable]) -> MethodSpec:
        """From a table, the name of a method, or a `MethodSpec`."""
        if isinstance(given, MethodSpec):
            return given
        table: Any = {"method": given} if isinstance(given, str) else given
        if not isinstance(table, Mapping) or "method" not in table:
            raise StudyError(f'{where} needs method = "…", got {given!r}')
        method = table["method"]
        known = method_names(estimators)
        if method not in known:
            raise StudyError(f"{where}: unknown method {method!r}{near(method, known)}")
        grid = table.get("grid", {})
        _check_grid(grid, f"{where}.grid")
        settings = {k: v for k, v in table.items() if k not in _OWN}
        check_keys(settings | grid, _setting_names(method, estimators), f"{where} ({method})")
        name = table.get("name", method)
        check_type(name, str, "a name", f"{where}.name")
        if "(" in name:
            raise StudyError(
                f"{where}.name must not hold '(', which begins a point of a grid: {name!r}"
            )
        labels = check_names(table.get("labels", ()), f"{where}.labels")
        needed = getattr(factory(method, estimators), "labels", "") == "required"
        # A prior of the time, or none, stands in the place of labels.
        if needed and not labels and table.get("prior", "labels") in ("labels", "auto"):
            raise StudyError(f'{where} ({method}) learns from labels; name them: labels = ["…"]')
        steps = check_steps(table.get("steps", ()), f"{where}.steps")
        transform = _checked_transform(table.get("transform", {}), f"{where}.transform")
        return cls(method, name, labels, steps, transform, settings, grid)

    def expanded(self) -> Iterable[MethodSpec]:
        """One method a point of the grid, the point in its name."""
        if not self.grid:
            return [self]
        points = [dict(zip(self.grid, p, strict=True)) for p in product(*self.grid.values())]
        return [
            replace(
                self,
                name=f"{self.name} ({', '.join(f'{k}={v}' for k, v in point.items())})",
                settings={**self.settings, **point},
                grid={},
            )
            for point in points
        ]

    def estimator(self, seed: int, estimators: Mapping[str, Callable]) -> Any:
        """A new, unfitted estimator."""
        return factory(self.method, estimators)(**self.settings, random_state=seed)

    def to_dict(self) -> dict[str, Any]:
        """The block as a table."""
        table: dict[str, Any] = {"method": self.method}
        if self.name != self.method:
            table["name"] = self.name
        if self.labels:
            table["labels"] = list(self.labels)
        if self.steps:
            table["steps"] = [dict(s) for s in self.steps]
        if self.transform:
            table["transform"] = dict(self.transform)
        return table | dict(self.settings)


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


def _check_grid(grid: Any, where: str) -> None:
    if not isinstance(grid, Mapping):
        raise StudyError(f"{where} must be a table of setting = [values], got {grid!r}")
    for key, values in grid.items():
        if not isinstance(values, list | tuple) or not values:
            raise StudyError(f"{where}.{key} must be a list of values to try, got {values!r}")
