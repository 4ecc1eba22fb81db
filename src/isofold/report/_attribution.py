"""Which channels matter: ranks of the runs of one method, recording and label, averaged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd

MOST_CHANNELS = 20
MOST_RANKINGS = 40


@dataclass(frozen=True)
class Ranking:
    """Channels by their mean share of one label."""

    variant: str
    recording: str
    label: str
    table: pd.DataFrame
    """channel, share, chance_mean, chance, beyond (number of runs); at most `MOST_CHANNELS`."""
    n_channels: int
    n_runs: int
    r2: float


def rankings(runs: pd.DataFrame, ranks_of: Callable[[str], pd.DataFrame | None]) -> list[Ranking]:
    """One ranking a method, recording and label, in the order of the runs; controls have none."""
    parts = []
    for run in runs.to_dict("records"):
        table = None if run["is_control"] else ranks_of(run["key"])
        if table is not None and len(table):
            parts.append(table.assign(variant=run["variant"], recording=run["recording"]))
    if not parts:
        return []
    names = ["variant", "recording", "label"]
    groups: Any = pd.concat(parts).groupby(names, sort=False)
    return [_ranking(v, r, label, part) for (v, r, label), part in groups]


def _ranking(variant: Any, recording: Any, label: Any, ranks: pd.DataFrame) -> Ranking:
    ranks = ranks.assign(beyond=ranks["share"] > ranks["chance"])
    by_channel = ranks.groupby("channel", sort=False)
    mean = by_channel[["share", "chance_mean", "chance"]].mean()
    mean["beyond"] = by_channel["beyond"].sum()
    mean = mean.sort_values("share", ascending=False, kind="stable").reset_index()
    return Ranking(
        variant=str(variant),
        recording=str(recording),
        label=str(label),
        table=mean.iloc[:MOST_CHANNELS],
        n_channels=len(mean),
        n_runs=int(by_channel.size().max()),
        r2=float(ranks["r2"].mean()),
    )
