"""Colour maps of the page, as lists of colours that its scripts pick from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..plot.style import CATEGORIES, CYCLIC, SEQUENTIAL

STEPS = 64
_ENDS = {
    "light": ("#1c5a96", "#b9bcc2", "#a8440c"),
    "dark": ("#86bdf2", "#565b64", "#f0a058"),
}
"""Below 0, at 0 and above 0. White would vanish in a light ground, black in a dark."""


def palettes() -> dict[str, object]:
    """Name → colours: sequential, cyclic, diverging (one for each ground), categories."""
    return {
        "sequential": _sampled(SEQUENTIAL),
        "cyclic": _sampled(CYCLIC),
        "diverging": {theme: diverging(theme) for theme in _ENDS},
        "categories": list(CATEGORIES),
    }


def diverging(theme: str) -> list[str]:
    """Blue over grey to orange in equal steps for the eye (straight lines in OKLab).

    Told apart by colour-blind readers; B. Ottosson, *A perceptual color space*, 2020.

    >>> diverging("light")[0], len(diverging("dark"))
    ('#1c5a96', 63)
    """
    low, middle, high = (_to_oklab(_rgb(color)) for color in _ENDS[theme])
    share = np.linspace(0, 1, STEPS // 2)[:, None]
    below, above = low + share * (middle - low), middle + share * (high - middle)
    return [_hex(c) for c in _from_oklab(np.vstack([below, above[1:]]))]


def _sampled(scale: str) -> list[str]:
    from plotly.colors import sample_colorscale, unlabel_rgb

    colors = sample_colorscale(scale, np.linspace(0, 1, STEPS).tolist())
    return [_hex(np.array(unlabel_rgb(c)) / 255) for c in colors]


def _rgb(color: str) -> NDArray[np.float64]:
    return np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255


def _hex(rgb: NDArray) -> str:
    return "#" + "".join(f"{v:02x}" for v in np.rint(np.clip(rgb, 0, 1) * 255).astype(int))


_TO_CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def _to_oklab(rgb: NDArray) -> NDArray[np.float64]:
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return np.cbrt(linear @ _TO_CONES.T) @ _TO_LAB.T


def _from_oklab(lab: NDArray) -> NDArray[np.float64]:
    linear = (lab @ np.linalg.inv(_TO_LAB).T) ** 3 @ np.linalg.inv(_TO_CONES).T
    linear = np.clip(linear, 0, 1)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
