"""What goes in and out of a fitted model: labels by name, values with coordinates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import DataError
from ..recording import Recording
from ._embedding import as_embedding
from ._inputs import Inputs

if TYPE_CHECKING:
    import xarray as xr


def named(inputs: Inputs, labels: Sequence[str]) -> Inputs:
    """Labels of an array, given in the order of the fit, under the names that they had there."""
    if inputs.shape is None or not labels:
        return inputs
    if len(inputs.labels) != len(labels):
        raise DataError(
            f"the model was fitted with {len(labels)} label(s), {list(labels)}: give as many "
            f"arrays, got {len(inputs.labels)}"
        )
    old, pairs = inputs.recording, list(zip(labels, inputs.labels, strict=True))
    values = {new: old.labels[name] for new, name in pairs}
    kinds = {new: old.kind(name) for new, name in pairs}
    return replace(inputs, recording=replace(old, labels=values, kinds=kinds), labels=tuple(labels))


def along_time(
    values: NDArray[Any],
    recording: Recording,
    name: str,
    *,
    edge: NDArray[np.bool_] | None = None,
    dims: Sequence[str] = (),
    coords: dict[str, Any] | None = None,
    unit: str | None = None,
) -> xr.DataArray:
    """(time, *dims) with clock time, trial, labels and trial columns as coordinates.

    `coords` win over labels of the same name; `edge` marks windows repeated at an edge.
    """
    import xarray as xr

    marks = np.zeros(len(recording), bool) if edge is None else edge
    like = as_embedding(np.zeros((len(recording), 0)), recording, marks, name)
    own = {str(k): v for k, v in like.coords.items() if "latent" not in v.dims}
    if edge is None:
        own.pop("edge")
    attrs = {"recording": recording.name, "rate": recording.rate}
    attrs |= {"unit": unit} if unit else {}
    return xr.DataArray(
        values, dims=("time", *dims), coords=own | (coords or {}), name=name, attrs=attrs
    )


def along_candidates(
    log_p: NDArray[Any], evidence: NDArray[Any], table: pd.DataFrame, recording: Recording
) -> xr.DataArray:
    """(time, candidate) log p(u|x), labels of the candidates and log p(x) as coordinates."""
    coords: dict[str, Any] = {c: ("candidate", table[c].to_numpy()) for c in table.columns}
    coords |= {"candidate": np.arange(len(table)), "log_evidence": ("time", evidence)}
    return along_time(
        log_p, recording, "log p(u|x)", dims=("candidate",), coords=coords, unit="nats"
    )


def given_back(values: NDArray[Any], inputs: Inputs, name: str, **options: Any) -> Any:
    """An array for an array, named dimensions (options of `along_time`) for a `Recording`."""
    if inputs.shape is not None:
        return values.reshape(*inputs.shape, *values.shape[1:])
    return along_time(values, inputs.recording, name, **options)


def require_draws(n_samples: Any) -> None:
    """Refuse a number of draws that is none."""
    if not isinstance(n_samples, (int, np.integer)) or isinstance(n_samples, bool) or n_samples < 1:
        raise DataError(f"n_samples must be a whole number >= 1, got {n_samples!r}")
