"""An Embedding on disk: plain Zarr arrays and JSON attributes, alike for zarr-python 2 and 3.

One array a coordinate, named `coord_0`, `coord_1`, …; the attributes of the group hold names and
dims. Text and mixed values are stored as codes beside their list of categories, so that no array
needs an object codec (which may be pickle).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

if TYPE_CHECKING:
    import xarray as xr

FORMAT = 1


def save_embedding(embedding: xr.DataArray, path: Path) -> None:
    """Write values, dims and every coordinate."""
    import zarr

    three = int(zarr.__version__.split(".")[0]) >= 3
    group = zarr.open_group(str(path), mode="w", **({"zarr_format": 2} if three else {}))
    group["values"] = np.asarray(embedding.values)
    coords = []
    for number, (name, coord) in enumerate(embedding.coords.items()):
        values, categories = _encoded(np.asarray(coord.values))
        # zarr cannot take 0-d arrays through item assignment; dims say which it was
        group[f"coord_{number}"] = np.atleast_1d(values)
        attrs = {str(k): _plain(v) for k, v in coord.attrs.items()}
        about = {"name": str(name), "dims": list(coord.dims), "attrs": attrs}
        coords.append(about | {"categories": categories})
    group.attrs["isofold_embedding"] = FORMAT
    group.attrs["dims"] = list(embedding.dims)
    group.attrs["coords"] = coords
    group.attrs["attrs"] = {str(k): _plain(v) for k, v in embedding.attrs.items()}


def load_embedding(path: Path) -> xr.DataArray:
    """Read what `save_embedding` wrote."""
    import xarray as xr
    import zarr

    group: Any = zarr.open_group(str(path), mode="r")
    coords = {}
    for number, coord in enumerate(group.attrs["coords"]):
        values = np.asarray(group[f"coord_{number}"][:])
        if coord["categories"] is not None:
            values = _decoded(values, coord["categories"])
        values = values if coord["dims"] else values[0]
        coords[coord["name"]] = (coord["dims"], values, coord["attrs"])
    values = np.asarray(group["values"][:])
    return xr.DataArray(values, coords, group.attrs["dims"], attrs=dict(group.attrs["attrs"]))


def _encoded(values: NDArray) -> tuple[NDArray, list | None]:
    if values.dtype.kind in "biuf":
        return values, None
    codes, categories = pd.factorize(values.ravel().astype(object))
    return codes.astype(np.int32).reshape(values.shape), [_plain(v) for v in categories]


def _decoded(codes: NDArray, categories: list) -> NDArray:
    text = all(isinstance(c, str) for c in categories)
    table = np.empty(len(categories), dtype=object)
    table[:] = categories
    return (table.astype(str) if text else table)[codes]


def _plain(value: Any) -> Any:
    """What JSON can hold: NumPy scalars and arrays become Python's own."""
    return value.tolist() if isinstance(value, np.generic | np.ndarray) else value
