"""A form, or a study file in the folder, becomes a study that opens nothing outside the folder."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import StudyError
from ..studies import Study, run_folder
from ..studies._toml import to_toml
from ..studies.recording_spec import SIMULATORS
from .folder import SAVED, Folder
from .foreign import check_contents

STUDIES, RESULTS = "studies", "results"
"""Folders, inside that of the app, of the studies it starts."""
SIMULATED = "simulated: "
LONGEST_NAME, LARGEST_FILE = 100, 2**20


@dataclass(frozen=True)
class Form:
    """What the form holds."""

    name: str
    recording: str
    """A recording in the folder, or "simulated: circle"."""
    methods: tuple[str, ...]
    labels: tuple[str, ...] = ()
    bin_width: float | None = None
    """Seconds; of sessions, not of saved recordings."""
    dimension: int = 3
    iterations: int | None = None
    """Training steps; each method's own unless given."""
    seeds: tuple[int, ...] = (0,)
    folds: int | None = None
    test: float = 0.2
    controls: bool = False


def study_of(form: Form, folder: Folder) -> str:
    """The text of the study file.

    Raises
    ------
    StudyError
        A field breaks a rule of studies; the message says which.
    """
    from ..models import METHODS

    for name in form.methods:
        if name not in METHODS:
            raise StudyError(f"unknown method {name!r}; isofold methods lists them")
        if METHODS[name].labels == "required" and not form.labels:
            raise StudyError(f"{name} is guided by labels: choose at least one")
    methods = [_method(name, form) for name in form.methods]
    tables: dict[str, Any] = {"name": _checked_name(form.name), "seeds": list(form.seeds)}
    tables |= {"folds": form.folds} if form.folds else {"split": {"test": form.test}}
    tables |= {"controls": ["permuted labels"]} if form.controls else {}
    tables |= {"recordings": [_recording(form, folder)], "methods": methods}
    if form.labels:
        decoded = [{"score": "decode", "label": label} for label in form.labels]
        tables["scores"] = [*decoded, {"score": "goodness_of_fit"}, {"score": "consistency"}]
    Study.from_dict(tables, folder.root)  # says what is wrong before anything is written
    return to_toml(tables)


def checked_study(path: Path, folder: Folder) -> Study:
    """A study file of the folder, if all it opens lies in the folder.

    Raises
    ------
    StudyError
        It breaks a rule of studies, or would open something outside, or needs a cluster.
    """
    if path.stat().st_size > LARGEST_FILE:
        raise StudyError(f"{path.name!r} is too large for a study file ({LARGEST_FILE} bytes)")
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise StudyError(f"{path.name} is not a TOML file: {error}") from error
    if "cluster" in tables:
        raise StudyError("a study with [cluster] is started on the command line: isofold run")
    _checked_name(tables.get("name"))
    for number, block in enumerate(_blocks(tables)):
        _check_path(block, f"recordings[{number}]", path.parent, folder)
        _check_options(block, f"recordings[{number}]")
    study = Study.from_dict(tables, path.parent)
    for recording in study.recordings:
        if recording.path is not None:
            where = Path(recording.path)
            if not folder.holds(where):
                raise _outside(recording.name)
            check_contents(folder, where)
    return study


def placed(text: str, name: str, folder: Folder) -> Path:
    """Write a study file of this name, unless another one has it.

    Raises
    ------
    StudyError
        Another study has the name, or the folder is itself one of results.
    """
    check_place(folder)
    path = folder.root / STUDIES / f"{run_folder.file_name(name)}.toml"
    if not folder.holds(path):
        raise _outside(STUDIES)
    path.parent.mkdir(exist_ok=True)
    if path.exists() and path.read_text(encoding="utf-8") != text:
        raise StudyError(
            f"{folder.name_of(path)!r} is another study; give this one another name, or choose "
            "that file to go on with it"
        )
    run_folder.write_text(path, text)
    return path


def results_of(name: str, folder: Folder) -> Path:
    """Where the results of a study of this name go.

    Raises
    ------
    StudyError
        That would be outside.
    """
    check_place(folder)
    path = folder.root / RESULTS / run_folder.file_name(_checked_name(name))
    if not folder.holds(path):
        raise _outside(RESULTS)
    return path


