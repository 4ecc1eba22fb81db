"""Models on disk: one safetensors file, settings as JSON in its header. Never pickle."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ReadError

FORMAT = 1


def write_model(path: str | Path, header: dict[str, Any], arrays: dict[str, NDArray]) -> Path:
    """Write under a temporary name, then rename: a model file is whole or not there."""
    from safetensors.numpy import save_file

    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    text = json.dumps(_packed({"format": FORMAT, **header}), sort_keys=True, default=plain)
    metadata = {"isofold": text}
    save_file({k: np.ascontiguousarray(v) for k, v in arrays.items()}, partial, metadata)
    partial.replace(path)
    return path


def plain(value: Any) -> Any:
    """A setting as JSON; a generator cannot be saved and becomes None."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, (np.random.Generator, np.random.RandomState)):
        return None
    raise TypeError(f"a setting of type {type(value).__name__} cannot be saved: {value!r}")


def read_model(path: str | Path) -> tuple[dict[str, Any], dict[str, NDArray]]:
    """Header and arrays of a model file."""
    from safetensors import SafetensorError, safe_open

    path = Path(path)
    if not path.is_file():
        raise ReadError(f"no model file at {path}")
    try:
        with safe_open(path, framework="numpy") as file:
            header = json.loads((file.metadata() or {}).get("isofold", "null"))
            arrays = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise ReadError(f"{path} is not a model saved by isofold: {error}") from error
    if header is None:
        raise ReadError(f"{path} is a safetensors file, but was not saved by isofold")
    if header["format"] != FORMAT:
        raise ReadError(
            f"{path} has format {header['format']}, this isofold reads {FORMAT}; use the version "
            "that wrote it"
        )
    return _unpacked(header), arrays


TUPLE = "__tuple__"
"""Key of a table that stands for a tuple: in some settings a tuple and a list differ in meaning."""


def _packed(value: Any) -> Any:
    if isinstance(value, tuple):
        return {TUPLE: [_packed(v) for v in value]}
    if isinstance(value, list):
        return [_packed(v) for v in value]
    return {k: _packed(v) for k, v in value.items()} if isinstance(value, dict) else value


def _unpacked(value: Any) -> Any:
    if isinstance(value, list):
        return [_unpacked(v) for v in value]
    if not isinstance(value, dict):
        return value
    if TUPLE in value:
        return tuple(_unpacked(v) for v in value[TUPLE])
    return {k: _unpacked(v) for k, v in value.items()}
