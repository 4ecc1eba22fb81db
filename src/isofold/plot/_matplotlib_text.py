"""Texts of a figure drawn by matplotlib: escapes undone, lines wrapped, the legend."""

from __future__ import annotations

import re
from html import unescape
from textwrap import wrap
from typing import Any

import numpy as np

LETTER = 0.55
"""Mean width of a letter, in heights of its font."""
_WIDE = 5.0
"""Inches from which a legend may stand beside the panels."""


def words(text: Any) -> str:
    """Text as it shall be read: plotly's escapes undone, its line breaks kept."""
    return unescape(re.sub(r"<br\s*/?>", "\n", str(text or "")))


def letters(ax: Any) -> float:
    """About how many letters fit beside each other in the width that the axes may take."""
    from matplotlib import rcParams

    grid = ax.get_subplotspec()
    share = 1.0
    if grid:
        widths = np.asarray(grid.get_gridspec().get_width_ratios(), dtype=float)
        share = float(widths[grid.colspan.start : grid.colspan.stop].sum() / widths.sum())
    return 72 * ax.figure.get_figwidth() * share / (LETTER * float(rcParams["font.size"]))


def wrapped(name: str, ax: Any, share: float = 0.65) -> str:
    """The text in lines that take a share of the width at most."""
    width = max(8, int(share * letters(ax)))
    return "\n".join(part for line in name.split("\n") for part in wrap(line, width) or [""])


def draw_legend(holder: Any, legend: dict[str, Any], layout: dict[str, Any]) -> None:
    """Where plotly would show one: it is asked for, or there are several names."""
    wanted = layout.get("showlegend")
    if wanted is None:
        wanted = len(legend) > 1 or any(asked for _, asked in legend.values())
    if not wanted or not legend:
        return
    from matplotlib import rcParams

    handles = [handle for handle, _ in legend.values()]
    place: dict[str, Any] = {"loc": "best"}
    if hasattr(holder, "add_subplot"):
        place = {"loc": "outside right upper"}
        flat = layout.get("legend", {}).get("orientation") == "h"
        if flat or holder.get_figwidth() < _WIDE:
            place = {"loc": "outside upper left", "ncols": _columns(holder, list(legend))}
    # names are set afterwards: matplotlib leaves out those that begin with "_"
    drawn = holder.legend(handles, [" "] * len(handles), frameon=False, **place)
    for text, name in zip(drawn.get_texts(), legend, strict=True):
        text.set_parse_math(False)
        text.set_text(name)
    for handle in drawn.legend_handles:
        if hasattr(handle, "set_sizes"):  # points: pale and small ones could not be told apart
            handle.set_alpha(1)
            handle.set_sizes([float(rcParams["lines.markersize"]) ** 2])


def _columns(canvas: Any, names: list[str]) -> int:
    """As many columns as the width holds."""
    from matplotlib import rcParams

    font = float(rcParams["font.size"])
    entry = 4 * font + 0.6 * font * max(len(name) for name in names)
    return max(1, min(len(names), int(72 * canvas.get_figwidth() / entry)))
