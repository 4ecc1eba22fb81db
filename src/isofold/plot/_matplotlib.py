"""A plotly figure drawn by matplotlib: the traces, axes, marks and texts that our figures use.

Every figure is described once, in plotly; this is its other renderer. Fonts and sizes follow
`matplotlib.rcParams`. No state of pyplot is touched.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._extras import require
from ..errors import DataError
from ._matplotlib_text import draw_legend, letters, words, wrapped
from ._matplotlib_traces import DASHES, Trace, array, draw_trace, rgba, width_scale

DOTS_PER_INCH = 100
"""Pixels of plotly's height that become an inch, unless a size is given."""
_LONGEST_SCALE = 2.2
"""Inches of a colour bar."""
_WHOLE = (0.0, 1.0)


@dataclass
class _Panel:
    """One pair of axes, or one scene in three dimensions."""

    names: tuple[str, ...]
    """("x2", "y2"), or ("scene2",)."""
    layout: tuple[Trace, ...]
    domain: tuple[Any, Any]
    traces: list[Trace] = field(default_factory=list)
    categories: dict[str, list[str]] = field(default_factory=lambda: {"x": [], "y": []})
    axes: Any = None

    @property
    def flat(self) -> bool:
        return len(self.names) == 2

    def place(self, values: Any, which: str) -> NDArray:
        """Values as numbers on an axis; a text is a category, in order of appearance."""
        given = array(values)
        if given.dtype != object:
            return given
        known = self.categories[which]
        known += [v for v in dict.fromkeys(given.tolist()) if v not in known]
        return np.array([known.index(v) for v in given], dtype=float)


def draw(figure: Any, ax: Any = None, size: tuple[float, float] | None = None) -> Any:
    """A `matplotlib.figure.Figure` of a plotly figure (or its dict); the axes if some are given.

    Parameters
    ----------
    figure
        What a function of `isofold.plot` returned.
    ax
        Axes to draw on, of a figure with one panel; with projection "3d" for three dimensions.
    size
        Width and height in inches.

    Raises
    ------
    DataError
        The axes given do not fit the figure.
    MissingDependencyError
        matplotlib is not installed.
    """
    require("matplotlib", "figures", "backend='matplotlib'")
    spec = figure if isinstance(figure, dict) else figure.to_dict()
    layout = spec.get("layout", {})
    panels = _panels(spec.get("data", []), layout)
    if ax is None:
        canvas = _new_figure(panels, layout, size)
    else:
        canvas, panels[0].axes = ax.figure, _fitting(ax, panels)
    legend: dict[str, Any] = {}
    scales: list[tuple[Any, str, list[Any]]] = []
    for panel in panels:
        _draw_panel(panel, layout, legend, scales)
    _draw_shapes(panels, layout)
    for scale in scales:
        _draw_scale(canvas, *scale)
    _write(canvas, panels, layout, own=ax is None)
    draw_legend(canvas if ax is None else ax, legend, layout)
    return canvas if ax is None else ax


def _draw_scale(canvas: Any, mappable: Any, title: str, axes: list[Any]) -> None:
    """A colour bar, no longer than is needed to read it."""
    long = min(0.8 * canvas.get_figheight(), _LONGEST_SCALE)
    shrink = long / canvas.get_figheight()
    several = list(dict.fromkeys(axes))
    bar = canvas.colorbar(mappable, ax=several, shrink=shrink, aspect=12 * long, fraction=0.05)
    bar.set_label(words(title), parse_math=False)
    bar.outline.set_visible(False)
    bar.solids.set_alpha(1)


# -- panels ---------------------------------------------------------------------------------------


def _panels(traces: list[Trace], layout: Trace) -> list[_Panel]:
    found: dict[tuple[str, ...], _Panel] = {}
    for trace in traces:
        if trace.get("type") == "scatter3d":
            names: tuple[str, ...] = (trace.get("scene") or "scene",)
        else:
            names = (trace.get("xaxis") or "x", trace.get("yaxis") or "y")
        if names not in found:
            found[names] = _panel(names, layout)
        found[names].traces.append(trace)
    return list(found.values()) or [_panel(("x", "y"), layout)]


