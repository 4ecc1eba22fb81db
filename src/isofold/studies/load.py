"""Files become sessions and recordings; the last one is kept, since its runs follow each other."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._store import load_recording
from ..recording import Recording
from .place import Place
from .recording_spec import RecordingSpec
from .steps import cleaned

if TYPE_CHECKING:
    from ..session import Session


def located(spec: RecordingSpec, place: Place) -> RecordingSpec:
    """A recording beside the results is read where they are mirrored."""
    within = f"{place.address}/"
    if not str(spec.path).startswith(within):
        return spec
    name = str(spec.path).removeprefix(within)
    if not (place.path / name).exists():
        place.pull(name)
    return replace(spec, path=str(place.path / name))


def load_session(spec: RecordingSpec, fingerprint: str) -> Session:
    """The session, cleaned and restricted."""
    clean = json.dumps([dict(step) for step in spec.clean])
    path, restrict = str(spec.path), _text(spec.restrict)
    return _session(path, _text(spec.read), clean, restrict, fingerprint)


def load_binned(spec: RecordingSpec, fingerprint: str) -> Recording:
    """The recording as it stands before any step."""
    if spec.simulate:
        return named(_simulated(_text(spec.simulate)), spec)
    if is_saved(Path(str(spec.path))):
        return named(load_recording(Path(str(spec.path))), spec)
    return _binned(load_session(spec, fingerprint), _text(spec.bin), spec.name, spec.subject)


def is_saved(path: Path) -> bool:
    """Whether a folder is what `Recording.save` writes."""
    return (path / "recording.json").is_file()


def named(recording: Recording, spec: RecordingSpec) -> Recording:
    """With the name and subject of the study."""
    return replace(recording, name=spec.name, subject=spec.subject or recording.subject)


@lru_cache(maxsize=1)
def _simulated(options: str) -> Recording:
    from .. import simulate

    given = json.loads(options)
    return getattr(simulate, given.pop("name"))(**given)


@lru_cache(maxsize=1)
def _session(path: str, given: str, clean: str, restrict: str, fingerprint: str) -> Session:
    from ..readers import read

    session = cleaned(read(path, **json.loads(given)), json.loads(clean))
    options = json.loads(restrict)
    where = options.pop("where", None)
    # Several tables, one after the other: what lies in all of them.
    for name in where if isinstance(where, list) else [where]:
        session = session if name is None else session.restrict(name)
    return session.restrict(None, **options) if options else session


@lru_cache(maxsize=1)
def _binned(session: Session, options: str, name: str, subject: str | None) -> Recording:
    recording = session.bin(**_bin_options(json.loads(options)))
    return replace(recording, name=name, subject=subject or recording.subject)


def _bin_options(options: dict[str, Any]) -> dict[str, Any]:
    if "window" in options:
        options["window"] = tuple(options["window"])
    return options


def _text(options: Any) -> str:
    """What a cache can hash."""
    return json.dumps(dict(options), sort_keys=False)
