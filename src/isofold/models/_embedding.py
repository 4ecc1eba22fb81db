"""Embedding: what `transform` gives back for a Recording."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..recording import Recording

if TYPE_CHECKING:
    import xarray as xr


def as_embedding(
    z: NDArray,
    recording: Recording,
    edge: NDArray[np.bool_],
    method: str,
    labels_used: bool = False,
) -> xr.DataArray:
    """(time, latent) with clock time, trial, edge, labels and trial columns as coordinates."""
    import xarray as xr

    coords: dict = {
        "time": recording.time,
        "latent": np.arange(z.shape[1]),
        "trial": ("time", recording.trial),
        "edge": ("time", edge),
    }
    kinds = dict(recording.kinds)
    for name, values in recording.labels.items():
        if values.ndim == 1:
            coords[name] = ("time", values)
            continue
        for k in range(values.shape[1]):  # xarray has no coordinate over a dim of its own
            coords[f"{name}_{k}"] = ("time", values[:, k])
            kinds[f"{name}_{k}"] = kinds[name]
    for name in recording.conditions:
        coords.setdefault(name, ("time", recording.label(name)))
    attrs = {
        "method": method,
        "recording": recording.name,
        "rate": recording.rate,
        "kinds": kinds,
        "labels_used": labels_used,
    }
    return xr.DataArray(z, dims=("time", "latent"), coords=coords, name="embedding", attrs=attrs)
