"""A score against a setting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..errors import DataError
from .style import CATEGORIES, GREY, flat_layout, text

if TYPE_CHECKING:
    import plotly.graph_objects as go

_DASHES = ("solid", "dash", "dot", "dashdot")
LOG_RATIO = 30
"""Largest over smallest value from which an axis of positive numbers is logarithmic."""


def sweep(
    table: pd.DataFrame,
    runs: pd.DataFrame | None = None,
    *,
    along: str = "x",
    unit: str = "",
    above: float | None = None,
    title: str = "",
) -> go.Figure:
    """A score against a setting: one line with intervals for all else, a dot a run.

    Parameters
    ----------
    table
        Columns `line`, `x`, `mean`, `low`, `high` (NaN: no interval), `chosen`; as in
        `Results.sweeps()[k].table`.
    runs
        Columns `line`, `x`, `value`: one dot a row.
    along, unit
        What the axes are called.
    above
        A threshold, drawn as a dashed line.

    Raises
    ------
    DataError
        A column is missing, or there are no rows.

    Examples
    --------
    >>> table = pd.DataFrame({"line": "pca", "x": [1.0, 2.0], "mean": [0.5, 0.9]})
    >>> sweep(table, along="output_dimension").layout.xaxis.title.text
    'output dimension'
    """
    import plotly.graph_objects as go

    lacking = {"line", "x", "mean"} - set(table)
    if lacking or table.empty:
        what = f"lacks {sorted(lacking)}" if lacking else "has no rows"
        raise DataError(f"a sweep is a table with columns line, x, mean; this one {what}")
    figure = go.Figure()
    numeric = pd.api.types.is_numeric_dtype(table["x"])
    for number, (line, part) in enumerate(table.groupby("line", sort=False)):
        style = _style(number)
        if runs is not None:
            figure.add_trace(_dots(runs[runs["line"] == line], style, numeric, number))
        figure.add_trace(_line(str(line), part, style, numeric))
    if above is not None:
        figure.add_hline(y=above, line={"color": GREY, "width": 1.5, "dash": "dash"})
    several = table["line"].nunique() > 1
    figure.update_layout(**flat_layout(title))
    figure.update_layout(
        height=340 + (20 * table["line"].nunique() if several else 0), showlegend=several,
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
    )  # fmt: skip
    figure.update_xaxes(title=text(along.removeprefix("simulate.").replace("_", " ")))
    figure.update_yaxes(title=text(unit))
    if numeric:
        _number_axis(figure, np.unique(table["x"].to_numpy(dtype=float)))
    return figure


def _style(number: int) -> dict[str, Any]:
    round_ = number // len(CATEGORIES)
    return {"color": CATEGORIES[number % len(CATEGORIES)], "dash": _DASHES[round_ % len(_DASHES)]}


def _line(name: str, part: pd.DataFrame, style: dict[str, Any], numeric: bool) -> Any:
    import plotly.graph_objects as go

    chosen = part["chosen"].astype(bool) if "chosen" in part else pd.Series(False, part.index)
    bars = None
    if {"low", "high"} <= set(part) and part["low"].notna().any():
        bars = {
            "type": "data", "symmetric": False, "thickness": 1.6, "width": 4,
            "array": part["high"] - part["mean"], "arrayminus": part["mean"] - part["low"],
        }  # fmt: skip
    return go.Scatter(
        x=part["x"], y=part["mean"], error_y=bars, name=text(name), legendgroup=name,
        mode="lines+markers" if numeric else "markers", line={**style, "width": 2},
        marker={
            "color": style["color"], "line": {"width": 1.5, "color": style["color"]},
            "symbol": ["star" if c else "circle" for c in chosen],
            "size": [15 if c else 8 for c in chosen],
        },
        hovertemplate=text(name) + "<br>%{x}: %{y:.4g}<extra></extra>",
    )  # fmt: skip


def _dots(part: pd.DataFrame, style: dict[str, Any], numeric: bool, number: int) -> Any:
    import plotly.graph_objects as go

    return go.Scatter(
        x=part["x"], y=part["value"], mode="markers", showlegend=False,
        legendgroup=str(part["line"].iloc[0]) if len(part) else None,
        marker={"size": 4, "color": style["color"], "opacity": 0.35}, hoverinfo="skip",
    )  # fmt: skip


def _number_axis(figure: Any, values: Any) -> None:
    if values[0] > 0 and values[-1] / values[0] >= LOG_RATIO:
        figure.update_xaxes(type="log")
    if len(values) <= 12:
        figure.update_xaxes(tickvals=values, ticktext=[f"{v:g}" for v in values])
