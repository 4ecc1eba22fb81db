"""What is compared: a method, or a control of it."""

from __future__ import annotations

import json

import pandas as pd

NO_CONTROL = "none"


def with_variant(table: pd.DataFrame) -> pd.DataFrame:
    """The table with columns `variant` (as the page names it) and `is_control`.

    >>> table = pd.DataFrame({"method": "ivae", "control": ["none", "permuted labels"]})
    >>> with_variant(table)["variant"].tolist()
    ['ivae', 'ivae · permuted labels']
    """
    control = [is_control(c) for c in table["control"]]
    names = [
        f"{method} · {what}" if controlled else str(method)
        for method, what, controlled in zip(table["method"], table["control"], control, strict=True)
    ]
    return table.assign(
        variant=pd.Series(names, table.index, dtype=object),
        is_control=pd.Series(control, table.index, dtype=bool),
    )


def is_control(control: object) -> bool:
    """Whether a value of the column `control` names a control."""
    return isinstance(control, str) and control not in ("", NO_CONTROL)


def plain(value: object) -> str:
    """A value of a table as text; "" for none.

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
