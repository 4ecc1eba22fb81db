"""Which file becomes a recording, and how."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..errors import DataError, StudyError
from ..recording import Recording
from ._check import check_keys, check_names, check_type, expanded, near
from .steps import make_step, step_names

_BIN = ("width", "signal", "units", "labels", "trials", "align", "window")
_RESTRICT = ("where", "units")
_CHOOSE = ("width", "smooth", "label")
_KEYS = ("path", "name", "subject", "read", "restrict", "bin", "choose", "steps")


@dataclass(frozen=True)
class RecordingSpec:
    """One `[[recordings]]` block: read → restrict → bin (its width chosen) → steps.

    `path` is any file of `isofold.read`, or a folder of `Recording.save`, which is not binned.
    """

    name: str
    path: str | None = None
    subject: str | None = None
    read: Mapping[str, Any] = field(default_factory=dict)
    restrict: Mapping[str, Any] = field(default_factory=dict)
    bin: Mapping[str, Any] = field(default_factory=dict)
    choose: Mapping[str, Any] = field(default_factory=dict)
    steps: tuple[Mapping[str, Any], ...] = ()
    recording: Recording | None = field(default=None, repr=False, compare=False)

    @classmethod
    def of(cls, given: Any, where: str) -> RecordingSpec:
        """From a table, a `Recording`, or a `RecordingSpec`."""
        if isinstance(given, RecordingSpec):
            return given
        if isinstance(given, Recording):
            if not given.name:
                raise StudyError(f"{where}: a Recording in a study needs a name (name=…)")
            return cls(given.name, subject=given.subject, recording=given)
        check_keys(given, _KEYS, where)
        if not isinstance(given.get("path"), str | Path):
            raise StudyError(f'{where} needs path = "…", got {given.get("path")!r}')
        table = {**given, "path": str(given["path"])}
        table.setdefault("name", Path(table["path"]).stem)
        for key in ("name", "subject"):
            if table.get(key) is not None:
                check_type(table[key], str, "a name", f"{where}.{key}")
        if "bin" in table:
            check_keys(table["bin"], _BIN, f"{where}.bin")
        if "restrict" in table:
            check_keys(table["restrict"], _RESTRICT, f"{where}.restrict")
        if "choose" in table:
            _check_choose(table["choose"], f"{where}.choose")
        table["steps"] = check_steps(table.get("steps", ()), f"{where}.steps")
        return cls(**table)

    @property
    def label_names(self) -> tuple[str, ...]:
        """Labels that are binned."""
        if self.recording is not None:
            return tuple(self.recording.labels)
        labels = self.bin.get("labels", ())  # names, or name → kind
        names = list(labels) if isinstance(labels, Mapping) else labels
        return check_names(names, f"recording {self.name!r}: bin.labels")

    def located(self, folder: Path) -> RecordingSpec:
        """With its path made absolute.

        Raises
        ------
        StudyError
            Nothing is there.
        """
        if self.path is None:
            return self
        where = f"recording {self.name!r}"
        path = (folder / Path(expanded(self.path, where)).expanduser()).resolve()
        if not path.exists():
            raise StudyError(f"{where}: no file {str(path)!r} (path = {self.path!r})")
        return replace(self, path=str(path))

    def to_dict(self) -> dict[str, Any]:
        """The block as a table."""
        table = {k: getattr(self, k) for k in _KEYS}
        table["steps"] = [dict(s) for s in self.steps]
        return {k: v for k, v in table.items() if v}


def check_steps(steps: Any, where: str) -> tuple[Mapping[str, Any], ...]:
    """A list of `{name = {options}}`; a bare name has no options."""
    if isinstance(steps, str | Mapping) or not isinstance(steps, list | tuple):
        raise StudyError(f"{where} must be a list such as [{{zscore = {{}}}}], got {steps!r}")
    return tuple(_checked_step(given, f"{where}[{n}]") for n, given in enumerate(steps))


def _checked_step(given: Any, where: str) -> Mapping[str, Any]:
    step = {given: {}} if isinstance(given, str) else given
    if not isinstance(step, Mapping) or len(step) != 1:
        raise StudyError(f"{where} must be one {{name = {{options}}}}, got {given!r}")
    ((name, options),) = step.items()
    known = step_names()
    if name not in known:
        raise StudyError(f"{where}: unknown step {name!r}{near(name, known)}")
    check_keys(options, known[name], f"{where} ({name})")
    try:
        make_step(name, options)
    except (DataError, TypeError) as error:
        raise StudyError(f"{where} ({name}): {error}") from error
    return step


def _check_choose(choose: Any, where: str) -> None:
    check_keys(choose, _CHOOSE, where)
    if not isinstance(choose.get("label"), str):
        raise StudyError(f'{where} needs label = "…": what is decoded to choose by')
    if not {"width", "smooth"} & set(choose):
        raise StudyError(f"{where} needs width = […], smooth = […] or both: what to choose from")
    for key in {"width", "smooth"} & set(choose):
        values = choose[key]
        if not isinstance(values, list | tuple) or not values:
            raise StudyError(f"{where}.{key} must be a list of seconds, got {values!r}")
        for value in values:
            check_type(value, (int, float), "seconds", f"{where}.{key}")
