"""Consistency of pairs as matrices."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import pandas as pd

from ..errors import DataError
from .style import SEQUENTIAL, flat_layout, text

if TYPE_CHECKING:
    import plotly.graph_objects as go


def consistency(score: Any, *, n_columns: int = 4, title: str = "") -> go.Figure:
    """Consistency of each pair as a matrix.

    Parameters
    ----------
    score
        A `Score` whose `parts` have levels `from` and `to`, such a Series, a square table, or a
        mapping name → any of these for several matrices side by side.
    n_columns
        How many of several matrices stand beside each other.

    Raises
    ------
    DataError
        The parts name no pairs, or there is nothing to draw.

    Examples
    --------
    >>> pairs = pd.MultiIndex.from_tuples([("a", "b"), ("b", "a")], names=["from", "to"])
    >>> consistency(pd.Series([0.9, 0.8], pairs)).data[0].z
    array([[nan, 0.9],
           [0.8, nan]])
    """
    from plotly.subplots import make_subplots

    matrices = score if isinstance(score, Mapping) else {title: score}
    if not matrices or n_columns < 1:
        raise DataError(f"consistency() needs a matrix and a column, got {len(matrices)} matrices")
    n_columns = min(n_columns, len(matrices))
    n_rows = -(-len(matrices) // n_columns)
    figure = make_subplots(
        n_rows, n_columns, subplot_titles=[_wrapped(str(n)) for n in matrices],
        horizontal_spacing=0.07 if n_columns > 1 else 0, vertical_spacing=0.24 / max(n_rows, 1),
    )  # fmt: skip
    for number, matrix in enumerate(matrices.values()):
        row, column = divmod(number, n_columns)
        figure.add_trace(_heat_map(square(matrix)), row=row + 1, col=column + 1)
    plain = {
        "type": "category",
        "showgrid": False,
        "showline": False,
        "ticks": "",
        "zeroline": False,
    }
    figure.update_xaxes(**plain, constrain="domain")
    figure.update_yaxes(**plain, autorange="reversed", constrain="domain")
    for number, axis in enumerate(figure.select_yaxes(), start=1):
        axis.update(scaleanchor=f"x{number if number > 1 else ''}")
    bar = {"title": "consistency", "thickness": 12, "outlinewidth": 0}
    figure.update_layout(
        **flat_layout(""),
        coloraxis={"colorscale": SEQUENTIAL, "cmin": 0, "cmax": 1, "colorbar": bar},
    )
    figure.update_layout(height=300 * n_rows + 60, margin={"l": 60, "r": 20, "t": 50, "b": 45})
    return figure


def square(matrix: Any) -> pd.DataFrame:
    """Pairs (`from`, `to`) as a square table; the diagonal stays empty."""
    matrix = getattr(matrix, "parts", matrix)
    if isinstance(matrix, pd.DataFrame):
        return matrix
    if not {"from", "to"} <= set(matrix.index.names):
        raise DataError(
            "a consistency matrix needs parts with levels 'from' and 'to', got levels "
            f"{list(matrix.index.names)}"
        )
    table = matrix.groupby(["from", "to"]).mean().unstack("to")
    names = sorted(set(table.index) | set(table.columns), key=lambda n: (isinstance(n, str), n))
    return table.reindex(index=names, columns=names)


def _wrapped(name: str, width: int = 26) -> str:
    return "<br>".join(text(line) for line in wrap(name, width))


def _heat_map(table: pd.DataFrame) -> Any:
    import plotly.graph_objects as go

    names = [text(n) for n in table.index]
    few = len(table) <= 8
    return go.Heatmap(
        z=table.to_numpy(dtype=float), x=names, y=names, coloraxis="coloraxis", xgap=2, ygap=2,
        texttemplate="%{z:.2f}" if few else None, hoverongaps=False,
        hovertemplate="%{y} → %{x}: %{z:.3f}<extra></extra>",
    )  # fmt: skip