def _panel(names: tuple[str, ...], layout: Trace) -> _Panel:
    if len(names) == 1:
        scene = layout.get(names[0], {})
        inside = scene.get("domain", {})
        return _Panel(names, (scene,), (inside.get("x", _WHOLE), inside.get("y", _WHOLE)))
    x, y = (layout.get(f"{name[0]}axis{name[1:]}", {}) for name in names)
    return _Panel(names, (x, y), (x.get("domain", _WHOLE), y.get("domain", _WHOLE)))


def _new_figure(panels: list[_Panel], layout: Trace, size: tuple[float, float] | None) -> Any:
    """A figure with axes placed as the panels are."""
    from matplotlib import rcParams
    from matplotlib.figure import Figure

    if size is None:
        width, height = rcParams["figure.figsize"]
        size = (width, layout["height"] / DOTS_PER_INCH if layout.get("height") else height)
    canvas = Figure(figsize=size, layout="constrained")
    columns, widths = _spans([p.domain[0] for p in panels])
    rows, heights = _spans([(1 - p.domain[1][1], 1 - p.domain[1][0]) for p in panels])
    grid = canvas.add_gridspec(
        len(heights), len(widths), width_ratios=widths, height_ratios=heights
    )
    for panel, row, column in zip(panels, rows, columns, strict=True):
        projection = None if panel.flat else "3d"
        panel.axes = canvas.add_subplot(grid[row, column], projection=projection)
    _share(panels)
    return canvas


def _spans(domains: list[Any]) -> tuple[list[slice], list[float]]:
    """Which rows (or columns) of a grid each domain covers, and how wide these are.

    >>> _spans([(0, 0.4), (0.7, 1.0), (0, 1)])
    ([slice(0, 1, None), slice(1, 2, None), slice(0, 2, None)], [0.4, 0.3])
    """
    ends = [(round(float(low), 4), round(float(high), 4)) for low, high in domains]
    starts = sorted({low for low, _ in ends})
    firsts = [starts.index(low) for low, _ in ends]
    lasts = [bisect_left(starts, high) for _, high in ends]
    spans = [slice(a, max(a + 1, b)) for a, b in zip(firsts, lasts, strict=True)]
    return spans, [round(min(h - low for low, h in ends if low == s), 4) for s in starts]


def _share(panels: list[_Panel]) -> None:
    """Axes that plotly keeps at one range."""
    flat = [p for p in panels if p.flat]
    for k, which in enumerate("xy"):
        owners = {p.names[k]: p for p in reversed(flat)}
        for panel in flat:
            other = owners.get(panel.layout[k].get("matches", ""))
            if other is not None and other is not panel:
                getattr(panel.axes, f"share{which}")(other.axes)


def _fitting(ax: Any, panels: list[_Panel]) -> Any:
    if len(panels) > 1:
        raise DataError(f"ax takes a figure of one panel; this one has {len(panels)}: leave ax out")
    if not panels[0].flat and not hasattr(ax, "zaxis"):
        raise DataError("three latents need axes with projection='3d'; ax is flat")
    if panels[0].flat and hasattr(ax, "zaxis"):
        raise DataError("a flat figure needs flat axes; ax has projection='3d'")
    return ax


# -- one panel ------------------------------------------------------------------------------------


def _draw_panel(panel: _Panel, layout: Trace, legend: dict, scales: list) -> None:
    shared = layout.get("coloraxis", {})
    for trace in panel.traces:
        drawn = draw_trace(panel.axes, trace, panel.place, shared)
        name = words(trace.get("name"))
        if drawn is not None and name and trace.get("showlegend") is not False:
            legend.setdefault(name, (drawn, trace.get("showlegend") is True))
        _note_scale(trace, drawn, panel.axes, shared, scales)
    if panel.flat:
        _finish_flat(panel)
    else:
        _finish_scene(panel)


