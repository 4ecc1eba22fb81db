"""What lies in a folder, found by content at any depth: mounts and names vary, content does not."""

from __future__ import annotations

import json
import os
import tomllib
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HDF5 = b"\x89HDF\r\n\x1a\n"
ZIP = b"PK\x03\x04"
MARKERS = ("fixed_parameters", "distributed_parameters")
"""Keys by which a file of analysis parameters is known."""
DESCRIPTION = "data_description.json"
SUFFIXES = (".nwb", ".doric", ".ppd")
_ZARR = (".zgroup", ".zarray", "zarr.json")
_LARGEST = 64 << 20
"""Bytes of a text file beyond which it is data."""


@dataclass
class Found:
    """Paths in the order of their names."""

    studies: list[Path] = field(default_factory=list)
    """TOML files with recordings and methods."""
    parameters: list[Path] = field(default_factory=list)
    """JSON files with `fixed_parameters` or `distributed_parameters`."""
    jobs: list[Path] = field(default_factory=list)
    """What `dispatch` wrote."""
    recordings: list[Path] = field(default_factory=list)
    """NWB (HDF5 and Zarr), folders of acquisition systems, Doric and pyPhotometry files,
    `Recording.save` folders and `.npz` files."""
    results: list[Path] = field(default_factory=list)
    """Folders with runs of a study."""
    assets: list[Path] = field(default_factory=list)
    """Folders with a data_description.json."""
    broken: dict[Path, str] = field(default_factory=dict)
    """Study and parameter files that cannot be parsed, and why."""


def find(folder: str | Path) -> Found:
    """Everything in a folder that a study could start from.

    Links are followed, once each. Hidden folders, Zarr stores and results are not looked into; a
    folder of an acquisition system is one recording, whatever data lie in it.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> (folder / "deep").mkdir()
    >>> _ = (folder / "deep" / "p.json").write_text('{"fixed_parameters": {}}')
    >>> [path.name for path in find(folder).parameters]
    ['p.json']
    """
    found = Found()
    acquired: list[Path] = []
    for path, files in _walked(Path(folder), found):
        if DESCRIPTION in files:
            found.assets.append(path)
        inside = any(root in path.parents for root in acquired)
        if not inside and _is_acquisition(path):
            acquired.append(path)
            found.recordings.append(path)
        for name in sorted(files):
            _sort_in(path / name, found, data=not inside and path not in acquired)
    return found


def asset_of(path: Path, assets: list[Path]) -> Path | None:
    """The innermost asset that a file belongs to."""
    inside = [asset for asset in assets if asset == path or asset in path.parents]
    return max(inside, key=lambda asset: len(asset.parts), default=None)


def _walked(folder: Path, found: Found) -> Iterator[tuple[Path, list[str]]]:
    seen = set()
    for root, folders, files in os.walk(folder, followlinks=True):
        path = Path(root)
        if (real := os.path.realpath(root)) in seen or _taken(path, files, folders, found):
            folders.clear()
            continue
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        own = {name: os.path.realpath(path / name) for name in files}  # links may double a file
        yield path, [name for name in files if own[name] not in seen]
        seen |= {real, *own.values()}


def _taken(path: Path, files: list[str], folders: list[str], found: Found) -> bool:
    """Whether a folder is one thing, into which nobody looks."""
    if "recording.json" in files or _is_nwb_zarr(path, files):
        found.recordings.append(path)
    elif "runs" in folders and any((path / "runs").glob("[!.]*/settings.json")):
        found.results.append(path)
    elif not set(_ZARR) & set(files):
        return False
    return True


def _sort_in(path: Path, found: Found, data: bool) -> None:
    try:
        with path.open("rb") as file:
            head = file.read(64)
        size = path.stat().st_size
    except OSError:  # a link to nowhere
        return
    if _is_recording(path, head):
        if data:
            found.recordings.append(path)
    elif size <= _LARGEST and path.suffix.lower() == ".toml":
        _sort_in_toml(path, found)
    elif size <= _LARGEST and head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        _sort_in_json(path, found)  # also without a suffix: pipelines rename what they stage


def _sort_in_toml(path: Path, found: Found) -> None:
    text = path.read_text(encoding="utf-8", errors="replace")
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        if "methods" in text:
            found.broken[path] = f"is not a TOML file: {error}"
        return
    if {"recordings", "methods"} & set(tables) and "build-system" not in tables:
        found.studies.append(path)


def _sort_in_json(path: Path, found: Found) -> None:
    text = path.read_text(encoding="utf-8-sig", errors="replace")
    marked = any(f'"{marker}"' in text for marker in MARKERS)
    if not marked and '"isofold job"' not in text:
        return
    try:
        content: Any = json.loads(text)
    except ValueError as error:
        found.broken[path] = f"is not a JSON file: {error}"
        return
    if content.get("format") == "isofold job":
        found.jobs.append(path)
    elif any(marker in content for marker in MARKERS):
        found.parameters.append(path)


def _is_acquisition(folder: Path) -> bool:
    from ..readers._folders import FOLDERS

    return any(knows(folder) for knows, _ in FOLDERS)


def _is_recording(path: Path, head: bytes) -> bool:
    if path.suffix.lower() in SUFFIXES:  # also one that is damaged, so that it is named
        return True
    if head.startswith(HDF5):
        return _is_hdf5_recording(path)
    return head.startswith(ZIP) and _is_npz(path)


def _is_hdf5_recording(path: Path) -> bool:
    import h5py

    from ..readers.doric import is_doric

    try:
        with h5py.File(path, "r") as file:
            return "nwb_version" in file.attrs or is_doric(path)
    except OSError:
        return False


def _is_nwb_zarr(path: Path, files: list[str]) -> bool:
    for name in {".zattrs", "zarr.json"} & set(files):
        text = (path / name).read_text(encoding="utf-8", errors="replace")
        if '"nwb_version"' in text:
            return True
    return False


def _is_npz(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError):
        return path.suffix.lower() == ".npz"  # cut short
    return bool(names) and all(name.endswith(".npy") for name in names)
