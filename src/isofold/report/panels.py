"""Embeddings as the page draws them: thinned to shared samples, turned into one frame."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..plot._thin import thinned
from ..plot.style import given_kind, is_signed, kind_of

POINT_BUDGET = 240_000
"""Points on the whole page (8 bytes each): it stays a few MB and turns smoothly."""
MOST_POINTS, FEWEST_POINTS = 3000, 400
MOST_PANELS = 240
MOST_ALIGNED = 256
"""Latents beyond which runs are drawn as they are: raw activity has as many as channels."""
SPLITS = ("train", "test", "valid")
RESERVED = {"time", "trial", "split", "edge", "latent"}
MOST_CLASSES = 50
MOST_LABELS = 16
"""Labels of a recording that the page holds."""


@dataclass(frozen=True)
class Label:
    """A label at the drawn samples; discrete values are codes into `categories` (-1: none)."""

    name: str
    kind: str
    values: NDArray
    categories: list[str] = field(default_factory=list)
    signed: bool = False
    """Whether values lie on both sides of 0, so that 0 deserves a colour of its own."""


@dataclass(frozen=True)
class Grid:
    """The samples that all panels of one recording share."""

    recording: str
    time: NDArray
    trial: Label
    labels: list[Label]
    rows: NDArray
    every: int
    per_trial: bool
    """Whether every k-th sample was counted anew in each trial."""
    n_samples: int
    n_left_out: int
    """Samples in no split (outside every trial), which are not drawn."""
    labels_left_out: int = 0


@dataclass(frozen=True)
class Panel:
    """One run's embedding at the samples of its grid."""

    key: str
    grid: int
    variant: str
    method: str
    control: bool
    seed: str
    fold: str
    points: NDArray
    """(time, 3), in units of the reference's radius."""
    split: NDArray
    """Codes into `SPLITS`; -1 for none."""
    latents: int
    shown: float
    """Share of the variance that the three drawn axes hold."""


@dataclass(frozen=True)
class Gallery:
    """All panels, and how many runs found no place."""

    grids: list[Grid]
    panels: list[Panel]
    n_left_out: int = 0
    limit: int = MOST_POINTS
    """Samples a picture, about: the budget over the number of pictures."""


