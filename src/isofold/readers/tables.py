"""`.csv` and `.parquet` → `Session`: one row a sample (or a trial), one column a series."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pandas as pd
from numpy.typing import NDArray

from ..errors import ReadError
from ..session import Session
from ._named_arrays import session_of
from .trial_table import trial_session


def read_csv(path: Path, **options: Any) -> Session:
    """Text with a header line; comma, semicolon or tab, whichever the header holds most of."""
    with path.open(encoding="utf-8-sig") as file:
        header = file.readline()
    separator = max(",;\t", key=header.count)
    try:
        with warnings.catch_warnings():  # pandas only warns of rows that are too long
            warnings.simplefilter("error", pd.errors.ParserWarning)
            table = pd.read_csv(path, sep=separator, index_col=False, encoding="utf-8-sig")
    except (pd.errors.ParserError, pd.errors.ParserWarning, pd.errors.EmptyDataError) as error:
        raise ReadError(f"{path.name} is not a table with a header line ({error})") from error
    return _session(table, path, options)


def read_parquet(path: Path, **options: Any) -> Session:
    """Apache Parquet; a saved index is not a column."""
    with path.open("rb") as file:
        file.seek(-4, 2)
        if file.read() != b"PAR1":
            raise ReadError(f"{path.name} is a Parquet file cut short: its end is missing")
    return _session(pd.read_parquet(path, engine="pyarrow"), path, options)


def _session(table: pd.DataFrame, path: Path, options: dict[str, Any]) -> Session:
    if not len(table):
        raise ReadError(f"{path.name} has no rows below its header {list(map(str, table.columns))}")
    if "trial_samples" in options:
        return trial_session(table, path, **options)
    arrays = {str(name): _column(table[name]) for name in table.columns}
    return session_of(arrays, path.stem, **options)


def _column(column: pd.Series) -> NDArray:
    """Numbers as they are (missing ones NaN), anything else as text (missing: "")."""
    if not pd.api.types.is_numeric_dtype(column):
        return column.astype(object).where(column.notna(), "").astype(str).to_numpy(str)
    values = column.to_numpy()
    return values if values.dtype != object else column.to_numpy(float, na_value=float("nan"))
