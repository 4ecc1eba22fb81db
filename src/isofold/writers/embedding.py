"""An embedding → NWB, MATLAB or CSV, for other programs."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import DataError
from ._atomic import replacing
from ._nwb_blocks import stored
from ._nwb_names import TAKEN, safe
from ._nwb_series import clock
from .nwb import START

if TYPE_CHECKING:
    import xarray as xr


def save_embedding(embedding: xr.DataArray, path: str | Path) -> Path:
    """Write an embedding with its time, trial and labels, for programs that know no isofold.

    ".nwb": `processing/behavior/embedding`, a `TimeSeries` (time, latent), and the table
    `embedding_labels`, a row a sample. ".mat" (MATLAB 5): `embedding` (time, latent), `time`
    (time, 1) and one variable a label, words as cells, and `attributes` as JSON. ".csv": a row a
    sample, columns `time`, `trial`, the labels, then `latent0`, `latent1`, …

    Parameters
    ----------
    embedding
        What `transform` gives for a `Recording`: dims (time, latent), coordinates in s.
    path
        Target; either whole or not there.

    Raises
    ------
    DataError
        Another suffix, other dims or no time (arrays in give arrays out: transform a `Recording`),
        or a label that is neither number nor word.

    Examples
    --------
    >>> import tempfile
    >>> import isofold
    >>> recording = isofold.simulate.circle(n_samples=50, seed=0)
    >>> z = isofold.PCA(output_dimension=2).fit(recording).transform(recording)
    >>> path = save_embedding(z, tempfile.mkdtemp() + "/z.csv")
    >>> pd.read_csv(path).shape[0]
    50
    """
    path = Path(path)
    if path.suffix not in WRITERS:
        raise DataError(f"an embedding is written to {', '.join(WRITERS)}; got {path.name!r}")
    if getattr(embedding, "dims", None) != ("time", "latent") or "time" not in embedding.coords:
        found = getattr(embedding, "dims", type(embedding).__name__)
        raise DataError(
            "an embedding to save has dims (time, latent) and times, as transform() of a Recording "
            f"gives; got {found}"
        )
    with replacing(path) as part:
        WRITERS[path.suffix](embedding, part)
    return path


def _labels(embedding: xr.DataArray) -> dict[str, NDArray]:
    """Coordinates that have a value a sample, but for time, in order."""
    out = {}
    for name, coordinate in embedding.coords.items():
        if coordinate.dims != ("time",) or name == "time":
            continue
        values = np.asarray(coordinate.values)
        if values.dtype.kind not in "biufU" and not all(isinstance(v, str) for v in values):
            raise DataError(
                f"labels to save are numbers, booleans or words; {name!r} has dtype "
                f"{values.dtype}: recode it, or embedding.drop_vars({name!r})"
            )
        out[str(name)] = values
    return out


def _csv(embedding: xr.DataArray, part: Path) -> None:
    table = {"time": np.asarray(embedding["time"].values), **_labels(embedding)}
    taken = set(table)
    for k in range(embedding.shape[1]):
        name = f"latent{k}"
        table[name + "_" * (name in taken)] = embedding.values[:, k]
    pd.DataFrame(table).to_csv(part, index=False)


def _mat(embedding: xr.DataArray, part: Path) -> None:
    import scipy.io

    out: dict[str, Any] = {
        "embedding": np.asarray(embedding.values),
        "time": np.asarray(embedding["time"].values)[:, None],
        "attributes": json.dumps(dict(embedding.attrs), default=str),
    }
    for name, values in _labels(embedding).items():
        words = values.dtype.kind in "UO"
        out[_matlab_name(name, set(out))] = values.astype(object if words else values.dtype)[
            :, None
        ]
    with part.open("wb") as file:
        scipy.io.savemat(file, out, do_compression=True)


def _matlab_name(name: str, taken: set[str]) -> str:
    """Letters, digits and _, a letter first, 31 characters, as MATLAB 5 files have it."""
    plain = "".join(c if c.isascii() and c.isalnum() else "_" for c in name)
    plain = (plain if plain[:1].isalpha() else f"x{plain}")[:31]
    k = 0
    while plain in taken:
        k += 1
        plain = f"{plain[:28]}_{k}"
    return plain


def _nwb(embedding: xr.DataArray, part: Path) -> None:
    import pynwb
    from hdmf.common import DynamicTable, VectorData

    said = embedding.attrs
    name = str(said.get("recording") or "recording")
    nwb = pynwb.NWBFile(
        session_description=f"embedding of {name}",
        identifier=str(uuid4()),
        session_start_time=START,
    )
    series = pynwb.TimeSeries(
        name="embedding",
        data=stored(np.asarray(embedding.values)),
        unit="n/a",
        description=f"{said.get('method', '')} embedding of {name}, (time, latent)".strip(),
        comments=json.dumps(dict(said), default=str),
        **clock(np.asarray(embedding["time"].values, dtype=float)),
    )
    columns = []
    for label, values in _labels(embedding).items():
        data = values.tolist() if values.dtype.kind in "UO" else np.asarray(values)
        written = safe(label) + "_" * (safe(label) in TAKEN)
        columns.append(VectorData(name=written, description=f"{label} of the sample", data=data))
    table = DynamicTable(
        name="embedding_labels", description="a row for each sample of embedding", columns=columns
    )
    module = nwb.create_processing_module("behavior", "embedding of the recording by isofold")
    module.add([series, table])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pynwb.NWBHDF5IO(str(part), "w") as io:
            io.write(nwb)


WRITERS: dict[str, Callable[[Any, Path], None]] = {".nwb": _nwb, ".mat": _mat, ".csv": _csv}
