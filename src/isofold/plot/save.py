"""Figures as files at the sizes that journals print."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .._extras import require
from ..errors import DataError

SIZES = {"one-column": 85.0, "two-columns": 174.0}
"""Widths in mm."""
FORMATS = ("pdf", "png", "svg")
_PIXELS_PER_INCH = 150
"""Of plotly's height: its fonts are 12 px high, ours 8 pt, so that figures become smaller."""
_HEIGHTS = (1.6, 9.0)
"""Least and largest height in inches; a page is 9.2 inches high."""
_DOTS_PER_INCH = 300
STYLE = {
    "font.size": 8, "axes.labelsize": 8, "axes.titlesize": 8, "xtick.labelsize": 7,
    "ytick.labelsize": 7, "legend.fontsize": 7, "figure.titlesize": 8,
    "lines.linewidth": 1.0, "lines.markersize": 3.5, "axes.linewidth": 0.6,
    "xtick.major.width": 0.6, "ytick.major.width": 0.6,
    "xtick.major.size": 2.5, "ytick.major.size": 2.5, "axes.edgecolor": "#444444",
    "pdf.fonttype": 42, "svg.fonttype": "none", "svg.hashsalt": "isofold",
}  # fmt: skip
"""8 pt, thin lines, text that stays text."""


def save(figure: Any, path: str | Path, *, size: str | float = "one-column") -> Path:
    """Write a figure as PDF, PNG or SVG, 85 or 174 mm wide, in 8 pt.

    Text stays text in PDF and SVG; heat maps and traces of more than 2,000 points become images of
    300 dots an inch inside them. The same figure gives the same bytes.

    Parameters
    ----------
    figure
        What a function of `isofold.plot` returned (with the plotly backend; a matplotlib figure
        has `savefig`).
    path
        File to write; its suffix is the format.
    size
        "one-column" (85 mm), "two-columns" (174 mm), or a width in mm.

    Raises
    ------
    DataError
        The suffix or the size is none of these.
    MissingDependencyError
        matplotlib is not installed.

    Examples
    --------
    >>> from isofold import plot
    >>> save(plot.loss([3.0, 2.0, 1.5]), "loss.pdf", size="one-column")  # doctest: +SKIP
    PosixPath('loss.pdf')
    """
    path = Path(path)
    form = path.suffix.removeprefix(".")
    if form not in FORMATS:
        raise DataError(f"a figure is saved as one of {FORMATS}, got {path.name!r}")
    width = width_mm(size) / 25.4
    if hasattr(figure, "savefig"):
        raise DataError(
            "save() takes a figure of the plotly backend, so that it can set its size and fonts; "
            "a figure of matplotlib saves itself with savefig()"
        )
    matplotlib: Any = require("matplotlib", "figures", "saving figures")
    from ._matplotlib import draw

    nothing = {"pdf": {"CreationDate": None}, "svg": {"Date": None}, "png": {}}[form]
    path.parent.mkdir(parents=True, exist_ok=True)
    with matplotlib.rc_context(STYLE):
        drawn = draw(figure, size=(width, height_inches(figure, width)))
        drawn.savefig(path, format=form, dpi=_DOTS_PER_INCH, metadata=nothing)
    return path


def width_mm(size: str | float) -> float:
    """The width that a size stands for.

    >>> width_mm("two-columns"), width_mm("120")
    (174.0, 120.0)
    """
    try:
        width = SIZES[size] if size in SIZES else float(size)  # type: ignore[index]
    except (TypeError, ValueError):
        width = float("nan")
    if not 30 <= width <= 400:
        raise DataError(f"size must be one of {tuple(SIZES)} or 30 to 400 mm, got {size!r}")
    return width


def height_inches(figure: Any, width: float) -> float:
    """The height that the figure asks for in pixels; a share of its width where it does not ask."""
    spec = figure if isinstance(figure, dict) else figure.to_dict()
    layout = spec.get("layout", {})
    low, high = _HEIGHTS
    rows = (layout.get("meta") or {}).get("rows_of_squares")
    if rows:  # panels as high as wide: (rows, columns)
        return min(max(0.8 * width * rows[0] / rows[1] + 0.35, low), high)
    if layout.get("height"):
        return min(max(float(layout["height"]) / _PIXELS_PER_INCH, low), high)
    deep = any(trace.get("type") == "scatter3d" for trace in spec.get("data", ()))
    return min(max((0.85 if deep else 0.7) * width, low), 4.5)
