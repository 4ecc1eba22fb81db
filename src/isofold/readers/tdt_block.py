"""TDT block (folder with .tsq and .tev) → `Session`, through TDT's own package."""

from __future__ import annotations

import contextlib
import io
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._extras import require
from ..errors import ReadError
from ..session import Session
from ._checked import event, timed

RECORD = 40
"""Bytes of a header in the .tsq file."""

START = 1
"""Code of the header that begins a block."""


def read_tdt(path: Path, *, unsorted: str = "raise") -> Session:
    """Streams as series of their store's name, epocs as events ("PtC0", and "PtC0_offset").

    A store of one channel is (time,), of several (time, channel) with channels from 1. Times are
    seconds from the start of the block. Needs the extra "tdt". Snippets are not read.

    Raises
    ------
    ReadError
        The headers are cut short or damaged, or nothing is stored.
    MissingDependencyError
        The package tdt is not installed.
    """
    tdt = require("tdt", "tdt", "reading TDT blocks")
    found: list[str] = []
    _check_headers(path)
    with warnings.catch_warnings(record=True) as told, contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("always")
        try:
            block = tdt.read_block(str(path), evtype=["streams", "epocs", "scalars"])
        except Exception as error:
            raise ReadError(
                f"{path.name} could not be read by the package tdt ({type(error).__name__}: "
                f"{error}); is the block whole (.tsq, .tev, .Tbk)?"
            ) from error
    found += [f"{path.name}: {w.message}" for w in told if not _harmless(str(w.message))]
    series = _streams(block.streams, path, unsorted, found)
    events: dict[str, NDArray] = {}
    for name, epoc in block.epocs.items():
        event(name, epoc.onset, events, found)
        offset = np.asarray(epoc.offset, dtype=float)
        event(f"{name}_offset", offset[np.isfinite(offset)], events, found)
    for name, scalar in block.scalars.items():
        event(name, scalar.ts, events, found)
    if not (series or events):
        raise ReadError(f"{path.name} holds no stream and no epoc; {'; '.join(found)}")
    step = {"step": "read", "file": path.name, "format": "TDT"}
    return Session(
        series=series,
        events=events,
        name=path.name,
        metadata={"warnings": found, "acquired": str(block.info.start_date)},
        provenance=(step,),
    )


def is_tdt(path: Path) -> bool:
    return any(path.glob("*.tsq"))


def _streams(streams: Any, path: Path, unsorted: str, found: list[str]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for name, stream in streams.items():
        data = np.asarray(stream.data)
        rate, start = float(stream.fs), float(np.ravel(stream.start_time)[0])
        if data.ndim not in (1, 2) or not data.size or not rate > 0:
            found.append(f"{name}: no samples, or no rate ({rate:g} Hz); left out")
            continue
        values = data if data.ndim == 1 else data.T
        t = start + np.arange(len(values)) / rate
        columns = None if data.ndim == 1 else list(range(1, len(data) + 1))
        one = timed(
            name, t, values, found, where=f"{path.name}, {name}", unsorted=unsorted, columns=columns
        )
        if one is not None:
            out[name] = one
    return out


def _check_headers(path: Path) -> None:
    """What the package would loop over for ever, or take for an empty block."""
    files = sorted(path.glob("*.tsq"))
    if len(files) != 1:
        raise ReadError(
            f"a TDT block has one .tsq file; {path.name} has {[f.name for f in files]}. Give the "
            "path of one block"
        )
    file = files[0]
    size = file.stat().st_size
    if size < 3 * RECORD:
        raise ReadError(f"{file.name} is cut short: {size} bytes hold no header of a store")
    with file.open("rb") as handle:
        handle.seek(RECORD + 8)
        code = int.from_bytes(handle.read(4), "little")
    if code != START:
        raise ReadError(f"{file.name} does not begin with a block's start mark; is it damaged?")
    if size % RECORD:
        raise ReadError(f"{file.name} ends within a header: it is cut short; copy the block again")
    if not file.with_suffix(".tev").exists():
        raise ReadError(f"{path.name} lacks {file.with_suffix('.tev').name}; copy the whole block")


def _harmless(message: str) -> bool:
    """Notes and store descriptions, which are not read."""
    return "tnt file" in message or "Bad tbk file" in message
