"""Zarr arrays may name a codec that unpickles; those are refused before they are opened."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .errors import UnsafeFileError

DESCRIPTIONS = (".zarray", ".zmetadata", "zarr.json")
"""Files that say how arrays are stored, of formats 2 and 3."""


def refuse_pickles(path: Path) -> None:
    """Raise `UnsafeFileError` if an array in a Zarr folder is stored through pickle."""
    for name in DESCRIPTIONS:
        for file in path.rglob(name):
            text = file.read_bytes()
            if b"pickle" in text.lower():  # rare enough to be looked at closely
                refuse_codecs(file, _parsed(text))


def refuse_codecs(file: Path, content: Any) -> None:
    """Raise `UnsafeFileError` if a description names pickle as a filter, compressor or codec."""
    for key in ("id", "name"):
        for codec in values_of(content, key):
            if isinstance(codec, str) and "pickle" in codec.lower():
                raise UnsafeFileError(
                    f"{file.parent.name!r} is stored with the codec {codec!r}: reading it would "
                    "run code that the file carries"
                )


def values_of(content: Any, key: str) -> list[Any]:
    """Values of a key, at any depth."""
    if isinstance(content, dict):
        own = [content[key]] if key in content else []
        return own + [v for inner in content.values() for v in values_of(inner, key)]
    if isinstance(content, list):
        return [v for inner in content for v in values_of(inner, key)]
    return []


def _parsed(text: bytes) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return {"id": "pickle, in a description that is damaged"}
