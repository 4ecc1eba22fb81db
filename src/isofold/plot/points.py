"""Points of an embedding in two or three dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import DataError
from .style import (
    ACCENT,
    BAND,
    CYCLIC,
    SEQUENTIAL,
    class_color,
    flat_layout,
    given_kind,
    kind_of,
    text,
)

if TYPE_CHECKING:
    import plotly.graph_objects as go
    import xarray as xr


def embedding(
    z: xr.DataArray | ArrayLike,
    color: str | ArrayLike | None = "position",
    *,
    kind: str | None = None,
    latents: Sequence[int] = (0, 1, 2),
    size: float = 3.0,
    title: str = "",
) -> go.Figure:
    """Points of an embedding in 2-D or 3-D, coloured by a label; test points stand out.

    Parameters
    ----------
    z
        (time, latent): an Embedding, or an array. A coordinate `split` makes train points small
        and pale, test points large.
    color
        Name of a coordinate ("trial" and "time" too), values of shape (time,), or None.
    kind
        "continuous", "circular" (radians, cyclic colours) or "discrete"; from `z.attrs["kinds"]`
        or the type of the values unless given.
    latents
        Two or three latents to draw.

    Raises
    ------
    DataError
        `z` is not (time, latent), or `color` names no coordinate or has another length.

    Examples
    --------
    >>> angle = np.linspace(0, 6, 50)
    >>> ring = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    >>> embedding(ring, color=angle, kind="circular").data[0].type
    'scattergl'
    """
    import plotly.graph_objects as go

    points = np.asarray(z, dtype=float)
    if points.ndim != 2:
        raise DataError(f"an embedding must be (time, latent), got shape {points.shape}")
    drawn = [k for k in latents if k < points.shape[1]][:3]
    if len(drawn) < 2:
        raise DataError(f"drawing needs 2 or 3 latents; the embedding has {points.shape[1]}")
    values, name = _color_values(z, color, len(points))
    if values is not None and kind is None:
        kind = kind_of(values, given_kind(z, name))
    if values is not None and kind == "circular":
        values = np.mod(values, 2 * np.pi)
    coords = getattr(z, "coords", {})
    split = np.asarray(coords["split"]) if "split" in coords else None
    hover = _hover(z, values, name)
    figure = go.Figure()
    for rows, part, held_out in _parts(split, len(points)):
        for chosen, style, label in _color_groups(values, kind, name, rows):
            marker = style | {"size": size * (1.7 if held_out else 1.0), "line": {"width": 0}}
            figure.add_trace(
                _point_trace(points[np.ix_(chosen, drawn)], marker, hover[chosen]).update(
                    name=" · ".join(x for x in (text(label), part) if x),
                    showlegend=bool(label) or (bool(part) and values is None),
                    opacity=1.0 if held_out else 0.45,
                )
            )
    _one_color_bar(figure, name)
    axes = [f"latent {k + 1}" for k in drawn]
    return _laid_out(figure, title, axes)


def _color_values(z: Any, color: Any, n: int) -> tuple[NDArray | None, str]:
    coords = getattr(z, "coords", {})
    if isinstance(color, str):
        if color in coords:
            return np.asarray(coords[color]), color
        if color == "position":  # the default: an embedding without it is drawn plain
            return None, ""
        raise DataError(
            f"color names no coordinate: {color!r}; there are {sorted(map(str, coords))}"
        )
    if color is None:
        return None, ""
    values = np.asarray(color)
    if values.shape != (n,):
        raise DataError(f"color must have one value a row, ({n},), got shape {values.shape}")
    return values, ""


def _parts(split: NDArray | None, n: int) -> list[tuple[NDArray, str, bool]]:
    everything = np.arange(n)
    if split is None:
        return [(everything, "", True)]
    return [(everything[split == s], str(s), s == "test") for s in ("train", "test") if s in split]


def _color_groups(values: NDArray | None, kind: str | None, name: str, rows: NDArray) -> list:
    if values is None:
        return [(rows, {"color": ACCENT}, "")]
    if kind != "discrete":
        scale = {"color": values[rows].astype(float), "colorscale": SEQUENTIAL}
        limits = {"cmin": float(np.nanmin(values)), "cmax": float(np.nanmax(values))}
        if kind == "circular":
            scale["colorscale"], limits = CYCLIC, {"cmin": 0.0, "cmax": 2 * np.pi}
        return [(rows, scale | limits, "")]
    classes = np.unique(values)
    return [
        (rows[values[rows] == c], {"color": class_color(k, len(classes))}, f"{name} {c}".strip())
        for k, c in enumerate(classes)
        if np.any(values[rows] == c)
    ]


def _hover(z: Any, values: NDArray | None, name: str) -> NDArray:
    coords = getattr(z, "coords", {})
    n = len(z)
    lines = [f"row {k}" for k in range(n)]
    for key in coords:
        column = np.asarray(coords[key])
        if column.shape == (n,):
            shown = [f"{v:.4g}" if isinstance(v, float) else str(v) for v in column.tolist()]
            lines = [f"{a}<br>{text(key)} {text(b)}" for a, b in zip(lines, shown, strict=True)]
    if values is not None and not name:
        lines = [f"{a}<br>{text(b)}" for a, b in zip(lines, values.tolist(), strict=True)]
    return np.asarray(lines, dtype=object)


def _point_trace(points: NDArray, marker: dict, hover: NDArray) -> Any:
    import plotly.graph_objects as go

    common: dict[str, Any] = {
        "mode": "markers", "marker": marker,
        "text": hover, "hovertemplate": "%{text}<extra></extra>",
    }  # fmt: skip
    if points.shape[1] == 2:
        return go.Scattergl(x=points[:, 0], y=points[:, 1], **common)
    return go.Scatter3d(x=points[:, 0], y=points[:, 1], z=points[:, 2], **common)


def _one_color_bar(figure: go.Figure, name: str) -> None:
    if figure.data and "cmin" in figure.data[0].marker.to_plotly_json():
        bar = {"title": text(name), "thickness": 12, "outlinewidth": 0}
        figure.data[0].marker.update(showscale=True, colorbar=bar)


def _laid_out(figure: go.Figure, title: str, axes: list[str]) -> go.Figure:
    figure.update_layout(**flat_layout(title))
    if len(axes) == 2:
        figure.update_xaxes(title=axes[0], scaleanchor="y")
        figure.update_yaxes(title=axes[1])
        return figure
    plain = {"showbackground": False, "gridcolor": BAND, "zeroline": False, "showspikes": False}
    keys = zip(("xaxis", "yaxis", "zaxis"), axes, strict=True)
    scene = {key: plain | {"title": name} for key, name in keys}
    camera = {"projection": {"type": "orthographic"}}
    figure.update_layout(scene=scene | {"aspectmode": "data", "camera": camera})
    return figure
