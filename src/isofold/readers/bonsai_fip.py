"""AIND's earlier fiber photometry from Bonsai (`FIP_DataG_*.csv` …) → `Session`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import ReadError
from ..session import Session
from ._behavior import pulses, read_behavior
from ._checked import timed
from ._text_table import first_line, read_text_table
from .aind_fip import acquisition

COLORS = {"G": "green", "R": "red", "Iso": "iso"}
NAME = re.compile(r"FIP_Data(G|R|Iso)_.*\.csv$", re.I)
DAY = 86_400_000.0
"""Milliseconds after which the clock of the day starts anew."""

PULSES = ("equal", "last", "first", "ignore")


@dataclass(frozen=True)
class Light:
    """One table: its clock in s (that of Harp if `harp`), fibers, and the sensor's dark level."""

    file: Path
    t: NDArray
    fibers: NDArray
    floor: NDArray
    harp: bool


def read_bonsai_fip(path: Path, *, pulses: str = "equal", unsorted: str = "raise") -> Session:
    """Lights as series "green", "red", "iso" (columns "Fiber_0" …) and their "…_floor".

    `path` is the acquisition folder, the folder of the tables, or one table. Sample k of a light
    gets the time of frame pulse k (B_PhotometryRisingTimeHarp in the behaviour's JSON), in s on the
    Harp clock. Without pulses times are seconds of the computer's day, which is a warning.

    `pulses` says what to do where their number is not that of the frames: "equal" raises, "last"
    gives the last frame the last pulse, "first" the first frame the first one, "ignore" leaves the
    computer's clock.

    Raises
    ------
    ReadError
        A table is broken, or pulses and frames differ in number.
    """
    if pulses not in PULSES:
        raise ReadError(f"pulses must be one of {PULSES}, got {pulses!r}")
    found: list[str] = []
    lights = _longest(path, found)
    home = acquisition(path)
    events, trials, more = read_behavior(home)
    lights = _on_pulses(lights, home, pulses, found)
    series: dict[str, Any] = {}
    for color, light in lights.items():
        where = f"{light.file.name}, column of times"
        columns = [f"Fiber_{k}" for k in range(light.fibers.shape[1])]
        for name, values, named, told in (
            (color, light.fibers, columns, found),
            (f"{color}_floor", light.floor, None, []),
        ):
            one = timed(name, light.t, values, told, where=where, unsorted=unsorted, columns=named)
            if one is not None:
                series[name] = one
    if not series:
        raise ReadError(f"{path.name} holds no sample; {'; '.join(found)}")
    step = {"step": "read", "file": path.name, "format": "AIND Bonsai", "pulses": pulses}
    return Session(
        series=series,
        events=events,
        trials=trials,
        name=home.name if path.is_dir() else path.stem,
        metadata={"warnings": found + more},
        provenance=(step,),
    )


def bonsai_tables(path: Path) -> list[Path]:
    """The tables of a folder, of its fib/, or the one that is named."""
    if path.is_file():
        return [path] if NAME.match(path.name) else []
    for folder in (path, path / "fib"):
        tables = sorted(p for p in folder.glob("*.csv") if NAME.match(p.name))
        if tables:
            return tables
    return []


def _longest(path: Path, found: list[str]) -> dict[str, Light]:
    """The table of each light with most frames; the others are named."""
    lights: dict[str, Light] = {}
    for color in COLORS.values():
        tables = [p for p in bonsai_tables(path) if _color(p) == color and p.stat().st_size]
        read = sorted((_light(p, color, found) for p in tables), key=lambda x: -len(x.t))
        if not read:
            found.append(f"{color}: there is no table of this light with rows; left out")
            continue
        lights[color] = read[0]
        others = [f"{x.file.name} ({len(x.t)} frames)" for x in read[1:]]
        if others:
            found.append(
                f"{color}: {1 + len(others)} tables; the longest, {read[0].file.name} "
                f"({len(read[0].t)} frames), is taken, left out: {', '.join(others)}"
            )
    _one_number_of_fibers(lights, found)
    n = {color: len(light.t) for color, light in lights.items()}
    if len(set(n.values())) > 1:
        found += [f"{c}: {k} frames; the lights have {n}" for c, k in n.items()]
    return lights


def _color(path: Path) -> str:
    match = NAME.match(path.name)
    return {k.lower(): v for k, v in COLORS.items()}[match[1].lower()] if match else ""