def _note_scale(trace: Trace, drawn: Any, ax: Any, shared: Trace, scales: list) -> None:
    """Whether the trace has a colour bar of its own, or the one that all share."""
    own = trace.get("marker", {}) if trace.get("type") != "heatmap" else trace
    if own.get("coloraxis"):
        title = shared.get("colorbar", {}).get("title", {}).get("text", "")
        mine = next((s for s in scales if s[2] is not None and s[1] == title), None)
        if mine is None:
            scales.append((drawn, title, [ax]))
        else:
            mine[2].append(ax)
    elif "colorscale" in own and own.get("showscale", trace.get("type") == "heatmap"):
        scales.append((drawn, own.get("colorbar", {}).get("title", {}).get("text", ""), [ax]))


def _finish_flat(panel: _Panel) -> None:
    ax = panel.axes
    for which, layout in zip("xy", panel.layout, strict=True):
        _finish_axis(ax, which, layout, panel.categories[which])
    shown = [layout.get("showline") is not False for layout in panel.layout]
    ax.spines[["top", "right"]].set_visible(False)
    ax.spines["bottom"].set_visible(shown[0])
    ax.spines["left"].set_visible(shown[1])
    if any("scaleanchor" in layout for layout in panel.layout):
        fixed = any(layout.get("constrain") == "domain" for layout in panel.layout)
        ax.set_aspect("equal", adjustable="box" if fixed else "datalim")
    ax.set_axisbelow(True)


def _finish_axis(ax: Any, which: str, layout: Trace, categories: list[str]) -> None:
    axis = getattr(ax, f"{which}axis")
    label = words(layout.get("title", {}).get("text"))
    axis.set_label_text(wrapped(label, ax) if which == "x" else label, parse_math=False)
    log = layout.get("type") == "log"
    if log:
        getattr(ax, f"set_{which}scale")("log")
    if layout.get("range") is not None:
        ends = np.asarray(layout["range"], dtype=float)
        getattr(ax, f"set_{which}lim")(*(10**ends if log else ends))
    elif layout.get("rangemode") == "tozero" and getattr(ax.dataLim, f"{which}0") >= 0:
        getattr(ax, f"set_{which}lim")(0.0, getattr(ax, f"get_{which}lim")()[1])
    if layout.get("autorange") == "reversed":
        getattr(ax, f"set_{which}lim")(*sorted(getattr(ax, f"get_{which}lim")(), reverse=True))
    places, names = _ticks(layout, categories)
    if places is not None:
        axis.set_ticks(places, [wrapped(n, ax, 0.45) for n in names], parse_math=False)
        axis.set_ticks([], minor=True)
        if which == "x" and sum(map(len, names)) > 0.45 * letters(ax):
            ax.tick_params(axis="x", rotation=90)
    if layout.get("ticks") == "":
        ax.tick_params(axis=which, length=0)
    if layout.get("showticklabels") is False:
        ax.tick_params(axis=which, labelbottom=which == "y", labelleft=which == "x")
    seen = layout.get("showgrid") is not False and rgba(layout.get("gridcolor", "none"))[3] > 0
    if seen:
        ax.grid(True, axis=which, color=rgba(layout["gridcolor"]), linewidth=0.5)


def _ticks(layout: Trace, categories: list[str]) -> tuple[Any, Any]:
    """Where ticks stand and what they say; None where matplotlib shall choose."""
    if layout.get("tickvals") is not None:
        places = array(layout["tickvals"])
        given = layout.get("ticktext")
        names = [f"{v:g}" for v in places] if given is None else [words(n) for n in given]
        return places, names
    if categories:
        return np.arange(len(categories)), [words(n) for n in categories]
    return None, None


