"""Embedding: what `transform` gives back for a Recording."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..recording import Recording

if TYPE_CHECKING:
    import xarray as xr


def as_embedding(
    z: NDArray, recording: Recording, edge: NDArray[np.bool_], method: str
) -> xr.DataArray:
    """(time, latent) with clock time, trial, edge, labels and trial columns as coordinates."""
    import xarray as xr

    coords: dict = {
        "time": recording.time,
        "latent": np.arange(z.shape[1]),
        "trial": ("time", recording.trial),
        "edge": ("time", edge),
    }
    for name, values in recording.labels.items():
        dims = ("time",) if values.ndim == 1 else ("time", f"{name}_column")
        coords[name] = (dims, values)
    for name in recording.conditions:
        coords.setdefault(name, ("time", recording.label(name)))
    attrs = {
        "method": method,
        "recording": recording.name,
        "rate": recording.rate,
        "kinds": dict(recording.kinds),
        "labels_used": False,
    }
    return xr.DataArray(z, dims=("time", "latent"), coords=coords, name="embedding", attrs=attrs)
