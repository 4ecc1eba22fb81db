"""Variability: what of the change from trial to trial channels share, and what each has alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from threadpoolctl import threadpool_limits

from ..errors import DataError
from ..trials import Ints
from ._factors import Factors, fit_factors, log_likelihood, most_factors
from ._resample import check_draws
from ._tensor import Floats, as_tensor, conditions, in_window, left_out_means, trial_coords
from .path_distance import require_trials

N_FOLDS = 5
MOST_FACTORS = 8
FEWEST = 5
PATIENCE = 2
"""No more factors are tried once so many more are no better than fewer."""


def variability(
    tensor: Any,
    by: Any = None,
    *,
    n_factors: int | None = None,
    window: tuple[float, float] | None = None,
    n_chance: int = 100,
    seed: int = 0,
) -> xr.Dataset:
    """Split the variance of each channel around its condition's mean into shared and private.

    x_i(t) − m(t) = W z_i(t) + e_i(t), z ~ N(0, I), e ~ N(0, Ψ) with Ψ diagonal (factor analysis):
    shared variance of channel c is Σ_k W_ck², private variance Ψ_cc. The number of factors is that
    of the highest likelihood of held-out trials.

    Parameters
    ----------
    tensor
        (trial, time, channel or latent). Samples at which a channel is missing (NaN) are left out.
    by
        Column of the trials, or one value a trial, whose mean time courses are taken off; None
        takes off one mean. What varies with a condition that is not named here counts as shared.
    n_factors
        A fixed number; None chooses from 0 up to 8 by five folds of trials.
    window
        Start and stop in seconds; None is all.
    n_chance, seed
        Draws of chance: the courses of each channel change places among the trials of a condition,
        which keeps all that a channel has alone.

    Returns
    -------
    xarray.Dataset
        Over channel: `shared`, `private`, `total` (units²) and `share` = shared / total. `loadings`
        (factor, channel), free up to rotation. `factors` (trial, time, factor): E[z | x]. `gain`
        (n_factors): held-out log-likelihood a sample over no factor, in nats (NaN: not tried);
        `chance_gain` (draw), the best of each draw, and `chance_share` (draw), its mean share.
        Attributes: `n_factors`, `share` (mean over channels), `p` (that nothing is shared).

    Raises
    ------
    DataError
        One channel: there is nothing to share with. Fewer than five trials in a condition.

    Notes
    -----
    What only two channels share is not determined of each; they are taken to share alike. Counts:
    take square roots first, or private variance is their Poisson noise. Yu et al., Journal of
    Neurophysiology 102 (2009); Williamson et al., PLoS Computational Biology 12 (2016).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> common = rng.normal(size=(60, 20, 1))
    >>> x = common * [1.0, 1.0, 1.0, 0.0] + rng.normal(size=(60, 20, 4))
    >>> split = variability(x, n_chance=19)
    >>> split.attrs["n_factors"], split["share"].round(1).values, split.attrs["p"]
    (1, array([0.4, 0.5, 0.5, 0. ]), 0.05)
    """
    check_draws(n_chance, "n_chance", least=0)
    data = in_window(as_tensor(tensor), window)
    _require_channels(data)
    codes, names = conditions(data, by)
    require_trials(codes, names, FEWEST, "variability from trial to trial")
    residual = _residuals(data.values, codes)
    most = most_factors(data.shape[2])
    if n_factors is not None and not (isinstance(n_factors, int) and 0 <= n_factors <= most):
        raise DataError(
            f"{data.shape[2]} channels determine at most {most} factors, got "
            f"n_factors={n_factors!r}"
        )
    fold = _folds(codes, seed)
    most = min(most, MOST_FACTORS)
    tried = list(range(most + 1)) if n_factors is None else sorted({0, n_factors})
    with threadpool_limits(1):  # small matrices: threads would only wait for one another
        best, gain = _chosen(residual, fold, tried)
        best = best if n_factors is None else n_factors
        factors = fit_factors(_covariance(residual), best)
        chance_gain, chance_share = _chance(residual, codes, fold, tried, n_factors, n_chance, seed)
    n = n_chance if len(tried) > 1 else 0
    p = (1 + np.sum(chance_gain >= np.nanmax(gain[1:]))) / (1 + n) if n else np.nan
    return _dataset(data, residual, factors, (tried, gain), (chance_gain, chance_share), float(p))


def _require_channels(data: xr.DataArray) -> None:
    last = str(data.dims[2])
    if data.shape[2] < 2:
        raise DataError(
            f"variability is split into what {last}s share and what each has alone, and there is "
            f"one {last}: it cannot be split; delay-embed it first (its past samples as channels), "
            "or let times stand for channels: "
            f"tensor.rename(time='{last}', {last}='time').transpose('trial', 'time', '{last}')"
        )
    flat = data.values.reshape(-1, data.shape[2])
    flat = flat[~np.isnan(flat).any(axis=1)]
    if not len(flat):
        raise DataError(
            f"no sample has a value in every {last}; leave out the {last} that is empty"
        )
    still = np.ptp(flat, axis=0) == 0
    if still.any():
        raise DataError(
            f"{last} {data[last].values[np.argmax(still)]} is constant: it has no variance to "
            "split; leave it out"
        )


def _residuals(values: Floats, codes: Ints) -> Floats:
    """Residuals of unit bias: x − m is smaller than it would be around the true mean."""
    mean, count = left_out_means(values, codes)
    return (values - mean) * np.sqrt(count / (count + 1))


def _folds(codes: Ints, seed: int) -> Ints:
    """Fold of each trial, dealt within conditions at random; -1 for trials without condition."""
    rng, fold = np.random.default_rng([seed, 2]), np.full(len(codes), -1)
    for code in np.unique(codes[codes >= 0]):
        rows = rng.permutation(np.flatnonzero(codes == code))
        fold[rows] = np.arange(len(rows)) % N_FOLDS
    return fold


def _rows(residual: Floats) -> Floats:
    rows = residual.reshape(-1, residual.shape[2])
    return rows[~np.isnan(rows).any(axis=1)]


def _covariance(residual: Floats) -> Floats:
    rows = _rows(residual)
    return rows.T @ rows / len(rows)


def _chosen(residual: Floats, fold: Ints, tried: list[int]) -> tuple[int, Floats]:
    """Number of factors of the highest held-out likelihood, and the gain of each over none."""
    numbers = [k for k in range(N_FOLDS) if np.any(fold == k)]
    parts = [_rows(residual[fold == k]) for k in numbers]
    products, sizes = [r.T @ r for r in parts], [len(r) for r in parts]
    total = np.full(len(tried), np.nan)
    for number, k in enumerate(tried):
        total[number] = 0.0
        for product, size in zip(products, sizes, strict=True):
            if size:
                train = (sum(products) - product) / max(sum(sizes) - size, 1)
                total[number] += size * log_likelihood(product / size, fit_factors(train, k))
        if number - np.nanargmax(total) >= PATIENCE:
            break
    gain = (total - total[0]) / sum(sizes)
    return tried[int(np.nanargmax(gain))], gain


def _chance(
    residual: Floats,
    codes: Ints,
    fold: Ints,
    tried: list[int],
    n_factors: int | None,
    n_chance: int,
    seed: int,
) -> tuple[Floats, Floats]:
    """Best gain and mean share of draws in which channels come from different trials."""
    rng = np.random.default_rng([seed, 4])
    gains, shares = np.zeros(n_chance), np.zeros(n_chance)
    for draw in range(n_chance if len(tried) > 1 else 0):
        torn = residual.copy()
        for code in np.unique(codes[codes >= 0]):
            rows = np.flatnonzero(codes == code)
            for channel in range(residual.shape[2]):
                torn[rows, :, channel] = residual[rng.permutation(rows), :, channel]
        best, gain = _chosen(torn, fold, tried)
        factors = fit_factors(_covariance(torn), best if n_factors is None else n_factors)
        gains[draw], shares[draw] = np.nanmax(gain[1:]), factors.share.mean()
    return gains, shares


def _dataset(
    data: xr.DataArray,
    residual: Floats,
    factors: Factors,
    tried: tuple[list[int], Floats],
    chance: tuple[Floats, Floats],
    p: float,
) -> xr.Dataset:
    last = str(data.dims[2])
    found = {
        "shared": (last, factors.shared),
        "private": (last, factors.private),
        "total": (last, factors.shared + factors.private),
        "share": (last, factors.share),
        "loadings": (("factor", last), factors.loadings.T),
        "factors": (("trial", "time", "factor"), factors.latent(residual)),
        "gain": ("n_factors", tried[1]),
        "chance_gain": ("draw", chance[0]),
        "chance_share": ("draw", chance[1]),
    }
    coords = {
        last: data[last].values,
        "time": data["time"].values,
        "n_factors": tried[0],
        **trial_coords(data),
    }
    attrs = {"n_factors": factors.loadings.shape[1], "share": float(factors.share.mean()), "p": p}
    return xr.Dataset(found, coords=coords, attrs=attrs)
