"""`plot_embedding_interactive`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...errors import DataError
from ._figure import css, series
from .embedding import labels_of, order_of

if TYPE_CHECKING:
    import plotly.graph_objects as go


def plot_embedding_interactive(
    embedding: ArrayLike,
    embedding_labels: ArrayLike | str | None = "grey",
    axis: go.Figure | None = None,
    markersize: float = 1,
    idx_order: Sequence[int] | None = None,
    alpha: float = 0.4,
    cmap: Any = "cool",
    title: str = "Embedding",
    figsize: tuple[float, float] = (5, 5),
    dpi: int = 100,
    **kwargs: Any,
) -> go.Figure:
    """Embedding in plotly, as `cebra.plot_embedding_interactive`; `plot.embedding` shows more.

    Parameters
    ----------
    embedding, embedding_labels, idx_order, cmap
        As in `plot_embedding`.
    axis
        Figure to add to.
    figsize
        Hundreds of pixels.
    kwargs
        `discrete` (one trace a label), `showlegend` (with `discrete` only), `row` and `col` of a
        figure with subplots, `template`.

    Raises
    ------
    DataError
        As `plot_embedding`; a legend is asked for without `discrete`; or another keyword.

    Examples
    --------
    >>> ring = np.stack([np.cos(np.arange(9)), np.sin(np.arange(9)), np.arange(9)], axis=1)
    >>> plot_embedding_interactive(ring, embedding_labels="time").data[0].type
    'scatter3d'
    """
    import plotly.graph_objects as go

    known = {"discrete", "showlegend", "row", "col", "template"}
    if unknown := set(kwargs) - known:
        raise DataError(f"keywords are {sorted(known)}, got {sorted(unknown)}")
    discrete, legend = bool(kwargs.get("discrete")), bool(kwargs.get("showlegend"))
    if legend and not discrete:
        raise DataError("Cannot show legend with continuous labels: give discrete=True with it")
    points = np.asarray(embedding, dtype=float)
    order = order_of(points, idx_order)
    figure = axis
    if figure is None:
        figure = go.Figure(layout={"width": 100 * figsize[0], "height": 100 * figsize[1]})
    place = {k: kwargs[k] for k in ("row", "col") if kwargs.get(k) is not None}
    place = place if len(place) == 2 else {}
    for rows, name, paint in _traces(embedding_labels, len(points), cmap, discrete):
        columns = dict(zip("xyz", points[rows][:, order].T, strict=False))
        kind = go.Scatter3d if len(order) == 3 else go.Scattergl
        marker = {"size": markersize, "opacity": alpha, **paint}
        figure.add_trace(kind(**columns, mode="markers", name=name, marker=marker), **place)
    template = kwargs.get("template", "plotly_white")
    figure.update_layout(template=template, showlegend=legend, title=title)
    return figure


def _traces(
    labels: ArrayLike | str | None, n: int, cmap: Any, discrete: bool
) -> list[tuple[NDArray, str, dict[str, Any]]]:
    """Rows, name and colour of each trace."""
    found = labels_of(labels, n)
    every = np.arange(n)
    if found is None or isinstance(found, str):
        return [(every, "", {} if found is None else {"color": css(found)})]
    classes, codes = np.unique(found, return_inverse=True)
    if not discrete:
        shown = found if found.dtype.kind in "iufb" else codes
        return [(every, "", {"color": shown.astype(float), "colorscale": _scale(cmap)})]
    colors = series(len(classes), cmap)
    return [(every[codes == k], str(c), {"color": colors[k]}) for k, c in enumerate(classes)]


def _scale(cmap: Any) -> list[list[Any]]:
    """A map of matplotlib as plotly takes it."""
    return [[k / 10, color] for k, color in enumerate(series(11, cmap))]
