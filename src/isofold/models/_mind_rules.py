"""What MIND's settings may be, by themselves and for as many transitions as there are."""

from __future__ import annotations

import warnings
from numbers import Integral, Real
from typing import Any

import numpy as np

from ..errors import DataError

AUTO_LANDMARKS = 1000

BOUNDS: dict[str, tuple[type, float, float]] = {
    "output_dimension": (Integral, 1, np.inf),
    "pca_variance": (Real, 0, 1),
    "n_trees": (Integral, 1, np.inf),
    "n_directions": (Integral, 1, np.inf),
    "min_leaf": (Integral, 1, np.inf),
    "leaf_variance": (Real, 0, 1),
    "mds_iterations": (Integral, 0, np.inf),
}
"""Kind, least and most of every setting that is a number."""


def check_settings(settings: dict[str, Any]) -> None:
    """Refuse settings that mean nothing, before any work."""
    for name, (kind, low, high) in BOUNDS.items():
        value = settings[name]
        if not isinstance(value, kind) or isinstance(value, bool) or not low <= value <= high:  # type: ignore[operator]
            number = "a whole number" if kind is Integral else "a share"
            upper = f" and at most {high}" if high < np.inf else ""
            raise DataError(f"{name} must be {number} of at least {low}{upper}, got {value!r}")
    value = settings["landmarks"]
    if isinstance(value, str):
        known = value in ("auto", "all")
    else:
        known = isinstance(value, Integral) and not isinstance(value, bool) and int(value) > 1
    if not known:
        raise DataError(f"landmarks must be 'auto', 'all' or a whole number > 1, got {value!r}")


def check_transitions(min_leaf: int, n: int, n_segments: int) -> None:
    """Refuse leaves larger than all there is; warn of a forest without a cut."""
    what = f"{n} transitions ({n + n_segments} samples in {n_segments} segments)"
    if min_leaf > n:
        raise DataError(
            f"min_leaf must be at most the number of transitions; got min_leaf={min_leaf} and "
            f"{what}: lower it or give longer trials"
        )
    if n < 2 * min_leaf:
        warnings.warn(
            f"{what} cannot be cut into leaves of min_leaf={min_leaf}: every tree is one leaf, "
            "which says the same of every state; lower min_leaf",
            UserWarning,
            stacklevel=3,
        )


def landmark_count(landmarks: int | str, n: int) -> int | None:
    """How many of n states with a successor are landmarks; None: all that differ."""
    if landmarks == "all":
        return None
    count = min(n, AUTO_LANDMARKS) if landmarks == "auto" else int(landmarks)
    if count > n:
        raise DataError(
            f"landmarks must be at most the number of transitions; got {count} and {n} "
            "transitions: lower it or use 'all'"
        )
    return count
