"""Where results lie: a folder, or an address of fsspec (`s3://bucket/x`) with a mirror here.

Everything else works on a folder. For results elsewhere that folder is a mirror, which holds what
was pulled or written, and is gone with its `Place`; what is to last is pushed.
"""

from __future__ import annotations

import shutil
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

from .._extras import require
from ..errors import StudyError
from . import run_folder
from .integrity import DONE, damage
from .run_folder import run_path

_FILE = "file://"
_IN_PROCESS = ("memory",)
"""Protocols whose files other processes do not see."""


class Place(Protocol):
    """The folder that a study works on, and how it follows where the results really lie."""

    path: Path
    """A folder of this machine: the results, or their mirror."""
    address: str
    """What another process opens."""

    @property
    def shared(self) -> bool:
        """Whether another process sees the results."""

    def names(self) -> list[str]:
        """What there is at the top."""

    def has(self, name: str) -> bool:
        """Whether there is such a file."""

    def pull(self, *names: str) -> None:
        """Have files and folders here, as they are there; what does not exist is passed over."""

    def pull_runs(self, *names: str) -> None:
        """The same for these files of all runs, in one go."""

    def push(self, *names: str) -> None:
        """Have files and folders there, as they are here."""

    def push_run(self, key: str) -> None:
        """Have a run there, `done` last, in place of what was there; it need not stay here."""

    def is_done(self, key: str) -> bool:
        """Whether a run is done."""

    def drop(self, key: str) -> None:
        """Remove a run, here and there."""

    def forget(self, *names: str) -> None:
        """Room for others: files and folders need not stay here."""

    def damage(self, key: str) -> str:
        """What is wrong with the files of a run that is done; "" where nothing is."""


class Folder:
    """Results on a file system of this machine: there is nothing to pull or push."""

    shared = True

    def __init__(self, path: str | Path):
        self.path = Path(path)
        self.address = str(self.path.resolve())

    def names(self) -> list[str]:
        return [p.name for p in self.path.iterdir()] if self.path.is_dir() else []

    def has(self, name: str) -> bool:
        return (self.path / name).is_file()

    def pull(self, *names: str) -> None:
        """They are here."""

    def pull_runs(self, *names: str) -> None:
        """They are here."""

    def push(self, *names: str) -> None:
        """They are there."""

    def push_run(self, key: str) -> None:
        """It is there."""

    def is_done(self, key: str) -> bool:
        return run_folder.status(self.path, key) == DONE

    def drop(self, key: str) -> None:
        run_folder.drop(self.path, key)

    def forget(self, *names: str) -> None:
        """They have to stay."""

    def damage(self, key: str) -> str:
        return damage(run_path(self.path, key))


class Remote:
    """Results at an address of fsspec; credentials come from its configuration (AWS_* for S3).

    Raises
    ------
    StudyError
        No file system of that name is known.
    MissingDependencyError
        Its package is not installed.
    """

    def __init__(self, address: str):
        self.address = address.rstrip("/")
        self._fs, root = _opened(self.address)
        self._root = root.rstrip("/")
        self._sizes: dict[str, int] = {}
        self._temporary = TemporaryDirectory(prefix="isofold-")
        self.path = Path(self._temporary.name)

    @property
    def shared(self) -> bool:
        return self.address.split("://")[0] not in _IN_PROCESS

    def names(self) -> list[str]:
        return sorted({name.split("/")[0] for name in self._listed("")})

    def has(self, name: str) -> bool:
        self._fs.invalidate_cache()
        return bool(self._fs.isfile(self._there(name)))

    def pull(self, *names: str) -> None:
        self._get([n for name in names for n in self._listed(name)])

    def pull_runs(self, *names: str) -> None:
        self._sizes = self._listed("runs")
        self._get([n for n in self._sizes if n.split("/", 2)[-1] in names])

    def push(self, *names: str) -> None:
        files = [file for name in names for file in _files(self.path / name)]
        there = [self._there(file.relative_to(self.path).as_posix()) for file in files]
        self._fs.put([str(file) for file in files], there)

    def push_run(self, key: str) -> None:
        self._drop(key)
        names = [f"runs/{key}/{p.name}" for p in run_path(self.path, key).iterdir()]
        names.sort(key=lambda name: name.endswith(f"/{DONE}"))
        for name in names:
            self.push(name)
        self.forget(f"runs/{key}")

    def is_done(self, key: str) -> bool:
        return self.has(f"runs/{key}/{DONE}")

    def drop(self, key: str) -> None:
        self.forget(f"runs/{key}")
        self._drop(key)

    def forget(self, *names: str) -> None:
        for name in names:
            shutil.rmtree(self.path / name, ignore_errors=True)

    def damage(self, key: str) -> str:
        folder = f"runs/{key}/"
        sizes = {n.removeprefix(folder): s for n, s in self._sizes.items() if n.startswith(folder)}
        return damage(run_path(self.path, key), sizes)

    def _drop(self, key: str) -> None:
        names = self._listed(f"runs/{key}")
        first = [n for n in names if n.endswith(f"/{DONE}")]  # what is half gone is not done
        for some in (first, [n for n in names if n not in first]):
            if some:
                self._fs.rm([self._there(n) for n in some])

    def _listed(self, name: str) -> dict[str, int]:
        """Bytes of a file, or of all files of a folder, by name."""
        self._fs.invalidate_cache()
        try:
            found = self._fs.find(self._there(name), detail=True)
        except FileNotFoundError:
            return {}
        start = len(self._root) + 1
        return {path[start:]: int(about.get("size") or 0) for path, about in found.items()}

    def _get(self, names: list[str]) -> None:
        for name in names:
            (self.path / name).parent.mkdir(parents=True, exist_ok=True)
        if names:
            here = [str(self.path / n) for n in names]
            self._fs.get([self._there(n) for n in names], here)

    def _there(self, name: str) -> str:
        return f"{self._root}/{name}" if name else self._root


def place_of(results: str | Path) -> Place:
    """The place that a path or an address names."""
    text = str(results)
    if "://" not in text:
        return Folder(results)
    return Folder(text[len(_FILE) :]) if text.startswith(_FILE) else Remote(text)


@lru_cache(maxsize=1)
def same_place(address: str) -> Place:
    """The place at an address, opened once a process."""
    return place_of(address)


def _files(path: Path) -> list[Path]:
    return [p for p in path.rglob("*") if p.is_file()] if path.is_dir() else [path]


def _opened(address: str) -> tuple[Any, str]:
    from fsspec import url_to_fs  # comes with dask

    if address.startswith("s3://"):
        require("s3fs", "s3", "an address s3://")
    try:
        return url_to_fs(address)
    except (ImportError, ValueError) as error:
        raise StudyError(
            f"results lie in a folder or at an address of fsspec, {address!r} is none: {error}"
        ) from error
