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

HEADER = np.dtype(
    {
        "names": ["size", "kind", "code", "channel", "sort", "at", "offset", "form", "rate"],
        "formats": ["<i4", "<u4", "<u4", "<u2", "<u2", "<f8", "<i8", "<i4", "<f4"],
    }
)
"""One record of the .tsq file; times in s since 1970, offset in bytes of the .tev file."""

START = 1
"""Code of the header that begins a block."""

STREAM, FORMATS = 0x8101, 6
"""Kind of a header of samples, and how many number formats there are."""

LONGEST = 1e8
"""Seconds after a block's start that no header can lie (three years)."""


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
    """The headers are whole and point into the data: of damaged ones the package may never return,
    or fill the memory."""
    files = sorted(path.glob("*.tsq"))
    if len(files) != 1:
        raise ReadError(
            f"a TDT block has one .tsq file; {path.name} has {[f.name for f in files]}. Give the "
            "path of one block"
        )
    file, data = files[0], files[0].with_suffix(".tev")
    size = file.stat().st_size
    if size < 3 * HEADER.itemsize:
        raise ReadError(f"{file.name} is cut short: {size} bytes hold no header of a store")
    if size % HEADER.itemsize:
        raise ReadError(f"{file.name} ends within a header: it is cut short; copy the block again")
    heads = np.fromfile(file, HEADER)[1:]
    if heads["code"][0] != START:
        raise ReadError(f"{file.name} does not begin with a block's start mark; is it damaged?")
    if not data.exists():
        raise ReadError(f"{path.name} lacks {data.name}; copy the whole block")
    since = heads["at"] - heads["at"][0]
    bad = np.flatnonzero(~((since >= 0) & (since < LONGEST)) & (heads["code"] > 0))
    if len(bad) or not 0 <= heads["at"][0] < 1e11:
        raise ReadError(f"{file.name} is damaged: the time of header {bad[:1] + 1} is impossible")
    streams = heads[(heads["kind"] & 0xFF0F) == STREAM]
    for code in np.unique(streams["code"]):
        _check_stream(streams[streams["code"] == code], file, data.stat().st_size)


def _check_stream(heads: NDArray, file: Path, size: int) -> None:
    name = int(heads["code"][0]).to_bytes(4, "little").decode("latin-1")
    chunk = 4 * (heads["size"].astype(np.int64) - 10)
    channels = np.unique(heads["channel"])
    same = all(len(np.unique(heads[f])) == 1 for f in ("size", "form", "rate", "kind"))
    rate = float(heads["rate"][0])
    numbered = channels.tolist() == list(range(1, len(channels) + 1))
    known = 0 <= heads["form"][0] < FORMATS and chunk[0] > 0 and np.isfinite(rate) and rate > 0
    if not (same and numbered and known):
        raise ReadError(
            f"{file.name} is damaged: headers of store {name!r} must agree in size, format and "
            f"rate and number their channels from 1; they have {len(channels)} channels up to "
            f"{channels[-1]}, {len(np.unique(heads['size']))} sizes, a rate of {rate:g} Hz"
        )
    own_file = heads["kind"][0] & 0x10  # samples lie in .sev files
    if not own_file and not ((heads["offset"] >= 0) & (heads["offset"] + chunk <= size)).all():
        raise ReadError(
            f"{file.with_suffix('.tev').name} is cut short: store {name!r} needs "
            f"{int((heads['offset'] + chunk).max())} bytes of it, it has {size}. Copy it again"
        )


def _harmless(message: str) -> bool:
    """Notes and store descriptions, which are not read."""
    return "tnt file" in message or "Bad tbk file" in message
