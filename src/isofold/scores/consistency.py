"""Consistency: how well one embedding is a linear map of another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import DataError
from . import _datasets as datasets_
from ._inputs import (
    conditions_of,
    halves,
    inside,
    is_embedding,
    require_trials,
    rows_of,
    same_length,
    split_of,
    trials_of,
    trials_or_blocks,
)
from ._linear import Floats, LeastSquares, percentiles, r2_columns, resampled
from .chance import surrogate_within
from .score import Score

BETWEEN = ("runs", "datasets", "methods")


def consistency(
    zs: Sequence[Any] | Mapping[str, Any],
    *,
    between: str = "runs",
    labels: Sequence[Any] | None = None,
    groups: Any = None,
    in_sample: bool = False,
    bins: int | None = None,
    n_chance: int = 100,
    seed: int = 0,
) -> Score:
    """Mean R² of the linear map between every ordered pair of embeddings, on held-out trials.

    R²(i → j) of least squares with intercept, fitted on odd trials and scored on even trials, and
    back. Odd and even are counted inside the conditions that travel with an embedding (laps
    alternate in direction), in order of appearance.

    Parameters
    ----------
    zs
        At least two embeddings, (time, latent); a mapping names them.
    between
        "runs": same samples, for example other seeds. "methods": same clock; embeddings (xarray)
        are matched on the times they share. "datasets": other animals; matched by the mean
        embedding in bins of the labels, where both have samples.
    labels
        For "datasets": names of coordinates, e.g. ["position", "direction"]; or one entry an
        embedding: (time,), (time, k) or a list of arrays. Discrete ones are crossed.
    groups
        Trial of each sample (one array; for "datasets" one an embedding). Default: the `trial`
        coordinate, else ten contiguous blocks. Samples of trial -1 are left out. Given by hand, odd
        and even are plain: where conditions alternate, pass embeddings instead.
    in_sample
        The definition of the `cebra` package: fitted and scored on all samples; for "datasets" on
        99 bins of one label, each bin mean on the unit sphere. Rises with dimension.
    bins
        Bins a continuous label; default 100 cells over all continuous labels.
    n_chance, seed
        Draws of the null: samples (or labels) of one embedding move as in `scores.surrogate`.

    Returns
    -------
    Score
        `parts` has levels (from, to) and, held out, fold; `interval` resamples embeddings (three
        or more).

    Raises
    ------
    DataError
        Lengths differ, labels are missing, or too few trials or shared bins.

    Notes
    -----
    Do not use it alone to choose a model: a model that only shows its labels is consistent.
    Source: Schneider, Lee, Mathis, Nature 2023 (in-sample form).

    Examples
    --------
    >>> z = np.random.default_rng(0).normal(size=(400, 3))
    >>> round(float(consistency([z, 2 * z @ np.eye(3)[::-1] + 1], n_chance=0)), 6)
    1.0
    """
    if between not in BETWEEN:
        raise DataError(f"between must be one of {BETWEEN}, got {between!r}")
    names = list(zs) if isinstance(zs, Mapping) else _names(zs, between)
    zs = list(zs.values()) if isinstance(zs, Mapping) else list(zs)
    if len(zs) < 2:
        raise DataError(f"consistency compares at least two embeddings, got {len(zs)}")
    if (labels is None) == (between == "datasets"):
        raise DataError(
            "consistency between data sets needs labels=[...] to match them"
            if labels is None
            else f"labels match data sets only; between={between!r} compares the same samples"
        )
    if between == "datasets":
        assert labels is not None
        pairing = datasets_.by_labels(zs, labels, groups, in_sample, bins)
    else:
        pairing = _by_time(zs, groups, in_sample, match=between == "methods")
    rng = np.random.default_rng(seed)
    matrix = pairing(None)
    draws = [_mean(pairing(rng).mean(axis=0)) for _ in range(n_chance)]
    settings = {"between": between, "in_sample": in_sample, "n_chance": n_chance, "seed": seed}
    return Score(
        value=_mean(matrix.mean(axis=0)),
        unit="R²",
        parts=_parts(matrix, names, in_sample),
        interval=_interval(matrix.mean(axis=0), seed),
        chance=np.asarray(draws),
        split=split_of(zs),
        settings=settings | {"interval_over": "embeddings"},
    )


def _by_time(zs: list[Any], groups: Any, in_sample: bool, match: bool):
    """Function of a generator (None: no surrogate) to R² (fold, from, to), same samples."""
    if match and all(is_embedding(z) and "time" in z.coords for z in zs):
        zs = _shared_times(zs)
    rows = [rows_of(z, f"embedding {i}") for i, z in enumerate(zs)]
    for i, z in enumerate(rows[1:], start=1):
        same_length(len(rows[0]), len(z), "embedding 0", f"embedding {i}")
    given = trials_of(zs[0], groups, len(rows[0]), "embedding 0")
    trials = trials_or_blocks(given, len(rows[0]))
    keep = inside(trials)
    conditions = None if groups is not None else conditions_of(zs[0], trials)[keep]
    rows, trials = [z[keep] for z in rows], trials[keep]
    if not in_sample:
        require_trials(trials, "held-out consistency")
    half = halves(trials, conditions) if not in_sample else np.zeros(len(trials), np.int64)
    folds = [(half == 0, half == 1), (half == 1, half == 0)]
    folds = [(half == 0, half == 0)] if in_sample else folds
    maps = [[LeastSquares(z[fit]) for z in rows] for fit, _ in folds]
    joined, widths = np.hstack(rows), [z.shape[1] for z in rows]

    def pairing(rng: np.random.Generator | None) -> Floats:
        target = joined if rng is None else joined[surrogate_within(trials, half, rng)]
        return np.stack(
            [
                _matrix(maps[k], [z[score] for z in rows], target[fit], target[score], widths)
                for k, (fit, score) in enumerate(folds)
            ]
        )

    return pairing


def _matrix(
    maps: list[LeastSquares], inputs: list[Floats], fit: Floats, score: Floats, widths: list[int]
) -> Floats:
    starts = np.concatenate([[0], np.cumsum(widths)[:-1]])
    columns = [
        r2_columns(score, line.predict(fit, z)) for line, z in zip(maps, inputs, strict=True)
    ]
    return np.add.reduceat(np.stack(columns), starts, axis=1) / widths


def _shared_times(zs: list[Any]) -> list[Any]:
    times = [np.asarray(z.coords["time"].values) for z in zs]
    shared = times[0]
    for time in times[1:]:
        shared = np.intersect1d(shared, time)
    if not len(shared):
        raise DataError(
            "embeddings of several methods are matched by time, but share no time point; "
            "embed the same recording"
        )
    return [
        z.isel(time=np.flatnonzero(np.isin(time, shared)))
        for z, time in zip(zs, times, strict=True)
    ]


def _names(zs: Sequence[Any], between: str) -> list[Any]:
    """What tells the embeddings apart, if they carry it; else their number."""
    key = {"datasets": "recording", "methods": "method"}.get(between, "")
    names = [str(z.attrs.get(key, "")) if is_embedding(z) else "" for z in zs]
    return names if all(names) and len(set(names)) == len(names) else list(range(len(names)))


def _mean(matrix: Floats) -> float:
    return float(matrix[~np.eye(len(matrix), dtype=bool)].mean())


def _parts(matrix: Floats, names: list[Any], in_sample: bool) -> pd.Series:
    rows = {
        (a, b, k): matrix[k, i, j]
        for i, a in enumerate(names)
        for j, b in enumerate(names)
        for k in range(len(matrix))
        if i != j
    }
    index = pd.MultiIndex.from_tuples(list(rows), names=["from", "to", "fold"])
    parts = pd.Series(list(rows.values()), index=index, name="R²")
    return parts.droplevel("fold") if in_sample else parts


def _interval(matrix: Floats, seed: int) -> tuple[float, float]:
    """Resample embeddings; pairs of an embedding with itself do not count."""
    n = len(matrix)
    if n < 3:
        return (float("nan"), float("nan"))
    off = 1 - np.eye(n)
    matrix = np.where(off > 0, matrix, 0.0)
    weights: NDArray = resampled(n, seed)
    pairs = np.einsum("bi,ij,bj->b", weights, off, weights)
    total = np.einsum("bi,ij,bj->b", weights, matrix, weights)
    return percentiles(total[pairs > 0] / pairs[pairs > 0])
