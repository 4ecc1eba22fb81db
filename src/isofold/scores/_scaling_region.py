"""Scaling region: over which radii the correlation sum is a power law, found by one rule.

In every window of radii, log C is fitted by a parabola in log r: its slope D in the middle, and the
change Δ of the slope from one end to the other. The window with the smallest

    |Δ| + WIDTH / w + COUNT / √n + SCALE · u

is taken and D is its slope, where w is its width and u its distance from the largest radius (both
in log r), and n the number of pairs within its smallest radius. The terms are what a slope can
err by: |Δ| where there is no power law (noise below, the size of the cloud above), WIDTH because
fractals oscillate around theirs, COUNT because few pairs scatter, and SCALE because two power laws
can both be straight: then the one at small radii is that of the noise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from ..errors import DataError
from ._linear import Floats

WIDTH, COUNT, SCALE = 0.1, 0.5, 0.08
"""Chosen on the Lorenz and Hénon systems, circle, torus, sphere and noise of 1 to 5 dimensions,
2,000 to 20,000 samples, with and without noise; half or double of each changes little."""

FEWEST_PAIRS = 50
MOST_OF_ALL_PAIRS = 0.2
FEWEST_RADII = 6


@dataclass(frozen=True)
class Region:
    """The slope D of log C against log r from `r_low` to `r_high`, and its change Δ over these."""

    slope: float
    bend: float
    r_low: float
    r_high: float
    pairs_low: float
    pairs_high: float


def scaling_region(radii: Floats, within: Floats, pairs: float) -> Region:
    """The region that the rule picks.

    Raises
    ------
    DataError
        Fewer than `FEWEST_RADII` radii hold enough pairs and not too many.
    """
    windows = _windows(*_usable(radii, within, FEWEST_PAIRS, MOST_OF_ALL_PAIRS * pairs))
    slope, bend, first, last, low, high = windows
    cost = np.abs(bend) + WIDTH / (last - first) + COUNT / np.sqrt(low)
    cost += SCALE * (last.max() - last)
    best = int(np.argmin(np.where(slope > 0, cost, np.inf)))
    return Region(
        float(slope[best]),
        float(bend[best]),
        float(np.exp(first[best])),
        float(np.exp(last[best])),
        float(low[best]),
        float(high[best]),
    )


def region_within(
    radii: Floats,
    within: Floats,
    r_range: tuple[float, float] | None = None,
    pair_range: tuple[float, float] | None = None,
) -> Region:
    """The region asked for, by its radii or by the pairs within them."""
    least, most = pair_range or (1, np.inf)
    low, high = r_range or (0, np.inf)
    keep = (radii >= low) & (radii <= high)
    x, y = _usable(radii[keep], within[keep], least, most, at_least=3)
    slope, bend, *_ = (float(v[-1]) for v in _fits(x, y, len(x)))
    ends = np.exp([x[0], x[-1], y[0], y[-1]])
    return Region(slope, bend, *(float(v) for v in ends))


def _usable(
    radii: Floats, within: Floats, least: float, most: float, at_least: int = FEWEST_RADII
) -> tuple[Floats, Floats]:
    keep = (within >= max(least, 1)) & (within <= most)
    if keep.sum() < at_least:
        raise DataError(
            f"a slope needs at least {at_least} radii with {max(least, 1):.3g} to {most:.3g} pairs "
            f"within them, found {keep.sum()}; give more samples, or a shorter theiler window"
        )
    return np.log(radii[keep]), np.log(within[keep])


def _windows(x: Floats, y: Floats) -> Floats:
    """(6, window): slope, bend, first and last log radius, first and last number of pairs."""
    return np.concatenate([_fits(x, y, m) for m in range(FEWEST_RADII, len(x) + 1)], axis=1)


def _fits(x: Floats, y: Floats, m: int) -> Floats:
    """Parabolas through every m neighbouring points; x is evenly spaced, so t and t² − ⟨t²⟩ are
    orthogonal and each coefficient is one dot product."""
    spacing = (x[-1] - x[0]) / (len(x) - 1)
    t = np.arange(m) - (m - 1) / 2
    bow = t**2 - np.mean(t**2)
    runs = sliding_window_view(y, m)
    slope = runs @ t / (t @ t) / spacing
    bend = 2 * (runs @ bow) / (bow @ bow) * (m - 1) / spacing
    first = np.arange(len(runs))
    last = first + m - 1
    return np.stack([slope, bend, x[first], x[last], np.exp(y[first]), np.exp(y[last])])
