"""The colours of points: a scale for numbers, a cycle for angles, one colour a class."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import DataError
from .style import (
    ACCENT,
    CYCLIC,
    DIVERGING,
    GREY,
    SEQUENTIAL,
    class_color,
    given_kind,
    is_signed,
    kind_of,
)

KINDS = ("continuous", "signed", "circular", "discrete")
MOST_CLASSES = 20
"""Whole numbers of more values than these are coloured as a scale, unless called discrete."""

Group = tuple[NDArray, dict[str, Any], str]
"""Rows, how they are marked, and what they are called."""


def color_values(z: Any, color: str | ArrayLike | None, n: int) -> tuple[NDArray | None, str]:
    """Values of shape (n,) and the name of the label; None where all points are alike."""
    if color is None:
        return None, ""
    name = color if isinstance(color, str) else ""
    if isinstance(color, str):
        coords = getattr(z, "coords", {})
        if color not in coords:
            if color == "position":  # the default: an embedding without it is drawn plain
                return None, ""
            raise DataError(
                f"color names no coordinate: {color!r}; there are {sorted(map(str, coords))}"
            )
        color = coords[color]
    values = np.asarray(color)
    if values.shape != (n,):
        raise DataError(f"color must have one value a row, ({n},), got shape {values.shape}")
    if values.dtype == object:
        values = np.array(["" if v is None else str(v) for v in values])
    return values, name


def kind_to_draw(values: NDArray, kind: str | None, z: Any, name: str) -> str:
    """The kind asked for, or what the label and its values say."""
    if kind is not None:
        if kind not in KINDS:
            raise DataError(f"kind must be one of {KINDS}, got {kind!r}")
        return kind
    given = given_kind(z, name)
    found = kind_of(values, given)
    whole = values.dtype.kind in "iu" and given is None
    if found == "discrete" and whole and len(np.unique(values)) > MOST_CLASSES:
        found = "continuous"
    return "signed" if found == "continuous" and is_signed(values) else found


def color_groups(
    values: NDArray | None, kind: str | None, name: str, rows: NDArray
) -> Iterator[Group]:
    """Groups of the rows that share a way of colouring; those without a value come first."""
    if values is None:
        yield rows, {"color": ACCENT}, ""
        return
    known = ~missing(values)
    lacking = rows[~known[rows]]
    if len(lacking):
        yield lacking, {"color": GREY}, f"no {name or 'value'}"
    rows = rows[known[rows]]
    if kind != "discrete":
        if len(rows):
            yield rows, _scale(values, kind, rows), ""
        return
    classes = np.unique(values[known])
    for number, one in enumerate(classes):
        mine = rows[values[rows] == one]
        if len(mine):
            yield mine, {"color": class_color(number, len(classes))}, f"{name} {one}".strip()


def missing(values: NDArray) -> NDArray:
    """Where a label has no value: NaN, -1 among whole numbers of 0 and more, "" among texts."""
    if values.dtype.kind == "f":
        return ~np.isfinite(values)
    if values.dtype.kind == "i" and len(values) and values.min() == -1:
        return values == -1
    return values == "" if values.dtype.kind == "U" else np.zeros(len(values), bool)


def _scale(values: NDArray, kind: str | None, rows: NDArray) -> dict[str, Any]:
    """Colours of numbers, with one range for all groups."""
    shown = values[rows].astype(float)
    if kind == "circular":
        turn = {"cmin": 0.0, "cmax": 2 * np.pi}
        return {"color": np.mod(shown, 2 * np.pi), "colorscale": CYCLIC} | turn
    every = values[~missing(values)].astype(float)
    if kind == "signed":
        limit = float(np.abs(every).max()) or 1.0
        return {"color": shown, "colorscale": DIVERGING, "cmin": -limit, "cmax": limit}
    low, high = float(every.min()), float(every.max())
    return {"color": shown, "colorscale": SEQUENTIAL, "cmin": low, "cmax": high}
