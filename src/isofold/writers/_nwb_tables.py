"""Tables of trials and intervals → NWB."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ..errors import DataError
from ._nwb_names import Names


def intervals(name: str, table: pd.DataFrame, names: Names) -> Any:
    """A table with start, stop and other columns, of one value or a list of values a row."""
    import pynwb
    from hdmf.common import VectorData

    table, _ = flat_index(name, table)
    written = names.add_table(name)
    plain: list[Any] = []
    lists: list[tuple[str, str, list]] = []
    for column in table.columns:
        at = names.add_column(written, str(column))
        said = f"{column} of {name}"
        if column == "tags" and not _are_lists(table[column]):  # NWB holds a list of words a row
            lists.append((at, said, [str(v).split(", ") for v in table[column]]))
        elif _are_lists(table[column]):
            lists.append((at, said, [_list(name, str(column), v) for v in table[column]]))
        else:
            data = plain_values(name, str(column), table[column])
            plain.append(VectorData(name=at, description=said, data=data))
    ids = [int(i) for i in table.index]
    out = pynwb.epoch.TimeIntervals(
        name=written, description=f"{name} of the session", id=ids, columns=plain
    )
    for at, said, rows in lists:
        out.add_column(name=at, description=said, data=rows, index=True)
    return out


def flat_index(name: str, table: pd.DataFrame) -> tuple[pd.DataFrame, str | None]:
    """The table with an index of integers; another index becomes a column, whose name is given."""
    if isinstance(table.index, pd.MultiIndex):
        raise DataError(f"the index of table {name!r} must be flat for NWB; use reset_index()")
    if pd.api.types.is_integer_dtype(table.index):
        return table, None
    column = str(table.index.name or "name")
    while column in table.columns:
        column += "_"
    return table.reset_index(names=column), column


def plain_values(table: str, name: str, values: pd.Series) -> list:
    """Numbers, booleans or text; missing text is written as ""."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        values = values.astype(object)
    if any(isinstance(v, str) for v in values):
        values = values.astype(object).where(values.notna(), "")
    plain = [v.item() if isinstance(v, np.generic) else v for v in values]
    kinds = {type(v) for v in plain}
    if kinds == {int, float}:
        return [float(v) for v in plain]
    if kinds == {type(None)}:
        return [""] * len(plain)
    if len(kinds) > 1 or not kinds <= {int, float, bool, str}:
        found = sorted(k.__name__ for k in kinds)
        raise DataError(
            f"a column in NWB holds numbers, booleans or text, not {found}; recode or drop column "
            f"{name!r} of table {table!r}"
        )
    return plain


def _are_lists(values: pd.Series) -> bool:
    return len(values) > 0 and all(isinstance(v, list | tuple | np.ndarray) for v in values)


def _list(table: str, name: str, value: Any) -> list:
    return plain_values(table, name, pd.Series(list(value), dtype=object))
