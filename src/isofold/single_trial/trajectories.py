"""Trajectories: an embedding in time, cut into trials."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from ..errors import DataError
from ..recording import Recording
from ..trials import OUTSIDE, runs

_GAP = 1.5


def trajectories(
    embedding: xr.DataArray,
    event: str | NDArray = "start",
    window: tuple[float, float] | None = None,
    *,
    recording: Recording | None = None,
    **options: Any,
) -> xr.DataArray:
    """Path of every trial through an embedding: (trial, time, latent), time in s from the event.

    Parameters
    ----------
    embedding
        (time, latent) as estimators give it for a `Recording`: with `time` and `trial`.
    event
        "start" or "stop" of the trials; a column of times in seconds that is constant in a trial;
        an event of `recording`; or times.
    window
        Start and stop in seconds from the event; None takes whole trials from their start, those
        that are shorter than the longest ending in NaN.
    recording
        Where events and trial columns are looked up; without it trial columns are the
        coordinates that are constant in each trial.
    **options
        As of `Recording.align`: `rate`, `interpolate`, `baseline`, `censor`, `nan`, `endpoint`.

    Returns
    -------
    xarray.DataArray
        As `Recording.align` gives it, with `latent` for `channel`.

    Raises
    ------
    DataError
        An array without time and trial, or as `Recording.align`.

    Examples
    --------
    >>> import isofold as iso
    >>> rat = iso.simulate.place_cells(seed=0, n_laps=4, n_units=10)
    >>> z = iso.PCA(output_dimension=2).fit_transform(rat)
    >>> path = trajectories(z, window=(0, 1))
    >>> path.dims, path.sizes["trial"], path.sizes["latent"]
    (('trial', 'time', 'latent'), 4, 2)
    """
    whole = _as_recording(embedding, recording)
    if window is None:
        if not (isinstance(event, str) and event == "start"):
            raise DataError(f"window=(start, stop) in seconds is needed around {event!r}")
        table = whole.trials if whole.trials is not None else whole.segments
        longest = int((table["stop"] - table["start"]).max())
        window = (0.0, longest / whole.rate)
        options = {"nan": "keep"} | options
    tensor = whole.align(event, window, **options)
    tensor = tensor.rename(channel="latent")
    return tensor.assign_coords(latent=embedding["latent"].values).assign_attrs(
        embedding.attrs | tensor.attrs
    )


def _as_recording(embedding: Any, recording: Recording | None) -> Recording:
    """The embedding as signal, with walls where its clock or its trial jumps."""
    if not isinstance(embedding, xr.DataArray) or embedding.dims != ("time", "latent"):
        raise DataError(
            "trajectories takes an embedding (time, latent) with coordinates time and trial, as "
            "model.transform(recording) gives it; got "
            f"{getattr(embedding, 'dims', type(embedding).__name__)}"
        )
    if "trial" not in embedding.coords or "time" not in embedding.coords or not len(embedding):
        raise DataError("an embedding to cut into trials must have samples with time and trial")
    t = np.asarray(embedding["time"].values, dtype=float)
    codes, names = pd.factorize(np.asarray(embedding["trial"].values))
    step = np.diff(t)
    usual = float(np.median(step[step > 0])) if np.any(step > 0) else 1.0
    rate = float(embedding.attrs.get("rate", 1 / usual))
    if abs(rate * usual - 1) > 0.01:  # a model that keeps every k-th sample
        rate = 1 / usual
    cut = np.flatnonzero((np.diff(codes) != 0) | (step > _GAP / rate) | (step <= 0)) + 1
    start, stop = np.append(0, cut), np.append(cut, len(t))
    segments = pd.DataFrame(
        {"start": start, "stop": stop, "time0": t[start], "trial": names[codes[start]]}
    )
    trials = _trials(embedding, codes, names)
    if recording is not None and recording.trials is not None:
        more = recording.trials.drop(columns=["start", "stop"])
        trials = trials[["start", "stop"]].join(more)
    events = {} if recording is None else recording.events
    return Recording(
        np.asarray(embedding.values),
        rate,
        start=float(t[0]),
        trials=trials,
        events=events,
        segments=segments,
        name=str(embedding.attrs.get("recording", "")),
    )


def _trials(embedding: xr.DataArray, codes: NDArray, names: NDArray) -> pd.DataFrame:
    """Start, stop and columns of every trial; it is in one piece, gaps apart."""
    rows = []
    for code, name in enumerate(names):
        if not isinstance(name, str) and name == OUTSIDE:
            continue
        start, stop = runs(codes == code)
        if len(start) > 1:
            raise DataError(
                f"the samples of a trial must follow one another; trial {name} is in "
                f"{len(start)} pieces"
            )
        rows.append((name, int(start[0]), int(stop[0])))
    if not rows:
        raise DataError("every sample of the embedding lies outside trials (trial -1)")
    table = pd.DataFrame(rows, columns=["name", "start", "stop"]).set_index("name")
    first = table["start"].to_numpy()
    for name in embedding.coords:
        values = embedding[name]
        if name in ("time", "trial", "edge", "latent") or values.dims != ("time",):
            continue
        column = np.asarray(values.values)
        if _constant(column, table):
            table[str(name)] = column[first]
    return table.rename_axis(None)


def _constant(column: NDArray, table: pd.DataFrame) -> bool:
    """Whether a coordinate has one value in each trial."""
    pieces = zip(table["start"], table["stop"], strict=True)
    held = (column[a:b] for a, b in pieces)
    return all(bool((x == x[0]).all() or pd.isna(x).all()) for x in held)
