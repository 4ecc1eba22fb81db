"""Channels ranked by what they give a label."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ..errors import DataError
from .style import ACCENT, BAND, GREY, flat_layout, text

if TYPE_CHECKING:
    import plotly.graph_objects as go


def channels(ranks: pd.DataFrame, *, most: int = 20, title: str = "") -> go.Figure:
    """Bars of the share that each channel gives a label, on a grey band of chance.

    Parameters
    ----------
    ranks
        Rows of one label from `isofold.attribution.rank`: `channel`, `share`, and, for the band,
        `chance_mean` and `chance`.
    most
        Channels to draw, largest share first.

    Raises
    ------
    DataError
        Several labels, or a column is missing.

    Examples
    --------
    >>> channels(pd.DataFrame({"channel": [3, 7], "share": [0.1, 0.9]})).data[0].x
    array([0.9, 0.1])
    """
    import plotly.graph_objects as go

    missing = {"channel", "share"} - set(ranks.columns)
    if missing:
        raise DataError(f"ranks need columns channel and share; missing {sorted(missing)}")
    if "label" in ranks and ranks["label"].nunique() > 1:
        raise DataError(
            f"one figure shows one label, got {ranks['label'].unique().tolist()}; draw "
            "ranks[ranks['label'] == ...]"
        )
    shown = ranks.sort_values("share", ascending=False, kind="stable").iloc[:most]
    names = [text(name) for name in shown["channel"]]
    place = np.arange(len(shown))
    figure = go.Figure()
    if {"chance_mean", "chance"} <= set(shown):
        _draw_chance(figure, shown)
    figure.add_trace(
        go.Bar(
            x=shown["share"].to_numpy(), y=place, orientation="h", width=0.4, text=names,
            marker={"color": ACCENT}, textposition="none", showlegend=False,
            hovertemplate="%{text}: %{x:.3g}<extra></extra>",
        )
    )  # fmt: skip
    figure.data = (figure.data[-1], *figure.data[:-1])
    figure.update_layout(**flat_layout(title), height=90 + 24 * len(shown))
    figure.update_xaxes(title="share", rangemode="tozero")
    figure.update_yaxes(
        tickvals=place, ticktext=names, range=[len(shown) - 0.4, -0.6], showgrid=False,
        zeroline=False, ticks="", automargin=True,
    )  # fmt: skip
    return figure


def _draw_chance(figure: go.Figure, shown: pd.DataFrame) -> None:
    edges = shown["chance"].to_numpy(float)
    for place, (middle, edge) in enumerate(zip(shown["chance_mean"], edges, strict=True)):
        box = {"y0": place - 0.45, "y1": place + 0.45, "layer": "below"}
        figure.add_shape(type="rect", x0=0, x1=edge, fillcolor=BAND, line_width=0, **box)
        line = {"color": GREY, "width": 1.5}
        figure.add_shape(type="line", x0=middle, x1=middle, line=line, **box)
    figure.add_scatter(  # unseen: it widens the axis to hold the band, and answers the pointer
        x=edges, y=np.arange(len(edges)), mode="markers", marker={"opacity": 0, "size": 10},
        showlegend=False, hovertemplate="edge of chance: %{x:.3g}<extra></extra>",
    )  # fmt: skip
