"""AIND fiber photometry (`fib/fip_*/{green,red,iso}.csv`) → `Session`.

File standard: github.com/AllenNeuralDynamics/aind-file-standards, file_formats/fip.md.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..errors import ReadError
from ..session import Session
from ._behavior import read_behavior
from ._checked import timed
from ._fip_guarantees import broken_guarantees
from ._text_table import first_line, numbers, read_text_table, require_columns

COLORS = ("green", "red", "iso")
CLOCK = ("ReferenceTime", "HarpTS")
"""The Harp clock, as the standard calls it now and did until version 0.2."""

KNOWN = {*CLOCK, "CameraFrameNumber", "CameraFrameTime", "Background", "SoftwareTS"}
FIBER = re.compile(r"Fiber_(\d+)$")


def read_aind_fip(path: Path, *, unsorted: str = "raise") -> Session:
    """Lights as series "green", "red" and "iso" with one column a patch cord ("Fiber_0").

    `path` is the acquisition folder (it holds fib/), fib/ itself, one fip_ folder, or one csv of
    it. Times are those of the Harp clock in seconds, the values camera counts, the series
    "green_floor" … what the sensor reads in the dark. Several fip_ folders are one recording with
    a gap. Guarantees of the file standard that do not hold are named in the warnings; behaviour
    (behavior/*.json or *.csv) becomes events and trials.

    Raises
    ------
    ReadError
        A column is missing or not numeric, a time goes back (see `unsorted`), the columns of two
        folders differ.
    """
    home, runs = acquisition(path), fip_folders(path)
    found: list[str] = []
    series: dict[str, Any] = {}
    for color in COLORS:
        read_color(color, path, runs, series, found, unsorted)
    if not series:
        raise ReadError(f"{path.name} holds no sample of any of {COLORS}; {'; '.join(found)}")
    for run in runs if path.is_dir() else ():
        found += broken_guarantees(run)
    events, trials, more = read_behavior(home) if path.is_dir() else ({}, None, [])
    step = {"step": "read", "file": path.name, "format": "AIND fiber photometry"}
    return Session(
        series=series,
        events=events,
        trials=trials,
        name=home.name if path.is_dir() else path.stem,
        metadata={"warnings": found + more},
        provenance=(step,),
    )


def is_aind_fip(path: Path) -> bool:
    return bool(fip_folders(path))


def is_aind_table(columns: Sequence[str]) -> bool:
    return any(c in columns for c in CLOCK) and any(FIBER.match(c) for c in columns)


def acquisition(path: Path) -> Path:
    """The acquisition folder of a path that is it, or its fib/ or fip_ folder."""
    home = path.absolute()
    if home.is_file() or home.name.startswith("fip_"):
        home = home.parent
    return home.parent if home.name == "fib" else home


def fip_folders(path: Path) -> list[Path]:
    """Folders that hold the tables of the lights, in order of name, that is of time."""
    if path.is_file():
        return [path.parent]
    home = path / "fib" if (path / "fib").is_dir() else path
    inside = sorted(p for p in home.glob("fip_*") if p.is_dir())
    return [p for p in [*inside, home] if any((p / f"{c}.csv").is_file() for c in COLORS)]


def read_color(
    color: str,
    path: Path,
    runs: list[Path],
    series: dict[str, Any],
    found: list[str],
    unsorted: str,
) -> None:
    """Add the light and its floor, joined over folders."""
    files = [run / f"{color}.csv" for run in runs]
    if path.is_file():
        files = [path] if path.stem == color else []
    there = [file for file in files if file.exists()]
    if not there:
        if path.is_dir():
            found.append(f"{color}: there is no {color}.csv; left out")
        return
    found += [f"{color}: {f.parent.name} has no {f.name}" for f in files if f not in there]
    tables = [_table(file, color, found) for file in there]
    fibers = _fibers(tables, there, color, found)
    where = f"{' + '.join(f'{f.parent.name}/{f.name}' for f in there)}, column {CLOCK[0]!r}"
    t = np.concatenate([table["t"].to_numpy() for table in tables])
    if len(tables) > 1:
        found.append(
            f"{color}: joined from {len(tables)} folders, {[f.parent.name for f in there]}"
        )
    for name, columns in ((color, fibers), (f"{color}_floor", None)):
        values = pd.concat(tables)[fibers if columns else "Background"].to_numpy()
        told = found if columns else []  # one clock: its flaws are told once
        one = timed(name, t, values, told, where=where, unsorted=unsorted, columns=columns)
        if one is not None:
            series[name] = one


def _table(file: Path, color: str, found: list[str]) -> pd.DataFrame:
    """Columns t, Background and the fibers, as floats."""
    raw = read_text_table(file, color, found)
    clock = next((c for c in CLOCK if c in raw), CLOCK[0])
    require_columns(raw, [clock, "Background"], file)
    fibers = sorted(
        (c for c in map(str, raw) if FIBER.match(c)), key=lambda c: int(c.split("_")[1])
    )
    if not fibers:
        require_columns(raw, ["Fiber_0"], file)
    left = [c for c in raw if c not in KNOWN and c not in fibers]
    if left:
        found.append(f"{color}: columns {left} of {file.name} are no fiber; left out")
    columns = {c: numbers(raw, c, file) for c in ["Background", *fibers]}
    return pd.DataFrame({"t": numbers(raw, clock, file), **columns})


def _fibers(tables: list, files: list[Path], color: str, found: list[str]) -> list[str]:
    fibers = [list(table.columns[2:]) for table in tables]
    for file, names in zip(files[1:], fibers[1:], strict=True):
        if names != fibers[0]:
            raise ReadError(
                f"the fibers of one session must be the same in every folder; "
                f"{files[0].parent.name}/{files[0].name} has {fibers[0]}, {file.parent.name}/"
                f"{file.name} has {names}. Read each folder by itself"
            )
    if fibers[0] != [f"Fiber_{k}" for k in range(len(fibers[0]))]:
        found.append(f"{color}: patch cords are not numbered from 0 on: {fibers[0]}")
    return fibers[0]


def is_aind_file(path: Path) -> bool:
    return path.stem in COLORS and is_aind_table(first_line(path))
