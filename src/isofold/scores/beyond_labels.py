"""Beyond labels: what an embedding trained with labels holds that the labels alone do not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ..errors import DataError
from ._datasets import cells, labels_of
from ._halves import Pair
from ._inputs import require_values, rows_of, same_length
from ._linear import Floats, r2
from .chance import surrogate_within
from .recovery import value_only
from .score import Score


def beyond_labels(
    z: Any,
    truth: Any,
    labels: Any,
    *,
    oracle: Any = None,
    groups: Any = None,
    bins: int | None = None,
    n_chance: int = 100,
    seed: int = 0,
) -> Score:
    """(R² − R²_labels) / (R²_oracle − R²_labels): 0 if only labels are shown, 1 for the oracle.

    R² is that of `recovery`, held out. R²_labels predicts the truth by its mean in bins of the
    labels, R²_oracle by `oracle` (for example the exact posterior mean); without one it is 1.
    `also` gives the three and "within_label", the recovery after the mean of each label bin is
    taken from both sides. For simulations: it needs the truth.

    Parameters
    ----------
    z, truth, groups
        As in `recovery`.
    labels
        Labels used in training: names of coordinates, an array, or a list of arrays.
    oracle
        Best estimate of the truth, (time, k).
    bins
        Bins a continuous label; default 100 cells over all continuous labels.
    n_chance, seed
        Draws of an embedding with the same label means whose remainder moves between trials.

    Raises
    ------
    DataError
        Labels alone are as good as the oracle, lengths differ, values are missing.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> label = np.repeat([0, 1, 2, 3], 100)
    >>> truth = label[:, None] + rng.normal(size=(400, 1))
    >>> groups = np.tile(np.arange(20), 20)
    >>> only = beyond_labels(label[:, None], truth, label, groups=groups, n_chance=0)
    >>> full = beyond_labels(truth, truth, label, groups=groups, n_chance=0)
    >>> round(float(only), 1), round(float(full), 6)
    (0.0, 1.0)
    """
    pair = Pair.of(z, truth, groups)
    cell = _cells(z, labels, pair, bins)
    by_label = _mean_r2(pair, cell)
    best = 1.0 if oracle is None else _oracle_r2(pair, oracle)
    if best - by_label < 1e-6:
        raise DataError(
            f"labels alone recover R² {by_label:.3g} and the oracle {best:.3g}: there is nothing "
            "to gain beyond them; use recovery()"
        )
    share = lambda found: (found - by_label) / (best - by_label)  # noqa: E731
    found = value_only(pair)
    inner = replace(
        pair, rows=_residual(pair.rows, pair, cell), truth=_residual(pair.truth, pair, cell)
    )
    rng, draws = np.random.default_rng(seed), []
    for _ in range(n_chance):
        moved = inner.rows[surrogate_within(pair.trials, pair.half, rng)]
        draws.append(share(value_only(replace(pair, rows=pair.rows - inner.rows + moved))))
    return Score(
        value=share(found),
        unit="share beyond labels",
        chance=np.asarray(draws, dtype=float),
        ceiling=1.0,
        also={
            "r2": found,
            "r2_labels": by_label,
            "r2_oracle": best,
            "within_label": value_only(inner),
        },
        split=pair.split,
        settings={"n_chance": n_chance, "seed": seed},
    )


def _cells(z: Any, labels: Any, pair: Pair, bins: int | None):
    mine = labels_of(z, labels)
    for label in mine:
        same_length(len(pair.keep), len(label.values), "the embedding", f"its {label.name}")
    mine = [label[pair.keep] for label in mine]
    for label in mine:
        require_values(label)
    return cells([mine], bins)[0]


def _means(rows: Floats, cell, fit, score) -> Floats:
    """Mean of the fitted rows in the cell of each scored row; of all where the cell is empty."""
    n = int(cell.max()) + 1
    count = np.bincount(cell[fit], minlength=n)
    sums = np.stack([np.bincount(cell[fit], x, minlength=n) for x in rows[fit].T], axis=1)
    mean = np.where(
        count[:, None] > 0, sums / np.maximum(count, 1)[:, None], rows[fit].mean(axis=0)
    )
    return mean[cell[score]]


def _residual(rows: Floats, pair: Pair, cell) -> Floats:
    """What is left after the label means of the other half of the trials."""
    out = np.empty_like(rows)
    for fit, score in pair.folds:
        out[score] = rows[score] - _means(rows, cell, fit, score)
    return out


def _mean_r2(pair: Pair, cell) -> float:
    values = [
        r2(pair.truth[score], _means(pair.truth, cell, fit, score)) for fit, score in pair.folds
    ]
    return float(np.mean(values))


def _oracle_r2(pair: Pair, oracle: Any) -> float:
    rows = rows_of(oracle, "oracle")
    same_length(len(pair.keep), len(rows), "the embedding", "the oracle")
    return value_only(replace(pair, rows=rows[pair.keep]))
