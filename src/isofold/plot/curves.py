"""Training loss against step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import DataError
from .style import CATEGORIES, flat_layout, text

if TYPE_CHECKING:
    import plotly.graph_objects as go


def loss(model_or_log: Any, *, title: str = "", unit: str = "loss") -> go.Figure:
    """Training loss against step.

    Parameters
    ----------
    model_or_log
        A table with columns `step` and `loss`, a fitted model, a sequence
        of losses, or a mapping name → any of these for several curves.

    Raises
    ------
    DataError
        No losses are found.

    Examples
    --------
    >>> loss({"seed 0": [3.0, 2.0, 1.5], "seed 1": [3.1, 2.1, 1.4]}).data[1].name
    'seed 1'
    """
    import plotly.graph_objects as go

    several = isinstance(model_or_log, Mapping) and "loss" not in model_or_log
    curves = model_or_log if several else {"loss": model_or_log}
    figure = go.Figure()
    for number, (name, curve) in enumerate(curves.items()):
        step, value = _curve(curve)
        color = CATEGORIES[number % len(CATEGORIES)]
        figure.add_trace(
            go.Scatter(
                x=step, y=value, mode="lines", name=text(name), line={"width": 1.6, "color": color},
                hovertemplate="step %{x}<br>%{y:.4g}<extra>" + text(name) + "</extra>",
            )
        )  # fmt: skip
    figure.update_layout(**flat_layout(title), showlegend=len(curves) > 1)
    figure.update_xaxes(title="step", rangemode="tozero")
    figure.update_yaxes(title=text(unit))
    return figure


def _curve(curve: Any) -> tuple[NDArray, NDArray]:
    for attribute in ("loss_", "state_dict_"):  # a fitted model: ours, or the cebra package's
        curve = getattr(curve, attribute, curve)
    if isinstance(curve, Mapping | pd.DataFrame):
        if "loss" not in curve:
            raise DataError(f"a log needs a column 'loss', got {list(curve)}")
        value = np.asarray(curve["loss"], dtype=float)
        return np.asarray(curve["step"] if "step" in curve else np.arange(len(value))), value
    try:
        value = np.asarray(curve, dtype=float)
    except (TypeError, ValueError):
        raise DataError(
            f"losses come from a log, a fitted model or numbers, got {type(curve).__name__}"
        ) from None
    return np.arange(len(value)), value
