"""One trace of a plotly figure as artists of matplotlib."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._matplotlib_text import LETTER, letters, words

PT = 0.75
"""Points a pixel: plotly counts in pixels of 1/96 inch."""
MOST_VECTOR_POINTS = 2000
"""More points of one trace than these become an image inside a vector file."""
_SYMBOLS = {"circle": "o", "line-ns": "|", "star": "*", "diamond": "D", "square": "s", "x": "x"}
DASHES = {"solid": "-", "dash": "--", "dot": ":", "dashdot": "-."}
_LEAST_FONT = 4.0

Trace = dict[str, Any]


def array(value: Any) -> NDArray:
    """Values of a trace, which plotly may have packed; None is NaN among numbers."""
    if isinstance(value, dict):
        flat = np.frombuffer(b64decode(value["bdata"]), dtype=value["dtype"])
        shape = str(value.get("shape", flat.size)).split(",")
        return flat.reshape([int(n) for n in shape])
    values = list(value)
    if any(isinstance(v, str) for v in values):
        return np.array([str(v) for v in values], dtype=object)
    return np.array(values, dtype=float)


def rgba(value: Any, opacity: float = 1.0) -> tuple[float, float, float, float]:
    """A colour as CSS or matplotlib writes it.

    >>> rgba("rgba(255,0,51,0.5)")
    (1.0, 0.0, 0.2, 0.5)
    """
    from matplotlib.colors import to_rgba

    if isinstance(value, str) and value.startswith("rgb"):
        red, green, blue, *rest = (float(v) for v in re.findall(r"[\d.]+", value))
        return red / 255, green / 255, blue / 255, (rest[0] if rest else 1.0) * opacity
    *color, alpha = to_rgba(value)
    return (*color, alpha * opacity)  # type: ignore[return-value]


def colormap(scale: Any) -> Any:
    """A plotly colour scale, colour for colour; missing values are left empty."""
    from matplotlib.colors import LinearSegmentedColormap

    parts = [(float(place), rgba(color)) for place, color in scale]
    return LinearSegmentedColormap.from_list("scale", parts)


def width_scale() -> float:
    """Points a pixel of a line: matplotlib's own line width stands for 2 pixels."""
    from matplotlib import rcParams

    return PT * float(rcParams["lines.linewidth"]) / 1.5


def marker_scale() -> float:
    """Points a pixel of a marker: matplotlib's own marker size stands for 8 pixels."""
    from matplotlib import rcParams

    return PT * float(rcParams["lines.markersize"]) / 6


def draw_trace(ax: Any, trace: Trace, place: Callable[[Any, str], NDArray], scale: Trace) -> Any:
    """Draw it; what stands for it in a legend, or the heat map or points that have a colour scale.

    `place` turns values into places on the axis "x" or "y"; `scale` is the shared colour axis.
    """
    kind = trace.get("type", "scatter")
    if kind == "heatmap":
        return _heat_map(ax, trace, place, scale)
    if kind == "bar":
        return _bars(ax, trace, place)
    if kind == "scatter3d":
        return _points(ax, trace, scale, *(array(trace[k]) for k in "xyz"))
    x, y = place(trace["x"], "x"), place(trace["y"], "y")
    if trace.get("fill") == "toself":
        known = np.isfinite(x) & np.isfinite(y)
        return ax.fill(x[known], y[known], color=rgba(trace["fillcolor"]), linewidth=0)[0]
    _errors(ax, trace, x, y)
    return _points(ax, trace, scale, x, y)


def _points(ax: Any, trace: Trace, scale: Trace, *xyz: NDArray) -> Any:
    """Lines and markers, flat or in three dimensions."""
    handle = None
    mode, opacity = trace.get("mode", "lines"), float(trace.get("opacity") or 1.0)
    if "lines" in mode:
        line = trace.get("line", {})
        width, dash = float(line.get("width", 2)), DASHES[line.get("dash", "solid")]
        color = rgba(line.get("color", "C0"), opacity)
        handle = ax.plot(*xyz, color=color, linewidth=width * width_scale(), linestyle=dash)[0]
    marker = trace.get("marker", {})
    if "markers" not in mode or not len(xyz[0]):
        return handle
    if marker.get("opacity") == 0:  # unseen: it widens the axes
        ax.update_datalim(np.column_stack(xyz[:2]))
        ax.autoscale_view()
        return handle
    alpha = opacity * float(marker.get("opacity") or 1.0)
    drawn = _markers(ax, marker, _marker_colors(trace, marker, scale), alpha, xyz)
    return handle or drawn


def _markers(ax: Any, marker: Trace, colors: Trace, opacity: float, xyz: tuple) -> Any:
    n = len(xyz[0])
    symbols = np.broadcast_to(np.asarray(marker.get("symbol", "circle"), dtype=object), n)
    sizes = np.broadcast_to(np.asarray(marker.get("size", 6), float), n) * marker_scale()
    width = float(marker.get("line", {}).get("width") or 0) * width_scale()
    depth = {"depthshade": False} if len(xyz) == 3 else {}
    for symbol in dict.fromkeys(symbols.tolist()):
        own = symbols == symbol
        paint = {k: v[own] if isinstance(v, np.ndarray) else v for k, v in colors.items()}
        drawn = ax.scatter(
            *(part[own] for part in xyz), s=sizes[own] ** 2, marker=_SYMBOLS.get(symbol, "o"),
            alpha=opacity, linewidths=width, rasterized=n > MOST_VECTOR_POINTS, **paint, **depth,
        )  # fmt: skip
    return drawn


