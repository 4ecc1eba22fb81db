"""Points of an embedding in one, two or three dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import DataError
from ._coloring import color_groups, color_values, kind_to_draw
from ._thin import thinned, told
from .style import BAND, flat_layout, note, text

if TYPE_CHECKING:
    import plotly.graph_objects as go
    import xarray as xr

SPLITS = ("train", "valid", "test")


def embedding(
    z: xr.DataArray | ArrayLike,
    color: str | ArrayLike | None = "position",
    *,
    kind: str | None = None,
    latents: Sequence[int] | None = None,
    size: float = 3.0,
    most_points: int = 20_000,
    title: str = "",
) -> go.Figure:
    """Points of an embedding in 3-D (2-D, or against time), coloured by a label; test stands out.

    Samples in no split, and those that are not finite, are left out, and of more than `most_points`
    samples every k-th is drawn, counted anew in each trial; a note below the figure says so.

    Parameters
    ----------
    z
        (time, latent): an Embedding, or an array. A coordinate `split` makes train points small
        and pale, test points large.
    color
        Name of a coordinate ("trial" and "time" too), values of shape (time,), or None. Samples
        without a value are grey.
    kind
        "continuous", "signed" (colours diverge from 0), "circular" (radians, cyclic colours) or
        "discrete"; from `z.attrs["kinds"]` or the values unless given.
    latents
        One to three latents to draw; the first three unless given. One is drawn against time.
    size
        Diameter of points.
    most_points
        How many samples are drawn at most, about.

    Raises
    ------
    DataError
        `z` is not (time, latent) or empty, `color` names no coordinate or has another length, or
        there are no such latents.

    Examples
    --------
    >>> angle = np.linspace(0, 6, 50)
    >>> ring = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    >>> embedding(ring, color=angle, kind="circular").data[0].type
    'scattergl'
    """
    import plotly.graph_objects as go

    points, axes = _points(z, latents)
    values, name = color_values(z, color, len(points))
    kind = None if values is None else kind_to_draw(values, kind, z, name)
    rows, said = _rows(z, points, most_points)
    split = _coordinate(z, "split")
    figure = go.Figure()
    for mine, part in _parts(split, rows):
        held_out = part in ("", "test")
        for chosen, style, label in color_groups(values, kind, name, mine):
            marker = style | {"size": size * (1.7 if held_out else 1.0), "line": {"width": 0}}
            figure.add_trace(
                _point_trace(points[chosen], marker, _hover(z, values, name, chosen)).update(
                    name=" · ".join(x for x in (text(label), part) if x),
                    showlegend=bool(label) or (bool(part) and values is None),
                    opacity=1.0 if held_out else 0.45,
                )
            )
    _one_color_bar(figure, name)
    return _laid_out(figure, title, axes, said)


def _points(z: Any, latents: Sequence[int] | None) -> tuple[NDArray, list[str]]:
    """What is drawn, (time, 1 to 3), and the names of its axes; one latent stands against time."""
    every = np.asarray(z, dtype=float)
    if every.ndim != 2:
        raise DataError(f"an embedding must be (time, latent), got shape {every.shape}")
    chosen = list(range(min(every.shape[1], 3))) if latents is None else list(latents)
    if not 1 <= len(chosen) <= 3 or not all(0 <= k < every.shape[1] for k in chosen):
        raise DataError(f"latents must be one to three of 0 to {every.shape[1] - 1}, got {chosen}")
    names = [f"latent {k + 1}" for k in chosen]
    if len(chosen) > 1:
        return every[:, chosen], names
    time = _coordinate(z, "time")
    clock = np.arange(len(every)) if time is None else time.astype(float)
    return np.column_stack([clock, every[:, chosen]]), ["sample" if time is None else "time (s)",
                                                        *names]  # fmt: skip


def _coordinate(z: Any, name: str) -> NDArray | None:
    """A coordinate that has one value a sample; None where there is none."""
    coords = getattr(z, "coords", {})
    found = np.asarray(coords[name]) if name in coords else None
    return found if found is not None and found.shape == (len(z),) else None


def _rows(z: Any, points: NDArray, most: int) -> tuple[NDArray, str]:
    """The samples that are drawn, and what is said about the others."""
    if most < 1:
        raise DataError(f"most_points must be at least 1, got {most!r}")
    split, trial = _coordinate(z, "split"), _coordinate(z, "trial")
    used = np.ones(len(points), bool) if split is None else np.isin(split, SPLITS)
    finite = np.isfinite(points).all(axis=1)
    rows = np.flatnonzero(used & finite)
    every_trial = np.zeros(len(points), int) if trial is None else trial
    kept, every, by_trial = thinned(rows, every_trial, most)
    said = [told(every, by_trial and trial is not None, len(kept), len(rows))]
    said += [f"{np.sum(~used):,} samples in no split left out"] if not used.all() else []
    lost = int(np.sum(used & ~finite))
    said += [f"{lost:,} samples that are not finite left out"] if lost else []
    return kept, "; ".join(s for s in said if s)


def _parts(split: NDArray | None, rows: NDArray) -> list[tuple[NDArray, str]]:
    if split is None:
        return [(rows, "")]
    return [(rows[split[rows] == s], s) for s in SPLITS if np.any(split[rows] == s)]


def _hover(z: Any, values: NDArray | None, name: str, rows: NDArray) -> list[str]:
    """What the pointer says: the sample, and all that is known of it."""
    lines = [f"row {k}" for k in rows]
    for key in getattr(z, "coords", {}):
        if (column := _coordinate(z, key)) is not None:
            lines = _longer(lines, column[rows], f"{text(key)} ")
    return lines if values is None or name else _longer(lines, values[rows], "")


def _longer(lines: list[str], column: NDArray, before: str) -> list[str]:
    shown = [f"{v:.4g}" if isinstance(v, float) else text(v) for v in column.tolist()]
    return [f"{a}<br>{before}{b}" for a, b in zip(lines, shown, strict=True)]


def _point_trace(points: NDArray, marker: dict, hover: list[str]) -> Any:
    import plotly.graph_objects as go

    common: dict[str, Any] = {
        "mode": "markers", "marker": marker,
        "text": hover, "hovertemplate": "%{text}<extra></extra>",
    }  # fmt: skip
    if points.shape[1] == 2:
        return go.Scattergl(x=points[:, 0], y=points[:, 1], **common)
    return go.Scatter3d(x=points[:, 0], y=points[:, 1], z=points[:, 2], **common)


def _one_color_bar(figure: go.Figure, name: str) -> None:
    for trace in figure.data:
        if "cmin" in trace.marker.to_plotly_json():
            bar = {"title": text(name), "thickness": 12, "outlinewidth": 0}
            trace.marker.update(showscale=True, colorbar=bar)
            return


def _laid_out(figure: go.Figure, title: str, axes: list[str], said: str) -> go.Figure:
    figure.update_layout(**flat_layout(title))
    figure.update_layout(legend={"itemsizing": "constant"})
    note(figure, said)
    if len(axes) == 2:
        equal = {"scaleanchor": "y"} if axes[0].startswith("latent") else {}
        figure.update_xaxes(title=axes[0], **equal)
        figure.update_yaxes(title=axes[1])
        return figure
    figure.update_layout(scene=scene(axes))
    return figure


def scene(axes: Sequence[str]) -> dict[str, Any]:
    """Three axes at one scale, without walls and perspective."""
    plain = {"showbackground": False, "gridcolor": BAND, "zeroline": False, "showspikes": False}
    keys = zip(("xaxis", "yaxis", "zaxis"), axes, strict=True)
    drawn = {key: plain | {"title": name} for key, name in keys}
    return drawn | {"aspectmode": "data", "camera": {"projection": {"type": "orthographic"}}}
