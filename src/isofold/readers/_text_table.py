"""Tables of numbers as text: what is wrong with them is said with file, column and row."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import ReadError


def read_text_table(
    path: Path, name: str, found: list[str], *, header: bool = True
) -> pd.DataFrame:
    """Rows of a csv or tsv file; rows that are cut short are left out and named in `found`.

    `name` is that of the series, for the warnings. Without `header` columns are numbered from 0.
    """
    text = decoded(path)
    lines = [line for line in text.splitlines() if line.strip()]
    if not text.endswith(("\n", "\r")):
        found.append(f"{name}: {path.name} ends within a line: its last row may be cut short")
    if len(lines) < 1 + header:
        raise ReadError(f"{path.name} has no rows{' below its header' if header else ''}")
    separator = max(",;\t", key=lines[0].count)
    if header:
        _refuse_repeated(path, lines[0].split(separator))
    cells = [line.count(separator) for line in lines]
    expected = cells[0] if header else Counter(cells).most_common(1)[0][0]
    short = [k for k, n in enumerate(cells) if n < expected]
    if short:
        found.append(
            f"{name}: {len(short)} rows of {path.name} are cut short and left out, first line "
            f"{short[0] + 1} with {cells[short[0]] + 1} of {expected + 1} cells"
        )
        gone = set(short)
        lines = [line for k, line in enumerate(lines) if k not in gone]
    long = [k for k, n in enumerate(cells) if n > expected]
    if long or len(lines) < 1 + header:
        raise ReadError(
            f"{path.name} is not a table: "
            + (f"line {long[0] + 1} has more cells than the others" if long else "no row is whole")
        )
    try:
        table = pd.read_csv(
            io.StringIO("\n".join(lines)),
            sep=separator,
            header=0 if header else None,
            index_col=False,
            low_memory=False,
        )
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise ReadError(f"{path.name} is not a table ({error})") from error
    return table.rename(columns=lambda c: c.strip() if isinstance(c, str) else c)


def decoded(path: Path) -> str:
    """The text of a file that is UTF-8, or a `ReadError` that says where it is not."""
    raw = path.read_bytes()
    if not raw.strip():
        raise ReadError(f"{path.name} is empty; copy it again, or take it out of the folder")
    if b"\x00" in raw:
        raise ReadError(
            f"{path.name} must be UTF-8 text; it holds NUL bytes, first at byte "
            f"{raw.index(0)}: it is UTF-16 or damaged. Save it as UTF-8, or copy it again"
        )
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ReadError(
            f"{path.name} must be UTF-8 text; byte {error.start} is {raw[error.start]:#x}. Save "
            "it as UTF-8"
        ) from error


def first_line(path: Path) -> list[str]:
    """Cells of the first line, to tell what a table is; [] for what is no text."""
    with path.open("rb") as file:
        line = file.readline(1 << 16)
    try:
        text = line.decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        return []
    return [cell.strip() for cell in text.split(max(",;\t", key=text.count))]


def numbers(table: pd.DataFrame, column: str | int, path: Path) -> NDArray[np.float64]:
    """A column as floats; an empty cell is NaN, a word an error."""
    values = table[column]
    if pd.api.types.is_numeric_dtype(values):
        return values.to_numpy(float, na_value=float("nan"))
    read = pd.to_numeric(values, errors="coerce")
    wrong = np.flatnonzero(read.isna() & values.notna())
    if len(wrong):
        raise ReadError(
            f"column {column!r} of {path.name} must hold numbers; row {wrong[0]} holds "
            f"{str(values.iloc[wrong[0]])[:40]!r}. Correct that cell, or copy the file again"
        )
    return read.to_numpy(float)


def require_columns(table: pd.DataFrame, needed: Sequence[str], path: Path) -> None:
    missing = [c for c in needed if c not in table]
    if missing:
        raise ReadError(
            f"{path.name} lacks the columns {missing}; its header is "
            f"{[str(c) for c in table.columns][:12]}. Is it the right file, and whole?"
        )


def _refuse_repeated(path: Path, cells: list[str]) -> None:
    counted = Counter(cell.strip() for cell in cells if cell.strip())
    twice = [cell for cell, n in counted.items() if n > 1]
    if twice:
        raise ReadError(
            f"each column of {path.name} needs a name of its own; {twice} occur more than once"
        )
