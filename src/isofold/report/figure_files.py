"""Results → every figure of the page as a file, at the sizes that journals print."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import plot
from ..plot.save import FORMATS, width_mm
from ..plot.style import text
from .answer import reach, unit_of
from .collect import CURVE_POINTS, Page, collect
from .figures import channel_figure, held_out_figure, loss_figure, measure_figure, sweep_figure
from .panels import SPLITS, Grid, Label, Panel
from .sessions import session_blocks
from .trials import trial_blocks

if TYPE_CHECKING:
    from ..studies import Results

NARROW = 120.0
"""Width in mm up to which two pictures stand beside each other; four above."""
MOST_ROWS = 5
"""Methods in one file of embeddings."""
CAPTIONS = "captions.txt"
_LONGEST = 90


@dataclass(frozen=True)
class Picture:
    """One file: its name without suffix, the figure, and what it shows."""

    name: str
    figure: Any
    caption: str


def write_figures(
    results: Results | str | Path,
    out: str | Path | None = None,
    *,
    format: str = "pdf",
    size: str | float = "one-column",
) -> list[Path]:
    """Write every figure of the page as a file of its own, and `captions.txt` that tells of each.

    Parameters
    ----------
    results
        What `isofold.run` left: `Results`, or its folder.
    out
        Folder to write into; `figures` in the results folder unless given.
    format
        "pdf", "png" (300 dots an inch) or "svg". Text stays text in PDF and SVG.
    size
        "one-column" (85 mm), "two-columns" (174 mm), or a width in mm. Text has 8 pt in all.

    Returns
    -------
    list of Path
        The figures written, in the order of the page.

    Raises
    ------
    StudyError
        The folder holds no results.
    DataError
        There is no such format or size.
    MissingDependencyError
        matplotlib is not installed.

    Examples
    --------
    >>> write_figures("results/linear-track", format="svg")  # doctest: +SKIP
    [PosixPath('results/linear-track/figures/embedding-rat1-by-position.svg'), ...]
    """
    from ..errors import DataError
    from ..studies import Results

    if format not in FORMATS:
        raise DataError(f"format must be one of {FORMATS}, got {format!r}")
    width = width_mm(size)
    if isinstance(results, str | Path):
        results = Results(results)
    folder = Path(results.path) / "figures" if out is None else Path(out)
    page = collect(results)
    written, captions = [], [f"Figures of {page.name}"]
    for name, picture in _named(pictures(page, width)):
        written.append(plot.save(picture.figure, folder / f"{name}.{format}", size=width))
        captions.append(f"{name}.{format}\n{picture.caption}")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / CAPTIONS).write_text("\n\n".join(captions) + "\n", encoding="utf-8")
    return written


def pictures(page: Page, width: float) -> Iterator[Picture]:
    """All figures of a page, in its order."""
    columns = 2 if width <= NARROW else 4
    yield from _embeddings(page, columns)
    for sweep in page.sweeps:
        if len(sweep.table):
            said = " ".join([sweep.spec.asks, *sweep.findings])
            yield Picture(f"sweep {sweep.spec.along} {sweep.spec.score}", sweep_figure(sweep), said)
    for title, measures in page.measures.items():
        for measure in measures:
            twice = measure.title.lower().startswith(title.lower())
            name = " ".join([*([] if twice else [title]), measure.title, measure.unit])
            said = (
                f"{measure.title}, {unit_of(measure)}. Dots: runs. Bars: means with their "
                "interval. Grey: mean of chance to the edge that 95 % of its draws stay below. "
                f"{reach(measure)}"
            )
            yield Picture(name, measure_figure(measure), said)
        if title == "Consistency":
            yield from _matrices(page, columns)
    yield from _losses(page)
    for ranking in page.rankings:
        said = (
            f"Shares that channels have in {ranking.label}, {ranking.variant}, "
            f"{ranking.recording}: {len(ranking.table)} of {ranking.n_channels} "
            f"channels, mean over {ranking.n_runs} runs. Grey: chance."
        )
        name = f"channels {ranking.recording} {ranking.variant} {ranking.label}"
        yield Picture(name, channel_figure(ranking), said)
    yield from _blocks(page)


def _named(found: Iterator[Picture]) -> Iterator[tuple[str, Picture]]:
    """Names of plain letters, none twice: text of a file must not choose where we write."""
    used: set[str] = set()
    for picture in found:
        said = picture.name.lower().replace("²", "2")
        plain = "".join(c if c.isascii() and c.isalnum() else " " for c in said)
        stem = "-".join(plain.split())[:_LONGEST] or "figure"
        name, number = stem, 1
        while name in used:
            number += 1
            name = f"{stem}-{number}"
        used.add(name)
        yield name, picture


# -- embeddings -----------------------------------------------------------------------------------


def _embeddings(page: Page, columns: int) -> Iterator[Picture]:
    """Small multiples, a row a method and a column a run, for every recording and label."""
    for number, grid in enumerate(page.gallery.grids):
        mine = [p for p in page.gallery.panels if p.grid == number]
        rows: dict[str, list[Panel]] = {}
        for panel in mine:
            rows.setdefault(panel.variant, []).append(panel)
        names = list(rows)
        for first in range(0, len(names), MOST_ROWS):
            shown = {n: rows[n][:columns] for n in names[first : first + MOST_ROWS]}
            for label in grid.labels or [grid.trial]:
                name = f"embedding {grid.recording} by {label.name}"
                said = _told(grid, label, shown, rows)
                yield Picture(name, _small_multiples(shown, grid, label), said)


def _told(grid: Grid, label: Label, shown: dict[str, list], rows: dict[str, list]) -> str:
    every = "every sample" if grid.every == 1 else f"sample 1 of every {grid.every}"
    every += " of each trial" if grid.every > 1 and grid.per_trial else ""
    counts = "; ".join(f"{n}: {len(shown[n])} of {len(rows[n])} runs" for n in shown)
    return (
        f"Embeddings of {grid.recording}, coloured by {label.name}; {counts}. Drawn is {every}, "
        f"{len(grid.rows):,} of {grid.n_samples:,}. Large points: test trials; small and pale "
        "ones: training trials. Runs of a method are moved, turned, reflected and scaled as a "
        "whole onto the first one (Procrustes on training samples); the axes are its principal "
        "axes."
    )


def _small_multiples(rows: dict[str, list[Panel]], grid: Grid, label: Label) -> Any:
    from plotly.subplots import make_subplots

    n_columns = max(len(panels) for panels in rows.values())
    flat = {name: panels[0].latents < 3 for name, panels in rows.items()}
    specs = [
        [{"type": "xy" if flat[n] else "scene"} if k < len(p) else None for k in range(n_columns)]
        for n, p in rows.items()
    ]
    titles = [text(f"{n}, {_run(p)}") for n, panels in rows.items() for p in panels]
    gaps = {"horizontal_spacing": 0.02, "vertical_spacing": 0.1 / len(rows)}
    figure = make_subplots(len(rows), n_columns, specs=specs, subplot_titles=titles, **gaps)
    for row, (name, panels) in enumerate(rows.items(), start=1):
        for column, panel in enumerate(panels, start=1):
            drawn = _points(panel, grid, label, flat[name])
            _share_colors(figure, drawn, label)
            figure.add_traces(drawn.data, rows=row, cols=column)
            if panel.latents == 2:  # one latent stands against time
                figure.update_yaxes(scaleanchor=figure.data[-1].xaxis, row=row, col=column)
    bare = {"showticklabels": False, "ticks": "", "showgrid": False, "showline": False}
    figure.update_xaxes(**bare)
    figure.update_yaxes(**bare)
    plain = plot.embedding(np.zeros((1, 3))).layout.scene.update(
        xaxis_title="", yaxis_title="", zaxis_title=""
    )
    figure.update_scenes({k: v for k, v in plain.to_plotly_json().items() if k != "domain"})
    legend = {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0}
    figure.update_layout(
        template="none", legend=legend, meta={"rows_of_squares": [len(rows), n_columns]}
    )
    return figure


def _run(panel: Panel) -> str:
    return f"seed {panel.seed}" + (f", fold {panel.fold}" if panel.fold not in ("", "0") else "")


def _points(panel: Panel, grid: Grid, label: Label, flat: bool) -> Any:
    """One panel as `plot.embedding` draws it."""
    import xarray as xr

    values: Any = label.values
    if label.kind == "discrete":
        names = np.array([*label.categories, ""], dtype=object)
        values = names[values].astype(str)  # code -1 is the last: no class
    split = np.array([*SPLITS, ""])[panel.split]
    split = np.where(split == "", "train", split) if not (panel.split >= 0).any() else split
    coords = {"split": ("time", split), label.name: ("time", values)}
    z = xr.DataArray(panel.points[:, : 2 if flat else 3], coords, ("time", "latent"))
    kind = None if label.kind == "continuous" else label.kind
    return plot.embedding(z, label.name, kind=kind, size=2.5, most_points=len(z) or 1)


def _share_colors(figure: Any, drawn: Any, label: Label) -> None:
    """One colour scale for all panels."""
    for trace in drawn.data:
        marker = trace.marker
        if marker.cmin is None:
            continue
        bar = {"title": text(label.name)}
        scale = {"colorscale": marker.colorscale, "cmin": marker.cmin, "cmax": marker.cmax}
        figure.update_layout(coloraxis={**scale, "colorbar": bar})
        values = marker.color
        trace.marker = {"color": values, "size": marker.size, "coloraxis": "coloraxis"}


# -- the others -----------------------------------------------------------------------------------


def _matrices(page: Page, columns: int) -> Iterator[Picture]:
    groups: dict[tuple[str, str], list] = {}
    for matrix in page.matrices:
        groups.setdefault((matrix.between, matrix.label), []).append(matrix)
    for (between, label), matrices in groups.items():
        what = {"runs": "seeds", "datasets": "recordings"}.get(between, between or "runs")
        n_columns = min(columns, len(matrices))
        figure = plot.consistency({m.variant: m.table for m in matrices}, n_columns=n_columns)
        squares = [-(-len(matrices) // n_columns), n_columns]
        figure.update_layout(meta={"rows_of_squares": squares})
        of = f", binned by {label}" if label else ""
        said = f"Consistency between {what}{of}: R² of the linear map from row to column."
        yield Picture(f"consistency matrix between {what} {label}", figure, said)


def _losses(page: Page) -> Iterator[Picture]:
    for variant in dict.fromkeys(c.variant for c in page.curves):
        mine = [c for c in page.curves if c.variant == variant]
        every = max(c.every for c in mine)
        rule = f" Means of {every} steps, at most {CURVE_POINTS} points." if every > 1 else ""
        said = f"Training loss of {variant}, {len(mine)} runs.{rule}"
        yield Picture(f"loss {variant}", loss_figure(mine), said)
        if any(c.held_out is not None and len(c.held_out) for c in mine):
            said = f"Information on trials held out of the fits of {variant}."
            yield Picture(f"held out {variant}", held_out_figure(mine), said)


def _blocks(page: Page) -> Iterator[Picture]:
    """Cleaned recordings and single trials, as the page describes them."""
    figures: dict[str, Any] = {}
    for block in session_blocks(page.cleaned, figures):
        about = f"{block['about'].recording}"
        for picture in block["pictures"]:
            part = picture["figure"].rsplit("-", 1)[-1]
            name = f"cleaned {about} {picture['caption'].split(':')[0]} {part}"
            yield Picture(name, figures[picture["figure"]], f"{about}. {picture['caption']}")
    for block in trial_blocks(page.trials, figures):
        for picture in block["pictures"]:
            what = "decoding over time" if picture["figure"].endswith("-time") else "trials"
            said = f"{block['title']} ({block['small']}). {picture['caption']}"
            yield Picture(f"{what} {block['title']}", figures[picture["figure"]], said)
