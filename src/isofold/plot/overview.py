"""A fitted model at a glance: how it trained, and what it makes of data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .curves import loss
from .points import embedding
from .style import BAND, CATEGORIES, GREY, flat_layout, note

if TYPE_CHECKING:
    import plotly.graph_objects as go


def overview(
    model: Any,
    X: Any,
    color: str | ArrayLike | None = "position",
    *,
    kind: str | None = None,
    title: str = "",
) -> go.Figure:
    """Loss and temperature of a fit beside the embedding of data that you give.

    Give held-out trials as `X`: a model can always place the trials it was trained on.

    Parameters
    ----------
    model
        A fitted model. One that has no loss (PCA, …) shows the embedding alone.
    X
        What `model.transform` takes: a Recording, or an array.
    color, kind
        As in `plot.embedding`.

    Raises
    ------
    NotFittedError
        The model is not fitted.

    Examples
    --------
    >>> import isofold as iso
    >>> rat = iso.simulate.place_cells(seed=0, n_laps=8, n_units=12)
    >>> train, test = rat.split(test=0.25)
    >>> model = iso.CEBRA(output_dimension=3, max_iterations=5, random_state=0).fit(train)
    >>> [trace.type for trace in overview(model, test).data]
    ['scatter', 'scatter', 'scatter3d']
    """
    from plotly.subplots import make_subplots

    drawn = embedding(model.transform(X), color, kind=kind)
    curves = _curves(model)
    flat = drawn.data[0].type == "scattergl"
    if not curves:
        return drawn.update_layout(title={"text": title} if title else None)
    right = {"type": "xy" if flat else "scene", "rowspan": len(curves)}
    specs = [[{"type": "xy"}, right if k == 0 else None] for k in range(len(curves))]
    figure = make_subplots(
        len(curves), 2, specs=specs, column_widths=[0.42, 0.58], horizontal_spacing=0.12,
        vertical_spacing=0.1, shared_xaxes="columns",
    )  # fmt: skip
    figure.update_layout(**flat_layout(title), height=430, showlegend=_several(drawn))
    for row, (name, (step, values)) in enumerate(curves.items(), start=1):
        figure.add_scatter(
            x=step, y=values, mode="lines", name=name, showlegend=False, row=row, col=1,
            line={"width": 1.4, "color": CATEGORIES[row - 1]},
            hovertemplate="step %{x}: %{y:.4g}<extra></extra>",
        )  # fmt: skip
        figure.update_yaxes(title=name, row=row, col=1)
    figure.update_xaxes(title="step", row=len(curves), col=1)
    figure.add_traces(drawn.data, rows=[1] * len(drawn.data), cols=[2] * len(drawn.data))
    if flat:
        x, y = drawn.layout.xaxis, drawn.layout.yaxis
        equal = {"scaleanchor": figure.data[-1].yaxis} if x.scaleanchor else {}
        figure.update_xaxes(title=x.title.text, **equal, row=1, col=2)
        figure.update_yaxes(title=y.title.text, row=1, col=2)
    else:
        figure.update_layout(scene=_without_domain(drawn.layout.scene.to_plotly_json()))
    lines = {"gridcolor": BAND, "zerolinecolor": BAND, "linecolor": GREY, "automargin": True}
    figure.update_xaxes(**lines)
    figure.update_yaxes(**lines)
    note(figure, next((a.text for a in drawn.layout.annotations if a.name == "note"), ""))
    return figure


def _curves(model: Any) -> dict[str, tuple[NDArray, NDArray]]:
    """Loss, and temperature where there is one, against step."""
    if not hasattr(model, "loss_") and not hasattr(model, "state_dict_"):
        return {}
    trace = loss(model).data[0]
    found = {"loss": (np.asarray(trace.x), np.asarray(trace.y))}
    log = getattr(model, "state_dict_", {}).get("log", {})
    if len(log.get("temperature", ())):
        temperature = np.asarray(log["temperature"], dtype=float)
        found["temperature"] = (np.arange(len(temperature)), temperature)
    return found


def _several(figure: go.Figure) -> bool:
    return any(trace.showlegend for trace in figure.data)


def _without_domain(layout: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in layout.items() if k != "domain"}
