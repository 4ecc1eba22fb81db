"""`plot_embedding`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..._extras import require
from ...errors import DataError, UnsupportedError
from ._figure import new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_embedding(
    embedding: ArrayLike,
    embedding_labels: ArrayLike | str | None = "grey",
    ax: Axes | None = None,
    idx_order: Sequence[int] | None = None,
    markersize: float = 0.05,
    alpha: float = 0.4,
    cmap: Any = "cool",
    title: str = "Embedding",
    figsize: tuple[float, float] = (5, 5),
    dpi: float = 100,
    **kwargs: Any,
) -> Axes:
    """Scatter of an embedding, as `cebra.plot_embedding`; `plot.embedding` shows more.

    Parameters
    ----------
    embedding
        (time, latent) with two latents at least.
    embedding_labels
        One value a sample, "time", or a colour. Texts are classes.
    ax
        Axes to draw on; else a new figure of `figsize` inches.
    idx_order
        Two or three latents to draw; three, or two where there are no more, unless given.
    kwargs
        For `matplotlib.axes.Axes.scatter`.

    Raises
    ------
    DataError
        One latent, latents that do not exist, labels of another length, or a text that is no
        colour.
    UnsupportedError
        Several columns of labels.

    Examples
    --------
    >>> ring = np.stack([np.cos(np.arange(9)), np.sin(np.arange(9))], axis=1)
    >>> plot_embedding(ring, embedding_labels="time").get_title()
    'Embedding'
    """
    points = np.asarray(embedding, dtype=float)
    order = order_of(points, idx_order)
    colors = _colors(embedding_labels, len(points), cmap)
    deep = len(order) == 3
    projection = "3d" if deep else None
    axes: Any = new_axes(figsize, dpi, projection) if ax is None else ax
    columns = dict(zip(("xs", "ys", "zs") if deep else ("x", "y"), points[:, order].T, strict=True))
    axes.scatter(**columns, **colors, alpha=alpha, s=markersize, **kwargs)
    if deep:
        axes.grid(False)
        for axis in (axes.xaxis, axes.yaxis, axes.zaxis):
            axis.pane.fill = False
            axis.pane.set_edgecolor("w")
    axes.set_title(title)
    return axes


def order_of(points: NDArray, idx_order: Sequence[int] | None) -> list[int]:
    """The latents that are drawn."""
    if points.ndim != 2 or points.shape[1] < 2:
        raise DataError(
            f"Invalid embedding dimension: (time, latent) of 2 latents or more, got {points.shape}"
        )
    order = list(range(min(points.shape[1], 3))) if idx_order is None else list(idx_order)
    if len(order) not in (2, 3):
        raise DataError(f"idx_order must contain 2 or 3 dimensions, got {len(order)}")
    if not all(0 <= k < points.shape[1] for k in order):
        raise DataError(
            "List of dimensions to plot is invalid: they are 0 to "
            f"{points.shape[1] - 1}, got {order}"
        )
    return order


def labels_of(labels: ArrayLike | str | None, n: int) -> NDArray | str | None:
    """Labels as one number a sample, or a colour, or None."""
    require("matplotlib", "figures", "the plotting functions of the cebra package")
    from matplotlib.colors import is_color_like

    if labels is None or isinstance(labels, str):
        if labels == "time":
            return np.arange(n)
        if labels is not None and not is_color_like(labels):
            raise DataError(
                "Embedding labels invalid: one value a sample, 'time' or a colour is needed, got "
                f"{labels!r}"
            )
        return labels
    values = np.asarray(labels)
    if values.ndim > 1:
        raise UnsupportedError(
            f"Invalid embedding labels: one column is drawn at a time, got shape {values.shape}"
        )
    if len(values) != n:
        raise DataError(f"Invalid embedding labels: one a sample is needed, {n}, got {len(values)}")
    return values


def _colors(labels: ArrayLike | str | None, n: int, cmap: Any) -> dict[str, Any]:
    """Colours as `scatter` takes them; texts are numbered."""
    found = labels_of(labels, n)
    if found is None or isinstance(found, str):
        return {} if found is None else {"c": found}
    if found.dtype.kind in "USO":
        found = np.unique(found.astype(str), return_inverse=True)[1]
    return {"c": found, "cmap": cmap}
