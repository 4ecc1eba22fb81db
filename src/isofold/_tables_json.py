"""Tables as JSON that reads back exactly: every float bit, every dtype, no pickle.

Scalars keep their type: JSON has numbers, strings, booleans and null; the floats that JSON lacks
(NaN, ±inf) are written as {"float": "nan"}. A column is its dtype and its scalars.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from .errors import DataError


def table_to_json(table: pd.DataFrame, what: str) -> dict[str, Any]:
    """Index and columns of a table; `what` names it in errors.

    >>> table_to_json(pd.DataFrame({"x": [0.1, np.nan]}), "trials")["columns"]
    [{'name': 'x', 'dtype': 'float64', 'values': [0.1, {'float': 'nan'}]}]
    """
    if isinstance(table.index, pd.MultiIndex):
        raise DataError(f"the index of {what} must be flat to be saved; use reset_index()")
    if not table.columns.is_unique or not all(isinstance(c, str) for c in table.columns):
        raise DataError(f"columns of {what} must be unique strings to be saved: {list(table)}")
    return {
        "index": _column_to_json(table.index.name, table.index.to_series(), what),
        "columns": [_column_to_json(name, table[name], what) for name in table.columns],
    }


def table_from_json(content: dict[str, Any]) -> pd.DataFrame:
    """The table that `table_to_json` wrote."""
    name, index = content["index"]["name"], _column_from_json(content["index"])
    columns = {c["name"]: pd.Series(_column_from_json(c)) for c in content["columns"]}
    table = pd.DataFrame(columns, index=pd.RangeIndex(len(index)))
    return table.set_axis(pd.Index(index, name=name), axis=0)


def _column_to_json(name: Any, column: pd.Series, what: str) -> dict[str, Any]:
    dtype = column.dtype
    head: dict[str, Any] = {"name": name, "dtype": str(dtype)}
    if isinstance(dtype, pd.CategoricalDtype):
        categories = _column_to_json(None, dtype.categories.to_series(), what)
        codes = column.cat.codes.tolist()
        return {**head, "ordered": dtype.ordered, "categories": categories, "values": codes}
    if dtype.kind in "mM" and isinstance(dtype, np.dtype):
        return {**head, "values": column.to_numpy().astype(np.int64).tolist()}
    if dtype.kind in "mM":
        raise DataError(
            f"column {name!r} of {what} has dtype {dtype}; drop its time zone to save it"
        )
    try:
        return {**head, "values": [scalar_to_json(v) for v in column]}
    except TypeError as error:
        raise DataError(
            f"column {name!r} of {what} holds {error}; only numbers, booleans, strings, categories "
            "and times can be saved: convert or drop it"
        ) from error


def _column_from_json(content: dict[str, Any]) -> Any:
    dtype, values = content["dtype"], content["values"]
    if dtype == "category":
        categories = _column_from_json(content["categories"])
        return pd.Categorical.from_codes(values, categories, ordered=content["ordered"])
    if dtype.startswith(("datetime64", "timedelta64")):
        return np.asarray(values, dtype=np.int64).view(dtype)
    scalars = [scalar_from_json(v) for v in values]
    if dtype == "object":
        out = np.empty(len(scalars), dtype=object)
        out[:] = scalars
        return out
    return pd.array(scalars, dtype=dtype)


def scalar_to_json(value: Any) -> Any:
    """One value in JSON's own types; `TypeError` for what has none."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or value is pd.NA:
        return None
    if isinstance(value, float) and not math.isfinite(value):
        return {"float": str(value)}
    if isinstance(value, bool | int | float | str):
        return value
    raise TypeError(type(value).__name__)


def scalar_from_json(value: Any) -> Any:
    """The value that `scalar_to_json` wrote."""
    return float(value["float"]) if isinstance(value, dict) else value
