"""Figures of matplotlib, fitted models and colours, as these functions share them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..._extras import require
from ...errors import DataError
from ..style import class_color


def new_axes(figsize: tuple[float, float], dpi: float, projection: str | None = None) -> Any:
    """Axes of a figure that pyplot does not know of; `cebra` closes its own at once, too."""
    require("matplotlib", "figures", "the plotting functions of the cebra package")
    from matplotlib.figure import Figure

    return Figure(figsize=figsize, dpi=dpi).add_subplot(projection=projection)


def shown_figure(figsize: tuple[float, float], dpi: float) -> Any:
    """A figure of pyplot: after these functions people call `plt.show()` or `plt.savefig()`."""
    require("matplotlib", "figures", "the plotting functions of the cebra package")
    from matplotlib import pyplot

    return pyplot.figure(figsize=figsize, dpi=dpi)


def require_fitted(model: Any) -> None:
    from sklearn.base import BaseEstimator
    from sklearn.utils.validation import check_is_fitted

    if isinstance(model, BaseEstimator):
        check_is_fitted(model)


def losses(model: Any) -> NDArray:
    require_fitted(model)
    values = getattr(model, "loss_", None)
    if values is None:
        values = getattr(model, "state_dict_", {}).get("loss")
    if values is None:
        raise DataError(f"{type(model).__name__} is not trained by steps: it has no loss to plot")
    return np.asarray(values, dtype=float)


def series(n: int, cmap: Any) -> list[str]:
    """Different colours out of a map."""
    if cmap == "cebra":
        return [class_color(k, n) for k in range(n)]
    from matplotlib import colormaps

    return [css(c) for c in colormaps.get_cmap(cmap)(np.linspace(0, 1, n))]


def css(color: Any) -> str:
    from matplotlib.colors import to_hex

    return to_hex(color)
