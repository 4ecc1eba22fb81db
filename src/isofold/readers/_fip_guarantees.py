"""What AIND's file standard guarantees of a fip_ folder, and what of it does not hold."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from ..errors import ReadError
from ._checked import read_json
from ._text_table import numbers, read_text_table, require_columns

CAMERAS = {"camera_green_iso_metadata.csv": ("green", "iso"), "camera_red_metadata.csv": ("red",)}
EXPOSURE = 0.2e-3
"""Largest difference, in s, between steps of the camera's clock and of the trigger's."""


def broken_guarantees(run: Path) -> list[str]:
    """One sentence for each, beginning with the light."""
    try:
        tables = {
            c: read_text_table(run / f"{c}.csv", c, [])
            for c in ("green", "red", "iso")
            if (run / f"{c}.csv").exists()
        }
        return (
            _equal_lengths(tables, run)
            + _frames_of_movie(tables, run)
            + [s for name, colors in CAMERAS.items() for s in _camera(run / name, colors, tables)]
            + _regions(tables, run)
            + _background(run)
        )
    except ReadError as error:
        return [f"{run.name}: not all guarantees could be checked: {error}"]


def _equal_lengths(tables: dict[str, pd.DataFrame], run: Path) -> list[str]:
    n = {color: len(table) for color, table in tables.items()}
    if len(set(n.values())) < 2:
        return []
    longest = max(n.values())
    return [
        f"{c}: {k} frames in {run.name}/{c}.csv where {longest} are in the longest table: frames "
        "were lost, or the file is cut short"
        for c, k in n.items()
        if k < longest
    ]


def _frames_of_movie(tables: dict[str, pd.DataFrame], run: Path) -> list[str]:
    """The raw movie has as many frames as the table; its size says how many."""
    found = []
    for color, table in tables.items():
        movie, about = run / f"{color}.bin", run / f"{color}_metadata.json"
        if not (movie.exists() and about.exists()):
            continue
        said = read_json(about)
        try:
            depth = int("".join(c for c in str(said["Depth"]) if c.isdigit())) // 8
            frame = int(said["Width"]) * int(said["Height"]) * int(said["Channel"]) * depth
            n = movie.stat().st_size / frame
        except (KeyError, TypeError, ValueError, ZeroDivisionError) as error:
            found.append(f"{color}: {about.name} does not say the size of a frame ({error!r})")
            continue
        if n != len(table):
            found.append(f"{color}: {len(table)} rows but {n:g} frames in {movie.name}")
    return found


def _camera(path: Path, colors: tuple[str, ...], tables: dict[str, pd.DataFrame]) -> list[str]:
    colors = tuple(c for c in colors if c in tables)
    if not colors:
        return []
    if not path.exists():
        return [f"{colors[0]}: no {path.name}: dropped frames cannot be told"]
    found: list[str] = []
    table = read_text_table(path, colors[0], found)
    require_columns(table, ["CameraFrameNumber", "CameraFrameTime", "ReferenceTime"], path)
    frame = numbers(table, "CameraFrameNumber", path)
    jumps = np.flatnonzero(np.diff(frame) != 1)
    if len(jumps):
        found.append(
            f"{colors[0]}: {len(jumps)} jumps of CameraFrameNumber in {path.name}, first after "
            f"frame {frame[jumps[0]]:g}: frames were dropped; look at this recording by hand"
        )
    found += _exposure(colors[0], table, path)
    for color in colors:
        if "CameraFrameNumber" not in tables[color]:
            continue
        own = numbers(tables[color], "CameraFrameNumber", path.with_name(f"{color}.csv"))
        lost = np.flatnonzero(~np.isin(own, frame))
        if len(lost):
            found.append(
                f"{color}: {len(lost)} rows are not in {path.name}, first frame {own[lost[0]]:g}"
            )
    return found


def _exposure(color: str, table: pd.DataFrame, path: Path) -> list[str]:
    """Steps of the two clocks; the camera's may tick in s, ms, µs or ns."""
    camera = np.diff(numbers(table, "CameraFrameTime", path))
    trigger = np.diff(numbers(table, "ReferenceTime", path))
    if not len(camera) or not np.median(camera) > 0 or not np.median(trigger) > 0:
        return []
    ratio = float(np.median(camera) / np.median(trigger))
    unit = 1000.0 ** np.round(np.log10(ratio) / 3)
    apart = np.abs(camera / unit - trigger)
    late = np.flatnonzero(apart >= EXPOSURE)
    if not len(late):
        return []
    return [
        f"{color}: steps of CameraFrameTime and ReferenceTime differ by up to "
        f"{1e3 * np.nanmax(apart):.3g} ms in {path.name} ({len(late)} steps of {1e3 * EXPOSURE:g} "
        f"ms or more, first after row {late[0]}): a problem with exposure"
    ]


def _regions(tables: dict[str, pd.DataFrame], run: Path) -> list[str]:
    """regions.json has one circle a patch cord."""
    path = run / "regions.json"
    if not path.exists():
        return [f"{next(iter(tables))}: no regions.json in {run.name}"] if tables else []
    said, found = read_json(path), []
    for color, table in tables.items():
        key = "camera_red_roi" if color == "red" else "camera_green_iso_roi"
        fibers = sum(str(c).startswith("Fiber_") for c in table)
        circles = said.get(key) if isinstance(said, dict) else None
        if not isinstance(circles, list) or len(circles) != fibers:
            n = len(circles) if isinstance(circles, list) else "no"
            found.append(f"{color}: {fibers} fibers but {n} circles under {key} in regions.json")
    return found


def _background(run: Path) -> list[str]:
    there = [c for c in ("green", "red", "iso") if (run / f"background_{c}.csv").exists()]
    lost = [c for c in ("green", "red", "iso") if c not in there]
    return [f"{c}: background_{c}.csv is missing, others are there" for c in lost if there]
