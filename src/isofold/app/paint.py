"""Colours of a label's values, and how to read them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ..plot.style import CATEGORIES, CYCLIC, SEQUENTIAL
from .embedded import TEST, Embedded, Label

NO_VALUE = (154, 160, 169)
TIME, TRIAL, SPLIT = "time (s)", "trial", "split"
"""What colours beside labels."""
_STEPS = 256


@dataclass(frozen=True)
class Legend:
    """How to read colours: swatches of classes, or the ends of a ramp."""

    name: str
    kind: str
    colors: tuple[str, ...]
    classes: tuple[str, ...] = ()
    low: str = ""
    high: str = ""


def color_names(embedded: Embedded) -> list[str]:
    """What the points can be coloured by."""
    return [*embedded.labels, *([TRIAL] if embedded.has_trials else []), TIME, SPLIT]


def colored_by(embedded: Embedded, name: str | None) -> Label:
    """The label of that name; the first there is where none is of that name."""
    if name is not None and name in embedded.labels:
        return embedded.labels[name]
    if name == SPLIT:
        return Label(
            SPLIT, "discrete", (embedded.split == TEST).astype(np.int32), ("train", "test")
        )
    if name == TIME or not embedded.has_trials:
        return Label(TIME, "continuous", embedded.time)
    if name == TRIAL or not embedded.labels:
        return Label(TRIAL, "discrete", embedded.trial, embedded.trials)
    return next(iter(embedded.labels.values()))


def paint(label: Label, rows: NDArray) -> tuple[NDArray[np.uint8], Legend]:
    """(row, 3) colours of some samples, on the scale of all of them."""
    if label.kind == "discrete":
        palette = class_palette(len(label.classes))
        table = np.array([*palette, NO_VALUE], dtype=np.uint8)
        colors = tuple(map(_css, palette))
        return table[label.values[rows]], Legend(label.name, label.kind, colors, label.classes)
    ramp = _ramp(CYCLIC if label.kind == "circular" else SEQUENTIAL)
    known = label.values[np.isfinite(label.values)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
    if label.kind == "circular":
        low, high = 0.0, 2 * np.pi
    share = (label.values[rows] - low) / ((high - low) or 1.0)
    at = np.clip(np.nan_to_num(share, nan=0.0) * (_STEPS - 1), 0, _STEPS - 1).astype(int)
    painted = np.where(np.isfinite(share)[:, None], ramp[at], NO_VALUE).astype(np.uint8)
    colors = tuple(_css(c) for c in ramp[:: _STEPS // 16])
    ends = ("0", "2π") if label.kind == "circular" else (f"{low:.4g}", f"{high:.4g}")
    return painted, Legend(label.name, label.kind, colors, (), *ends)


def class_palette(count: int) -> list[tuple[int, ...]]:
    """One colour a class: told apart up to the length of the scheme, along the ramp beyond it."""
    if count <= len(CATEGORIES):
        return [tuple(bytes.fromhex(c[1:])) for c in CATEGORIES[:count]]
    at = np.linspace(0, _STEPS - 1, count).astype(int)
    return [tuple(int(v) for v in color) for color in _ramp(SEQUENTIAL)[at]]


@lru_cache(maxsize=4)
def _ramp(scale: str) -> NDArray[np.uint8]:
    from plotly.colors import sample_colorscale, unlabel_rgb

    # the ends of the ramp would sink into a dark or a light ground
    first, last = (0.0, 1.0) if scale == CYCLIC else (0.1, 0.96)
    shares = np.linspace(first, last, _STEPS).tolist()
    colors = [unlabel_rgb(c) for c in sample_colorscale(scale, shares)]
    return np.clip(np.round(colors), 0, 255).astype(np.uint8)


def _css(color: object) -> str:
    red, green, blue = (int(v) for v in np.asarray(color))
    return f"rgb({red},{green},{blue})"
