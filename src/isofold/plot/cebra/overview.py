"""`plot_overview`."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from ._figure import losses, shown_figure
from .curves import plot_loss, plot_temperature
from .embedding import order_of, plot_embedding

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


_NOTHING: Mapping[str, Any] = MappingProxyType({})


def plot_overview(
    model: Any,
    X: Any,
    loss_kwargs: Mapping[str, Any] = _NOTHING,
    temperature_kwargs: Mapping[str, Any] = _NOTHING,
    embedding_kwargs: Mapping[str, Any] = _NOTHING,
    figsize: tuple[float, float] = (15, 4),
    dpi: int = 100,
    **kwargs: Any,
) -> tuple[Figure, tuple[Axes, Axes, Axes]]:
    """Loss, temperature and embedding side by side, as `cebra.plot_overview`.

    Parameters
    ----------
    model
        A fitted `CEBRA`.
    X
        What `model.transform` takes.
    loss_kwargs, temperature_kwargs, embedding_kwargs
        For `plot_loss`, `plot_temperature`, `plot_embedding`.
    kwargs
        For all three.

    Returns
    -------
    Figure, tuple of Axes
        The figure, and its axes of loss, temperature and embedding (3-D unless there are two
        latents).

    Raises
    ------
    NotFittedError
        The model is not fitted.
    DataError
        The model has no temperature.

    Examples
    --------
    >>> import isofold as iso
    >>> X = np.random.default_rng(0).normal(size=(80, 5))
    >>> model = iso.CEBRA(max_iterations=3, output_dimension=3).fit(X)
    >>> figure, axes = plot_overview(model, X, embedding_kwargs={"embedding_labels": "time"})
    >>> len(axes)
    3
    """
    losses(model)
    points = np.asarray(model.transform(X))
    figure = shown_figure(figsize, dpi)
    grid = figure.add_gridspec(4, 2, wspace=0, hspace=0.2)
    above = figure.add_subplot(grid[:2, 0])
    below = figure.add_subplot(grid[2:, 0], sharex=above)
    order = order_of(points, embedding_kwargs.get("idx_order"))
    right = figure.add_subplot(grid[:, 1], projection="3d" if len(order) == 3 else None)
    plot_loss(model, ax=above, **{"x_label": False, **loss_kwargs, **kwargs})
    plot_temperature(model, ax=below, **{**temperature_kwargs, **kwargs})
    plot_embedding(points, ax=right, **{"markersize": 0.01, **embedding_kwargs, **kwargs})
    above.tick_params(labelbottom=False)
    return figure, (above, below, right)
