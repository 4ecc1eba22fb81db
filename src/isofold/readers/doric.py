"""Doric Neuroscience Studio `.doric` (HDF5) → `Session`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ReadError
from ..session import Session
from ._checked import event, rising, timed

ROOTS = ("DataAcquisition", "Traces")
"""Where signals lie: since version 6, and in version 5."""


@dataclass
class Console:
    """Datasets of one length that share a clock, from one group of the file."""

    path: str
    t: NDArray
    data: dict[str, NDArray] = field(default_factory=dict)
    usernames: dict[str, str] = field(default_factory=dict)


def read_doric(path: Path, *, unsorted: str = "raise") -> Session:
    """Each group with a dataset Time is a series of the group's name; its datasets are columns.

    "LockInAOUT01" with the columns "AIN01", "AIN02" in files of version 6;
    "AIN01xAOUT01-LockIn" (a dataset Values) and "AIn-1 - Dem (AOut-1)" in older ones. Digital
    lines (DigitalIO) become events at their rises, "DIO01". Where two groups have one name, as in
    several series of a file, the names above come first ("Series0002_LockInAOUT01"). Names given
    in the program are in `metadata["doric_names"]`. Times are seconds from the start of the file.

    Raises
    ------
    ReadError
        No group holds signals with a clock, or a time goes back (see `unsorted`).
    """
    import h5py

    found: list[str] = []
    with h5py.File(path, "r") as file:
        consoles = [c for root in ROOTS if root in file for c in _consoles(file[root], found)]
        holds = sorted(file)
    series: dict[str, Any] = {}
    events: dict[str, NDArray] = {}
    given: dict[str, str] = {}
    for name, console in zip(_names([c.path for c in consoles]), consoles, strict=True):
        given |= {f"{name}/{k}": v for k, v in console.usernames.items()}
        if _is_digital(console):
            for column, line in console.data.items():
                label = column if column not in events else f"{name}_{column}"
                event(label, console.t[rising(line > 0)], events, found)
            continue
        columns = list(console.data)
        single = columns in (["Values"], [name.rsplit("_", 1)[-1]], [name])
        values = np.column_stack([console.data[c] for c in columns])
        one = timed(
            name,
            console.t,
            values[:, 0] if single else values,
            found,
            where=f"{path.name}, {console.path}/Time",
            unsorted=unsorted,
            columns=None if single else columns,
        )
        if one is not None:
            series[name] = one
    if not (series or events):
        raise ReadError(
            f"{path.name} holds no signal beside a dataset Time under {' or '.join(ROOTS)}; its "
            f"groups are {holds[:8]}. {'; '.join(found)}"
        )
    step = {"step": "read", "file": path.name, "format": "Doric"}
    return Session(
        series=series,
        events=events,
        name=path.stem,
        metadata={"warnings": found, "doric_names": given},
        provenance=(step,),
    )


def is_doric(path: Path) -> bool:
    """HDF5 with signals of Doric and no mark of NWB."""
    import h5py

    with h5py.File(path, "r") as file:
        return "nwb_version" not in file.attrs and any(root in file for root in ROOTS)


def _consoles(root: Any, found: list[str]) -> list[Console]:
    """Groups below `root` that hold a clock and datasets; version 5 keeps the clock beside them."""
    import h5py

    out: list[Console] = []

    def visit(group: Any) -> None:
        data = {k: v for k, v in group.items() if isinstance(v, h5py.Dataset)}
        groups = {k: v for k, v in group.items() if isinstance(v, h5py.Group)}
        clock = data.pop("Time", None)
        if clock is not None:
            out.append(_console(group, clock, data, found))
        shared = groups.get("Time(s)")
        if shared is not None and len(shared):
            clock = next(iter(shared.values()))
            for name, inner in groups.items():
                if name != "Time(s)":
                    out.append(_console(inner, clock, dict(inner.items()), found))
            return
        for inner in groups.values():
            visit(inner)

    visit(root)
    return [c for c in out if c.data]


def _console(group: Any, clock: Any, data: dict[str, Any], found: list[str]) -> Console:
    import h5py

    path = group.name
    if clock.ndim != 1 or clock.dtype.kind not in "iuf":
        raise ReadError(f"{path}/Time must hold one number a sample; it is {clock.dtype}")
    console = Console(path, np.asarray(clock[:], dtype=float))
    name = path.rsplit("/", 1)[-1]
    for key, item in data.items():
        plain = isinstance(item, h5py.Dataset) and item.dtype.kind in "biuf"
        if plain and item.shape == (len(console.t),):
            console.data[key] = np.asarray(item[:])
            username = item.attrs.get("Username", group.attrs.get("Username"))
            if isinstance(username, str | bytes):
                said = username.decode() if isinstance(username, bytes) else username
                console.usernames[key] = said
        else:
            found.append(
                f"{name}: {key} is no column of {len(console.t)} numbers, as many as there are "
                f"times ({getattr(item, 'shape', 'a group')}); left out"
            )
    return console


def _is_digital(console: Console) -> bool:
    """Lines of 0 and 1, named as such."""
    named = "DigitalIO" in console.path or all(k.startswith(("DIO", "DI/O")) for k in console.data)
    digital = named or "DI--O" in console.path or "DIO" in console.path.rsplit("/", 1)[-1]
    return digital and all(np.isin(np.unique(v), (0, 1)).all() for v in console.data.values())


def _names(paths: list[str]) -> list[str]:
    """The shortest ends of the paths that differ, joined by "_"."""
    parts = [[p.replace("/", "-") for p in path.strip("/").split("/")] for path in paths]
    for depth in range(1, max((len(p) for p in parts), default=1) + 1):
        names = ["_".join(p[-depth:]) for p in parts]
        if len(set(names)) == len(names):
            return names
    return [path.strip("/").replace("/", "_") for path in paths]
