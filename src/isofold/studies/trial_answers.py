"""Answers about single trials, as a study keeps them.

recordings/<name>/trials_<number of the block>/about.json        what was asked; notes
                                               aligned.parquet   trial, channel, condition, samples
                                               averages.parquet  condition means with intervals
                                               per_trial.parquet response, distance, outlier and why
                                               over_time.parquet decoding at each time
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from .run_folder import read_json, write_json
from .tables import write_table

ABOUT = "about.json"
TABLES = ("aligned", "averages", "per_trial", "over_time")


@dataclass(frozen=True)
class TrialAnswers:
    """What one `[[single_trials]]` block found in one recording."""

    recording: str
    about: dict[str, Any]
    """The block; `n_trials`, `n_left_out`, `notes`, `decode`, `variability`."""
    aligned: pd.DataFrame = field(default_factory=pd.DataFrame)
    """One row a trial and channel; columns `t0`, `t1`, … at the times in `about["time"]`."""
    averages: pd.DataFrame = field(default_factory=pd.DataFrame)
    per_trial: pd.DataFrame = field(default_factory=pd.DataFrame)
    over_time: pd.DataFrame = field(default_factory=pd.DataFrame)

    def tensor(self) -> xr.DataArray:
        """(trial, time, channel) with the coordinate `condition`."""
        channels = list(dict.fromkeys(self.aligned["channel"]))
        names = [c for c in self.aligned if str(c)[:1] == "t" and str(c)[1:].isdigit()]
        first = self.aligned[self.aligned["channel"] == channels[0]]
        parts = [
            self.aligned.loc[self.aligned["channel"] == c, names].to_numpy(float) for c in channels
        ]
        return xr.DataArray(
            np.stack(parts, axis=2),
            dims=("trial", "time", "channel"),
            coords={
                "trial": first["trial"].to_numpy(),
                "time": np.asarray(self.about["time"], float),
                "channel": channels,
                "condition": ("trial", first["condition"].to_numpy()),
            },
        )

    def write(self, folder: Path) -> list[str]:
        """Into a folder; names of the files."""
        folder.mkdir(parents=True, exist_ok=True)
        write_json(folder / ABOUT, self.about | {"recording": self.recording})
        names = [ABOUT]
        for name in TABLES:
            table = getattr(self, name)
            if len(table):
                write_table(table, folder / f"{name}.parquet")
                names.append(f"{name}.parquet")
        return names

    @classmethod
    def read(cls, folder: Path) -> TrialAnswers:
        """From a folder that `write` filled."""
        about = read_json(folder / ABOUT)
        paths = {name: folder / f"{name}.parquet" for name in TABLES}
        tables = {name: pd.read_parquet(p) for name, p in paths.items() if p.exists()}
        return cls(about.pop("recording"), about, **tables)


def condition_names(values: Any, by: str | None) -> np.ndarray:
    """Conditions as they are shown: numbers with what they are the value of.

    >>> condition_names([0, 1], "cs").tolist(), condition_names(["go"], "cue").tolist()
    (['cs 0', 'cs 1'], ['go'])
    """
    values = np.asarray(values)
    if values.dtype.kind in "biuf":
        return np.array(
            [f"{by} {v:g}" if values.dtype.kind == "f" else f"{by} {v}" for v in values]
        )
    return values.astype(str)


def aligned_table(tensor: xr.DataArray, by: str | None) -> pd.DataFrame:
    """A tensor as `TrialAnswers.aligned`."""
    condition = np.full(tensor.sizes["trial"], "all")
    if by is not None:
        condition = condition_names(tensor[by].values, by)
    last = tensor.dims[2]
    parts = []
    for number, channel in enumerate(tensor[last].values):
        values = np.asarray(tensor.values[:, :, number], dtype=np.float32)
        table = pd.DataFrame(values, columns=[f"t{k}" for k in range(values.shape[1])])
        table.insert(0, "condition", condition)
        table.insert(0, "channel", str(channel))
        table.insert(0, "trial", tensor["trial"].values)
        parts.append(table)
    return pd.concat(parts, ignore_index=True)
