"""The one folder that the app opens things in: what lies in it, and nothing outside."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..errors import StudyError
from ..studies.run_folder import STUDY

RECORDINGS = (".nwb", ".npz", ".npy", ".csv", ".parquet", ".mat", ".h5", ".hdf5", ".doric", ".ppd")
"""Suffixes under which `isofold.read` knows files; saved recordings are folders."""
SAVED = "recording.json"
MOST_FOLDERS, MOST_LISTED = 20_000, 2000
"""Folders looked into and things listed; the page says when it stopped there."""


@dataclass(frozen=True)
class Listing:
    """What a folder holds, as paths relative to it."""

    results: list[str]
    recordings: list[str]
    studies: list[str]
    whole: bool
    """Whether everything was looked at."""


class Folder:
    """A folder beyond which nothing is opened, whatever a browser asks for.

    Raises
    ------
    StudyError
        It is no folder.
    """

    def __init__(self, root: str | Path):
        self.root = Path(root).resolve()
        if not self.root.is_dir():
            raise StudyError(f"the app shows a folder; {str(root)!r} is none")

    def inside(self, relative: object) -> Path:
        """The path that a name relative to the folder means, links followed.

        Raises
        ------
        StudyError
            It leads outside, or nothing is there.

        Examples
        --------
        >>> Folder(".").inside("../..")
        Traceback (most recent call last):
        isofold.errors.StudyError: only what lies in the folder of the app is opened; ...
        """
        if not isinstance(relative, str) or "\x00" in relative or "://" in relative:
            raise _outside(relative)
        try:
            path = (self.root / relative).resolve()
        except (OSError, RuntimeError):  # a loop of links
            raise _outside(relative) from None
        if not self.holds(path):
            raise _outside(relative)
        if not path.exists():
            raise StudyError(f"nothing is at {relative!r} in the folder of the app")
        return path

    def holds(self, path: Path) -> bool:
        """Whether a path lies in the folder once links are followed."""
        return path.resolve().is_relative_to(self.root)

    def name_of(self, path: Path) -> str:
        """A path as a name relative to the folder."""
        return path.relative_to(self.root).as_posix()

    def check_tree(self, path: Path) -> None:
        """Refuse a folder in which a link leads out of the app's folder.

        Raises
        ------
        StudyError
            Naming the first such link.
        """
        for folder, folders, files in os.walk(path):
            for name in (*folders, *files):
                entry = Path(folder, name)
                if entry.is_symlink() and not self.holds(entry):
                    raise StudyError(
                        f"{self.name_of(entry)!r} is a link out of the folder of the app, which "
                        "opens nothing outside it; copy what it points to, or start the app higher"
                    )

    def listing(self) -> Listing:
        """Results, recordings and study files in the folder; links are not followed."""
        results: list[str] = []
        recordings: list[str] = []
        studies: list[str] = []
        looked = 0
        for folder, files in self._folders():
            looked += 1
            name = self.name_of(folder)
            if STUDY in files:
                results.append(name)
                continue
            if SAVED in files:
                recordings.append(name)
                continue
            for file in sorted(files):
                kind = Path(file).suffix.lower()
                if kind in RECORDINGS and not (folder / file).is_symlink():
                    recordings.append(self.name_of(folder / file))
                elif kind == ".toml" and not (folder / file).is_symlink():
                    studies.append(self.name_of(folder / file))
        whole = looked < MOST_FOLDERS
        for names in (results, recordings, studies):
            whole &= len(names) <= MOST_LISTED
            names[:] = sorted(names)[:MOST_LISTED]
        return Listing(results, recordings, studies, whole)

    def _folders(self) -> Iterator[tuple[Path, set[str]]]:
        """Folders and the names of their files, from the top down."""
        for looked, (folder, folders, files) in enumerate(os.walk(self.root), start=1):
            found = set(files)
            # what results and recordings consist of is no place to look for more of them
            inner = {"runs", "recordings"} if STUDY in found else set()
            leaf = SAVED in found or ".zgroup" in found
            folders[:] = sorted(
                name
                for name in folders
                if not leaf and not name.startswith((".", "__")) and name not in inner
            )
            yield Path(folder), found
            if looked >= MOST_FOLDERS:
                return


def _outside(relative: object) -> StudyError:
    return StudyError(
        f"only what lies in the folder of the app is opened; {str(relative)[:200]!r} does not"
    )
