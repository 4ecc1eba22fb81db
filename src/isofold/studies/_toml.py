"""A study as TOML text (the standard library only reads TOML)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def to_toml(tables: Mapping[str, Any]) -> str:
    """Keys with plain values first, then one `[[name]]` block a table of a list of tables.

    >>> print(to_toml({"name": "x", "methods": [{"method": "pca", "grid": {"a": [1, 2]}}]}))
    name = "x"
    <BLANKLINE>
    [[methods]]
    method = "pca"
    grid = {"a" = [1, 2]}
    <BLANKLINE>
    """
    plain = {k: v for k, v in tables.items() if not _is_tables(v)}
    lines = _lines(plain)
    for name in (k for k in tables if k not in plain):
        for table in tables[name]:
            lines += ["", f"[[{name}]]", *_lines(table)]
    return "\n".join([*lines, ""])


def _is_tables(value: Any) -> bool:
    return isinstance(value, list | tuple) and bool(value) and isinstance(value[0], Mapping)


def _lines(table: Mapping[str, Any]) -> list[str]:
    return [f"{k} = {_value(v)}" for k, v in table.items() if v is not None]


def _value(value: Any) -> str:
    value = value.tolist() if hasattr(value, "tolist") else value  # NumPy numbers and arrays
    if isinstance(value, Mapping):
        inside = (f"{_text(str(k))} = {_value(v)}" for k, v in value.items() if v is not None)
        return "{" + ", ".join(inside) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(v) for v in value) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return repr(value)
    return _text(str(value))


def _text(text: str) -> str:
    # a JSON string is a TOML basic string, but for DEL and characters beyond 16 bits
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
