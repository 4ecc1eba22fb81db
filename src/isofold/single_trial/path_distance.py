"""Path distance: how far each trial is from the mean path of its condition."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from ..errors import DataError
from ..trials import Ints
from ._tensor import Bools, Floats, as_tensor, conditions, in_window, left_out_means, trial_coords

FEWEST = 4


def path_distance(
    tensor: Any,
    by: Any = None,
    *,
    window: tuple[float, float] | None = None,
    whiten: bool = False,
) -> xr.Dataset:
    """Distance of every trial to the mean path of the other trials of its condition.

    d_i = √(mean over time of ‖x_i(t) − m₋ᵢ(t)‖²), with m₋ᵢ the mean without trial i: with the trial
    in its own mean, trials of small conditions would look close. With `whiten` the norm is
    Mahalanobis', by the covariance of channels within conditions, over times and trials (shrunk
    after Ledoit and Wolf).

    Parameters
    ----------
    tensor
        (trial, time, channel or latent). Missing samples (NaN) are left out of means; at a time at
        which a trial lacks a channel it has no distance, and d is over the times it has.
    by
        Column of the trials, or one value a trial; None compares all with all. Trials without a
        value have no distance (NaN).
    window
        Start and stop in seconds; None is all.
    whiten
        Divide by what channels usually do. Say True where channels differ in size or go together.

    Returns
    -------
    xarray.Dataset
        Over trial: `distance` (units of the signal, or standard deviations); `z` of its logarithm
        against the other trials of its condition; `p`, the share of the trials of the condition
        (itself included) that are as far; `nearest`, the condition whose mean path is nearest.
        `over_time` (trial, time): ‖x_i(t) − m₋ᵢ(t)‖. `to` (trial, condition): distance to each
        condition's mean path, always without the trial itself.

    Raises
    ------
    DataError
        A condition has fewer than four trials.

    Notes
    -----
    `p` is a rank: exact for trials that are exchangeable under their condition, and at best 1/n. A
    share α of the trials has p ≤ α even if all is well; `outliers` is for which trials are wrong.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(20, 30, 2))
    >>> x[4] += 1.5
    >>> found = path_distance(x)
    >>> int(np.argmax(found["distance"].values)), float(found["p"][4])
    (4, 0.05)
    """
    data = in_window(as_tensor(tensor), window)
    codes, names = conditions(data, by)
    require_trials(codes, names, FEWEST, "a distance to the other trials")
    if whiten:
        data = data.copy(data=whitened(data.values, codes))
    mean, _ = left_out_means(data.values, codes)
    over_time = _norm(data.values - mean)
    distance = _root_mean(over_time)
    z, p = _against_others(distance, codes)
    to = np.stack([_to_condition(data.values, codes, k, distance) for k in range(len(names))], 1)
    usable = ~np.isnan(to).all(axis=1)
    nearest = names[np.argmin(np.where(np.isnan(to), np.inf, to), axis=1)].astype(object)
    nearest[~usable] = None
    return xr.Dataset(
        {
            "distance": ("trial", distance),
            "z": ("trial", z),
            "p": ("trial", p),
            "nearest": ("trial", nearest),
            "over_time": (("trial", "time"), over_time),
            "to": (("trial", "condition"), to),
        },
        coords={"time": data["time"].values, "condition": names, **trial_coords(data)},
        attrs={"by": by if isinstance(by, str) else "", "whiten": whiten},
    )


def require_trials(codes: Ints, names: NDArray, least: int, what: str) -> None:
    """Raise `DataError` for the first condition of too few trials."""
    for number, name in enumerate(names):
        n = int(np.sum(codes == number))
        if n < least:
            raise DataError(
                f"{what} needs at least {least} trials in each condition; {name} has {n}; leave "
                "it out, or join conditions"
            )


def whitened(values: Floats, codes: Ints) -> Floats:
    """Values in directions and units in which residuals within conditions are white."""
    from sklearn.covariance import ledoit_wolf

    mean, count = left_out_means(values, codes)
    residual = (values - mean) * np.sqrt(count / (count + 1))
    rows = residual.reshape(-1, values.shape[2])
    rows = rows[~np.isnan(rows).any(axis=1)]
    if len(rows) < 2:
        raise DataError("whiten=True needs samples in which every channel has a value")
    spread = rows.std(axis=0)
    spread = np.where(spread > 0, spread, 1.0)  # channels of unlike units shrink alike
    covariance, _ = ledoit_wolf(rows / spread, assume_centered=True)
    size, axes = np.linalg.eigh(covariance)
    size = np.maximum(size, 1e-10 * size.max(initial=1e-300))
    return (values / spread) @ (axes / np.sqrt(size))


def _norm(residual: Floats) -> Floats:
    return np.sqrt((residual**2).sum(axis=2))


def _root_mean(x: Floats) -> Floats:
    """Root of the mean square of the known values of each row; NaN where there are none."""
    known = ~np.isnan(x)
    n = known.sum(axis=1)
    total = np.where(known, x, 0) ** 2
    return np.where(n > 0, np.sqrt(total.sum(axis=1) / np.maximum(n, 1)), np.nan)


def _to_condition(values: Floats, codes: Ints, number: int, own: Floats) -> Floats:
    rows = codes == number
    known: Bools = ~np.isnan(values[rows])
    n = known.sum(axis=0)
    mean = np.where(n > 0, np.where(known, values[rows], 0).sum(0) / np.maximum(n, 1), np.nan)
    return np.where(rows, own, _root_mean(_norm(values - mean)))


def _against_others(distance: Floats, codes: Ints) -> tuple[Floats, Floats]:
    """z of the logarithm against the others of the condition, and rank p."""
    z, p = np.full(len(distance), np.nan), np.full(len(distance), np.nan)
    for code in np.unique(codes[codes >= 0]):
        rows = np.flatnonzero((codes == code) & ~np.isnan(distance))
        n, d = len(rows), distance[rows]
        if n < FEWEST:
            continue
        p[rows] = np.sum(d[None] >= d[:, None], axis=1) / n
        size = np.log(np.maximum(d, np.finfo(float).tiny))
        others = (size.sum() - size) / (n - 1)
        square = (np.sum(size**2) - size**2) / (n - 1) - others**2
        spread = np.sqrt(np.maximum(square, 0) * (n - 1) / (n - 2) * n / (n - 1))
        z[rows] = np.where(spread > 1e-9, (size - others) / np.where(spread > 1e-9, spread, 1), 0.0)
    return z, p
