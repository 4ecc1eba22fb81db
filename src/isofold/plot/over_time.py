"""A score at each time of a trial, with the band of chance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ..errors import DataError
from .style import BAND, CATEGORIES, GREY, flat_layout, text

if TYPE_CHECKING:
    import plotly.graph_objects as go

_NEEDED = ("time", "value", "chance", "chance_low", "chance_high")


def over_time(table: pd.DataFrame, *, unit: str = "accuracy", title: str = "") -> go.Figure:
    """Decoding at each time of a trial, one line a `line`, over the band that chance keeps to.

    Parameters
    ----------
    table
        Columns `time` (s), `value`, `chance`, `chance_low`, `chance_high`; `line` where there are
        several. The band is that of the first line.
    unit
        Of the values.

    Raises
    ------
    DataError
        A column is missing.

    Examples
    --------
    >>> columns = {"time": [0.0, 1.0], "value": [0.5, 0.9], "chance": 0.5}
    >>> table = pd.DataFrame({**columns, "chance_low": 0.4, "chance_high": 0.6, "line": "raw"})
    >>> over_time(table).data[-1].name
    'raw'
    """
    import plotly.graph_objects as go

    missing = [c for c in _NEEDED if c not in table]
    if missing:
        raise DataError(f"over_time needs columns {list(_NEEDED)}; missing {missing}")
    lines = table["line"] if "line" in table else pd.Series("decoding", index=table.index)
    first = table[lines == lines.iloc[0]]
    x = first["time"].to_numpy(float)
    low, high = first["chance_low"].to_numpy(float), first["chance_high"].to_numpy(float)
    figure = go.Figure()
    figure.add_trace(
        go.Scatter(
            x=np.concatenate([x, x[::-1]]), y=np.concatenate([high, low[::-1]]), fill="toself",
            fillcolor=BAND, line={"width": 0}, hoverinfo="skip", name="chance, 95 %",
        )
    )  # fmt: skip
    mean = first["chance"].to_numpy(float)
    dash = {"color": GREY, "width": 1, "dash": "dot"}
    figure.add_trace(go.Scatter(x=x, y=mean, mode="lines", line=dash, showlegend=False))
    for number, (name, part) in enumerate(table.groupby(lines, sort=False)):
        color = CATEGORIES[number % len(CATEGORIES)]
        figure.add_trace(
            go.Scatter(
                x=part["time"], y=part["value"], mode="lines", name=text(name),
                line={"color": color, "width": 2},
                hovertemplate="%{x:.2f} s: %{y:.3f}<extra>" + text(name) + "</extra>",
            )
        )  # fmt: skip
    figure.update_layout(**flat_layout(title), height=300)
    figure.update_layout(legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0})
    figure.update_xaxes(title="time from the event (s)")
    figure.update_yaxes(title=text(unit))
    figure.add_vline(x=0, line={"color": "#666", "width": 1, "dash": "dot"})
    return figure
