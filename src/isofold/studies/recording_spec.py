"""Which file becomes a recording, and how."""

from __future__ import annotations

import glob
import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from .. import simulate as simulators
from ..errors import DataError, StudyError
from ..recording import Recording
from . import axes
from ._check import check_folds, check_keys, check_names, check_type, expanded, near
from .steps import clean_names, make_step, step_names

SIMULATORS = [n for n in simulators.__all__ if not n.endswith("_session") and n != "ceilings"]
"""Names of `isofold.simulate` that give a recording."""
_BIN = ("width", "signal", "units", "labels", "trials", "align", "window")
_RESTRICT = ("where", "units")
_CHOOSE = ("width", "smooth", "label")
_OF_FILES = ("path", "read", "clean", "restrict", "bin", "choose")
_KEYS = (*_OF_FILES, "simulate", "name", "subject", "steps", "folds")


@dataclass(frozen=True)
class RecordingSpec:
    """One `[[recordings]]` block: read → clean → restrict → bin (its width chosen) → steps.

    `path` is any file of `isofold.read`, or a folder of `Recording.save`, which is not binned. In
    its place `simulate` names a simulator of `isofold.simulate` and its options.
    """

    name: str
    path: str | None = None
    subject: str | None = None
    read: Mapping[str, Any] = field(default_factory=dict)
    clean: tuple[Mapping[str, Any], ...] = ()
    restrict: Mapping[str, Any] = field(default_factory=dict)
    bin: Mapping[str, Any] = field(default_factory=dict)
    choose: Mapping[str, Any] = field(default_factory=dict)
    steps: tuple[Mapping[str, Any], ...] = ()
    simulate: Mapping[str, Any] = field(default_factory=dict)
    folds: int | Mapping[str, Any] | None = None
    """Instead of those of the study."""
    point: Mapping[str, Any] = field(default_factory=dict)
    """Where on the axes of its block this recording lies."""
    recording: Recording | None = field(default=None, repr=False, compare=False)

    @classmethod
    def all_of(cls, given: Any, where: str) -> list[RecordingSpec]:
        """From a table, a `Recording`, or a `RecordingSpec`: one recording a point of its axes."""
        if isinstance(given, RecordingSpec):
            return [given]
        if isinstance(given, Recording):
            if not given.name:
                raise StudyError(f"{where}: a Recording in a study needs a name (name=…)")
            return [cls(given.name, subject=given.subject, recording=given)]
        check_keys(given, (*_KEYS, *axes.AXES), where)
        block, over = axes.split(given)
        return [
            cls._of(axes.put(block, point, where), point, where)
            for point in axes.points(over, where)
        ]

    @classmethod
    def _of(cls, given: Mapping[str, Any], point: axes.Point, where: str) -> RecordingSpec:
        check_keys(given, _KEYS, where)
        table = _simulated(given, where) if "simulate" in given else _read(given, where)
        for key in ("name", "subject"):
            if table.get(key) is not None:
                check_type(table[key], str, "a name", f"{where}.{key}")
        if "bin" in table:
            check_keys(table["bin"], _BIN, f"{where}.bin")
        if "restrict" in table:
            check_keys(table["restrict"], _RESTRICT, f"{where}.restrict")
        if "choose" in table:
            _check_choose(table["choose"], f"{where}.choose")
        check_folds(table.get("folds"), f"{where}.folds")
        table["clean"] = _check_clean(table.get("clean", ()), f"{where}.clean")
        table["steps"] = check_steps(table.get("steps", ()), f"{where}.steps")
        # a file of an axis has a name of its own
        table["name"] = axes.named(table["name"], {k: v for k, v in point.items() if k != "path"})
        return cls(**table, point=dict(point))

    @property
    def base(self) -> str:
        """The name without the point."""
        return self.name.split(" (")[0] if self.point else self.name

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
        table |= {"name": self.base}
        table |= {k: [dict(s) for s in getattr(self, k)] for k in ("clean", "steps")}
        # the path is written where it is found, wherever the axis said it is
        point = {k: v for k, v in self.point.items() if k != "path"}
        return {k: v for k, v in table.items() if v} | axes.one_point(point)


