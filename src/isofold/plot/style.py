"""Colours, layout and text that every figure shares."""

from __future__ import annotations

from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

CATEGORIES = ("#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377", "#999999")
"""Paul Tol's "bright" scheme: safe for colour-blind readers, on light and dark ground."""
SEQUENTIAL, CYCLIC = "Viridis", "Phase"
"""Even in lightness (viridis) or constant in it (phase), so that no step is invented."""
DIVERGING = "balance"
"""Even in lightness on both sides of 0, for signed values."""
ACCENT, GREY, BAND = CATEGORIES[0], "#8a8f98", "rgba(138,143,152,0.22)"


def text(name: object) -> str:
    """A name as plotly shall show it: plotly reads a few HTML tags, so `<` must be escaped."""
    return escape(str(name), quote=False)


def kind_of(values: NDArray, given: str | None = None) -> str:
    """Kind of a label as in `Recording.kinds`: floats are continuous, all else discrete."""
    return given or ("continuous" if np.asarray(values).dtype.kind == "f" else "discrete")


def is_signed(values: NDArray) -> bool:
    """Whether numbers lie on both sides of 0, neither end less than a fifth of the other.

    >>> is_signed(np.array([-1.0, 3.0])), is_signed(np.array([-0.01, 3.0]))
    (True, False)
    """
    known = values[np.isfinite(values)] if values.dtype.kind == "f" else values
    if not known.size:
        return False
    low, high = -float(known.min()), float(known.max())
    return low > 0 and high > 0 and min(low, high) >= 0.2 * max(low, high)


def class_color(number: int, of: int) -> str:
    from plotly.colors import sample_colorscale

    if of <= len(CATEGORIES):
        return CATEGORIES[number]
    return str(sample_colorscale(SEQUENTIAL, [number / (of - 1)])[0])


def pale(color: str, share: float = 0.22) -> str:
    """A colour that lets what is behind it through.

    >>> pale("#4477aa")
    'rgba(68,119,170,0.22)'
    """
    if color.startswith("rgb("):
        return color.replace("rgb(", "rgba(").replace(")", f",{share})")
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{share})"


def flat_layout(title: str) -> dict[str, Any]:
    axis = {"gridcolor": BAND, "zerolinecolor": BAND, "linecolor": GREY, "automargin": True}
    return {
        "title": {"text": text(title)} if title else None,
        "template": "none",
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "margin": {"l": 60, "r": 20, "t": 40 if title else 20, "b": 50},
        "hovermode": "closest",
        "xaxis": axis,
        "yaxis": axis,
    }


def note(figure: Any, said: str) -> None:
    """What must be said about a figure, small and below it."""
    if said:
        figure.add_annotation(
            text=text(said), name="note", xref="paper", yref="paper", x=0, y=0, yshift=-42,
            xanchor="left", yanchor="top", showarrow=False, font={"size": 11, "color": GREY},
        )  # fmt: skip
        figure.update_layout(margin={"b": 75})


def given_kind(z: Any, name: str) -> str | None:
    """Kind that an embedding carries for one of its labels: at the coordinate, or in `kinds`."""
    if name not in getattr(z, "coords", {}):
        return None
    return z.coords[name].attrs.get("kind") or dict(z.attrs.get("kinds", {})).get(name)
