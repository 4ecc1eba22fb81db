"""The frame that an embedding is drawn in, and bringing one embedding onto another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from ..report.panels import procrustes
from .embedded import TEST, Embedded, Label

WIDEST = "widest"
"""Axes along which the points spread most, instead of latents."""
MOST_LATENTS = 6
"""Latents whose projections are offered."""
BINS = 30


@dataclass(frozen=True)
class Frame:
    """Points are drawn as `(points − centre) @ axes / radius`: at most about 1 from the middle."""

    centre: NDArray
    axes: NDArray
    radius: float

    def place(self, points: NDArray) -> NDArray[np.float32]:
        """(time, 3) as drawn."""
        return np.asarray((points - self.centre) @ self.axes / self.radius, dtype=np.float32)


def axis_choices(n_latents: int) -> list[tuple[str, str]]:
    """(value, name) of what can be drawn along the axes.

    >>> [name for _, name in axis_choices(3)]
    ['3-D, widest directions', 'latents 1, 2, 3', 'latents 1, 2', 'latents 1, 3', 'latents 2, 3']
    """
    several = [(WIDEST, "3-D, widest directions")] if n_latents > 2 else []
    shown = range(1, min(n_latents, MOST_LATENTS) + 1)
    triples = [(k, k + 1, k + 2) for k in shown if k + 2 in shown]
    pairs = [(a, b) for a in shown for b in shown if a < b]
    named = [tuple(map(str, latents)) for latents in (*triples, *pairs)]
    return several + [("-".join(n), f"latents {', '.join(n)}") for n in named]


def frame_of(embedded: Embedded, axes: str) -> Frame:
    """Centred on the training samples, with almost all points within the radius.

    Raises
    ------
    DataError
        `axes` names latents that there are not.
    """
    points, trained = embedded.points, embedded.trained
    centre = points[trained].mean(axis=0, dtype=float)
    turn = _axes(points[trained] - centre, axes, points.shape[1])
    reach = np.linalg.norm((points[embedded.finite] - centre) @ turn, axis=1)
    far = float(reach.max()) if len(reach) else 1.0
    return Frame(centre, turn, min(far, 1.4 * float(np.percentile(reach, 99))) or 1.0)


def is_flat(axes: str) -> bool:
    """Whether two latents are drawn, seen from above."""
    return axes != WIDEST and axes.count("-") == 1


def _axes(around: NDArray, axes: str, n_latents: int) -> NDArray:
    turn = np.zeros((n_latents, 3))
    if axes != WIDEST:
        chosen = [int(k) - 1 for k in axes.split("-") if k.isdigit()]
        if len(chosen) not in (2, 3) or not all(0 <= k < n_latents for k in chosen):
            raise DataError(f"no axes {axes!r}; the embedding has {n_latents} latents")
        turn[chosen, np.arange(len(chosen))] = 1.0
        return turn
    _, vectors = np.linalg.eigh(around.T.astype(float) @ around)
    vectors = vectors[:, ::-1][:, :3]
    largest = np.abs(vectors).argmax(axis=0)
    vectors = vectors * np.sign(vectors[largest, np.arange(vectors.shape[1])])
    turn[:, : vectors.shape[1]] = vectors
    return turn


@dataclass(frozen=True)
class Alignment:
    """One embedding in the latents of another."""

    points: NDArray[np.float32]
    said: str
    """How, and how well on samples that the fit has not seen."""


def aligned(moving: Embedded, fixed: Embedded, label: str | None) -> Alignment:
    """Procrustes: shift, turn (or mirror), one scale; found on the training samples.

    Samples are matched where both embeddings have the same clock, else means of the label's bins.

    Raises
    ------
    DataError
        Nothing can be matched.
    """
    width = max(moving.points.shape[1], fixed.points.shape[1])
    a, b = _padded(moving.points, width), _padded(fixed.points, width)
    if moving.same_clock(fixed):
        both = moving.trained & fixed.trained
        centre, turn, scale, shift = procrustes(a[both].astype(float), b[both].astype(float))
        points = (a - centre) @ turn * scale + shift
        test = (moving.split == TEST) & (fixed.split == TEST) & moving.finite & fixed.finite
        rows, of = (test, "held-out") if test.any() else (both, "training")
        said = f"aligned on training samples; R² {_r2(points[rows], b[rows]):.2f} on {of} samples"
    else:
        label = label or ""
        means = [_means(e, p, label) for e, p in ((moving, a), (fixed, b))]
        both = np.isfinite(means[0]).all(axis=1) & np.isfinite(means[1]).all(axis=1)
        if both.sum() < 2:
            raise DataError(
                "embeddings of different recordings are aligned by the label that colours them; "
                f"{label or 'the colour'!r} is not in both, or has no values in common"
            )
        centre, turn, scale, shift = procrustes(means[0][both], means[1][both])
        points = (a - centre) @ turn * scale + shift
        said = f"aligned by means along {label} ({int(both.sum())} bins), another recording"
    return Alignment(np.asarray(points, np.float32), said)


def _padded(points: NDArray, width: int) -> NDArray:
    return np.pad(points, ((0, 0), (0, width - points.shape[1])))


def _r2(points: NDArray, target: NDArray) -> float:
    spread = float(((target - target.mean(axis=0)) ** 2).sum()) or 1.0
    return 1 - float(((points - target) ** 2).sum()) / spread


def _means(embedded: Embedded, points: NDArray, name: str) -> NDArray:
    """Mean point of each bin of a label over the training samples; bins alike in all recordings."""
    label = embedded.labels.get(name)
    if label is None:
        return np.full((BINS, points.shape[1]), np.nan)
    rows = embedded.trained
    codes = _bins(label)[rows]
    known = codes >= 0
    count = np.bincount(codes[known], minlength=BINS).astype(float)
    sums = np.stack(
        [np.bincount(codes[known], weights=c[rows][known], minlength=BINS) for c in points.T], 1
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        return (sums / count[:, None])[:BINS]


def _bins(label: Label) -> NDArray[np.int64]:
    if label.kind == "discrete":
        return np.where(label.values < BINS, label.values, -1).astype(np.int64)
    low, high = (0.0, 2 * np.pi) if label.kind == "circular" else _ends(label.values)
    share = (label.values - low) / ((high - low) or 1.0)
    codes = np.clip(np.nan_to_num(share) * BINS, 0, BINS - 1).astype(np.int64)
    return np.where(np.isfinite(label.values), codes, -1)


def _ends(values: NDArray) -> tuple[float, float]:
    known = values[np.isfinite(values)]
    return (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
