"""What the readers of acquisition systems share: checked clocks, edges of lines, JSON, npy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from ..errors import ReadError
from ._clock import check_events, check_series
from ._series import time_series


def timed(
    name: str,
    t: NDArray,
    values: Any,
    found: list[str],
    *,
    where: str,
    unsorted: str = "raise",
    columns: list | None = None,
    info: pd.DataFrame | None = None,
) -> Any:
    """pynapple series of checked times; None, with the reason in `found`, where none is left.

    `where` says file and field, for the error of a time that goes back.
    """
    if len(t) != len(values):
        raise ReadError(
            f"{where}: one time a sample is needed; {name!r} has {len(t)} times for "
            f"{len(values)} samples: the file is cut short or mixed up, copy it again"
        )
    try:
        order, more = check_series(name, np.asarray(t, dtype=float), unsorted)
    except ReadError as error:
        raise ReadError(f"{where}: {error}") from error
    found += more
    if order is None:
        return None
    if len(order) < len(t) or (np.diff(order) != 1).any():
        t, values = t[order], values[order]
    return time_series(np.asarray(t, dtype=float), values, columns, info)


def event(name: str, t: ArrayLike, events: dict[str, NDArray], found: list[str]) -> None:
    """Add the checked times of an event; one without a time is no event."""
    times, more = check_events(name, np.asarray(t, dtype=float).ravel())
    found += more
    if len(times):
        events[name] = times


def rising(line: NDArray) -> NDArray[np.int64]:
    """Samples at which a line goes from low to high; high at the first sample is no rise.

    >>> rising(np.array([1, 0, 1, 1, 0, 1]))
    array([2, 5])
    """
    high = np.asarray(line).astype(bool)
    return np.flatnonzero(high[1:] & ~high[:-1]) + 1


def read_json(path: Path) -> Any:
    """A JSON file, or a `ReadError` that says where it breaks."""
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise ReadError(
            f"{path.name} is not JSON in UTF-8 ({error}); it may be cut short: copy it again, or "
            "take it out of the folder"
        ) from error


def load_npy(path: Path) -> NDArray:
    """A memory-mapped array; never objects, which would be a pickle."""
    from .arrays import _plain

    if not path.exists():
        raise ReadError(f"{path.parent.name} lacks {path.name}; copy the whole folder")
    name = f"{path.parent.name}/{path.name}"
    try:
        return _plain(lambda: np.load(path, mmap_mode="r", allow_pickle=False), name)
    except ReadError:
        raise
    except Exception as error:  # NumPy parses the header as Python: many kinds
        raise ReadError(f"{name} is cut short or damaged ({error}); copy it again") from error