def _light(path: Path, color: str, found: list[str]) -> Light:
    names = _header(path)
    table = read_text_table(path, color, found, header=names is not None)
    values = table.apply(pd.to_numeric, errors="coerce").to_numpy(float)
    if len(values) > 1 and (np.isnan(values[-1]) & table.iloc[-1].notna().to_numpy()).any():
        found.append(f"{color}: the last row of {path.name} is broken; left out")
        table, values = table.iloc[:-1], values[:-1]
    words = np.argwhere(np.isnan(values) & table.notna().to_numpy())
    if len(words):
        row, column = words[0]
        raise ReadError(
            f"{path.name} must hold numbers; row {row}, column {column} holds "
            f"{str(table.iloc[row, column])[:40]!r}. Correct that row, or copy the file again"
        )
    if values.shape[1] < 3:
        raise ReadError(
            f"{path.name} needs a time, at least one fiber and the sensor's floor; it has "
            f"{values.shape[1]} columns. Is it whole?"
        )
    harp = _harp_column(values, names)
    day = values[:, 0] + DAY * np.cumsum(np.r_[0, np.diff(values[:, 0]) < -DAY / 2])
    t = day / 1000 if harp is None else values[:, harp]
    kept = [k for k in range(1, values.shape[1]) if k != harp]
    floor = _floor_column(kept, names)
    kept.remove(floor)
    return Light(path, t, values[:, kept], values[:, floor], harp is not None)


def _header(path: Path) -> list[str] | None:
    cells = first_line(path)
    try:
        [float(cell) for cell in cells if cell]
    except ValueError:
        return [cell.lower() for cell in cells]
    return None


def _harp_column(values: NDArray, names: list[str] | None) -> int | None:
    """The column of Harp times: named so, or the last if it rises in step with the first."""
    for k, name in enumerate(names or ()):
        if "harp" in name or name == "referencetime":
            return k
    step, day = np.diff(values[:, -1]), np.diff(values[:, 0]) / 1000
    if len(step) < 2 or values.shape[1] < 4 or not (step > 0).all():
        return None
    return values.shape[1] - 1 if abs(np.median(step) / np.median(day) - 1) < 0.1 else None


def _floor_column(kept: list[int], names: list[str] | None) -> int:
    for k in kept:
        if names and any(word in names[k] for word in ("background", "floor", "blank", "cmos")):
            return k
    return kept[-1]


def _one_number_of_fibers(lights: dict[str, Light], found: list[str]) -> None:
    """Drop an all-zero column where a light has more columns than another (old Iso tables)."""
    fewest = min((x.fibers.shape[1] for x in lights.values()), default=0)
    for color, light in lights.items():
        zero = np.flatnonzero((light.fibers == 0).all(axis=0))
        surplus = light.fibers.shape[1] - fewest
        if surplus and len(zero) >= surplus:
            kept = np.delete(light.fibers, zero[-surplus:], axis=1)
            lights[color] = Light(light.file, light.t, kept, light.floor, light.harp)
            found.append(f"{color}: {surplus} columns of {light.file.name} are all 0; left out")
        elif surplus:
            found.append(f"{color}: {light.fibers.shape[1]} fibers, another light has {fewest}")
        elif len(zero):
            found.append(f"{color}: Fiber_{zero[0]} is 0 throughout")


def _on_pulses(
    lights: dict[str, Light], home: Path, how: str, found: list[str]
) -> dict[str, Light]:
    """Lights with the times of the frame pulses, where there are any."""
    rising, falling, file = pulses(home)
    if rising is not None:
        rising = rising[np.isfinite(rising)]
    if rising is None or not len(rising) or how == "ignore":
        why = "pulses are ignored" if how == "ignore" else "no frame pulses in behavior/*.json"
        return {c: _on_computer(c, x, why, found) for c, x in lights.items()}
    if falling is None or len(falling) != len(rising):
        n = "no" if falling is None else len(falling)
        found.append(f"FIP_rising_time: {len(rising)} rising but {n} falling pulses in {file}")
    return {c: _shifted(c, x, rising, how, file, found) for c, x in lights.items()}


def _on_computer(color: str, light: Light, why: str, found: list[str]) -> Light:
    if not light.harp:
        found.append(
            f"{color}: times are seconds of the computer's day, not of the behaviour's clock: {why}"
        )
    return light


def _shifted(
    color: str, light: Light, rising: NDArray, how: str, file: str, found: list[str]
) -> Light:
    if light.harp:
        return light
    frames, n = len(light.t), len(rising)
    if frames == n:
        return Light(light.file, rising, light.fibers, light.floor, True)
    if how == "equal":
        raise ReadError(
            f"each frame needs one pulse; {light.file.name} has {frames} frames of {color}, "
            f"{file} has {n} values under B_PhotometryRisingTimeHarp. Say which belong together: "
            "read(path, pulses='last') or 'first'; pulses='ignore' leaves the computer's clock"
        )
    kept = min(frames, n)
    rows, times = (
        (slice(frames - kept, None), slice(n - kept, None))
        if how == "last"
        else (slice(kept), slice(kept))
    )
    found.append(
        f"{color}: {frames} frames but {n} pulses; the {how} {kept} of both are taken together"
    )
    return Light(light.file, rising[times], light.fibers[rows], light.floor[rows], True)
