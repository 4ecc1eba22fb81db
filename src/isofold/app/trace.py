"""One trial: its raw traces and behaviour on one time axis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import IsofoldError
from ..plot.style import BAND, CATEGORIES, GREY, flat_layout, pale, text
from .embedded import Embedded, Label
from .library import Library

if TYPE_CHECKING:
    import plotly.graph_objects as go

MOST_LINES = 6
"""Channels drawn as lines; more are drawn as a heat map."""
MOST_CHANNELS = 200
MOST_SAMPLES = 2000
"""Of one trial; of a longer one every k-th is drawn."""
MOST_LABELS = 5
_RISING = [[0.0, pale(CATEGORIES[0], 0.0)], [1.0, CATEGORIES[0]]]
"""From the ground, light or dark, to a colour."""


class Signal:
    """What stands above the behaviour: the recording where it can be read, else the embedding."""

    def __init__(self, values: NDArray, channels: list[str], said: str):
        self.values, self.channels, self.said = values, channels, said


def signal_of(library: Library, name: object, run: dict[str, Any], rows: NDArray) -> Signal:
    """The signal of some samples of a run, and where it comes from."""
    embedded = library.embedded(name, run["key"])
    try:
        recording = library.recording(name, str(run["recording"]))
        if recording.n_samples != len(embedded.time):
            raise IsofoldError("the recording has another number of samples than the embedding")
        first, last = int(rows.min()), int(rows.max()) + 1
        values = np.asarray(recording.signal[first:last])[rows - first]
        names = [str(c) for c in recording.channels.index]
        return Signal(values.astype(float), names, "signal as it was binned, before any step")
    except (IsofoldError, OSError) as error:
        values = embedded.points[rows].astype(float)
        names = [f"latent {k + 1}" for k in range(values.shape[1])]
        return Signal(values, names, f"coordinates of the embedding, since {error}")


def trial_figure(embedded: Embedded, rows: NDArray, signal: Signal, marks: NDArray) -> go.Figure:
    """Signal above labels; selected samples stand on a tinted ground."""
    from plotly.subplots import make_subplots

    labels = list(embedded.labels.values())[:MOST_LABELS]
    every = max(1, -(-len(rows) // MOST_SAMPLES))
    time = embedded.time[rows][::every]
    heights = [3.0, *([1.0] * len(labels))]
    figure = make_subplots(
        len(heights), 1, shared_xaxes=True, vertical_spacing=0.035,
        row_heights=[h / sum(heights) for h in heights],
    )  # fmt: skip
    _add_signal(figure, time, signal.values[::every], signal.channels)
    for number, label in enumerate(labels, start=2):
        _add_label(figure, number, time, label, rows[::every])
    selected = embedded.time[rows[marks[rows]]]
    figure.update_layout(**flat_layout(""), height=210 + 66 * len(labels), showlegend=False)
    figure.update_layout(margin={"l": 70, "r": 16, "t": 10, "b": 42})
    figure.update_xaxes(gridcolor="rgba(0,0,0,0)", linecolor=GREY)
    figure.update_yaxes(gridcolor=BAND, zerolinecolor=BAND, linecolor=GREY)
    figure.update_xaxes(title="time (s)", row=len(heights), col=1)
    for span in _spans(selected, time):
        figure.add_vrect(*span, fillcolor=CATEGORIES[1], opacity=0.16, line_width=0)
    return figure


def _add_signal(figure: Any, time: NDArray, values: NDArray, channels: list[str]) -> None:
    import plotly.graph_objects as go

    if values.shape[1] <= MOST_LINES:
        for k, name in enumerate(channels):
            figure.add_trace(
                go.Scatter(
                    x=time, y=values[:, k], mode="lines", name=text(name),
                    line={"width": 1.3, "color": CATEGORIES[k % len(CATEGORIES)]},
                    hovertemplate="%{x:.2f} s: %{y:.4g}<extra>" + text(name) + "</extra>",
                ),
                row=1, col=1,
            )  # fmt: skip
        figure.update_yaxes(title=text(channels[0] if len(channels) == 1 else "signal"), row=1)
        return
    shown = values[:, :MOST_CHANNELS].T
    limit = float(np.nanquantile(shown, 0.99)) if np.isfinite(shown).any() else 1.0
    figure.add_trace(
        go.Heatmap(
            x=time, y=np.arange(len(shown)), z=shown, colorscale=_RISING, showscale=False,
            zmax=limit or float(np.nanmax(shown)), zmin=float(np.nanmin(shown)),
            text=[text(c) for c in channels[:MOST_CHANNELS]],
            hovertemplate="%{x:.2f} s, channel %{y}: %{z:.4g}<extra></extra>",
        ),
        row=1, col=1,
    )  # fmt: skip
    of = f"{MOST_CHANNELS} of {len(channels)}" if len(channels) > MOST_CHANNELS else len(channels)
    figure.update_yaxes(title=f"{of} channels", showgrid=False, row=1, col=1)


def _add_label(figure: Any, row: int, time: NDArray, label: Label, rows: NDArray) -> None:
    import plotly.graph_objects as go

    discrete = label.kind == "discrete"
    values = label.values[rows].astype(float)
    figure.add_trace(
        go.Scatter(
            x=time, y=values, mode="lines" if not discrete else "lines+markers",
            line={"width": 1.5, "color": GREY, "shape": "hv" if discrete else "linear"},
            marker={"size": 3, "color": CATEGORIES[0]}, name=text(label.name),
            text=[text(label.at(int(r))) for r in rows],
            hovertemplate="%{x:.2f} s: %{text}<extra>" + text(label.name) + "</extra>",
        ),
        row=row, col=1,
    )  # fmt: skip
    figure.update_yaxes(title={"text": text(label.name), "font": {"size": 11}}, row=row, col=1)
    if discrete:
        seen = sorted({int(v) for v in values if v >= 0})[:6]
        names = [text(label.classes[k])[:12] for k in seen]
        figure.update_yaxes(tickvals=seen, ticktext=names, row=row, col=1)


def _spans(selected: NDArray, time: NDArray) -> list[tuple[float, float]]:
    """Stretches of selected samples, as (start, stop); at most a few."""
    if not len(selected) or len(time) < 2:
        return []
    step = float(np.median(np.diff(time)))
    breaks = np.flatnonzero(np.diff(selected) > 1.5 * step)
    starts, stops = selected[np.r_[0, breaks + 1]], selected[np.r_[breaks, len(selected) - 1]]
    return [(float(a), float(b) + step) for a, b in zip(starts, stops, strict=True)][:40]
