"""`.npz` and `.npy` → `Session`."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ReadError, UnsafeFileError
from ..session import Session
from ._named_arrays import session_of

_OBJECTS = (
    "{0} holds Python objects ({1}), and loading those would run code that the file carries. Where "
    "you trust it, load it with NumPy and save plain arrays: np.savez('file.npz', name=array, ...)"
)


def read_npz(path: Path, **options: Any) -> Session:
    """Each array of the archive, time first, is a series under its own name."""
    arrays = {}
    try:
        with np.load(path, allow_pickle=False) as archive:
            for key in archive.files:
                arrays[key] = _plain(lambda key=key: archive[key], f"{path.name}[{key!r}]")
    except (zipfile.BadZipFile, EOFError) as error:
        raise ReadError(f"{path.name} is an npz file cut short or damaged ({error})") from error
    return session_of(arrays, path.stem, **options)


def read_npy(path: Path, **options: Any) -> Session:
    """One array (time,) or (time, channel), memory-mapped, as the series "signal"."""
    array = _plain(lambda: np.load(path, mmap_mode="r", allow_pickle=False), path.name)
    if array.ndim not in (1, 2):
        raise ReadError(
            f"{path.name} must hold (time,) or (time, channel), it holds {array.shape}; a "
            "(trial, time, channel) array goes to fit() directly"
        )
    return session_of({"signal": array}, path.stem, **options)


def _plain(load: Any, what: str) -> NDArray:
    try:
        return load()
    except ValueError as error:
        if "allow_pickle" in str(error) or "Python objects" in str(error):
            raise UnsafeFileError(_OBJECTS.format(what, "an object array")) from error
        raise ReadError(f"{what} is cut short or damaged ({error})") from error
