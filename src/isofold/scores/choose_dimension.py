"""Choose the dimension of an embedding by held-out scores: the smallest that is good enough."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import DataError, MissingValuesError

ERRORS = ("larger", "best", "paired")


@dataclass(frozen=True, eq=False)
class DimensionChoice:
    """What `choose_dimension` found.

    Parameters
    ----------
    best
        The dimension with the highest mean score; of several, the smallest.
    smallest
        The smallest dimension whose mean lies within one standard error of the best: the choice.
    table
        A row a dimension: `mean`, `se` (standard error of the mean), `below` (how far the mean lies
        below the best), `se_below` (standard error of that difference, repeat by repeat), `within`.

    Examples
    --------
    >>> choice = choose_dimension({1: [0.2, 0.3], 2: [0.8, 0.9], 3: [0.82, 0.9]})
    >>> choice.best, choice.smallest
    (3, 2)
    """

    best: int
    smallest: int
    table: pd.DataFrame

    def __repr__(self) -> str:
        return (
            f"DimensionChoice(smallest {self.smallest}, best {self.best}, "
            f"of {self.table.index.tolist()})"
        )


def choose_dimension(values: Any, *, error: str = "larger") -> DimensionChoice:
    """Smallest dimension within one standard error of the best, of scores on held-out data.

    d* = min {d : m_b − m_d ≤ s_d} with b = argmax m, and s_d the standard error sd / √n, over n
    repeats, of m_b ("best", the classical rule), of m_b − m_d repeat by repeat ("paired"), or the
    larger of the two.

    Parameters
    ----------
    values
        Held-out scores, higher is better: a table with a column for each dimension and a row for
        each repeat, or a mapping dimension → (repeat,). A repeat is a seed in a fold, the same for
        all dimensions and in the same order.
    error
        "best" is large where some folds are easy and some hard, for all dimensions alike, and then
        forgives much; "paired" leaves out what all share and sees a gain that is small but always
        there; it is the larger where repeats differ by the luck of each fit. "larger" holds to
        the smaller dimension in doubt.

    Raises
    ------
    DataError
        Fewer than two repeats (one has no standard error), repeats that differ in number,
        dimensions that are not whole numbers of at least 1, an unknown `error`.
    MissingValuesError
        A score is missing or infinite: a run failed. Run it again, or leave the repeat out of all.

    Notes
    -----
    Repeats share training data, so their standard error is too small and the choice leans to more
    dimensions than need be. Average seeds first (`table.groupby("fold").mean()`) to count folds as
    repeats. Not for in-sample scores, which rise with every dimension, nor for the loss of models
    of different output dimension.

    References
    ----------
    Breiman, Friedman, Olshen & Stone, Classification and Regression Trees (1984), section 3.4.3.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> scores = {d: min(d, 3) + rng.normal(0, 0.1, 20) for d in range(1, 7)}
    >>> choose_dimension(scores).smallest
    3
    """
    if error not in ERRORS:
        raise DataError(f"error must be one of {ERRORS}, got {error!r}")
    dimensions, scores = _table(values)
    mean = scores.mean(axis=0)
    se = _standard_error(scores)
    top = int(np.argmax(mean))  # the first, so the smallest, of several
    below = mean[top] - mean
    se_below = _standard_error(scores[:, [top]] - scores)
    allowed = {"best": se[top], "paired": se_below, "larger": np.maximum(se[top], se_below)}[error]
    # differences of equal numbers leave rounding errors behind
    within = below <= allowed + 1e-12 * max(abs(mean[top]), 1e-300)
    table = pd.DataFrame(
        {"mean": mean, "se": se, "below": below, "se_below": se_below, "within": within},
        index=pd.Index(dimensions, name="dimension"),
    )
    return DimensionChoice(dimensions[top], dimensions[int(np.argmax(within))], table)


def _table(values: Any) -> tuple[list[int], NDArray[np.float64]]:
    """Dimensions, rising, and scores (repeat, dimension)."""
    if not isinstance(values, Mapping | pd.DataFrame) or not len(values):
        raise DataError(
            "values must be a table with a column for each dimension, or a mapping from dimension "
            f"to scores, and not empty; got {type(values).__name__}"
        )
    given = {_dimension(name): np.asarray(values[name]) for name in values}
    if len(given) != len(list(values)):
        raise DataError(f"a dimension stands in the table twice: {sorted(map(str, values))}")
    dimensions = sorted(given)
    lengths = {d: given[d].shape for d in dimensions}
    if any(len(shape) != 1 for shape in lengths.values()) or len(set(lengths.values())) > 1:
        raise DataError(
            "every dimension needs the same repeats (seeds × folds) in the same order, got shapes "
            f"{lengths}; leave a repeat that lacks a dimension out of all"
        )
    if lengths[dimensions[0]][0] < 2:
        raise DataError(
            "a standard error needs at least two repeats (seeds × folds), got "
            f"{lengths[dimensions[0]][0]}; run more seeds or folds"
        )
    try:
        scores = np.column_stack([given[d] for d in dimensions]).astype(float)
    except (TypeError, ValueError) as error:
        raise DataError(f"scores must be numbers, got {given[dimensions[0]].dtype}") from error
    bad = np.argwhere(~np.isfinite(scores))
    if len(bad):
        repeat, column = bad[0]
        raise MissingValuesError(
            f"scores must be finite; {len(bad)} are not, the first at repeat {repeat} of dimension "
            f"{dimensions[column]}; run it again, or leave the repeat out of all dimensions"
        )
    return dimensions, scores


def _dimension(name: Any) -> int:
    """A column name as a dimension; a study's table may hold it as a float or as text."""
    try:
        number = float(name)
    except (TypeError, ValueError):
        number = np.nan
    if isinstance(name, bool) or not number >= 1 or number != int(number):
        raise DataError(f"dimensions must be whole numbers of at least 1, got {name!r}")
    return int(number)


def _standard_error(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return values.std(axis=0, ddof=1) / np.sqrt(len(values))