def _marker_colors(trace: Trace, marker: Trace, scale: Trace) -> Trace:
    """Colours as `scatter` takes them."""
    from matplotlib import rcParams
    from matplotlib.colors import Normalize

    given = marker.get("color")
    if given is None:
        return {"color": rcParams["text.color"] if trace.get("meta") == "ink" else "C0"}
    if isinstance(given, str):
        return {"color": rgba(given)}
    values = array(given)
    if values.dtype == object:
        return {"color": np.array([rgba(v) for v in values])}
    scale = scale if marker.get("coloraxis") else marker
    norm = Normalize(scale.get("cmin"), scale.get("cmax"))
    return {"c": values, "cmap": colormap(scale["colorscale"]), "norm": norm}


def _errors(ax: Any, trace: Trace, x: NDArray, y: NDArray) -> None:
    """Error bars, in the colour of their line or of text."""
    from matplotlib import rcParams

    bars = {k: trace.get(k) or {} for k in ("error_x", "error_y")}
    given = trace.get("line", {}).get("color") or trace.get("marker", {}).get("color") or "C0"
    for name, bar in bars.items():
        if bar.get("array") is None:
            continue
        color = rcParams["text.color"] if trace.get("meta") == "ink" else rgba(given)
        above = array(bar["array"])
        below = array(bar["arrayminus"]) if "arrayminus" in bar else above
        width = float(bar.get("thickness", 2)) * width_scale()
        cap = float(bar.get("width", 4)) * marker_scale() / 2
        ends = {name.replace("error_", "") + "err": [np.abs(below), np.abs(above)]}
        ax.errorbar(x, y, **ends, fmt="none", ecolor=color, elinewidth=width, capsize=cap)


def _bars(ax: Any, trace: Trace, place: Callable[[Any, str], NDArray]) -> Any:
    x, y = place(trace["x"], "x"), place(trace["y"], "y")
    color, width = rgba(trace.get("marker", {}).get("color", "C0")), trace.get("width", 0.8)
    if trace.get("orientation") == "h":
        return ax.barh(y, x, height=width, color=color)
    return ax.bar(x, y, width=width, color=color)


def _heat_map(ax: Any, trace: Trace, place: Callable[[Any, str], NDArray], scale: Trace) -> Any:
    from matplotlib.colors import Normalize

    z = array(trace["z"]) if isinstance(trace["z"], dict) else np.array(trace["z"], dtype=float)
    x, y = (place(trace.get(k, range(n)), k) for k, n in (("x", z.shape[1]), ("y", z.shape[0])))
    low, high, colors = (
        (scale.get("cmin"), scale.get("cmax"), scale["colorscale"])
        if trace.get("coloraxis")
        else (trace.get("zmin"), trace.get("zmax"), trace["colorscale"])
    )
    gap = float(trace.get("xgap") or 0) * PT
    lines = {"edgecolors": "white", "linewidth": gap} if gap else {"rasterized": True}
    mesh = ax.pcolormesh(
        _edges(x), _edges(y), np.ma.masked_invalid(z), cmap=colormap(colors),
        norm=Normalize(low, high), **lines,
    )  # fmt: skip
    if wanted := re.fullmatch(r"%\{z:(.+)\}", trace.get("texttemplate") or ""):
        longest = max((len(words(name)) for name in array(trace.get("y", ()))), default=0)
        _write_values(ax, mesh, (x, y, z), wanted[1], longest)
    return mesh


def _write_values(ax: Any, mesh: Any, cells: tuple, form: str, longest: int) -> None:
    """The value of each cell in it, as large as it holds; none where that is too small to read."""
    from matplotlib import rcParams

    x, y, z = cells
    font = float(rcParams["font.size"])
    cell = (0.75 * letters(ax) - longest) * LETTER * font / max(len(x), 1)
    size = min(cell / 2.8, font)
    if size < _LEAST_FONT:
        return
    for (row, column), value in np.ndenumerate(z):
        if np.isfinite(value):
            red, green, blue, _ = mesh.cmap(mesh.norm(value))
            light = 0.299 * red + 0.587 * green + 0.114 * blue > 0.5
            ax.text(
                x[column], y[row], format(value, form), ha="center", va="center", fontsize=size,
                color="black" if light else "white",
            )  # fmt: skip


def _edges(centres: NDArray) -> NDArray:
    """Borders of cells around these centres.

    >>> _edges(np.array([0.0, 1.0, 3.0]))
    array([-0.5,  0.5,  2. ,  4. ])
    >>> _edges(np.array([126, 127], np.int8))
    array([125.5, 126.5, 127.5])
    """
    centres = np.asarray(centres, float)  # plotly packs small whole numbers into bytes
    if len(centres) == 1:
        return np.array([centres[0] - 0.5, centres[0] + 0.5])
    middle = (centres[1:] + centres[:-1]) / 2
    return np.r_[2 * centres[0] - middle[0], middle, 2 * centres[-1] - middle[-1]]
