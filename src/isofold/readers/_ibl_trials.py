"""The trials table of the International Brain Laboratory (`_ibl_trials.table.pqt`)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from ._text_table import numbers

ENDS = {"intervals_0": "start", "intervals_1": "stop"}


def is_trial_table(columns: Sequence[str]) -> bool:
    return set(ENDS) <= set(columns)


def trial_table(table: pd.DataFrame, file: Path, found: list[str]) -> pd.DataFrame:
    """`start`, `stop` and every other column, rows as in the file; broken rows are named."""
    for column in ENDS:
        table = table.assign(**{column: numbers(table, column, file)})
    table = table.rename(columns=ENDS).rename_axis("trial")
    bad = ~(table["stop"] >= table["start"])
    if bad.any():
        found.append(
            f"trials: {int(bad.sum())} rows of {file.name} lack a start or stop, or stop before "
            f"they start; left out, first row {int(bad.to_numpy().argmax())}"
        )
    found.append(
        f"trials: {file.name} does not say that its clock is that of the photometry; check it "
        "against an event before aligning"
    )
    return table[~bad].sort_values("start", kind="stable")
