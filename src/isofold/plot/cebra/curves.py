"""`plot_loss`, `plot_temperature`, `compare_models`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import DataError
from ._figure import losses, new_axes, require_fitted, series, shown_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_loss(
    model: Any,
    label: str | float | None = None,
    ax: Axes | None = None,
    color: str = "magenta",
    linewidth: int = 1,
    x_label: bool = True,
    y_label: bool = True,
    figsize: tuple[float, float] = (7, 4),
    dpi: float = 100,
    **kwargs: Any,
) -> Axes:
    """Training loss of a fitted model, as `cebra.plot_loss`; `plot.loss` draws several.

    Any model of isofold that is trained by steps will do. `kwargs` go to `Axes.plot`.

    Raises
    ------
    NotFittedError
        The model is not fitted.
    DataError
        The model has no loss.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> fitted = SimpleNamespace(loss_=[3.0, 2.0, 1.5], criterion="infonce")
    >>> plot_loss(fitted).get_ylabel()
    'InfoNCE Loss'
    """
    values = losses(model)
    axes: Any = new_axes(figsize, dpi) if ax is None else ax
    axes.plot(values, color=color, linewidth=linewidth, label=label, **kwargs)
    if y_label:
        name = getattr(model, "criterion", "")
        axes.set_ylabel(f"{'InfoNCE' if name == 'infonce' else name} Loss".strip())
    if x_label:
        axes.set_xlabel("Steps")
    if label is not None:
        axes.legend()
    return axes


def plot_temperature(
    model: Any,
    ax: Axes | None = None,
    color: str = "dodgerblue",
    linewidth: int = 1,
    x_label: bool = True,
    y_label: bool = True,
    figsize: tuple[float, float] = (7, 4),
    dpi: float = 100,
    **kwargs: Any,
) -> Axes:
    """Temperature over the steps of a fit, as `cebra.plot_temperature`.

    It changes with `temperature_mode="auto"` only. `kwargs` go to `Axes.plot`.

    Raises
    ------
    NotFittedError
        The model is not fitted.
    DataError
        The model has no temperature.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> fitted = SimpleNamespace(state_dict_={"log": {"temperature": [1.0, 0.9]}})
    >>> plot_temperature(fitted).lines[0].get_ydata()
    array([1. , 0.9])
    """
    require_fitted(model)
    values = getattr(model, "state_dict_", {}).get("log", {}).get("temperature")
    if values is None:
        raise DataError(f"{type(model).__name__} is trained without a temperature")
    axes: Any = new_axes(figsize, dpi) if ax is None else ax
    axes.plot(np.asarray(values, dtype=float), color=color, linewidth=linewidth, **kwargs)
    if y_label:
        axes.set_ylabel("Temperature")
    if x_label:
        axes.set_xlabel("Steps")
    return axes


def compare_models(
    models: list[Any],
    labels: list[str] | None = None,
    ax: Axes | None = None,
    color: str | None = None,
    cmap: Any = "cebra",
    linewidth: int = 1,
    x_label: bool = True,
    y_label: bool = True,
    figsize: tuple[float, float] = (7, 4),
    dpi: float = 100,
    **kwargs: Any,
) -> Axes:
    """Training losses of several models in one figure, as `cebra.compare_models`.

    A loss says how far training went, not which model is better: models of other dimension, batch
    or temperature have losses that cannot be compared. Use `model.score` on held-out trials.

    Parameters
    ----------
    models
        Fitted models.
    labels
        A name for each.
    ax
        Axes to draw on (`cebra` does not use them).
    color
        One colour for all.
    cmap
        A map of matplotlib to take colours from; "cebra" are the colours of `isofold.plot`.

    Raises
    ------
    DataError
        `models` or `labels` are no list, or are of different length.
    NotFittedError
        A model is not fitted.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> fitted = [SimpleNamespace(loss_=[3.0, 2.0]), SimpleNamespace(loss_=[3.0, 1.0])]
    >>> [line.get_label() for line in compare_models(fitted, labels=["a", "b"]).lines]
    ['a', 'b']
    """
    if not isinstance(models, list) or not models:
        raise DataError(f"Invalid list of models: a list of fitted models is needed, got {models}")
    if labels is not None and not isinstance(labels, list):
        raise DataError(f"Invalid list of labels: a list is needed, got {type(labels).__name__}")
    names = [None] * len(models) if labels is None else labels
    if len(names) != len(models):
        raise DataError(
            f"Invalid list of labels: one a model is needed, got {len(names)} for {len(models)}"
        )
    if wrong := [n for n in labels or [] if not isinstance(n, str | int | float)]:
        raise DataError(f"Invalid list of labels: texts or numbers are needed, got {wrong[0]!r}")
    for model in models:
        losses(model)  # before anything is drawn
    colors = series(len(models), cmap) if color is None else [color] * len(models)
    axes: Any = shown_figure(figsize, dpi).add_subplot() if ax is None else ax
    for model, name, own in zip(models, names, colors, strict=True):
        plot_loss(model, name, axes, own, linewidth, x_label, y_label, **kwargs)
    return axes
