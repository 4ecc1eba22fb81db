"""Recordings on disk: a Zarr folder for the arrays, JSON for the rest.

    NAME/recording.json      clock, labels, tables, provenance, fingerprint
    NAME/signal, truth       Zarr arrays
    NAME/label0, label1 …    Zarr arrays; strings as codes with their values in the JSON

Arrays are written in Zarr format 2, which zarr-python 2 and 3 both read.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ._rows import blocks
from ._tables_json import scalar_from_json, scalar_to_json, table_from_json, table_to_json
from ._zarr_codecs import refuse_pickles
from .errors import DataError, ReadError

if TYPE_CHECKING:
    from .recording import Recording

FORMAT, VERSION = "isofold recording", 1
CHUNK_BYTES = 2**22


def save_recording(recording: Recording, path: str | Path) -> Path:
    """Write a recording to a Zarr folder, replacing an older recording of that name.

    The folder is written beside its place and renamed, so that what stands there is always whole.

    Raises
    ------
    DataError
        Something that is no recording stands at `path`, or a table holds what JSON cannot.
    """
    path = Path(path)
    _refuse_foreign(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")
    try:
        unfinished.mkdir()
        content = _describe(recording, unfinished)
        _write_array(unfinished / "signal", recording.signal)
        if recording.truth is not None:
            _write_array(unfinished / "truth", recording.truth)
        text = json.dumps(content, indent=1, allow_nan=False)
        (unfinished / "recording.json").write_text(text, encoding="utf-8")
        _put(unfinished, path)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return path


def load_recording(path: str | Path, *, verify: bool = False) -> Recording:
    """Open a saved recording; its signal is read when it is used.

    Parameters
    ----------
    path
        Folder that `Recording.save` wrote.
    verify
        Read everything and compare it with the fingerprint in the folder.

    Raises
    ------
    ReadError
        The folder is none of ours, of a newer format, or damaged.
    UnsafeFileError
        An array in it is stored through pickle.

    Examples
    --------
    >>> import tempfile, isofold
    >>> folder = tempfile.mkdtemp() + "/circle"
    >>> recording = isofold.simulate.circle(seed=0, n_samples=50)
    >>> again = isofold.load_recording(recording.save(folder))
    >>> again.fingerprint == recording.fingerprint
    True
    """
    from .recording import Recording

    path = Path(path)
    content = _content(path)
    refuse_pickles(path)
    try:
        tables = {
            k: _maybe(table_from_json, content[k]) for k in ("trials", "channels", "segments")
        }
        recording = Recording(
            _open_array(path / "signal"),
            content["rate"],
            start=content["start"],
            labels={label["name"]: _read_label(path, label) for label in content["labels"]},
            kinds=content["kinds"],
            events={
                k: np.array([scalar_from_json(t) for t in v], float)
                for k, v in content["events"].items()
            },
            truth=np.asarray(_open_array(path / "truth")[:]) if content["truth"] else None,
            name=content["name"],
            subject=content["subject"],
            provenance=tuple(_from_json(step) for step in content["provenance"]),
            whole=_maybe(tuple, content["whole"]),
            **tables,
        )
    except Exception as error:  # whatever a damaged folder makes zarr, JSON or our checks raise
        raise ReadError(f"the recording at {path} is damaged ({error}); save it again") from error
    if verify and fingerprint(recording) != content["fingerprint"]:
        raise ReadError(f"the recording at {path} is damaged: its content and fingerprint differ")
    return recording


def fingerprint(recording: Recording) -> str:
    """SHA-256 of signal, labels and kinds, trials, segments and clock.

    Equal content gives an equal value, wherever it is held; the signal is read block by block.
    """
    digest = hashlib.sha256()
    head = {
        "rate": recording.rate,
        "kinds": dict(sorted(recording.kinds.items())),
        "trials": None if recording.trials is None else table_to_json(recording.trials, "trials"),
        "segments": table_to_json(recording.segments, "segments"),
    }
    digest.update(json.dumps(head, allow_nan=False).encode())
    for name, array in [("", recording.signal), *sorted(recording.labels.items())]:
        text = array.dtype.kind == "U"
        shape = "x".join(map(str, array.shape))
        digest.update(f"\n{name} {'str' if text else array.dtype.name} {shape}\n".encode())
        if text:
            digest.update(json.dumps(np.asarray(array).tolist()).encode())
            continue
        little = array.dtype.newbyteorder("<")
        for start, stop in blocks(array):
            digest.update(np.ascontiguousarray(array[start:stop], dtype=little).tobytes())
    return digest.hexdigest()


# -- writing ------------------------------------------------------------------------------------


def _refuse_foreign(path: Path) -> None:
    empty = path.is_dir() and not any(path.iterdir())
    if path.exists() and not empty and not (path / "recording.json").is_file():
        raise DataError(
            f"save() replaces recordings only, and {path} is something else; choose another name"
        )


def _describe(recording: Recording, folder: Path) -> dict[str, Any]:
    """Everything but signal and truth; writes the labels into the folder."""
    trials = recording.trials
    return {
        "format": FORMAT,
        "version": VERSION,
        "fingerprint": fingerprint(recording),
        "name": recording.name,
        "subject": recording.subject,
        "rate": recording.rate,
        "start": float(recording.start),
        "kinds": dict(recording.kinds),
        "labels": [
            _write_label(folder, f"label{i}", name, values)
            for i, (name, values) in enumerate(recording.labels.items())
        ],
        "events": {k: [scalar_to_json(t) for t in v] for k, v in recording.events.items()},
        "trials": None if trials is None else table_to_json(trials, "trials"),
        "channels": table_to_json(recording.channels, "channels"),
        "segments": table_to_json(recording.segments, "segments"),
        "truth": recording.truth is not None,
        "provenance": [_to_json(step) for step in recording.provenance],
        "whole": recording.whole,
    }


def _write_label(folder: Path, key: str, name: str, values: NDArray) -> dict[str, Any]:
    entry: dict[str, Any] = {"name": name, "key": key, "values": None}
    if values.dtype.kind == "U":
        known, codes = np.unique(values, return_inverse=True)
        entry["values"], values = known.tolist(), codes.reshape(values.shape).astype(np.int32)
    _write_array(folder / key, values)
    return entry


def _write_array(path: Path, array: Any) -> None:
    import zarr

    row = array.dtype.itemsize * max(int(np.prod(array.shape[1:])), 1)
    rows = int(np.clip(CHUNK_BYTES // row, 1, max(array.shape[0], 1)))
    chunks = (rows, *(max(n, 1) for n in array.shape[1:]))
    version: dict[str, Any] = {} if zarr.__version__.startswith("2.") else {"zarr_format": 2}
    out = zarr.open_array(
        str(path), mode="w", shape=array.shape, chunks=chunks, dtype=array.dtype, **version
    )
    for start in range(0, array.shape[0], rows):
        out[start : start + rows] = np.asarray(array[start : start + rows])


def _put(unfinished: Path, path: Path) -> None:
    """Rename into place; an older recording makes way first."""
    older = unfinished.with_name(unfinished.name + ".old")
    if path.exists():
        os.rename(path, older)
    os.rename(unfinished, path)
    shutil.rmtree(older, ignore_errors=True)


def _to_json(value: Any) -> Any:
    """Settings of a step: scalars, lists and mappings of them; anything else by its name."""
    if isinstance(value, dict):
        return {"map": [[str(k), _to_json(v)] for k, v in value.items()]}
    if isinstance(value, tuple | list | np.ndarray):
        return {"list": [_to_json(v) for v in value]}
    try:
        return scalar_to_json(value)
    except TypeError:
        return str(value)


# -- reading ------------------------------------------------------------------------------------


def _content(path: Path) -> dict[str, Any]:
    about = path / "recording.json"
    if not about.is_file():
        raise ReadError(
            f"{path} holds no recording.json: it is not a folder that Recording.save() wrote; "
            "isofold.read() opens files of other formats"
        )
    try:
        content = json.loads(about.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ReadError(f"the recording at {path} is damaged ({error}); save it again") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ReadError(f"{about} does not say that it is an {FORMAT!r}")
    if content.get("version") != VERSION:
        raise ReadError(
            f"{path} has format {content.get('version')!r}, this isofold reads {VERSION}; "
            "read it with the version that wrote it"
        )
    return content


def _open_array(path: Path) -> Any:
    import zarr

    return zarr.open_array(str(path), mode="r")


def _read_label(path: Path, entry: dict[str, Any]) -> NDArray:
    values = np.asarray(_open_array(path / entry["key"])[:])
    return values if entry["values"] is None else np.asarray(entry["values"], dtype=str)[values]


def _from_json(value: Any) -> Any:
    if isinstance(value, dict) and "map" in value:
        return {k: _from_json(v) for k, v in value["map"]}
    if isinstance(value, dict) and "list" in value:
        return [_from_json(v) for v in value["list"]]
    return scalar_from_json(value)


def _maybe(function, value: Any) -> Any:
    return None if value is None else function(value)
