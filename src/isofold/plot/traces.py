"""Traces of one channel under each other, on one time axis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..errors import DataError
from .style import CATEGORIES, GREY, flat_layout, text

if TYPE_CHECKING:
    import plotly.graph_objects as go

COLORS = tuple(CATEGORIES[k] for k in (0, 5, 2, 1))
"""Of rows; without the yellow, which thin lines lose."""
Lines = Mapping[str, tuple[Any, Any]]
"""name → (time in s, value)."""


def traces(rows: Mapping[str, Lines], *, title: str = "", rule: Sequence[float] = ()) -> go.Figure:
    """Rows of traces that share the time axis: raw signal with its fit, correction, ΔF/F.

    Parameters
    ----------
    rows
        Name of the row (its unit stands at the axis) → name of a line → (time, value). A line whose
        name ends in "fit" or is the second one of a row is drawn thin and grey.
    rule
        Times at which a vertical line stands, such as events.

    Raises
    ------
    DataError
        There are no rows.

    Examples
    --------
    >>> time = [0.0, 1.0]
    >>> rows = {"raw": {"470": (time, [1, 2]), "fit": (time, [1, 1])}, "ΔF/F": {"": (time, [0, 1])}}
    >>> len(traces(rows).data)
    3
    """
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    if not rows:
        raise DataError("traces() needs at least one row of lines, got none")
    figure = make_subplots(len(rows), 1, shared_xaxes=True, vertical_spacing=0.03)
    for row, (unit, lines) in enumerate(rows.items(), start=1):
        for number, (name, (time, value)) in enumerate(lines.items()):
            fit = name.endswith("fit")
            color = GREY if fit else COLORS[(row - 1 + number) % len(COLORS)]
            figure.add_trace(
                go.Scatter(
                    x=time, y=value, mode="lines", name=text(name or unit), showlegend=False,
                    line={"width": 1.6 if fit else 1.0, "color": color},
                    hovertemplate="%{x:.2f} s: %{y:.4g}<extra>" + text(name or unit) + "</extra>",
                ),
                row=row, col=1,
            )  # fmt: skip
        figure.update_yaxes(title={"text": text(unit), "font": {"size": 11}}, row=row, col=1)
    figure.update_layout(**flat_layout(title), height=90 + 105 * len(rows))
    figure.update_xaxes(title="time (s)", row=len(rows), col=1)
    figure.update_xaxes(gridcolor="rgba(0,0,0,0)")
    for at in rule:
        figure.add_vline(x=at, line={"color": GREY, "width": 0.6})
    return figure