def _finish_scene(panel: _Panel) -> None:
    """Axes of a scene: no walls, one scale along all three, no perspective."""
    ax, scene = panel.axes, panel.layout[0]
    ax.set_proj_type("ortho")
    ax.view_init(elev=22, azim=-60)
    for which in "xyz":
        axis, layout = getattr(ax, f"{which}axis"), scene.get(f"{which}axis", {})
        axis.set_label_text(words(layout.get("title", {}).get("text")), parse_math=False)
        axis.pane.set_visible(False)
        axis.line.set_color(rgba(layout.get("gridcolor", "0.8")))
        axis._axinfo["grid"].update(color=rgba(layout.get("gridcolor", "0.8")), linewidth=0.5)
        axis.labelpad = -10
        axis.set_ticklabels([])  # latents have no unit
        axis.set_tick_params(color="none")
    lengths = np.diff([ax.get_xlim(), ax.get_ylim(), ax.get_zlim()], axis=1).ravel()
    bare = not any(getattr(ax, f"get_{which}label")() for which in "xyz")
    equal = scene.get("aspectmode") == "data" and np.all(lengths > 0)
    ax.set_box_aspect(lengths if equal else None, zoom=1.6 if bare else 1.1)
    if bare:  # one of many: the points alone
        ax.set_axis_off()


# -- marks and texts ------------------------------------------------------------------------------


def _draw_shapes(panels: list[_Panel], layout: Trace) -> None:
    """Bands and lines: coordinates in data, or in shares of the axes ("x domain")."""
    from matplotlib.transforms import blended_transform_factory

    owners = {p.names: p.axes for p in panels if p.flat}
    for shape in layout.get("shapes", ()):
        x, y = shape.get("xref", "x"), shape.get("yref", "y")
        ax = owners.get((x.removesuffix(" domain"), y.removesuffix(" domain")))
        if ax is not None:
            where = blended_transform_factory(
                ax.transAxes if x.endswith("domain") else ax.transData,
                ax.transAxes if y.endswith("domain") else ax.transData,
            )
            ax.add_artist(_mark(shape, where))


def _mark(shape: Trace, where: Any) -> Any:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Rectangle

    style: dict[str, Any] = {"transform": where}
    style["zorder"] = 0.9 if shape.get("layer") == "below" else 2.5
    (x0, x1), (y0, y1) = ((shape[f"{k}0"], shape[f"{k}1"]) for k in "xy")
    if shape["type"] == "rect":
        color = rgba(shape["fillcolor"])
        return Rectangle((x0, y0), x1 - x0, y1 - y0, facecolor=color, linewidth=0, **style)
    line = shape.get("line", {})
    style["linestyle"] = DASHES[line.get("dash", "solid")]
    style["linewidth"] = line.get("width", 2) * width_scale()
    return Line2D([x0, x1], [y0, y1], color=rgba(line["color"]), **style)


def _write(canvas: Any, panels: list[_Panel], layout: Trace, own: bool) -> None:
    """Title of the figure, titles of panels, and the note below it."""
    title = words(layout.get("title", {}).get("text"))
    if title and own and len(panels) > 1:
        canvas.suptitle(title, parse_math=False)
    elif title:
        panels[0].axes.set_title(title, parse_math=False)
    for note in layout.get("annotations", ()):
        said = words(note.get("text"))
        if note.get("name") != "note":
            ax = _panel_at(panels, note).axes
            ax.set_title(wrapped(said, ax, 0.7), fontsize="medium", parse_math=False)
        elif own:
            style = {"ha": "left", "fontsize": "small", "parse_math": False}
            canvas.supxlabel(wrapped(said, panels[0].axes, 1.2), x=0.01, **style)
        else:
            panels[0].axes.annotate(
                said, (0, 0), (0, -32), xycoords="axes fraction", textcoords="offset points",
                fontsize="small", va="top", parse_math=False,
            )  # fmt: skip


def _panel_at(panels: list[_Panel], note: Trace) -> _Panel:
    """The panel above which a title stands."""

    def far(panel: _Panel) -> float:
        (left, right), (_, top) = panel.domain
        return abs((left + right) / 2 - note["x"]) + abs(top - note["y"])

    return min(panels, key=far)
