"""MCC: mean correlation of matched columns, the score of identifiability."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment

from ..errors import DataError
from ._canonical import canonical, correlations
from ._halves import Fitter, Judge, Pair, held_out
from ._linear import Floats
from .score import Score


def mcc(
    z: Any,
    truth: Any,
    groups: Any = None,
    *,
    kind: str = "strong",
    correlation: str = "pearson",
    in_sample: bool = False,
    n_chance: int = 100,
    seed: int = 0,
) -> Score:
    """Mean |correlation| of each true column with the embedding column that is assigned to it.

    The assignment (Hungarian method on |corr|) and, for kind="weak", the canonical directions come
    from odd trials; correlations from even trials, and back. True columns without a partner
    (fewer latents than truth) count 0.

    Parameters
    ----------
    z, truth, groups, in_sample
        As in `recovery`.
    kind
        "strong": columns as they are; "weak": after canonical correlation analysis.
    correlation
        "pearson" or "spearman".

    Raises
    ------
    DataError
        `kind` or `correlation` is unknown, lengths differ, values are missing.

    Notes
    -----
    Chance is above 0 and grows with the number of columns: read it beside `chance`. Not for models
    that promise a linear map only, unless kind="weak": use `recovery`. Source:
    Hyvärinen & Morioka, NeurIPS 2016; out of sample as in ICE-BeeM (Khemakhem et al. 2020).

    Examples
    --------
    >>> truth = np.random.default_rng(0).normal(size=(300, 2))
    >>> round(float(mcc(-3 * truth[:, ::-1], truth, n_chance=0)), 6)
    1.0
    """
    if kind not in ("strong", "weak"):
        raise DataError(f"kind must be 'strong' or 'weak', got {kind!r}")
    if correlation not in ("pearson", "spearman"):
        raise DataError(f"correlation must be 'pearson' or 'spearman', got {correlation!r}")
    ranks = correlation == "spearman"

    def make(rows: Floats) -> Fitter:
        def fit(known: Floats) -> Judge:
            turn_z, turn_y = canonical(rows, known) if kind == "weak" else (None, None)
            matrix = correlations(_turn(rows, turn_z), _turn(known, turn_y), ranks)
            left, right = linear_sum_assignment(-np.abs(matrix))
            n_columns = known.shape[1]

            def judge(inputs: Floats, facts: Floats) -> float:
                held = correlations(_turn(inputs, turn_z), _turn(facts, turn_y), ranks)
                return float(np.abs(held[left, right]).sum() / n_columns)

            return judge

        return fit

    score = held_out(Pair.of(z, truth, groups, in_sample), make, f"MCC ({kind})", n_chance, seed)
    return replace(score, settings={**score.settings, "kind": kind, "correlation": correlation})


def _turn(rows: Floats, directions: Floats | None) -> Floats:
    return rows if directions is None else rows @ directions
