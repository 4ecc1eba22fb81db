"""Calcium: neuropil taken off each cell."""

from __future__ import annotations

import numpy as np

from ..errors import DataError
from ..session import Session
from .rolling_dff import with_series

FACTOR = 0.7
"""suite2p's share of the neuropil."""


def neuropil(
    session: Session,
    signal: str = "F",
    neuropil: str = "Fneu",
    *,
    factor: float = FACTOR,
    to: str = "F_corrected",
) -> Session:
    """F − factor · F_neuropil for every cell.

    Parameters
    ----------
    signal, neuropil
        Names of series of one shape on one clock.
    factor
        0.7 as in suite2p.
    to
        Name of the series that is added.

    Raises
    ------
    DataError
        No such series, shapes or clocks that differ, a factor that is not in [0, 2].

    Notes
    -----
    The right factor depends on the optics; too large a one makes cells go dark when their
    surroundings light up, which decodes as well as a signal does.

    Examples
    --------
    >>> import pynapple as nap
    >>> t = np.arange(3.0)
    >>> series = {"F": nap.Tsd(t=t, d=np.full(3, 9.0)), "Fneu": nap.Tsd(t=t, d=np.full(3, 2.0))}
    >>> neuropil(Session(series=series)).series["F_corrected"].values
    array([7.6, 7.6, 7.6])
    """
    own, around = session.get_series(signal), session.get_series(neuropil)
    if not (np.isfinite(factor) and 0 <= factor <= 2):
        raise DataError(f"factor is a share of the neuropil and must be in [0, 2], got {factor!r}")
    same_clock = len(own.index) == len(around.index) and np.array_equal(own.times(), around.times())
    if own.values.shape != around.values.shape or not same_clock:
        raise DataError(
            f"{signal!r} and {neuropil!r} must have one shape and clock; got "
            f"{own.values.shape} and {around.values.shape}, same times: {same_clock}"
        )
    values = np.asarray(own.values) - factor * np.asarray(around.values)
    step = {
        "step": "neuropil", "signal": signal, "neuropil": neuropil, "factor": factor, "to": to,
    }  # fmt: skip
    return with_series(session, to, own, values, step)
