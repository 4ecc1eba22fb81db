"""Results of a long recording, column by column: in memory, or in files that are only mapped."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


class Columns:
    """Series of one shape (time, fiber), float32, filled one fiber at a time.

    With `scratch` each is a file in that folder, written through and mapped read-only at the end,
    so that results take no memory.
    """

    def __init__(self, names: Sequence[str], n: int, fibers: list[str], scratch: Any):
        self.names, self._fibers, self._shape = list(names), fibers, (n, len(fibers))
        self._folder = None if scratch is None else Path(scratch)
        self._arrays: dict[str, NDArray] = {}
        if self._folder is None:
            empty = lambda: np.empty(self._shape, np.float32, order="F")  # noqa: E731
            self._arrays = {name: empty() for name in names}
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        for name in names:
            with self._path(name).open("wb") as file:
                file.truncate(4 * n * len(fibers))

    def put(self, name: str, k: int, values: NDArray) -> None:
        """Fiber k of a series."""
        if self._folder is None:
            self._arrays[name][:, k] = values
            return
        with self._path(name).open("r+b") as file:
            file.seek(4 * k * self._shape[0])
            np.asarray(values, np.float32).tofile(file)

    def series(self, like: Any) -> dict[str, Any]:
        """pynapple `TsdFrame`s on the clock of another series."""
        import pynapple as nap

        return {
            name: nap.TsdFrame(
                t=like.index,
                d=self._array(name),
                time_support=like.time_support,
                columns=self._fibers,
                load_array=False,
            )
            for name in self.names
        }

    def _array(self, name: str) -> NDArray:
        if self._folder is None:
            return self._arrays[name]
        return np.memmap(self._path(name), np.float32, "r", shape=self._shape, order="F")

    def _path(self, name: str) -> Path:
        assert self._folder is not None
        return self._folder / f"{name}.f32"
