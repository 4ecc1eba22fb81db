"""Queries of a study file compare columns of a table, and can do nothing else."""

from __future__ import annotations

import ast
import re
from typing import Any

import pandas as pd

from .errors import DataError

_ALLOWED = (
    *(ast.Expression, ast.Name, ast.Load, ast.Constant, ast.Tuple, ast.List),
    *(ast.BoolOp, ast.And, ast.Or, ast.UnaryOp, ast.Not, ast.Invert, ast.USub, ast.UAdd),
    *(ast.BinOp, ast.BitAnd, ast.BitOr, ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Mod),
    *(ast.Compare, ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.In, ast.NotIn),
)
_QUOTED = re.compile(r"`[^`]*`")


def asked(table: pd.DataFrame, query: str, what: str) -> pd.Series:
    """One value a row: what an expression of the columns gives.

    Comparisons, arithmetic, and, or, not, in; names with spaces in backticks. A call or an
    attribute is refused: `x.to_csv("…")` would be an expression, too.

    Raises
    ------
    DataError
        The expression does something else, or names no column.

    Examples
    --------
    >>> asked(pd.DataFrame({"area": ["CA1", "CA3"]}), "area == 'CA1'", "unit").tolist()
    [True, False]
    """
    _check(query, what)
    try:
        values: Any = table.eval(query, engine="python", local_dict={}, global_dict={})
    except Exception as error:
        raise DataError(
            f"{what} query {query!r} failed ({error}); {what} columns: {list(table.columns)}"
        ) from error
    if not isinstance(values, pd.Series) or len(values) != len(table):
        raise DataError(f"a {what} query gives one value a row; {query!r} gives {values!r}")
    return values


def _check(query: str, what: str) -> None:
    try:
        tree = ast.parse(_QUOTED.sub("quoted", query.strip()), mode="eval")
    except (SyntaxError, ValueError, RecursionError) as error:
        raise DataError(f"{what} query {query!r} is no expression ({error})") from error
    for node in ast.walk(tree):
        if not isinstance(node, _ALLOWED):
            raise DataError(
                f"a {what} query compares columns; {type(node).__name__.lower()} is not allowed "
                f"in {query!r}"
            )
