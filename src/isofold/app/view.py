"""Which samples are drawn: those in view, thinned to what a browser turns smoothly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .embedded import TEST, Embedded

MOST_POINTS = 50_000
"""Drawn of one embedding at a time."""
EVERYTHING, HELD_OUT, SELECTED = "all", "test", "selected"
_UPRIGHT = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
_HALF = 1.12
"""Half the height of the view at zoom 1, in radii of the embedding."""


@dataclass(frozen=True)
class Camera:
    """How both embeddings are looked at: first two rows of a rotation, what part of the plane."""

    turn: tuple[float, ...] = _UPRIGHT
    zoom: float = 1.0
    middle: tuple[float, float] = (0.0, 0.0)
    aspect: float = 1.0

    @classmethod
    def of(cls, given: Any) -> Camera:
        """From what a browser says; anything odd is the first view."""
        try:
            turn = tuple(float(v) for v in given["turn"])
            middle = float(given["middle"][0]), float(given["middle"][1])
            zoom, aspect = float(given["zoom"]), float(given["aspect"])
        except (TypeError, KeyError, ValueError, IndexError):
            return cls()
        numbers = np.array([*turn, *middle, zoom, aspect])
        fine = len(turn) == 9 and np.isfinite(numbers).all() and zoom > 0 and aspect > 0
        return cls(turn, zoom, middle, aspect) if fine else cls()

    def plane(self, placed: NDArray) -> NDArray:
        """(time, 2): where points stand in the plane of the screen."""
        return placed @ np.asarray(self.turn, np.float32).reshape(3, 3)[:2].T

    def sees(self, plane: NDArray) -> NDArray[np.bool_]:
        """Which points lie in the part of the plane that is on the screen."""
        high = _HALF / self.zoom
        x, y = (plane - np.asarray(self.middle, np.float32)).T
        return (np.abs(x) <= high * self.aspect) & (np.abs(y) <= high)


@dataclass(frozen=True)
class Drawn:
    """The samples that are drawn, and the rule by which they were chosen."""

    rows: NDArray[np.int64]
    rule: str


def drawn(
    embedded: Embedded,
    placed: NDArray,
    camera: Camera,
    show: str = EVERYTHING,
    selected: NDArray | None = None,
    limit: int = MOST_POINTS,
) -> Drawn:
    """Samples to draw: those that are shown and in view, every k-th of each trial.

    Parameters
    ----------
    placed
        (time, 3) as `Frame.place` gives it.
    show
        "all", "test" (held-out samples) or "selected" (their trials).
    """
    wanted = embedded.finite & _shown(embedded, show, selected)
    n_wanted = int(wanted.sum())
    in_view = wanted
    if n_wanted > limit:
        in_view = wanted & camera.sees(camera.plane(placed))
    rows = np.flatnonzero(in_view)
    every = max(1, -(-len(rows) // limit))
    kept = rows[embedded.place[rows] % every == 0]
    by_trial = len(kept) <= 1.5 * limit
    kept = kept if by_trial else rows[::every]
    return Drawn(kept, _rule(len(kept), len(rows), n_wanted, every, by_trial, show))


def _shown(embedded: Embedded, show: str, selected: NDArray | None) -> NDArray[np.bool_]:
    if show == HELD_OUT:
        return np.asarray(embedded.split == TEST)
    if show == SELECTED and selected is not None and selected.any():
        mine = np.unique(embedded.trial[selected])
        return np.isin(embedded.trial, mine[mine >= 0]) | selected
    return np.ones(len(embedded.points), bool)


def _rule(n: int, n_seen: int, n_wanted: int, every: int, by_trial: bool, show: str) -> str:
    """The rule in words."""
    what = {HELD_OUT: "held-out samples", SELECTED: "samples of the selected trials"}
    named = what.get(show, "samples")
    if n == n_wanted:
        return f"all {n:,} {named} drawn"
    seen = "" if n_seen == n_wanted else f" ({n_seen:,} of them in view)"
    if every == 1:
        return f"{n:,} of {n_wanted:,} {named} drawn: all that are in view"
    where = " of each trial" if by_trial else ""
    return f"{n:,} of {n_wanted:,} {named}{seen} drawn: every {_th(every)}{where}; zoom in for more"


def _th(number: int) -> str:
    """>>> _th(2), _th(13), _th(21)
    ('2nd', '13th', '21st')
    """
    last = number % 10 if number % 100 not in (11, 12, 13) else 0
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(last, 'th') }"