def check_place(folder: Folder) -> None:
    """Refuse to start studies inside of results."""
    if (folder.root / run_folder.STUDY).exists():
        raise StudyError(
            "the folder of this app is itself a folder of results; start the app one folder higher "
            "to run studies"
        )


def parse_seeds(given: object) -> tuple[int, ...]:
    """Seeds as one writes them.

    >>> parse_seeds("0, 1 2"), parse_seeds("0-3")
    ((0, 1, 2), (0, 1, 2, 3))
    """
    words = str(given or "").replace(",", " ").split()
    seeds: list[int] = []
    for word in words:
        first, _, last = word.partition("-")
        if not first.isdigit() or (last and not last.isdigit()) or len(word) > 12:
            raise StudyError(f"seeds are whole numbers such as 0, 1, 2 or 0-4; got {word[:40]!r}")
        seeds += range(int(first), min(int(last or first), int(first) + 1000) + 1)
    if not seeds:
        raise StudyError("a study needs at least one seed")
    return tuple(dict.fromkeys(seeds))


def _recording(form: Form, folder: Folder) -> dict[str, Any]:
    if form.recording.startswith(SIMULATED):
        name = form.recording.removeprefix(SIMULATED)
        if name not in SIMULATORS:
            raise StudyError(f"unknown simulator {name!r}")
        return {"simulate": {"name": name}, "name": name}
    path = folder.inside(form.recording)
    check_contents(folder, path)
    table: dict[str, Any] = {"path": str(path), "name": path.stem}
    if not (path / SAVED).is_file():
        if not form.bin_width or not form.bin_width > 0:
            raise StudyError("this recording has several clocks: give the width of a bin in s")
        table["bin"] = {"width": form.bin_width, "labels": list(form.labels)}
    return table


def _method(name: str, form: Form) -> dict[str, Any]:
    from ..models import METHODS

    known = METHODS[name]().get_params(deep=False)
    table: dict[str, Any] = {"method": name}
    table |= {"output_dimension": form.dimension} if "output_dimension" in known else {}
    if form.iterations and "max_iterations" in known:
        table["max_iterations"] = form.iterations
    guided = METHODS[name].labels == "required"
    return table | ({"labels": list(form.labels)} if guided else {})


def _checked_name(name: object) -> str:
    if not isinstance(name, str) or not name.strip(" .") or len(name) > LONGEST_NAME:
        raise StudyError(f"a study needs a name of at most {LONGEST_NAME} characters")
    return name.strip()


def _blocks(tables: Mapping[str, Any]) -> list[Any]:
    blocks = tables.get("recordings", [])
    return blocks if isinstance(blocks, list) else []


def _check_path(block: Any, where: str, beside: Path, folder: Folder) -> None:
    """Before anything is expanded or looked for."""
    if not isinstance(block, Mapping):
        return
    paths = [block["path"]] if "path" in block else []
    for axes in ("grid", "zip", "sample"):
        table = block.get(axes)
        given = table.get("path", []) if isinstance(table, Mapping) else []
        paths += given if isinstance(given, list) else [given]
    for path in paths:
        text = str(path)
        if "://" in text or "$" in text or text.startswith("~"):
            raise StudyError(
                f"{where}.path: the app runs studies of recordings in its folder, named by their "
                f"paths; got {text[:200]!r}"
            )
        fixed = text.split("*")[0].split("?")[0].split("[")[0]
        if not folder.holds(beside / fixed) or ".." in Path(text[len(fixed) :]).parts:
            raise _outside(text)


def _check_options(given: Any, where: str) -> None:
    """No option of reading or cleaning names a place on the disk."""
    if isinstance(given, Mapping):
        for key, value in given.items():
            if key == "scratch":
                raise StudyError(f"{where}: the app writes no scratch files; drop {key!r}")
            if key != "path":
                _check_options(value, where)
    elif isinstance(given, list):
        for value in given:
            _check_options(value, where)
    elif isinstance(given, str) and (given.startswith(("/", "~")) or "://" in given):
        raise _outside(given)


def _outside(what: object) -> StudyError:
    return StudyError(
        f"only what lies in the folder of the app is opened; {str(what)[:200]!r} does not"
    )
