"""Score: one number about an embedding, with all that is needed to judge it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False, repr=False)
class Score:
    """A score beside its parts, its uncertainty and what chance gives.

    Compare scores of one unit and one `settings` only; `float(score)` is the value.

    Parameters
    ----------
    value
        The score; higher is better, but of a dimension.
    unit
        What it counts in: "R²", "accuracy", "bits", ...
    parts
        What the value is made of; index levels from {from, to, fold, seed, trial, label, batch},
        of a dimension from {radius, sample, component}.
    interval
        95 % percentile bootstrap over the natural unit (named in `settings["interval_over"]`);
        NaN where there are too few units.
    chance
        One value a draw of the null, from the same pipeline; empty where none was asked for.
    ceiling
        The best possible value, where it is known.
    also
        Further numbers, for example the median error in the label's own unit.
    split
        Which part of the data was scored.
    settings
        How the score was computed.

    Examples
    --------
    >>> score = Score(0.9, "R²", chance=np.zeros(99))
    >>> float(score), score.p
    (0.9, 0.01)
    """

    value: float
    unit: str
    parts: pd.Series = field(default_factory=lambda: pd.Series(dtype=float))
    interval: tuple[float, float] = (float("nan"), float("nan"))
    chance: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    ceiling: float | None = None
    also: Mapping[str, float] = field(default_factory=dict)
    split: str = "as given"
    settings: Mapping[str, Any] = field(default_factory=dict)

    def __float__(self) -> float:
        return float(self.value)

    @property
    def p(self) -> float:
        """Share of chance draws at least as good as the value, (1 + k) / (1 + n); NaN without."""
        if len(self.chance) == 0:
            return float("nan")
        return float((1 + np.sum(self.chance >= self.value)) / (1 + len(self.chance)))

    @property
    def chance_mean(self) -> float:
        """Mean of chance; NaN without."""
        return float(np.mean(self.chance)) if len(self.chance) else float("nan")

    @property
    def chance_hi(self) -> float:
        """95th percentile of chance."""
        return float(np.quantile(self.chance, 0.95)) if len(self.chance) else float("nan")

    def __repr__(self) -> str:
        return f"Score({', '.join(f'{k}: {v}' if k else v for k, v in self._rows())})"

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th style='text-align:left'>{escape(k or 'score')}</th><td>{escape(v)}</td></tr>"
            for k, v in self._rows()
        )
        return f"<table>{rows}</table>"

    def _rows(self) -> list[tuple[str, str]]:
        rows = [("", f"{self.value:.3g} {self.unit}")]
        if np.isfinite(self.interval).all():
            rows.append(("95 %", f"{self.interval[0]:.3g} to {self.interval[1]:.3g}"))
        if len(self.chance):
            text = f"{self.chance_mean:.3g} (95 % below {self.chance_hi:.3g}), p = {self.p:.2g}"
            rows.append(("chance", text))
        if self.ceiling is not None:
            rows.append(("ceiling", f"{self.ceiling:.3g}"))
        rows += [(k.replace("_", " "), f"{v:.3g}") for k, v in self.also.items()]
        return [*rows, ("split", self.split)]
