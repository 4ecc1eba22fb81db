"""MATLAB `.mat`, version 5 and 7.3 → `Session`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ReadError
from ..session import Session
from ._named_arrays import session_of

Arrays = dict[str, NDArray]


def read_matlab5(path: Path, **options: Any) -> Session:
    """Numeric variables, time first, as series; the fields of a struct as "struct.field"."""
    from scipy.io import loadmat

    found: Arrays = {}
    for name, value in loadmat(path, squeeze_me=True, struct_as_record=True).items():
        if not name.startswith("__"):
            _flatten(name, np.asarray(value), found)
    return _session(found, path, options)


def read_matlab73(path: Path, **options: Any) -> Session:
    """The same from the HDF5 form. Numbers come back in MATLAB's order of dimensions."""
    import h5py

    found: Arrays = {}

    def visit(name: str, item: Any) -> None:
        plain = isinstance(item, h5py.Dataset) and item.dtype.kind in "biuf"
        if name.startswith("#") or not plain or "MATLAB_empty" in item.attrs:
            return
        if item.attrs.get("MATLAB_class", b"") in (b"char", b"cell"):
            return
        value = np.asarray(item[()]).T.squeeze()
        logical = item.attrs.get("MATLAB_class", b"") == b"logical"
        found[name.replace("/", ".")] = value.astype(bool) if logical else value

    with h5py.File(path, "r") as file:
        file.visititems(visit)
    return _session(found, path, options)


def _flatten(name: str, value: NDArray, found: Arrays) -> None:
    if value.dtype.names and value.ndim == 0:
        for field in value.dtype.names:
            inner = value[field]
            _flatten(
                f"{name}.{field}", np.asarray(inner.item() if inner.ndim == 0 else inner), found
            )
    elif value.dtype.kind in "biuf":
        found[name] = value


def _session(found: Arrays, path: Path, options: dict[str, Any]) -> Session:
    if not found:
        raise ReadError(
            f"{path.name} holds no numeric array; cells and tables are not read: save plain arrays "
            "with time along the first dimension"
        )
    return session_of(found, path.stem, **options)
