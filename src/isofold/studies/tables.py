"""Tables whose bytes depend on their content alone, not on the order in which runs finished."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from . import run_folder
from .results import PAIR_COLUMNS, SCORE_COLUMNS
from .tasks import Task, done

_NUMBERS = ("value", "low", "high", "chance_mean", "chance_hi")
_WHOLE_NUMBERS = ("seed", "fold", "n")


def score_table(tasks: Iterable[Task], results: Path) -> pd.DataFrame:
    """The scores of all runs that are done."""
    from pyarrow.parquet import ParquetFile

    rows: list[dict[str, Any]] = []
    for task in tasks:
        if done(results, task):
            path = run_folder.run_path(results, task.key) / run_folder.SCORES
            with ParquetFile(path) as file:  # a tenth of the time of pandas, for small files
                rows += file.read().to_pylist()
    return tidy(rows, SCORE_COLUMNS)


def pair_table(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Scores between runs."""
    return tidy(rows, PAIR_COLUMNS)


def tidy(rows: list[dict[str, Any]], columns: list[str]) -> pd.DataFrame:
    """Rows with all columns, one type a column, sorted."""
    extra = sorted({key for row in rows for key in row} - set(columns))
    table = pd.DataFrame(rows, columns=[*columns, *extra])
    for name in table:
        if name in _NUMBERS:
            table[name] = table[name].astype(float)
        elif name in _WHOLE_NUMBERS:
            table[name] = table[name].astype("Int64")
        elif str(name).startswith("set."):
            table[name] = _one_type(table[name])
        else:
            table[name] = (
                table[name].map(lambda v: "" if v is None or v != v else str(v)).astype(str)
            )
    order = [c for c in columns if c not in (*_NUMBERS, "key", "unit", "n")]
    return table.sort_values(order, ignore_index=True, kind="stable")


def write_table(table: pd.DataFrame, path: Path) -> None:
    """Parquet, through a temporary name."""
    with run_folder.replacing(path) as temporary:
        table.to_parquet(temporary, index=False)


def write_small(table: pd.DataFrame, path: Path) -> None:
    """Parquet of a few rows, in a fifth of the time that pandas takes."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = {str(name): column.tolist() for name, column in table.items()}
    pq.write_table(pa.table(columns), path, use_dictionary=False, write_statistics=False)


def _one_type(column: pd.Series) -> pd.Series:
    """Numbers stay numbers; a setting that is a number here and "auto" there becomes text."""
    given = [v for v in column if v is not None and v == v]
    if given and all(isinstance(v, int | float) and not isinstance(v, bool) for v in given):
        return column.astype(float)
    return column.map(_text).astype(object)


def _text(value: Any) -> str | None:
    if value is None or value != value:
        return None
    return value if isinstance(value, str) else json.dumps(value)
