"""The study of recordings that come without one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import StudyError
from ..session import Session
from ..studies import Study
from ..studies.load import is_saved
from .settings import Settings

METHODS = ("pca", "cebra-time")
DIMENSION = 3
COUNTS = 0.05
"""Seconds of a bin of spike counts."""


def default_study(settings: Settings, blocks: Sequence[Mapping[str, Any]]) -> Study:
    """PCA and CEBRA-Time of every recording; `labels` are binned and decoded.

    Spikes are counted where there are any, else the only series is taken; methods that learn from
    labels get all of them.

    Raises
    ------
    StudyError
        Which signal is meant is not said.
    """
    recordings, channels = [], []
    for block in blocks:
        path = Path(block["path"])
        if is_saved(path):
            recordings.append(dict(block))
            continue
        read = {} if settings.rate is None else {"read": {"rate": settings.rate}}
        session = _session(path, read.get("read", {}))
        signal = _signal(session, settings.signal, block["name"])
        recordings.append({**block, **read, "bin": _bin(session, signal, settings)})
        channels.append(_channels(session, signal))
    dimension = settings.dimension or min([DIMENSION, *channels])
    methods = [_method(name, dimension, settings) for name in settings.methods or METHODS]
    return Study.from_dict({"name": "capsule", "recordings": recordings, "methods": methods})


def _session(path: Path, options: Mapping[str, Any]) -> Session:
    from ..readers import read

    return read(path, **options)


def _signal(session: Session, wanted: str | None, name: str) -> str:
    if wanted is not None:
        return wanted
    if session.units is not None and len(session.units):
        return "units"
    if len(session.series) != 1:
        there = ", ".join(sorted(session.series)) or "none"
        raise StudyError(
            f"recording {name!r} has no units, and series: {there}; say with --signal which one "
            "is embedded"
        )
    return next(iter(session.series))


def _bin(session: Session, signal: str, settings: Settings) -> dict[str, Any]:
    table: dict[str, Any] = {"signal": signal}
    width = settings.width or (COUNTS if signal == "units" else None)
    if width is not None:
        table["width"] = width
    if settings.labels:
        table["labels"] = settings.labels
    if settings.trials is not None:
        table["trials"] = settings.trials
    return table


def _channels(session: Session, signal: str) -> int:
    if signal == "units":
        return len(session.units)
    shape = session.get_series(signal).shape
    return int(shape[1]) if len(shape) > 1 else 1


def _method(name: str, dimension: int, settings: Settings) -> dict[str, Any]:
    from ..models import METHODS as KNOWN

    table: dict[str, Any] = {"method": name}
    if name != "raw":
        table["output_dimension"] = dimension
    if settings.labels and getattr(KNOWN.get(name), "labels", "") == "required":
        table["labels"] = settings.labels
    return table
