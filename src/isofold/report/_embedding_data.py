"""Pictures of embeddings as the page's scripts read them, and how they were made in words."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._pack import packed
from ._palettes import palettes
from .panels import MOST_LABELS, POINT_BUDGET, SPLITS, Gallery, Grid, Label, Panel

UNITS_PER_RADIUS = 8000
"""Points are stored as 16-bit whole numbers: steps of 1/8000 of the embedding's radius."""


def embedding_data(gallery: Gallery) -> dict[str, Any]:
    """Grids, panels and colours."""
    return {
        "splits": SPLITS,
        "unitsPerRadius": UNITS_PER_RADIUS,
        "grids": [_grid(grid) for grid in gallery.grids],
        "panels": [_panel(panel) for panel in gallery.panels],
        "maps": palettes(),
    }


def emphasis(gallery: Gallery) -> str:
    """What large and small points are."""
    if any((panel.split == SPLITS.index("test")).any() for panel in gallery.panels):
        return "Large, full points: held-out (test) trials. Small, pale points: training trials."
    return "No sample is marked as held out."


def embedding_notes(gallery: Gallery) -> list[str]:
    """How the pictures were made: which samples are drawn, in which frame."""
    if not gallery.panels:
        return []
    notes = [
        f"The page holds {POINT_BUDGET:,} points at most: with {len(gallery.panels)} pictures "
        f"about {gallery.limit:,} samples each, or all where there are fewer.",
        *map(_drawn, gallery.grids),
        "Within a method, every run is moved, turned, reflected and scaled as a whole onto the "
        "first one (Procrustes on training samples); shapes are not bent. Axes 1, 2, 3 are the "
        "principal axes of that first run. Embeddings of different methods share no frame.",
    ]
    more = {p.variant: p for p in gallery.panels if p.latents > 3}
    shares = [f"{v} ({p.latents} latents, {100 * p.shown:.0f} %)" for v, p in more.items()]
    if shares:
        notes.append(
            "Of more than three latents the first three principal axes are drawn, with this share "
            f"of the variance of the first run: {', '.join(shares)}."
        )
    if any(p.latents == 1 for p in gallery.panels):
        notes.append("An embedding with one latent is drawn against the number of the sample.")
    if gallery.n_left_out:
        notes.append(f"{gallery.n_left_out} further runs are not drawn, to keep the page small.")
    return notes


def _drawn(grid: Grid) -> str:
    which = "every sample" if grid.every == 1 else f"sample 1 of every {grid.every}"
    which += " of each trial" if grid.every > 1 and grid.per_trial else ""
    outside = f" ({grid.n_left_out:,} outside every trial are not drawn)"
    text = (
        f"{grid.recording}: drawn is {which}, {len(grid.rows):,} of {grid.n_samples:,} samples"
        f"{outside if grid.n_left_out else ''}; all pictures show the same samples."
    )
    if not grid.labels_left_out:
        return text
    return f"{text} Of its labels the first {MOST_LABELS} are here, {grid.labels_left_out} are not."


def _grid(grid: Grid) -> dict[str, Any]:
    return {
        "recording": grid.recording,
        "rows": packed(grid.rows, "<i4"),
        "every": grid.every,
        "time": packed(grid.time, "<f4"),
        "trial": _label(grid.trial),
        "labels": [_label(label) for label in grid.labels],
    }


def _label(label: Label) -> dict[str, Any]:
    discrete = label.kind == "discrete"
    return {
        "name": label.name,
        "kind": label.kind,
        "signed": label.signed,
        "values": packed(label.values, "<i4" if discrete else "<f4"),
        "categories": label.categories,
    }


def _panel(panel: Panel) -> dict[str, Any]:
    whole = np.clip(np.rint(panel.points * UNITS_PER_RADIUS), -32767, 32767)
    return {
        "key": panel.key, "grid": panel.grid, "variant": panel.variant, "seed": panel.seed,
        "fold": panel.fold, "latents": panel.latents, "control": panel.control,
        "points": packed(whole, "<i2"), "split": packed(panel.split, "i1"),
    }  # fmt: skip