def found_files(blocks: Any, folder: Path) -> Any:
    """Blocks whose path is a pattern (`data/*.nwb`) become one block a file that is there.

    Raises
    ------
    StudyError
        No file fits the pattern, or the block gives all files one name.
    """
    if not isinstance(blocks, list | tuple):
        return blocks
    return [
        one for n, block in enumerate(blocks) for one in _found(block, f"recordings[{n}]", folder)
    ]


def _found(block: Any, where: str, folder: Path) -> list[Any]:
    path = block.get("path") if isinstance(block, Mapping) else None
    if not isinstance(path, str) or not set(path) & set("*?["):
        return [block]
    pattern = folder / Path(expanded(path, where)).expanduser()
    files = sorted(glob.glob(str(pattern), recursive=True))
    if not files:
        raise StudyError(f"{where}: no file fits the pattern {str(pattern)!r} (path = {path!r})")
    if "name" in block:
        raise StudyError(
            f"{where}: a pattern gives each file its own name; drop name = {block['name']!r}"
        )
    return [{**block, "path": file} for file in files]


def _read(given: Mapping[str, Any], where: str) -> dict[str, Any]:
    if not isinstance(given.get("path"), str | Path):
        raise StudyError(f'{where} needs path = "…" or simulate = {{…}}, got {given.get("path")!r}')
    path = str(given["path"])
    return {"name": Path(path).stem, **given, "path": path}


def _simulated(given: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Checked as far as it can be without simulating."""
    options = given["simulate"]
    if not isinstance(options, Mapping) or not isinstance(options.get("name"), str):
        raise StudyError(f'{where}.simulate needs name = "…"{near("", SIMULATORS)}')
    name = options["name"]
    if name not in SIMULATORS:
        raise StudyError(f"{where}.simulate: unknown simulator {name!r}{near(name, SIMULATORS)}")
    known = inspect.signature(getattr(simulators, name)).parameters
    check_keys(options, ("name", *known), f"{where}.simulate ({name})")
    for key in _OF_FILES:
        if key in given:
            raise StudyError(f"{where}: {key} is for files; a simulation has its own options")
    return {"name": name, **given}


def check_steps(steps: Any, where: str) -> tuple[Mapping[str, Any], ...]:
    """A list of `{name = {options}}`; a bare name has no options."""
    checked = _listed(steps, "[{zscore = {}}]", step_names(), where)
    for n, step in enumerate(checked):
        ((name, options),) = step.items()
        try:
            make_step(name, options)
        except (DataError, TypeError) as error:
            raise StudyError(f"{where}[{n}] ({name}): {error}") from error
    return checked


def _check_clean(steps: Any, where: str) -> tuple[Mapping[str, Any], ...]:
    """A list of steps of a session; their values are checked where they run."""
    return _listed(steps, '[{photometry = {signal = "470"}}]', clean_names(), where)


def _listed(
    steps: Any, example: str, known: Mapping[str, list[str]], where: str
) -> tuple[Mapping[str, Any], ...]:
    if isinstance(steps, str | Mapping) or not isinstance(steps, list | tuple):
        raise StudyError(f"{where} must be a list such as {example}, got {steps!r}")
    return tuple(_checked_step(given, known, f"{where}[{n}]") for n, given in enumerate(steps))


def _checked_step(given: Any, known: Mapping[str, list[str]], where: str) -> Mapping[str, Any]:
    step = {given: {}} if isinstance(given, str) else given
    if not isinstance(step, Mapping) or len(step) != 1:
        raise StudyError(f"{where} must be one {{name = {{options}}}}, got {given!r}")
    ((name, options),) = step.items()
    if name not in known:
        raise StudyError(f"{where}: unknown step {name!r}{near(name, known)}")
    check_keys(options, known[name], f"{where} ({name})")
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
