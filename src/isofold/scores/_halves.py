"""An embedding against a known variable: fitted on odd trials, judged on even, and back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..trials import Ints
from ._inputs import (
    conditions_of,
    halves,
    inside,
    require_trials,
    rows_of,
    same_length,
    split_of,
    trials_of,
    trials_or_blocks,
)
from ._linear import Floats, percentiles
from .chance import surrogate_within
from .score import Score

Judge = Callable[[Floats, Floats], float]
"""(inputs, truth) of the scored trials → score."""
Fitter = Callable[[Floats], Judge]
"""Truth of the fitted trials → judge; the inputs of the fitted trials are bound."""
N_BOOTSTRAP = 200


@dataclass(frozen=True)
class Pair:
    """Embedding and truth, row by row, with trials in two halves."""

    rows: Floats
    truth: Floats
    trials: NDArray
    half: Ints
    keep: NDArray[np.bool_]
    split: str

    @classmethod
    def of(
        cls, z: Any, truth: Any, groups: Any, in_sample: bool = False, name: str = "truth"
    ) -> Pair:
        rows, known = rows_of(z, "embedding"), rows_of(truth, name)
        same_length(len(rows), len(known), "the embedding", f"the {name}")
        trials = trials_or_blocks(trials_of(z, groups, len(rows), "the embedding"), len(rows))
        keep = inside(trials)
        conditions = conditions_of(z, trials)[keep]
        trials = trials[keep]
        if not in_sample:
            require_trials(trials, "a held-out score")
        half = np.zeros(len(trials), np.int64) if in_sample else halves(trials, conditions)
        return cls(rows[keep], known[keep], trials, half, keep, split_of([z]))

    @property
    def folds(self) -> list[tuple[Ints, Ints]]:
        """(fitted rows, scored rows); one fold with all rows for scores in sample."""
        first, second = np.flatnonzero(self.half == 0), np.flatnonzero(self.half == 1)
        return [(first, second), (second, first)] if len(second) else [(first, first)]


def held_out(
    pair: Pair, make: Callable[[Floats], Fitter], unit: str, n_chance: int, seed: int
) -> Score:
    """Mean of the folds, resampled trials as interval, moved truth as chance."""
    fitters = [make(pair.rows[fit]) for fit, _ in pair.folds]

    def judged(truth: Floats) -> list[float]:
        return [
            fitter(truth[fit])(pair.rows[score], truth[score])
            for fitter, (fit, score) in zip(fitters, pair.folds, strict=True)
        ]

    rng = np.random.default_rng(seed)
    values = judged(pair.truth)
    draws = [
        np.mean(judged(pair.truth[surrogate_within(pair.trials, pair.half, rng)]))
        for _ in range(n_chance)
    ]
    return Score(
        value=float(np.mean(values)),
        unit=unit,
        parts=pd.Series(values, index=pd.RangeIndex(len(values), name="fold"), name=unit),
        interval=_interval(pair, fitters, seed),
        chance=np.asarray(draws, dtype=float),
        split=pair.split,
        settings={
            "in_sample": len(pair.folds) == 1,
            "n_chance": n_chance,
            "seed": seed,
            "interval_over": "trials",
        },
    )


def _interval(pair: Pair, fitters: list[Fitter], seed: int) -> tuple[float, float]:
    rng = np.random.default_rng([seed, 1])
    draws = np.zeros(N_BOOTSTRAP)
    for fitter, (fit, score) in zip(fitters, pair.folds, strict=True):
        judge = fitter(pair.truth[fit])
        codes, names = pd.factorize(pair.trials[score])
        rows = [score[codes == k] for k in range(len(names))]
        if len(rows) < 2:
            return (float("nan"), float("nan"))
        for draw in range(N_BOOTSTRAP):
            picked = np.concatenate([rows[i] for i in rng.integers(len(rows), size=len(rows))])
            draws[draw] += judge(pair.rows[picked], pair.truth[picked]) / len(fitters)
    return percentiles(draws)
