"""Single trials as rows of a heat map, and the mean of each condition below it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import DataError
from .style import DIVERGING, class_color, flat_layout, pale, text

if TYPE_CHECKING:
    import plotly.graph_objects as go
    import xarray as xr

MOST_ROWS = 160
"""More trials than these are drawn as means of neighbours of one condition."""


def trials(
    tensor: xr.DataArray,
    by: str | None = None,
    *,
    channel: Any = None,
    averages: pd.DataFrame | None = None,
    unit: str = "",
    title: str = "",
) -> go.Figure:
    """Trials aligned to an event: one row a trial, sorted by condition, above condition means.

    Parameters
    ----------
    tensor
        (trial, time, channel), as `Recording.align` gives it.
    by
        Trial column whose values are the conditions.
    channel
        Which channel (or latent); the first unless given.
    averages
        Table with `condition`, `time`, `mean`, `low`, `high`; made of the tensor (mean ± SEM)
        unless given.
    unit
        Of the signal.

    Raises
    ------
    DataError
        The tensor has other dimensions, or no such channel or column.

    Examples
    --------
    >>> import xarray as xr
    >>> tensor = xr.DataArray(
    ...     np.zeros((4, 3, 1)), dims=("trial", "time", "channel"),
    ...     coords={"time": [-1.0, 0.0, 1.0], "side": ("trial", ["l", "r", "l", "r"])},
    ... )
    >>> [trace.name for trace in trials(tensor, by="side").data if trace.name]
    ['l', 'r']
    """
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    values, time, condition = _parts(tensor, by, channel)
    names = list(dict.fromkeys(np.sort(condition).tolist()))
    rows, sizes, every = _sorted_rows(values, condition, names)
    averages = _averages(values, time, condition, names) if averages is None else averages
    figure = make_subplots(2, 1, shared_xaxes=True, row_heights=[0.62, 0.38], vertical_spacing=0.04)
    limit = float(np.nanquantile(np.abs(rows), 0.99)) if np.isfinite(rows).any() else 1.0
    figure.add_trace(
        go.Heatmap(
            z=rows, x=time, y=np.arange(len(rows)), colorscale=DIVERGING, zmid=0, zmin=-limit,
            zmax=limit, colorbar={"title": text(unit), "thickness": 12, "len": 0.62, "y": 0.69},
            hovertemplate="%{x:.2f} s: %{z:.3g}<extra></extra>",
        ),
        row=1, col=1,
    )  # fmt: skip
    for number, name in enumerate(names):
        _add_mean(figure, averages[averages["condition"].astype(str) == str(name)], name, number,
                  len(names))  # fmt: skip
    figure.update_layout(**flat_layout(title))
    _finish(figure, names, sizes, every, unit)
    return figure


def _parts(tensor: xr.DataArray, by: str | None, channel: Any) -> tuple[NDArray, NDArray, NDArray]:
    if len(tensor.dims) != 3 or tensor.dims[:2] != ("trial", "time"):
        raise DataError(
            f"trials are (trial, time, channel), as Recording.align gives them; got {tensor.dims}"
        )
    last = tensor.dims[2]
    if channel is not None and channel not in tensor[last].values:
        raise DataError(f"no {last} {channel!r}; there are {list(tensor[last].values)}")
    if by is not None and by not in tensor.coords:
        raise DataError(f"no trial column {by!r}; there are {list(tensor.coords)}")
    one = tensor.isel({last: 0}) if channel is None else tensor.sel({last: channel})
    condition = np.full(tensor.sizes["trial"], "all") if by is None else tensor[by].values
    time = np.asarray(tensor["time"].values, dtype=float)
    return np.asarray(one.values, dtype=float), time, condition.astype(str)


def _sorted_rows(
    values: NDArray, condition: NDArray, names: list[str]
) -> tuple[NDArray, list[int], int]:
    """Rows condition by condition (means of `every` neighbours), and how many each has."""
    every = -(-len(values) // MOST_ROWS)
    rows: list[NDArray] = []
    sizes = []
    for name in names:
        own = values[condition == name]
        groups = [own[i : i + every] for i in range(0, len(own), every)]
        rows += [_mean(group)[0] for group in groups]
        sizes.append(len(groups))
    return np.array(rows), sizes, every


def _mean(values: NDArray) -> tuple[NDArray, NDArray, NDArray]:
    """Mean, standard error and number over trials, missing samples left out."""
    known = np.isfinite(values)
    n = known.sum(axis=0)
    filled = np.where(known, values, 0.0)
    mean = np.where(n > 0, filled.sum(axis=0) / np.maximum(n, 1), np.nan)
    square = np.where(known, (values - mean) ** 2, 0.0).sum(axis=0)
    return mean, np.where(n > 1, np.sqrt(square / np.maximum(n - 1, 1) / np.maximum(n, 1)), 0.0), n


def _averages(values: NDArray, time: NDArray, condition: NDArray, names: list[str]) -> pd.DataFrame:
    parts = []
    for name in names:
        mean, sem, _ = _mean(values[condition == name])
        own = {"condition": name, "time": time, "mean": mean, "low": mean - sem}
        parts.append(pd.DataFrame({**own, "high": mean + sem}))
    return pd.concat(parts, ignore_index=True)


def _add_mean(figure: Any, table: pd.DataFrame, name: str, number: int, of: int) -> None:
    import plotly.graph_objects as go

    color = class_color(number, of)
    x, low, high = (table[c].to_numpy(float) for c in ("time", "low", "high"))
    band = go.Scatter(
        x=np.concatenate([x, x[::-1]]), y=np.concatenate([high, low[::-1]]), fill="toself",
        fillcolor=pale(color), line={"width": 0}, hoverinfo="skip", showlegend=False,
        legendgroup=name,
    )  # fmt: skip
    line = go.Scatter(
        x=x, y=table["mean"].to_numpy(float), mode="lines", name=text(name), legendgroup=name,
        line={"color": color, "width": 2}, showlegend=of > 1,
        hovertemplate="%{x:.2f} s: %{y:.3g}<extra>" + text(name) + "</extra>",
    )  # fmt: skip
    figure.add_trace(band, row=2, col=1)
    figure.add_trace(line, row=2, col=1)


def _finish(figure: Any, names: list[str], sizes: list[int], every: int, unit: str) -> None:
    edges = np.concatenate([[0], np.cumsum(sizes)])
    middle = (edges[:-1] + edges[1:]) / 2 - 0.5
    for edge in edges[1:-1]:
        figure.add_hline(y=edge - 0.5, row=1, col=1, line={"color": "#111", "width": 1.2})
    ticks = names if len(names) > 1 else ["trials"]
    figure.update_yaxes(
        row=1, col=1, autorange="reversed", showgrid=False, zeroline=False,
        tickvals=middle, ticktext=[text(t) for t in ticks],
        title="" if every == 1 else f"means of {every} trials",
    )  # fmt: skip
    figure.update_yaxes(row=2, col=1, title=text(unit))
    figure.update_xaxes(row=2, col=1, title="time from the event (s)")
    figure.add_vline(x=0, line={"color": "#666", "width": 1, "dash": "dot"})
    legend = {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0}
    figure.update_layout(height=470, legend=legend)
