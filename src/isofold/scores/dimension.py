"""Dimension: how many directions a signal moves in, seen closely."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import DataError
from ._correlation_sum import PairCounts, pair_counts, pair_counts_of_matrix
from ._geodesics import geodesics
from ._inputs import split_of, whole
from ._linear import Floats, percentiles, resampled
from ._neighbor_dimension import Estimate, local_pca, mle, participation_ratio, two_nn
from ._scaling_region import Region, region_within, scaling_region
from ._time_series import TimeSeries, auto_theiler
from .score import Score

Range = tuple[float, float]


def dimension(
    signal: Any,
    estimator: str = "correlation",
    *,
    groups: Any = None,
    theiler: int | str = "auto",
    n_bootstrap: int = 200,
    seed: int = 0,
    **options: Any,
) -> Score:
    """Intrinsic dimension D of a signal, with samples near in time kept apart.

    - "correlation": D = d log C / d log r with C(r) the share of pairs |x_i − x_j| ≤ r, over the
      scaling region that one rule finds. `parts`: slopes against r; `also`: `r_low`, `r_high`,
      `decades` between them, `bend` (change of the slope over the region).
    - "geodesic": the same with distances along the cloud, N(r) of Nieh et al.
    - "two-nn": −log(1 − F(μ)) = D log μ, μ = r₂/r₁ of the two nearest neighbours.
    - "mle": 1/D = ⟨log T_k/T_j⟩ over samples and neighbours j < k at distances T.
    - "local-pca": variances above `alpha` times the largest among k neighbours, mean over samples.
    - "participation-ratio": (Σλ)²/Σλ² of all samples. Linear: a circle has 2.

    Parameters
    ----------
    signal
        (time, channel) or (trial, time, channel), a Recording, or an Embedding.
    groups
        Trial of each sample of an array; -1 is left out.
    theiler
        Pairs of one segment fewer samples apart than this are excluded. "auto": the first lag at
        which the autocorrelation (all channels, inside segments) is below 1/e. 1 excludes none.
    n_bootstrap
        Draws of `interval`: trials (contiguous blocks if there are fewer than eight) are resampled,
        see `settings["interval_over"]`; the scaling region is found anew in each. 0 for none.
    options
        "correlation", "geodesic": `r_range` or `pair_range` (low, high) instead of the rule.
        "correlation": `max_pairs` (2e8). "geodesic": `n_neighbors` (10) and `n_points` (1500,
        evenly in time) of the graph, or `distances` (time, time) of your own, as MIND's; where the
        samples are landmarks and not successive, give `theiler=1`.
        "two-nn": `discard` (0.1). "mle": `n_neighbors` (20). "local-pca": `n_neighbors` (100),
        `n_points` (2000), `criterion` ("fukunaga-olsen" | "participation-ratio"), `alpha` (0.05).

    Raises
    ------
    DataError
        An estimator or option does not exist, or there is no region to measure in.
    MissingValuesError
        The signal has missing values.

    Notes
    -----
    Finite samples show less than D from five dimensions on (uniform noise in a cube of 5: 4.8 of
    20,000 samples); noise adds its own dimensions at small r, which the two-nn and mle estimators
    look at. Not for counts in bins: their distances take few values. Smooth or embed them first.

    References
    ----------
    Grassberger & Procaccia, Physica D 9, 189 (1983); Theiler, Phys. Rev. A 34, 2427 (1986); Facco
    et al., Sci. Rep. 7, 12140 (2017); Levina & Bickel, NIPS (2004); MacKay & Ghahramani, comments
    on it (2005); Fukunaga & Olsen, IEEE Trans. Comput. C-20, 176 (1971); Nieh et al., Nature 595,
    80 (2021).

    Examples
    --------
    >>> turn = np.random.default_rng(0).uniform(0, 2 * np.pi, 2000)
    >>> circle = np.column_stack([np.cos(turn), np.sin(turn), np.sin(turn)])
    >>> round(dimension(circle, n_bootstrap=0).value, 1)
    1.0
    >>> round(dimension(circle, "participation-ratio", n_bootstrap=0).value, 1)
    1.8
    """
    estimate = _chosen(estimator, options)
    whole("n_bootstrap", n_bootstrap, at_least=0)
    series = TimeSeries.of(signal, groups)
    window = _window(series, theiler, estimator)
    weights = resampled(series.n_blocks, seed, n_bootstrap)
    found = estimate(series, window, weights, seed, **options)
    draws = found.draws[np.isfinite(found.draws)]
    settings = {"estimator": estimator, "theiler": window, "seed": seed, "n_bootstrap": n_bootstrap}
    shown = {k: v for k, v in options.items() if k != "distances"}
    return Score(
        found.value,
        "dimensions",
        found.parts,
        percentiles(draws) if len(draws) else (float("nan"), float("nan")),
        also=found.also,
        split=split_of([signal]),
        settings={**settings, "interval_over": series.over, **shown},
    )


def _correlation(
    series: TimeSeries,
    theiler: int,
    weights: Floats,
    seed: int,
    *,
    r_range: Range | None = None,
    pair_range: Range | None = None,
    max_pairs: float = 2e8,
) -> Estimate:
    if not max_pairs >= 1000:
        raise DataError(f"max_pairs must be at least 1000, got {max_pairs!r}")
    counts = pair_counts(series, theiler, int(max_pairs), seed)
    return _slope(counts, weights, r_range, pair_range)


def _geodesic(
    series: TimeSeries,
    theiler: int,
    weights: Floats,
    seed: int,
    *,
    r_range: Range | None = None,
    pair_range: Range | None = None,
    n_neighbors: int = 10,
    n_points: int = 1500,
    distances: NDArray | None = None,
) -> Estimate:
    if distances is None:
        whole("n_neighbors", n_neighbors)
        step = max(int(np.ceil(len(series.rows) / whole("n_points", n_points, at_least=20))), 1)
        places = np.arange(0, len(series.rows), step)
        along, part = geodesics(series.rows[places], n_neighbors)
        places = places[part]
    else:
        along, places = _checked(distances, len(series.rows)), np.arange(len(series.rows))
    clock, block = series.clock(theiler)[places], series.block[places]
    counts = pair_counts_of_matrix(along, clock, block, series.n_blocks, theiler)
    return _slope(counts, weights, r_range, pair_range)


def _slope(
    counts: PairCounts, weights: Floats, r_range: Range | None, pair_range: Range | None
) -> Estimate:
    """Slope of the correlation sum over the region asked for, or the one the rule finds."""

    for name, given in (("r_range", r_range), ("pair_range", pair_range)):
        if given is not None and not 0 <= given[0] < given[1]:
            raise DataError(f"{name} must be (low, high) with 0 <= low < high, got {given!r}")

    def region(within: Floats, pairs: float) -> Region:
        if r_range is None and pair_range is None:
            return scaling_region(counts.radii, within, pairs)
        return region_within(counts.radii, within, r_range, pair_range)

    within, pairs = counts.total()
    found = region(within, pairs)
    draws = np.full(len(weights), np.nan)
    for number, (drawn, total) in enumerate(zip(*counts.drawn(weights), strict=True)):
        try:
            draws[number] = region(drawn, total).slope
        except DataError:  # a draw of few blocks may hold too few pairs: it counts for nothing
            continue
    also = {
        "r_low": found.r_low,
        "r_high": found.r_high,
        "decades": float(np.log10(found.r_high / found.r_low)),
        "bend": found.bend,
        "pairs_low": found.pairs_low,
        "pairs_high": found.pairs_high,
    }
    return Estimate(found.slope, draws, _local_slopes(counts.radii, within), also)


def _local_slopes(radii: Floats, within: Floats) -> pd.Series:
    """Slope from each radius to the next, at the radius between them."""
    some = within > 0
    x, y = np.log(radii[some]), np.log(within[some])
    middle = np.exp((x[1:] + x[:-1]) / 2)
    return pd.Series(np.diff(y) / np.diff(x), pd.Index(middle, name="radius"))


ESTIMATORS: dict[str, Callable[..., Estimate]] = {
    "correlation": _correlation,
    "geodesic": _geodesic,
    "two-nn": two_nn,
    "mle": mle,
    "local-pca": local_pca,
    "participation-ratio": participation_ratio,
}


def _chosen(estimator: str, options: dict[str, Any]) -> Callable[..., Estimate]:
    if estimator not in ESTIMATORS:
        raise DataError(f"estimator must be one of {tuple(ESTIMATORS)}, got {estimator!r}")
    chosen = ESTIMATORS[estimator]
    parameters = inspect.signature(chosen).parameters.values()
    known = [p.name for p in parameters if p.kind is p.KEYWORD_ONLY]
    unknown = sorted(set(options) - set(known))
    if unknown:
        raise DataError(f"estimator {estimator!r} has the options {known}, got {unknown}")
    return chosen


def _window(series: TimeSeries, theiler: int | str, estimator: str) -> int:
    """The Theiler window in samples."""
    if estimator == "participation-ratio":  # counts no pairs
        return 1
    if theiler == "auto":
        return auto_theiler(series)
    return whole("theiler, where it is not 'auto',", theiler)


def _checked(distances: NDArray, n: int) -> Floats:
    along = np.asarray(distances, dtype=float)
    if along.shape != (n, n):
        raise DataError(f"distances must be ({n}, {n}), one row a sample, got {along.shape}")
    if not np.isfinite(along).all() or (along < 0).any():
        raise DataError("distances must be finite and not negative; leave out unreached samples")
    if not np.allclose(along, along.T):
        raise DataError("distances must be symmetric; average them with their transpose")
    return along
