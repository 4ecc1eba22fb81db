"""What is selected: a lasso, a sample or trials, and the samples and trials that they mean."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .embedded import TEST, TRAIN, Embedded
from .view import Camera

MOST_CORNERS = 400
"""Of a lasso; more are passed over evenly."""
MOST_TRIALS = 10_000


def selected_rows(embedded: Embedded, placed: NDArray, selection: Any) -> NDArray[np.bool_]:
    """Every sample that a selection means, drawn or not.

    Parameters
    ----------
    placed
        (time, 3) as drawn on the side where the lasso was.
    selection
        {"lasso": [[x, y], …], "turn": 9 numbers}, {"row": k}, {"trials": [names]}, or anything
        else for none.
    """
    none = np.zeros(len(embedded.points), bool)
    if not isinstance(selection, dict):
        return none
    if "lasso" in selection:
        return _inside(embedded, placed, selection)
    if isinstance(row := selection.get("row"), int) and 0 <= row < len(none):
        none[row] = True
    names = selection.get("trials")
    if isinstance(names, list):
        place = {name: k for k, name in enumerate(embedded.trials)}
        codes = [place[n] for n in names[:MOST_TRIALS] if isinstance(n, str) and n in place]
        return np.isin(embedded.trial, codes)
    return none


def _inside(embedded: Embedded, placed: NDArray, selection: dict[str, Any]) -> NDArray[np.bool_]:
    none = np.zeros(len(embedded.points), bool)
    try:
        corners = np.array(selection["lasso"], dtype=float).reshape(-1, 2)
    except (TypeError, ValueError):
        return none
    if len(corners) < 3 or not np.isfinite(corners).all():
        return none
    if len(corners) > MOST_CORNERS:
        corners = corners[np.linspace(0, len(corners) - 1, MOST_CORNERS).astype(int)]
    camera = Camera.of({"zoom": 1, "middle": (0, 0), "aspect": 1, **selection})
    plane = camera.plane(placed)
    low, high = corners.min(axis=0), corners.max(axis=0)
    near = np.flatnonzero(((plane >= low) & (plane <= high)).all(axis=1) & embedded.finite)
    if selection.get("show") == "test":  # what was not drawn was not meant
        near = near[embedded.split[near] == TEST]
    none[near] = in_polygon(plane[near], corners)
    return none


def in_polygon(points: NDArray, corners: NDArray) -> NDArray[np.bool_]:
    """Whether points lie inside: a ray from each crosses an odd number of edges.

    >>> square = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
    >>> in_polygon(np.array([[0.5, 0.5], [1.5, 0.5]]), square).tolist()
    [True, False]
    """
    x, y = points.T
    inside = np.zeros(len(points), bool)
    for (x0, y0), (x1, y1) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        if y0 == y1:
            continue
        crosses = (y0 > y) != (y1 > y)
        inside ^= crosses & (x < (x1 - x0) * (y - y0) / (y1 - y0) + x0)
    return inside


def trial_table(embedded: Embedded, selected: NDArray) -> pd.DataFrame:
    """One row a trial with selected samples: when it was, how many of its samples are selected,
    in which split it lies, and its value of labels that do not change within it."""
    codes = np.unique(embedded.trial[selected])
    codes = codes[codes >= 0]
    mine = np.flatnonzero(np.isin(embedded.trial, codes))
    trial = embedded.trial[mine]
    groups = pd.DataFrame({"trial": trial, "row": mine, "selected": selected[mine]})
    groups["time"] = embedded.time[mine]
    by = groups.groupby("trial")
    table = pd.DataFrame(
        {
            "trial": [embedded.trials[k] for k in codes],
            "start": by["time"].min().to_numpy(),
            "stop": by["time"].max().to_numpy() + _step(embedded),
            "selected": by["selected"].sum().to_numpy(),
            "samples": by.size().to_numpy(),
            "split": _splits(embedded, mine, trial, codes),
        }
    )
    for name, label in embedded.labels.items():
        values = label.values[mine]
        ends = pd.Series(values).groupby(trial).agg(["min", "max"])
        if len(ends) and (ends["min"] == ends["max"]).all() and name not in table:
            known = ends["min"].to_numpy()
            discrete = label.kind == "discrete"
            named = [label.classes[k] if k >= 0 else "" for k in known] if discrete else known
            table[name] = named
    return table


def rows_of_trial(embedded: Embedded, name: str) -> NDArray[np.int64]:
    """Samples of a trial, in order; none where there is no such trial."""
    if name not in embedded.trials:
        return np.zeros(0, np.int64)
    return np.flatnonzero(embedded.trial == embedded.trials.index(name))


def _step(embedded: Embedded) -> float:
    """Seconds from sample to sample: a trial lasts until its last sample has passed."""
    steps = np.diff(embedded.time[:10_000])
    return float(np.median(steps)) if len(steps) else 0.0


def _splits(embedded: Embedded, mine: NDArray, trial: NDArray, codes: NDArray) -> list[str]:
    names = {TRAIN: "train", TEST: "test"}
    ends = pd.Series(embedded.split[mine]).groupby(trial).agg(["min", "max"]).loc[codes]
    return [
        names.get(a, "") if a == b else "train and test"
        for a, b in ends.itertuples(index=False, name=None)
    ]
