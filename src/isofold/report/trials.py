"""Single trials on the page: heat map and means, decoding over time, the trials that stand out."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd

from .. import plot
from ..studies._numbers import number
from ..studies.trial_answers import TrialAnswers

MOST_CHANNELS = 3
"""Channels that are drawn."""
MOST_ROWS = 12
"""Trials that are listed, the most outlying first."""
Figures = dict[str, Any]


def trial_blocks(found: list[TrialAnswers], figures: Figures) -> list[dict[str, Any]]:
    """What the template draws; its figures are added to `figures`."""
    return [_block(answers, f"trials-{n}", figures) for n, answers in enumerate(found)]


def _block(answers: TrialAnswers, name: str, figures: Figures) -> dict[str, Any]:
    about = answers.about
    by = about.get("by")
    title = f"{answers.recording}: around {about['event']}" + (f", by {by}" if by else "")
    left_out = about.get("n_left_out", 0)
    pictures = []
    if len(answers.aligned):
        pictures = [*_heat_maps(answers, name, figures), *_over_time(answers, name, figures)]
    small = f"{about['n_trials']} trials" + (f", {left_out} left out" if left_out else "")
    rows = _rows(answers.per_trial)
    return {
        "title": title,
        "small": small,
        "notes": about.get("notes", []),
        "pictures": pictures,
        "rows": rows,
        "rows_title": f"{len(rows)} of {about['n_trials']} trials, the most unusual first",
    }


def _heat_maps(answers: TrialAnswers, name: str, figures: Figures) -> list[dict[str, str]]:
    tensor = answers.tensor()
    pictures = []
    for k, channel in enumerate(tensor["channel"].values[:MOST_CHANNELS]):
        averages = answers.averages
        averages = averages[averages["channel"].astype(str) == str(channel)]
        key = f"{name}-{k}"
        figure = plot.trials(
            tensor, by="condition", channel=channel, averages=_rounded(averages),
            unit=answers.about.get("unit", ""),
        )  # fmt: skip
        figures[key] = _small(figure)
        of = f" (channel {channel})" if tensor.sizes["channel"] > 1 else ""
        more = tensor.sizes["channel"] - MOST_CHANNELS
        also = f" {more} further channels are not drawn." if more > 0 and not k else ""
        pictures.append(
            {
                "figure": key,
                "caption": f"Trials and condition means{of}.{also}",
                "alt": f"Heat map of trials{of} and the mean of each condition over time",
            }
        )
    return pictures


def _over_time(answers: TrialAnswers, name: str, figures: Figures) -> list[dict[str, str]]:
    table = answers.over_time
    if not len(table):
        return []
    key = f"{name}-time"
    unit = str(answers.about.get("decode", {}).get("unit", "accuracy"))
    figures[key] = json.loads(plot.over_time(table, unit=unit).to_json())
    best = table.sort_values("value").to_dict("records")[-1]
    text = (
        f"Decoding of {answers.about.get('by')} at each time: highest {number(best['value'])} "
        f"{best['time']:.2f} s from {answers.about['event']}, chance {number(best['chance'])}."
    )
    return [{"figure": key, "caption": text, "alt": text}]


def _rows(table: pd.DataFrame) -> list[dict[str, str]]:
    if not len(table):
        return []
    shown = table.sort_values("p_outlier") if "p_outlier" in table else table
    return [
        {str(k): number(v) if isinstance(v, float) else str(v) for k, v in row.items()}
        for row in shown.head(MOST_ROWS).to_dict("records")
    ]


def _rounded(table: pd.DataFrame) -> pd.DataFrame:
    numbers = table.select_dtypes("float").columns
    return table.round({str(c): 5 for c in numbers})


def _small(figure: Any) -> Any:
    """A heat map needs three digits; sixteen would be most of the page."""
    for trace in figure.data:
        if trace.type == "heatmap":
            with np.errstate(all="ignore"):
                digits = 3 - int(np.floor(np.log10(max(float(trace.zmax), 1e-12))))
            trace.z = np.round(np.asarray(trace.z, float), digits).tolist()
    return json.loads(figure.to_json())
