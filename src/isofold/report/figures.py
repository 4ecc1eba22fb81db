"""Page data → plotly figures as plain dicts, drawn by `isofold.plot`."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from .. import plot
from ..plot.dots import Row, dots
from ..plot.style import CATEGORIES, text
from ..studies._numbers import number
from ..studies.sweeps import Sweep
from ._attribution import Ranking
from .answer import unit_of
from .collect import Curve, Matrix
from .measures import Line, Measure

Figure = dict[str, Any]
LONGEST = 44
"""Letters of a name in a chart; the table beside it has all."""


def measure_figure(measure: Measure) -> Figure:
    """Dots of every run beside their mean, interval and chance."""
    several = measure.lines[0].dots.get("recording")
    by_recording = several is not None and several.nunique() > 1
    return _plain(dots([_row(line, by_recording) for line in measure.lines], unit=unit_of(measure)))


def sweep_figure(sweep: Sweep) -> Figure:
    """A score along an axis of the study."""
    spec = sweep.spec
    unit = f"{spec.score.replace('_', ' ')}, {sweep.unit}"
    return _plain(
        plot.sweep(sweep.table, sweep.runs, along=spec.along, unit=unit, above=spec.above)
    )


def matrix_figure(matrices: Iterable[Matrix]) -> Figure:
    """One matrix a variant, on one colour scale."""
    return _plain(plot.consistency({m.variant: m.table for m in matrices}))


def loss_figure(curves: list[Curve]) -> Figure:
    """Every run's loss; runs of one seed share a colour."""
    return _by_seed(curves, [{"step": c.step, "loss": c.loss} for c in curves], "loss")


def held_out_figure(curves: list[Curve]) -> Figure:
    """Information on trials held out inside the fits."""
    looks = [c.held_out for c in curves if c.held_out is not None]
    named = [{"step": t["step"], "loss": t["held_out_bits"]} for t in looks]
    return _by_seed([c for c in curves if c.held_out is not None], named, "bits, held-out trials")


def _by_seed(curves: list[Curve], lines: list[dict], unit: str) -> Figure:
    figure = plot.loss({str(k): line for k, line in enumerate(lines)}, unit=unit)
    seeds = list(dict.fromkeys(c.seed for c in curves))
    shown: set[str] = set()
    for trace, curve in zip(figure.data, curves, strict=True):
        color = CATEGORIES[seeds.index(curve.seed) % len(CATEGORIES)]
        trace.update(
            name=f"seed {curve.seed}", legendgroup=curve.seed, showlegend=curve.seed not in shown,
            line={"color": color, "width": 1.5}, opacity=0.85,
            hovertemplate="step %{x:.0f}: %{y:.3f}<extra>" + text(curve.title) + "</extra>",
        )  # fmt: skip
        shown.add(curve.seed)
    legend = {"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0}
    figure.update_layout(height=290, showlegend=len(seeds) > 1, legend=legend)
    return _plain(figure)


def channel_figure(ranking: Ranking) -> Figure:
    """Bars of the channels' shares on chance."""
    return _plain(plot.channels(ranking.table))


def _row(line: Line, by_recording: bool) -> Row:
    runs = line.dots
    hover = [_hover(run, line.variant) for run in runs.to_dict("records")]
    groups = [_short(str(r)) for r in runs["recording"]] if by_recording else []
    return Row(
        _short(line.variant), runs["value"].astype(float).to_numpy(), hover, groups,
        mean=line.mean, interval=line.interval, chance=line.chance, muted=line.control,
        ceiling=line.ceiling,
    )  # fmt: skip


def _short(name: str) -> str:
    """A name with its middle left out: what tells settings apart often stands at the end."""
    if len(name) <= LONGEST:
        return name
    return f"{name[: LONGEST // 2]}…{name[1 - LONGEST // 2 :]}"


def _hover(run: dict[Any, Any], variant: str) -> str:
    parts = [variant]
    for key in ("recording", "seed", "fold"):
        value = run.get(key)
        if value is not None and value == value and value != "":
            parts.append(f"{key} {value:g}" if isinstance(value, float) else f"{key} {value}")
    if run.get("between"):
        parts.append(f"{run['from']} → {run['to']}")
    return ", ".join(parts) + f": {number(float(run['value']))}"


def _plain(figure: Any) -> Figure:
    return json.loads(figure.to_json())
