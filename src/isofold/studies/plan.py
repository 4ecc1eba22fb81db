"""What is to be run, where, and whether it may: everything before the first run."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from .._store import load_recording
from ..errors import ReadError, StudyError
from . import run_folder
from .integrity import DONE
from .keys import input_fingerprint, text_fingerprint
from .load import is_saved
from .manifest import manifest
from .place import Place, place_of
from .recording_spec import RecordingSpec
from .results import Results
from .run_folder import MANIFEST, STUDY
from .spec import Study
from .tasks import Task, done, unrolled

_log = logging.getLogger(__name__)
_INPUTS = "inputs"


@dataclass(frozen=True)
class Plan:
    """A study unrolled, and the place of its results."""

    study: Study
    place: Place
    fingerprints: Mapping[str, str]
    tasks: list[Task]
    given: Study
    """Before its recordings had a place."""

    @property
    def left(self) -> list[Task]:
        """What is not done."""
        return [t for t in self.tasks if not done(self.place.path, t)]


def planned(study: Study, out: str | Path, resume: bool = False) -> Plan:
    """All runs of a study; nothing is written.

    Raises
    ------
    StudyError
        The place holds something else.
    """
    place = place_of(out)
    place.pull(STUDY, MANIFEST)
    _check_empty(place, out)
    fingerprints = {r.name: fingerprint_of(r) for r in study.recordings}
    given, study = study, replace(placed(study, place), cluster=None)
    _check_same(place, study, fingerprints, resume)
    place.pull_runs(DONE)
    return Plan(study, place, fingerprints, unrolled(study, fingerprints), given)


def begun(plan: Plan) -> dict[str, Any]:
    """Write what the results begin with; damaged runs go. The manifest, to be finished."""
    out = plan.place.path
    (out / "runs").mkdir(parents=True, exist_ok=True)
    save_recordings(plan.given, plan.study, plan.place)
    run_folder.sweep(out)
    for task in plan.tasks:
        if done(out, task) and (what := plan.place.damage(task.key)):
            _log.warning("run %s is damaged (%s) and is repeated", task.key, what)
            plan.place.drop(task.key)
    started = manifest(plan.study, plan.fingerprints, [t.key for t in plan.tasks])
    run_folder.write_text(out / STUDY, plan.study.to_toml())
    run_folder.write_json(out / MANIFEST, started)
    plan.place.push(STUDY, MANIFEST)
    return started


def fingerprint_of(spec: RecordingSpec) -> str:
    """Of the file; of the content where it is a `Recording`, in memory or saved."""
    if spec.recording is not None:
        return spec.recording.fingerprint
    if spec.simulate:
        return text_fingerprint(json.dumps(dict(spec.simulate), sort_keys=True))
    path = Path(str(spec.path))
    return load_recording(path).fingerprint if is_saved(path) else input_fingerprint(path)


def placed(study: Study, place: Place) -> Study:
    """Recordings that are given as objects get a path beside the results."""
    return replace(study, recordings=[_placed(r, place) for r in study.recordings])


def save_recordings(given: Study, placed: Study, place: Place) -> None:
    """Write them there, unless they are."""
    for before, after in zip(given.recordings, placed.recordings, strict=True):
        if before.recording is not None:
            name = str(after.path).removeprefix(f"{place.address}/")
            path = place.path / name
            if not _holds(path, before.recording.fingerprint):
                path.parent.mkdir(parents=True, exist_ok=True)
                before.recording.save(path)
                place.push(name)


def _check_empty(place: Place, out: str | Path) -> None:
    """Refuse a place that holds something else."""
    if place.path.exists() and not place.path.is_dir():
        raise StudyError(f"out must be a folder, {str(out)!r} is a file")
    names = place.names()
    if STUDY not in names and any(name != _INPUTS for name in names):
        raise StudyError(
            f"{str(out)!r} is not empty and holds no results of a study; give a new folder (--out)"
        )


def _check_same(place: Place, study: Study, fingerprints: Mapping[str, str], resume: bool) -> None:
    """Refuse the results of another study, unless they are to be gone on with."""
    path = place.path / STUDY
    if resume or not path.is_file():
        return
    results = Results(place.path)
    try:
        name, before = results.study.get("name"), _inputs(results)
    except (ValueError, AttributeError, TypeError, KeyError) as error:
        what = f"a damaged {STUDY} or {MANIFEST} ({error})"
    else:
        if path.read_bytes() != study.to_toml().encode():
            what = f"another study ({name!r})"
        elif before and before != fingerprints:
            what = "this study of other input (a file has changed)"
        else:
            return
    raise StudyError(
        f"{place.address!r} holds {what}; give a new folder (--out), or --resume to go on in it "
        "and keep the runs that match"
    )


def _inputs(results: Results) -> dict[str, str]:
    inputs = results.manifest.get("inputs", {})
    return {name: about["sha256"] for name, about in inputs.items()}


def _placed(spec: RecordingSpec, place: Place) -> RecordingSpec:
    if spec.recording is None:
        return spec
    path = f"{place.address}/{_INPUTS}/{run_folder.file_name(spec.name)}.zarr"
    return replace(spec, path=path, recording=None)


def _holds(path: Path, fingerprint: str) -> bool:
    """Whether a recording is saved already, whole."""
    try:
        return load_recording(path).fingerprint == fingerprint
    except (ReadError, OSError):
        return False
