"""What a data file would reach for beyond itself: links to other files, and pickles."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .._zarr_codecs import refuse_codecs
from ..errors import StudyError
from .folder import Folder

_HDF5 = (".nwb", ".h5", ".hdf5", ".mat", ".doric")
_ZARR = (".zarray", ".zattrs", ".zmetadata", "zarr.json")
_COMPANIONS = ("behavior", "fib")
_MOST_JSON = 2**26
"""Bytes of a description that are read."""


def check_contents(folder: Folder, path: Path) -> None:
    """Refuse a recording that leads out of the folder of the app, or holds pickles.

    HDF5 files have external links and arrays that lie in other files; a Zarr folder has links in
    its attributes and codecs that unpickle; tables have companions beside them.

    Raises
    ------
    StudyError
        Something in it leads outside.
    UnsafeFileError
        Reading it would unpickle.
    """
    _check_companions(folder, path)
    if path.is_dir():
        folder.check_tree(path)
        for name in _ZARR:
            for description in path.rglob(name):
                _check_description(folder, description)
        for inner in path.rglob("*"):
            if inner.suffix.lower() in _HDF5:
                _check_hdf5(folder, inner)
        return
    _check_hdf5(folder, path)


def _check_companions(folder: Folder, path: Path) -> None:
    """Readers of acquisition systems look at what lies beside a table, and at the behaviour beside
    the folder that it is in."""
    if path.is_file() and path.suffix.lower() != ".csv":
        return
    home = path.parent if path.is_file() or path.name.startswith("fip_") else path
    home = home.parent if home.name == "fib" else home
    if not folder.holds(home):
        raise StudyError(
            f"{path.name!r} is read together with what lies above the folder of the app, which "
            "opens nothing outside it; start the app one folder higher"
        )
    for beside in (*path.parent.iterdir(), *home.iterdir()):
        alike = beside.suffix.lower() in (".csv", ".json") or beside.name in _COMPANIONS
        if alike and beside.is_symlink() and not folder.holds(beside):
            raise StudyError(
                f"{beside.name!r} beside {path.name!r} is a link out of the folder of the app"
            )
    for name in _COMPANIONS:
        folder.check_tree(home / name)


def _check_hdf5(folder: Folder, path: Path) -> None:
    import h5py

    if not h5py.is_hdf5(path):
        return
    with h5py.File(path, "r") as file:
        groups, seen = [file["/"]], set()
        while groups:
            group = groups.pop()
            if group.id in seen:  # hard links may go in circles
                continue
            seen.add(group.id)
            for name in group:
                link = group.get(name, getlink=True)
                if isinstance(link, h5py.ExternalLink):
                    _check_target(folder, path, str(link.filename))
                    continue
                if isinstance(link, h5py.SoftLink):
                    continue
                item = group[name]
                if isinstance(item, h5py.Group):
                    groups.append(item)
                elif isinstance(item, h5py.Dataset):
                    for source in _sources(item):
                        _check_target(folder, path, source)


def _sources(dataset: Any) -> list[str]:
    """Other files that an array's values lie in."""
    external = [str(name) for name, *_ in dataset.external or ()]
    virtual = [s.file_name for s in dataset.virtual_sources()] if dataset.is_virtual else []
    return external + [name for name in virtual if name != "."]


def _check_target(folder: Folder, path: Path, target: str) -> None:
    if "://" in target or not folder.holds(path.parent / target):
        raise StudyError(
            f"{path.name!r} holds a link to {target!r}, out of the folder of the app, which opens "
            "nothing outside it"
        )
    check_contents(folder, (path.parent / target).resolve())


def _check_description(folder: Folder, file: Path) -> None:
    content = _json(file)
    refuse_codecs(file, content)
    for source in _links(content):
        if source not in ("", "."):
            target = file.parent / source
            if "://" in source or not folder.holds(target):
                raise StudyError(
                    f"{folder.name_of(file)!r} holds a link to {source!r}, out of the folder of "
                    "the app, which opens nothing outside it"
                )


def _links(content: Any) -> list[str]:
    """Stores that links and references of NWB in Zarr name: tables of `source` and `path`."""
    if isinstance(content, dict):
        source = content.get("source")
        own = [source] if isinstance(source, str) and "path" in content else []
        return own + [s for inner in content.values() for s in _links(inner)]
    return [s for inner in content for s in _links(inner)] if isinstance(content, list) else []


def _json(file: Path) -> Any:
    if file.stat().st_size > _MOST_JSON:
        raise StudyError(f"{file.name!r} in {file.parent.name!r} is too large to be a description")
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise StudyError(f"{file.name!r} in {file.parent.name!r} is damaged: {error}") from error
