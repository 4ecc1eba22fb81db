"""Whether a finished run is still what was written: `done` lists its files, sizes and CRC-32."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from pathlib import Path

DONE = "done"
_BLOCK = 1 << 22


def seal(folder: Path) -> None:
    """Write `done`, the list of all files that a run has made; it is the last file of a run."""
    files = {name: [path.stat().st_size, _crc(path)] for name, path in _files(folder)}
    text = json.dumps({"files": files}, indent=0, sort_keys=True, ensure_ascii=False)
    (folder / DONE).write_text(text + "\n", encoding="utf-8")


def damage(folder: Path, sizes: Mapping[str, int] | None = None) -> str:
    """What is wrong with a finished run: a file that is missing or changed; "" where all is well.

    Parameters
    ----------
    folder
        Folder of the run; only its `done` is read where `sizes` are given.
    sizes
        Sizes of its files by name, where they lie elsewhere; object stores check content
        themselves, so sizes are compared and no file is fetched.
    """
    try:
        files = json.loads((folder / DONE).read_text(encoding="utf-8"))["files"]
        for name, (size, crc) in files.items():
            there = _size(folder / name) if sizes is None else sizes.get(name)
            if there is None:
                return f"{name} is missing"
            if there != size:
                return f"{name} has {there} bytes, not {size}"
            if sizes is None and _crc(folder / name) != crc:
                return f"{name} has changed"
    except (ValueError, KeyError, TypeError, AttributeError):
        return f"{DONE} lists no files"
    return ""


def _files(folder: Path) -> list[tuple[str, Path]]:
    paths = (p for p in folder.rglob("*") if p.is_file())
    return sorted((p.relative_to(folder).as_posix(), p) for p in paths)


def _size(path: Path) -> int | None:
    return path.stat().st_size if path.is_file() else None


def _crc(path: Path) -> int:
    crc = 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            crc = zlib.crc32(block, crc)
    return crc
