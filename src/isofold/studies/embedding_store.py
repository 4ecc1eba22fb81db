"""An Embedding on disk: plain Zarr arrays and JSON attributes, alike for zarr-python 2 and 3.

One array a coordinate, named `coord_0`, `coord_1`, …; the attributes of the group hold names and
dims. Text and mixed values are stored as codes beside their list of categories, so that no array
needs an object codec (which may be pickle).

Format 2 of Zarr is a JSON file and one file a chunk; writing them here takes a fifth of the time
that a library takes for a folder of twenty small files, thousands of times a study.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .._zarr_codecs import refuse_pickles

if TYPE_CHECKING:
    import xarray as xr

FORMAT = 1
CHUNK_BYTES = 2**26


def save_embedding(embedding: xr.DataArray, path: Path) -> None:
    """Write values, dims and every coordinate."""
    path.mkdir()
    _write_array(path / "values", np.asarray(embedding.values))
    coords = []
    for number, (name, coord) in enumerate(embedding.coords.items()):
        values, categories = _encoded(np.asarray(coord.values))
        # a scalar is stored as one row; dims say which it was
        _write_array(path / f"coord_{number}", np.atleast_1d(values))
        attrs = {str(k): _plain(v) for k, v in coord.attrs.items()}
        about = {"name": str(name), "dims": list(coord.dims), "attrs": attrs}
        coords.append(about | {"categories": categories})
    whole = {
        "isofold_embedding": FORMAT,
        "dims": list(embedding.dims),
        "coords": coords,
        "attrs": {str(k): _plain(v) for k, v in embedding.attrs.items()},
    }
    _write_json(path / ".zgroup", {"zarr_format": 2})
    _write_json(path / ".zattrs", whole)


def load_embedding(path: Path) -> xr.DataArray:
    """Read what `save_embedding` wrote."""
    import xarray as xr
    import zarr

    refuse_pickles(path)
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


def _write_array(folder: Path, values: NDArray) -> None:
    """One array of Zarr format 2, in chunks of rows; the last one is filled up."""
    from numcodecs import Blosc

    codec = Blosc(cname="lz4", clevel=5, shuffle=Blosc.SHUFFLE)
    row_bytes = values.dtype.itemsize * max(int(np.prod(values.shape[1:])), 1)
    rows = min(max(len(values), 1), max(CHUNK_BYTES // row_bytes, 1))
    folder.mkdir()
    about = {
        "zarr_format": 2,
        "shape": list(values.shape),
        "chunks": [rows, *(max(n, 1) for n in values.shape[1:])],
        "dtype": values.dtype.str,
        "order": "C",
        "fill_value": 0,
        "filters": None,
        "compressor": codec.get_config(),
    }
    _write_json(folder / ".zarray", about)
    for number, start in enumerate(range(0, len(values) if values.size else 0, rows)):
        chunk = np.zeros((rows, *values.shape[1:]), values.dtype)
        block = values[start : start + rows]
        chunk[: len(block)] = block
        name = ".".join(map(str, (number, *(0 for _ in values.shape[1:]))))
        (folder / name).write_bytes(codec.encode(chunk))


def _write_json(path: Path, content: Any) -> None:
    text = json.dumps(content, indent=1, ensure_ascii=False, default=_plain)
    path.write_text(text, encoding="utf-8")


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