def gallery(runs: pd.DataFrame, embedding_of: Any) -> Gallery:
    """Panels of the finished runs; `embedding_of(key)` gives (time, latent) with coordinates."""
    done = runs[runs["status"] == "done"] if len(runs) else runs
    chosen = done.iloc[:MOST_PANELS]
    limit = int(np.clip(POINT_BUDGET // max(len(chosen), 1), FEWEST_POINTS, MOST_POINTS))
    grids: list[Grid] = []
    at: dict[tuple, int] = {}
    references: dict[tuple, _Frame] = {}
    panels = []
    for run in chosen.to_dict("records"):
        z = embedding_of(run["key"])
        time = np.asarray(z.coords["time"], dtype=float)
        clock = (str(run["recording"]), len(time), float(time[0]), float(time[-1]))
        if clock not in at:
            at[clock] = len(grids)
            grids.append(_grid(clock[0], z, limit))
        group = (at[clock], run["variant"])
        panels.append(_panel(run, z, at[clock], grids[at[clock]].rows, references, group))
    return Gallery(grids, panels, len(done) - len(chosen), limit)


def procrustes(
    moving: NDArray, fixed: NDArray
) -> tuple[NDArray[np.float64], NDArray[np.float64], float, NDArray[np.float64]]:
    """Centre, rotation (or reflection), scale and shift that bring `moving` onto `fixed`.

    >>> a = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 2.0]])
    >>> centre, turn, scale, shift = procrustes(2 * a[:, ::-1] + 1, a)
    >>> np.allclose((2 * a[:, ::-1] + 1 - centre) @ turn * scale + shift, a)
    True
    """
    centre, shift = moving.mean(axis=0), fixed.mean(axis=0)
    moved, still = moving - centre, fixed - shift
    u, _, vt = np.linalg.svd(moved.T @ still)
    # sizes are made equal; the least-squares scale would shrink a run that fits badly
    return centre, u @ vt, float(np.linalg.norm(still) / (np.linalg.norm(moved) or 1.0)), shift


@dataclass(frozen=True)
class _Frame:
    """The first run of a variant: what the others are turned onto, and how it is looked at."""

    points: NDArray
    trained: NDArray
    centre: NDArray
    axes: NDArray
    radius: float
    shown: float


def _grid(recording: str, z: Any, limit: int) -> Grid:
    trial = np.asarray(z.coords["trial"]) if "trial" in z.coords else np.zeros(len(z), int)
    used = _split_codes(z) >= 0
    kept, every, per_trial = thinned(np.flatnonzero(used), pd.factorize(trial)[0], limit)
    labels = [label for name in z.coords for label in _labels(z, str(name), kept)]
    return Grid(
        recording=recording,
        time=np.asarray(z.coords["time"], dtype=float)[kept],
        trial=_discrete("trial", trial[kept]),
        labels=labels[:MOST_LABELS],
        rows=kept,
        every=every,
        per_trial=per_trial,
        n_samples=len(z),
        n_left_out=int(len(z) - used.sum()),
        labels_left_out=max(0, len(labels) - MOST_LABELS),
    )


def _panel(
    run: dict, z: Any, grid: int, rows: NDArray, references: dict[tuple, _Frame], group: tuple
) -> Panel:
    points = np.nan_to_num(np.asarray(z, dtype=float))
    split = _split_codes(z)
    trained = split == 0 if np.any(split == 0) else np.ones(len(points), bool)
    if group not in references:
        references[group] = _frame(points, trained)
    frame = references[group]
    if points.shape == frame.points.shape and points.shape[1] <= MOST_ALIGNED:
        both = trained & frame.trained if np.any(trained & frame.trained) else trained
        centre, turn, scale, shift = procrustes(points[both], frame.points[both])
        points = (points - centre) @ turn * scale + shift
    view = (points - frame.centre) @ frame.axes / frame.radius
    if view.shape[1] == 1:  # one latent is drawn against time
        view = np.column_stack([np.linspace(-1, 1, len(view)), view])
    view = np.pad(view, ((0, 0), (0, 3 - view.shape[1])))
    return Panel(
        key=str(run["key"]),
        grid=grid,
        variant=str(run["variant"]),
        method=str(run["method"]),
        control=bool(run["is_control"]),
        seed=_whole(run["seed"]),
        fold=_whole(run["fold"]),
        points=view[rows],
        split=split[rows],
        latents=points.shape[1],
        shown=frame.shown,
    )


def _frame(points: NDArray, trained: NDArray) -> _Frame:
    """Principal axes (a rotation) of the training points, widest first."""
    centre = points[trained].mean(axis=0)
    around = points[trained] - centre
    variance, axes = np.linalg.eigh(around.T @ around)
    variance, axes = variance[::-1], axes[:, ::-1][:, :3]
    largest = np.abs(axes).argmax(axis=0)
    axes = axes * np.sign(axes[largest, np.arange(axes.shape[1])])
    view = (points - centre) @ axes
    reach = np.linalg.norm(view, axis=1)
    # all points in sight, unless a few lie so far out that the others would shrink to a dot
    radius = float(min(reach.max(), 1.4 * np.percentile(reach, 99))) or 1.0
    shown = float(variance[:3].sum() / max(variance.sum(), 1e-300))
    return _Frame(points, trained, centre, axes, radius, shown)


def _split_codes(z: Any) -> NDArray:
    if "split" not in z.coords:
        return np.zeros(len(z), np.int8)
    split = np.asarray(z.coords["split"]).astype(str)
    codes = np.full(len(split), -1, np.int8)
    for code, name in enumerate(SPLITS):
        codes[split == name] = code
    return codes


def _labels(z: Any, name: str, rows: NDArray) -> Iterable[Label]:
    coord = z.coords[name]
    if name in RESERVED or coord.ndim not in (1, 2) or coord.shape[0] != len(z):
        return
    values = np.asarray(coord)
    given = given_kind(z, name)
    if values.ndim == 1:
        yield _label(name, values[rows], given)
        return
    for column in range(values.shape[1]):
        yield _label(f"{name}[{column}]", values[rows, column], given)


def _label(name: str, values: NDArray, given: str | None) -> Label:
    kind = kind_of(values, given)
    if kind == "discrete" and values.dtype.kind in "iu" and given is None:
        kind = "discrete" if len(np.unique(values)) <= MOST_CLASSES else "continuous"
    if kind == "discrete":
        return _discrete(name, values)
    values = values.astype(float)
    if kind == "circular":
        return Label(name, kind, np.mod(values, 2 * np.pi))
    return Label(name, kind, values, signed=is_signed(values))


def _discrete(name: str, values: NDArray) -> Label:
    classes = sorted(pd.unique(values).tolist(), key=lambda v: (isinstance(v, str), v))
    none = [c for c in classes if c == "" or (not isinstance(c, bool | str) and c == -1)]
    classes = [c for c in classes if c not in none]
    place = {c: k for k, c in enumerate(classes)}
    codes = np.array([place.get(v, -1) for v in values.tolist()], dtype=np.int32)
    return Label(name, "discrete", codes, [str(c) for c in classes])


def _whole(value: object) -> str:
    """0.0 (a column with gaps) as 0; "" for none."""
    if value is None or value != value:
        return ""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
