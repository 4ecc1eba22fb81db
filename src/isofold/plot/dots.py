"""Scores as dots beside their interval and chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ..errors import DataError
from .style import ACCENT, BAND, CATEGORIES, GREY, flat_layout, text

if TYPE_CHECKING:
    import plotly.graph_objects as go


def decoding(scores: Any, *, title: str = "") -> go.Figure:
    """Scores as dots beside their interval and chance.

    Parameters
    ----------
    scores
        A `Score`, a sequence or mapping name → `Score`, or the table `Results.scores` (rows of
        one score, label and unit; part "all"), drawn one line a method.

    Raises
    ------
    DataError
        The scores have different units, which would share an axis.

    Examples
    --------
    >>> table = pd.DataFrame({"method": ["pca", "pca"], "value": [0.2, 0.3], "unit": "R²"})
    >>> decoding(table).layout.xaxis.title.text
    'R²'
    """
    if isinstance(scores, pd.DataFrame):
        table = scores[scores["part"] == "all"] if "part" in scores else scores
        units = table["unit"].unique().tolist()
        rows = [_table_row(str(name), part) for name, part in table.groupby("method", sort=False)]
    else:
        if not isinstance(scores, Mapping):
            many = scores if isinstance(scores, Sequence) else [scores]
            scores = {f"score {k + 1}" if len(many) > 1 else "score": s for k, s in enumerate(many)}
        units = list(dict.fromkeys(s.unit for s in scores.values()))
        rows = [_score_row(str(name), score) for name, score in scores.items()]
    if len(units) != 1:
        raise DataError(f"scores on one axis must have one unit, got {units}; draw each by itself")
    return dots(rows, unit=units[0], title=title)


@dataclass(frozen=True)
class Row:
    """One line of a dot chart: the runs, their mean with interval, and chance."""

    name: str
    values: Any
    hover: Sequence[str] = ()
    groups: Sequence[str] = ()
    mean: float | None = None
    interval: tuple[float, float] | None = None
    chance: tuple[float, float] | None = None
    muted: bool = False
    ceiling: float | None = None


def dots(rows: Sequence[Row], *, unit: str, title: str = "") -> go.Figure:
    """Lines of dots (one a run), mean with interval, and a grey band from chance to its edge."""
    import plotly.graph_objects as go

    figure = go.Figure()
    groups = list(dict.fromkeys(g for row in rows for g in row.groups))
    for place, row in enumerate(rows):
        if row.chance is not None and np.all(np.isfinite(row.chance)):
            _draw_chance(figure, place, row.chance)
        if row.ceiling is not None:
            _draw_ceiling(figure, place, row.ceiling)
        for trace in _run_dots(place, row, groups):
            figure.add_trace(trace)
        if row.mean is not None:
            figure.add_trace(_mean_mark(place, row))
    figure.update_layout(**flat_layout(title))
    figure.update_layout(
        height=90 + 40 * len(rows) + (30 if groups else 0), showlegend=bool(groups),
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0},
    )  # fmt: skip
    figure.update_xaxes(title=text(unit), zeroline=False, range=_range(rows))
    figure.update_yaxes(
        tickvals=list(range(len(rows))), ticktext=[text(row.name) for row in rows],
        range=[len(rows) - 0.4, -0.6], showgrid=False, zeroline=False, ticks="", automargin=True,
    )  # fmt: skip
    return figure


def _range(rows: Sequence[Row]) -> list[float] | None:
    """Room around values that are all the same, where plotly finds no axis; else its own choice."""
    shown = [float(v) for row in rows for v in (*row.values, *(row.chance or ()))]
    shown += [v for row in rows for v in (row.interval or ())]
    if not shown or max(shown) - min(shown) > 1e-9 * max(1e-300, *map(abs, shown)):
        return None
    room = 0.5 * abs(shown[0]) or 0.5
    return [shown[0] - room, shown[0] + room]


def mean_interval(values: ArrayLike, level: float = 0.95) -> tuple[float, float] | None:
    """Student's t interval of the mean; None below three values, where it says nothing.

    >>> mean_interval([1.0, 2.0]) is None
    True
    >>> [round(x, 2) for x in mean_interval([1.0, 2.0, 3.0])]
    [-0.48, 4.48]
    """
    from scipy.stats import t

    values = np.asarray(values, dtype=float)
    if len(values) < 3:
        return None
    half = t.ppf((1 + level) / 2, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    return float(values.mean() - half), float(values.mean() + half)


def _table_row(name: str, part: pd.DataFrame) -> Row:
    values = part["value"].to_numpy(dtype=float)
    chance = None
    if {"chance_mean", "chance_hi"} <= set(part):
        chance = (float(part["chance_mean"].mean()), float(part["chance_hi"].mean()))
    return Row(
        name, values, mean=float(values.mean()), interval=mean_interval(values), chance=chance
    )


def _score_row(name: str, score: Any) -> Row:
    chance = np.asarray(score.chance, dtype=float)
    band = (float(chance.mean()), float(np.quantile(chance, 0.95))) if chance.size else None
    parts = np.asarray(score.parts, dtype=float)
    low, high = (float(x) for x in score.interval)
    interval = (low, high) if np.isfinite([low, high]).all() else None
    return Row(name, parts, mean=float(score), interval=interval, chance=band)


def _draw_chance(figure: go.Figure, place: int, chance: tuple[float, float]) -> None:
    low, high = sorted(chance)
    box = {"y0": place - 0.36, "y1": place + 0.36, "layer": "below"}
    middle = {"x0": chance[0], "x1": chance[0], "line": {"color": GREY, "width": 1.5}}
    figure.add_shape(type="rect", x0=low, x1=high, fillcolor=BAND, line_width=0, **box)
    figure.add_shape(type="line", **middle, **box)
    figure.add_scatter(  # unseen: it widens the axis to hold the band, and answers the pointer
        x=list(chance), y=[place] * 2, mode="markers", marker={"opacity": 0, "size": 10},
        showlegend=False, text=["mean of chance", "edge of chance"],
        hovertemplate="%{text}: %{x:.3g}<extra></extra>",
    )  # fmt: skip


def _run_dots(place: int, row: Row, groups: list[str]) -> list[Any]:
    import plotly.graph_objects as go

    values = np.asarray(row.values, dtype=float)
    names = np.asarray(row.groups or [""] * len(values), dtype=object)
    hover = np.asarray(row.hover or [f"{v:.4g}" for v in values], dtype=object)
    # an even, repeatable spread: dots of equal value stay apart, and no seed is needed
    spread = (np.arange(len(values)) * 0.618 % 1 - 0.5) * 0.16 - 0.17
    traces = []
    for name in dict.fromkeys(names.tolist()):
        mine = names == name
        color = CATEGORIES[groups.index(name) % len(CATEGORIES)] if name else ACCENT
        traces.append(
            go.Scatter(
                x=values[mine], y=place + spread[mine],
                mode="markers", name=text(name),
                text=[text(h) for h in hover[mine]], hovertemplate="%{text}<extra></extra>",
                marker={"size": 8, "color": GREY if row.muted else color, "opacity": 0.75},
                legendgroup=str(name), showlegend=place == 0,
            )
        )  # fmt: skip
    return traces


def _draw_ceiling(figure: Any, place: int, ceiling: float) -> None:
    sides = {"y0": place - 0.4, "y1": place + 0.4}
    line = {"color": GREY, "width": 1.5, "dash": "dash"}
    figure.add_shape(type="line", x0=ceiling, x1=ceiling, line=line, layer="below", **sides)
    figure.add_scatter(  # unseen: it widens the axis to hold the line, and answers the pointer
        x=[ceiling], y=[place], mode="markers", marker={"opacity": 0, "size": 10},
        showlegend=False, hovertemplate="ceiling: %{x:.3g}<extra></extra>",
    )  # fmt: skip


def _mean_mark(place: int, row: Row) -> Any:
    import plotly.graph_objects as go

    bars = None
    shown = f"{row.mean:.4g}"
    if row.mean is not None and row.interval is not None:
        low, high = row.interval
        bars = {
            "type": "data", "symmetric": False, "thickness": 2, "width": 7,
            "array": [high - row.mean], "arrayminus": [row.mean - low],
        }  # fmt: skip
        shown += f" [{low:.4g}, {high:.4g}]"
    return go.Scatter(
        x=[row.mean], y=[place + 0.14], mode="markers", error_x=bars, meta="ink",
        name="mean, 95 % interval" if row.interval else "mean",
        marker={"symbol": "line-ns", "size": 13, "line": {"width": 3}},
        hovertemplate=f"{text(row.name)}: mean {shown}<extra></extra>",
        legendgroup="mean", showlegend=False,
    )  # fmt: skip
