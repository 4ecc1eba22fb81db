"""Dimension: of a signal, as slopes against radius; of an embedding, as scores against it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..errors import DataError
from .dots import Row, dots
from .style import CATEGORIES, flat_layout, pale, text
from .sweep import sweep

if TYPE_CHECKING:
    import plotly.graph_objects as go


def dimension(found: Any, *, unit: str = "", title: str = "") -> go.Figure:
    """What `scores.dimension` or `scores.choose_dimension` found.

    - Correlation and geodesic dimension: the slope d log C / d log r at every radius, a band over
      the radii that were used, and the estimate as a dashed line.
    - Other estimators: the estimate with its interval, beside each other; as lines across where
      some have slopes.
    - `DimensionChoice`: mean score ± its standard error against the dimension; a star at the
      smallest one within one standard error of the best.

    Parameters
    ----------
    found
        A `Score` of `scores.dimension`, a mapping name → such scores, or a `DimensionChoice`.
    unit
        Of the score that a choice was made by.

    Raises
    ------
    DataError
        It is none of these.

    Examples
    --------
    >>> from isofold import scores
    >>> turn = np.random.default_rng(0).uniform(0, 2 * np.pi, 1000)
    >>> circle = np.column_stack([np.cos(turn), np.sin(turn)])
    >>> dimension(scores.dimension(circle, n_bootstrap=0)).layout.xaxis.type
    'log'
    """
    if hasattr(found, "smallest") and hasattr(found, "table"):
        return _choice(found, unit, title)
    several = found if isinstance(found, Mapping) else {"": found}
    wrong = [type(s).__name__ for s in several.values() if getattr(s, "unit", "") != "dimensions"]
    if wrong or not several:
        raise DataError(
            "dimension() draws what scores.dimension or scores.choose_dimension returned, got "
            f"{wrong or 'nothing'}"
        )
    if any(_has_slopes(score) for score in several.values()):
        return _slopes(several, title)
    rows = [
        Row(name or str(s.settings.get("estimator", "dimension")), [], mean=float(s),
            interval=_known(s.interval))
        for name, s in several.items()
    ]  # fmt: skip
    return dots(rows, unit="dimensions", title=title)


def _choice(found: Any, unit: str, title: str) -> go.Figure:
    table = found.table
    drawn = pd.DataFrame(
        {
            "line": "mean ± standard error", "x": table.index.to_numpy(), "mean": table["mean"],
            "low": table["mean"] - table["se"], "high": table["mean"] + table["se"],
            "chosen": table.index == found.smallest,
        }
    )  # fmt: skip
    figure = sweep(drawn, along="output_dimension", unit=unit or "held-out score", title=title)
    figure.update_xaxes(type="linear")
    return figure


def _has_slopes(score: Any) -> bool:
    return "radius" in score.parts.index.names


def _known(interval: tuple[float, float]) -> tuple[float, float] | None:
    return interval if np.isfinite(interval).all() else None


def _slopes(several: Mapping[str, Any], title: str) -> go.Figure:
    import plotly.graph_objects as go

    figure = go.Figure()
    radii = np.concatenate([s.parts.index for s in several.values() if _has_slopes(s)])
    ends = [float(radii.min()), float(radii.max())]
    for number, (name, score) in enumerate(several.items()):
        color = CATEGORIES[number % len(CATEGORIES)]
        called = f"{text(name or score.settings.get('estimator', 'dimension'))}: "
        called += f"D = {float(score):.2f}"
        if _has_slopes(score):
            _add_slopes(figure, score, called, color)
        figure.add_scatter(
            x=ends, y=[float(score)] * 2, mode="lines", legendgroup=called, name=called,
            showlegend=not _has_slopes(score), hoverinfo="name",
            line={"color": color, "width": 1.4, "dash": "dash"},
        )  # fmt: skip
    figure.update_layout(**flat_layout(title), height=330, showlegend=True)
    figure.update_layout(legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0})
    figure.update_xaxes(title="radius r", type="log")
    top = 1.6 * max(float(s) for s in several.values())
    figure.update_yaxes(title="d log C / d log r", range=[0, top])
    return figure


def _add_slopes(figure: go.Figure, score: Any, called: str, color: str) -> None:
    """The slope at each radius, on a band over the radii that the estimate is from."""
    figure.add_scatter(
        x=score.parts.index.to_numpy(), y=score.parts.to_numpy(), mode="lines", name=called,
        legendgroup=called, line={"color": color, "width": 1.8}, showlegend=True,
        hovertemplate="r %{x:.3g}: slope %{y:.3g}<extra></extra>",
    )  # fmt: skip
    figure.add_shape(
        type="rect", x0=score.also["r_low"], x1=score.also["r_high"], y0=0, y1=1,
        yref="y domain", fillcolor=pale(color, 0.12), line_width=0, layer="below",
    )  # fmt: skip
