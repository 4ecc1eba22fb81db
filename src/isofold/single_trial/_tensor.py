"""Tensors (trial, time, channel), and what is known of each trial."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from ..errors import DataError
from ..trials import Ints

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

MOST_CLASSES = 50


def as_tensor(tensor: Any) -> xr.DataArray:
    """(trial, time, channel) or (trial, time, latent) as floats, NaN where there is no value.

    An array without names must have three dimensions; (trial, time) with names is one channel.

    >>> as_tensor(np.zeros((2, 3, 1))).dims
    ('trial', 'time', 'channel')
    """
    if not isinstance(tensor, xr.DataArray):
        values = np.asarray(tensor)
        if values.ndim != 3:
            raise DataError(
                f"a tensor must be (trial, time, channel), got shape {values.shape}; "
                "recording.align(event, window) makes one"
            )
        tensor = xr.DataArray(values, dims=("trial", "time", "channel"))
    if not {"trial", "time"} <= set(tensor.dims) or tensor.ndim not in (2, 3):
        raise DataError(
            f"a tensor must have the dimensions trial, time and channel (or latent), got "
            f"{tensor.dims}; recording.align(event, window) or single_trial.trajectories makes one"
        )
    if tensor.ndim == 2:
        tensor = tensor.expand_dims(channel=[tensor.name or 0], axis=-1)
    last = next(str(d) for d in tensor.dims if d not in ("trial", "time"))
    tensor = tensor.transpose("trial", "time", last)
    if tensor.dtype.kind not in "biuf":
        raise DataError(f"a tensor must hold real numbers, got dtype {tensor.dtype}")
    if 0 in tensor.shape:
        raise DataError(f"a tensor must hold trials, times and channels, got {tensor.shape}")
    for dim in tensor.dims:
        if dim not in tensor.coords:
            tensor = tensor.assign_coords({dim: np.arange(tensor.sizes[dim])})
    return _finite(tensor.astype(np.float64))


def _finite(tensor: xr.DataArray) -> xr.DataArray:
    bad = np.isinf(tensor.values)
    if bad.any():
        i, j, k = np.argwhere(bad)[0]
        raise DataError(
            f"a tensor must be finite or NaN (no value); trial {tensor['trial'].values[i]} holds "
            f"{tensor.values[i, j, k]} at {tensor['time'].values[j]:g} s; put NaN there"
        )
    return tensor


def times(tensor: xr.DataArray) -> Floats:
    """Its time base in seconds."""
    return np.asarray(tensor["time"].values, dtype=float)


def in_window(tensor: xr.DataArray, window: tuple[float, float] | None) -> xr.DataArray:
    """The part with start ≤ time < stop; all where no window is given."""
    if window is None:
        return tensor
    t = times(tensor)
    chosen = (t >= window[0] - 1e-9) & (t < window[1] - 1e-9)
    if not chosen.any():
        raise DataError(
            f"window {window!r} holds no sample of the tensor, which has {t[0]:g} to {t[-1]:g} s"
        )
    return tensor.isel(time=np.flatnonzero(chosen))


def column(tensor: xr.DataArray, name: Any, what: str) -> NDArray:
    """One value a trial: a coordinate of trial by name, or the values themselves."""
    if isinstance(name, str):
        known = [str(c) for c in tensor.coords if tensor[c].dims == ("trial",)]
        if name not in known:
            raise DataError(f"{what}={name!r} is no column of the trials; there are {known}")
        return np.asarray(tensor[name].values)
    values = np.asarray(name)
    if values.shape != (tensor.sizes["trial"],):
        raise DataError(
            f"{what} must name a column of the trials or hold one value for each of the "
            f"{tensor.sizes['trial']} trials, got shape {values.shape}"
        )
    return values


def conditions(tensor: xr.DataArray, by: Any, what: str = "by") -> tuple[Ints, NDArray]:
    """Number of each trial's condition, -1 where it has none, and the conditions in order.

    `by` None puts all trials into one condition, "all".
    """
    if by is None:
        return np.zeros(tensor.sizes["trial"], dtype=np.int64), np.array(["all"])
    values = column(tensor, by, what)
    if values.dtype.kind == "f":
        _refuse_continuous(values, by, what)
    codes, names = pd.factorize(values, sort=_sortable(values))
    if not len(names):
        raise DataError(f"{what}={_said(by)} is missing in every trial")
    return codes.astype(np.int64), np.asarray(names)


def _sortable(values: NDArray) -> bool:
    kinds = {type(v) for v in values[~pd.isna(values)]}
    return len(kinds) == 1 or values.dtype.kind != "O"


def _refuse_continuous(values: NDArray, by: Any, what: str) -> None:
    known = values[~np.isnan(values)]
    if np.any(known != np.rint(known)) and len(np.unique(known)) > min(
        MOST_CLASSES, len(known) / 2
    ):
        raise DataError(
            f"{what} must name classes, but {_said(by)} holds {len(np.unique(known))} different "
            "numbers; cut it into classes first (pandas.cut)"
        )


def _said(by: Any) -> str:
    return repr(by) if isinstance(by, str) else "the given column"


def trial_frame(tensor: xr.DataArray) -> pd.DataFrame:
    """Columns of the trials, indexed by trial."""
    columns: dict[str, Any] = {
        str(c): tensor[c].values
        for c in tensor.coords
        if tensor[c].dims == ("trial",) and c != "trial"
    }
    return pd.DataFrame(columns, index=pd.Index(tensor["trial"].values, name="trial"))


def trial_coords(tensor: xr.DataArray) -> dict[str, Any]:
    """The same as coordinates of a result."""
    frame = trial_frame(tensor)
    coords: dict[str, Any] = {"trial": frame.index.to_numpy()}
    return coords | {str(c): ("trial", frame[c].to_numpy()) for c in frame}


def left_out_means(values: Floats, codes: Ints) -> tuple[Floats, Ints]:
    """Mean of the other trials of each trial's condition (trial, time, channel), and their number.

    NaN where there is no other; missing samples are left out of means.
    """
    known = ~np.isnan(values)
    filled = np.where(known, values, 0.0)
    mean, count = np.full_like(values, np.nan), np.zeros(values.shape, dtype=np.int64)
    for code in np.unique(codes[codes >= 0]):
        rows = codes == code
        n = known[rows].sum(axis=0) - known[rows]
        total = filled[rows].sum(axis=0) - filled[rows]
        mean[rows] = np.where(n > 0, total / np.maximum(n, 1), np.nan)
        count[rows] = n
    return mean, count
