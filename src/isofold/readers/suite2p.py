"""suite2p folder (`F.npy`, `Fneu.npy`, `spks.npy`, `iscell.npy`) → `Session`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..errors import ReadError
from ..session import Session
from ._checked import load_npy, timed

TRACES = ("F", "Fneu", "spks")


def read_suite2p(path: Path, *, rate: float | None = None, start: float = 0.0) -> Session:
    """Series "F", "Fneu" (neuropil) and "spks" (deconvolved), columns = ids of the regions.

    `path` is the output folder (suite2p/, or the one that holds it) or one plane. Several planes
    give "F_plane0", "F_plane1" …. `rate` is volumes a second (suite2p's `fs`, frames a second and
    plane); it is read from Fall.mat where that is saved, as ops.npy and stat.npy are pickles and
    are never loaded. Traces stay on disk until they are used. Column metadata `is_cell` and
    `cell_probability` say what suite2p takes for a cell. `start` is the time of the first frame.

    Raises
    ------
    ReadError
        No rate is known, or the arrays differ in shape.
    """
    found: list[str] = []
    planes = plane_folders(path)
    if not planes:
        raise ReadError(f"{path.name} holds no F.npy, nor plane0/F.npy")
    series: dict[str, Any] = {}
    for plane in planes:
        end = f"_{plane.name}" if len(planes) > 1 else ""
        series |= _plane(plane, end, rate, start, found)
    if len(planes) > 1:
        found.append(f"F_{planes[0].name}: all planes start at {start:g} s; their delay is unknown")
    step = {"step": "read", "file": path.name, "format": "suite2p", "rate": rate}
    name = path.name if path.name not in ("suite2p", *(p.name for p in planes)) else _above(path)
    return Session(series=series, name=name, metadata={"warnings": found}, provenance=(step,))


def plane_folders(path: Path) -> list[Path]:
    """The plane itself, or plane0, plane1 … of a suite2p folder in order of their number."""
    for home in (path, path / "suite2p"):
        if (home / "F.npy").exists():
            return [home]
        inside = [p for p in home.glob("plane*") if (p / "F.npy").exists()]
        if inside:
            return sorted(inside, key=lambda p: (len(p.name), p.name))
    return []


def is_suite2p(path: Path) -> bool:
    return bool(plane_folders(path))


def _plane(plane: Path, end: str, rate: Any, start: float, found: list[str]) -> dict[str, Any]:
    fluorescence = load_npy(plane / "F.npy")
    if fluorescence.ndim != 2 or not fluorescence.size:
        raise ReadError(
            f"{plane.name}/F.npy must be (region, frame) with both; it is {fluorescence.shape}"
        )
    n, frames = fluorescence.shape
    rate = _rate(plane, rate)
    t = start + np.arange(frames) / rate
    info = _cells(plane, n, found, f"F{end}")
    out: dict[str, Any] = {}
    for name in TRACES:
        if name != "F" and not (plane / f"{name}.npy").exists():
            found.append(f"{name}{end}: there is no {plane.name}/{name}.npy; left out")
            continue
        traces = fluorescence if name == "F" else load_npy(plane / f"{name}.npy")
        if traces.shape != (n, frames) or traces.dtype.kind not in "iuf":
            raise ReadError(
                f"{plane.name}/{name}.npy must hold numbers for {n} regions and {frames} frames, "
                f"as F.npy; it is {traces.shape}, {traces.dtype}. Copy the folder again"
            )
        told = found if name == "F" else []
        out[f"{name}{end}"] = timed(
            name, t, traces.T, told, where=plane.name, columns=list(range(n)), info=info
        )
    return out


def _cells(plane: Path, n: int, found: list[str], name: str) -> pd.DataFrame | None:
    if not (plane / "iscell.npy").exists():
        found.append(f"{name}: there is no {plane.name}/iscell.npy: cells are not told from others")
        return None
    said = np.asarray(load_npy(plane / "iscell.npy"))
    if said.ndim != 2 or said.shape != (n, 2) or said.dtype.kind not in "biuf":
        raise ReadError(
            f"{plane.name}/iscell.npy must be ({n}, 2), one row a region of F.npy; it is "
            f"{said.shape}. Copy the folder again"
        )
    return pd.DataFrame({"is_cell": said[:, 0] > 0, "cell_probability": said[:, 1]})


def _rate(plane: Path, rate: float | None) -> float:
    if rate is None and (plane / "Fall.mat").exists():
        from scipy.io import loadmat

        ops = loadmat(plane / "Fall.mat", variable_names=["ops"], squeeze_me=True).get("ops")
        if ops is not None and ops.dtype.names and "fs" in ops.dtype.names:
            rate = float(ops["fs"][()])
    if rate is None:
        raise ReadError(
            f"{plane.name} says no clock: suite2p keeps its rate in ops.npy, a pickle, which "
            "isofold never loads. Give read(path, rate=...) in frames a second and plane"
        )
    if not (np.isfinite(rate) and rate > 0):
        raise ReadError(f"rate must be a positive number of frames per second, got {rate}")
    return float(rate)


def _above(path: Path) -> str:
    """Name of the folder that holds suite2p/plane0."""
    for folder in path.absolute().parents:
        if folder.name != "suite2p":
            return folder.name
    return path.name
