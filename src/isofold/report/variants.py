"""What is compared: a method with those of its settings that differ inside the study."""

from __future__ import annotations

import json

import pandas as pd

NO_CONTROL = "none"


def name_variants(*tables: pd.DataFrame) -> list[pd.DataFrame]:
    """The tables with a column `variant`: method, differing settings, control.

    >>> runs = pd.DataFrame({"method": ["a", "a"], "control": "none", "set.dim": [2, 3]})
    >>> name_variants(runs)[0]["variant"].tolist()
    ['a · dim 2', 'a · dim 3']
    """
    varying = _varying(
        pd.concat([_settings(t) for t in tables if len(t)] or [_settings(tables[0])])
    )
    return [t.assign(variant=[_name(row, varying) for _, row in t.iterrows()]) for t in tables]


def is_control(control: object) -> bool:
    """Whether a value of the column `control` names a control."""
    return isinstance(control, str) and control not in ("", NO_CONTROL)


def plain(value: object) -> str:
    """A setting as text; "" where a method does not have it.

    >>> plain([1, 2]), plain(0.10), plain(3.0), plain(float("nan"))
    ('[1, 2]', '0.1', '3', '')
    """
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, list | dict | tuple):
        return json.dumps(value, sort_keys=True, default=str)
    if value is None or value is pd.NA or value != value:
        return ""
    return f"{value:g}" if isinstance(value, float) else str(value)


def _settings(table: pd.DataFrame) -> pd.DataFrame:
    return table[[c for c in table if c == "method" or str(c).startswith("set.")]]


def _varying(table: pd.DataFrame) -> dict[str, list[str]]:
    """Method → columns `set.*` that take more than one value in it."""
    if "method" not in table:
        return {}
    columns = [str(c) for c in table if str(c).startswith("set.")]
    return {
        str(method): [c for c in columns if len(set(part[c].map(plain)) - {""}) > 1]
        for method, part in table.groupby("method", dropna=False)
    }


def _name(row: pd.Series, varying: dict[str, list[str]]) -> str:
    method = str(row.get("method"))
    parts = [method]
    for column in varying.get(method, []):
        value = plain(row.get(column))
        if value:
            parts.append(f"{column.removeprefix('set.').replace('_', ' ')} {value}")
    if is_control(row.get("control")):
        parts.append(str(row["control"]))
    return " · ".join(parts)
