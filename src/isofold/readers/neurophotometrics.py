"""Neurophotometrics FP3002 (csv or Parquet) → `Session`.

Bits of `Flags` and `LedState` after the manufacturer's manual, as the International Brain
Laboratory lists them (github.com/int-brain-lab/ibl-photometry).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import ReadError
from ..session import Session
from ._checked import event, rising, timed
from ._ibl_trials import is_trial_table, trial_table
from ._text_table import first_line, numbers, read_text_table

LIGHTS = {1: "415", 2: "470", 4: "560"}
LINES = {
    8: "output1",
    16: "output0",
    32: "stimulation",
    64: "gpio0",
    128: "gpio1",
    256: "input1",
    512: "input0",
}
STATE = ("Flags", "LedState")
CLOCKS = {"SystemTimestamp": 1.0, "Timestamp": 1.0, "ComputerTimestamp": 1e-3, "msTimestamp": 1e-3}
"""Columns of times, the best first, and how many seconds one of their units is."""

LINE_COLUMNS = ("Stimulation", "Output0", "Output1", "Input0", "Input1")
LIGHT_IN_NAME = re.compile(r"(?<!\d)(415|470|560)(?!\d)")


def read_neurophotometrics(
    path: Path, *, time: str | None = None, unsorted: str = "raise"
) -> Session:
    """Lights as series "415", "470" and "560", columns = regions; digital lines as events.

    `path` is the table of interleaved frames, one of digital inputs, or a folder of them (one table
    for all lights, or one a light with its wavelength in the name). The light of a frame is the
    lowest three bits of `Flags` or `LedState`; frames without light are left out with a warning.
    Bits that rise become events "flag_input0" …, at the time of the first frame that shows them;
    the table of digital inputs gives "input0" …, which is more exact: the bits may rise some frames
    later. Times are seconds of the column `time` (by itself SystemTimestamp, else Timestamp, else
    ComputerTimestamp / 1000), the same for all tables.

    Raises
    ------
    ReadError
        A column is missing or not numeric, a time goes back (see `unsorted`), two tables hold the
        same light.
    """
    found: list[str] = []
    series: dict[str, Any] = {}
    events: dict[str, NDArray] = {}
    trials = None
    for file in _files(path):
        table = _load(file, found)
        if is_trial_table(list(table.columns)):
            trials = trial_table(table, file, found)
        elif is_digital_table(list(table.columns)):
            _digital(table, file, time, events, found)
        else:
            _frames(table, file, time, unsorted, series, events, found)
    if not (series or events or trials is not None):
        raise ReadError(f"{path.name} holds no frame with light and no event; {'; '.join(found)}")
    step = {"step": "read", "file": path.name, "format": "Neurophotometrics"}
    return Session(
        series=series,
        events=events,
        trials=trials,
        name=path.name if path.is_dir() else path.stem,
        metadata={"warnings": found},
        provenance=(step,),
    )


def is_table(columns: Sequence[str]) -> bool:
    """Frames with light and clock, or digital inputs, or IBL trials."""
    return is_frame_table(columns) or is_digital_table(columns) or is_trial_table(columns)


def is_frame_table(columns: Sequence[str]) -> bool:
    clock = any(c in columns for c in CLOCKS)
    return clock and any(s in columns for s in STATE) and bool(_regions(columns))


def is_digital_table(columns: Sequence[str]) -> bool:
    named = {"ChannelName", "AlwaysTrue"} <= set(columns)
    return named or set(columns) == {"Timestamp", "Value"}


def neurophotometrics_tables(path: Path) -> list[Path]:
    """Tables of a folder that this reader knows; one of a single light by its name."""
    inside = sorted(p for p in path.iterdir() if p.suffix.lower() in (".csv", ".pqt", ".parquet"))
    known = []
    for file in inside:
        columns = column_names(file)
        of_light = LIGHT_IN_NAME.search(file.stem) and any(c in columns for c in CLOCKS)
        if is_table(columns) or (of_light and _regions(columns)):
            known.append(file)
    return known


def column_names(path: Path) -> list[str]:
    """Header of a csv, or column names of a Parquet file; [] where it is neither."""
    with path.open("rb") as file:
        if file.read(4) != b"PAR1":
            return first_line(path)
    import pyarrow
    import pyarrow.parquet

    try:
        return list(pyarrow.parquet.read_schema(path).names)
    except (pyarrow.ArrowInvalid, OSError):
        return []


def _files(path: Path) -> list[Path]:
    return neurophotometrics_tables(path) if path.is_dir() else [path]


def _load(path: Path, found: list[str]) -> pd.DataFrame:
    with path.open("rb") as file:
        parquet = file.read(4) == b"PAR1"
    table = pd.read_parquet(path) if parquet else read_text_table(path, path.name, found)
    if not len(table):
        raise ReadError(f"{path.name} has no rows")
    return table


# -- frames -------------------------------------------------------------------------------------


def _frames(table, file, time, unsorted, series, events, found) -> None:
    column = next((s for s in STATE if s in table), None)
    state = _state(table, column, file)
    t = _clock(table, time, file)
    lights = [int(x) for x in np.unique(state & 7) if x]
    dark = np.flatnonzero(state & 7 == 0)
    if len(dark):
        found.append(
            f"{column}: {len(dark)} of {len(state)} frames of {file.name} are without light; left "
            f"out, first row {dark[0]}"
        )
    found += _lost_frames(table, file, lights)
    regions = _regions(list(table.columns))
    if not regions:
        raise ReadError(f"{file.name} has no column of a region; there are {list(table.columns)}")
    values = np.column_stack([numbers(table, c, file) for c in regions])
    for light in lights:
        name, rows = _light_name(light), state & 7 == light
        if name in series:
            raise ReadError(
                f"one table a light is needed; {file.name} holds {name} nm, and so does another "
                "table of the folder: read them one by one"
            )
        where = f"{file.name}, times of {name} nm"
        one = timed(
            name, t[rows], values[rows], found, where=where, unsorted=unsorted, columns=regions
        )
        if one is not None:
            series[name] = one
    _lines(table, state, t, file, events, found)


def _state(table: pd.DataFrame, column: str | None, file: Path) -> NDArray[np.int64]:
    """Bits of each frame; of the light in the file's name where the table says none."""
    if column is None:
        match = LIGHT_IN_NAME.search(file.stem)
        light = {v: k for k, v in LIGHTS.items()}.get(match[1] if match else "", 0)
        return np.full(len(table), light)
    raw = numbers(table, column, file)
    wrong = np.flatnonzero(~((raw >= 0) & (raw < 1 << 16) & (raw == np.floor(raw))))
    if len(wrong):
        raise ReadError(
            f"column {column!r} of {file.name} must hold whole numbers of bits; row {wrong[0]} "
            f"holds {raw[wrong[0]]}. Is the file whole?"
        )
    return raw.astype(np.int64)


def _light_name(light: int) -> str:
    return "+".join(name for bit, name in LIGHTS.items() if light & bit)


def _clock(table: pd.DataFrame, time: str | None, file: Path) -> NDArray[np.float64]:
    column = time or next((c for c in CLOCKS if c in table), None)
    if column is None or column not in table:
        raise ReadError(
            f"{file.name} needs a column of times, {time or ' or '.join(CLOCKS)}; there are "
            f"{[str(c) for c in table.columns]}"
        )
    return numbers(table, column, file) * CLOCKS.get(column, 1.0)


def _regions(columns: Sequence[str]) -> list[str]:
    """Columns that are neither clock nor state: "Region0R", "G1", "Region1G" …"""
    other = {"FrameCounter", *STATE, *CLOCKS, *LINE_COLUMNS}
    named = [c for c in columns if isinstance(c, str) and c not in other and c]
    return [c for c in named if re.fullmatch(r"Region\d+[A-Za-z]?|[GR]\d+", c)]


def _lost_frames(table: pd.DataFrame, file: Path, lights: list[int]) -> list[str]:
    if "FrameCounter" not in table:
        return []
    counter = numbers(table, "FrameCounter", file)
    steps = np.diff(counter)
    expected = 1 if len(lights) != 1 or not len(steps) else np.median(steps)  # one light a table
    jumps = np.flatnonzero(steps != expected)
    if not len(jumps):
        return []
    return [
        f"{_light_name(light)}: {len(jumps)} jumps of FrameCounter in {file.name}, first after "
        f"frame {counter[jumps[0]]:g}: frames are lost"
        for light in lights
    ]


def _lines(table, state, t, file, events, found) -> None:
    """Bits of the state above the light, and columns of 0 and 1, that rise."""
    lines = {name: state & bit != 0 for bit, name in LINES.items()}
    for column in LINE_COLUMNS:
        if column in table:
            lines[column.lower()] = lines[column.lower()] | (numbers(table, column, file) > 0)
    for name, line in lines.items():
        if line.any() and not line.all():
            event(f"flag_{name}", t[rising(line)], events, found)


# -- digital inputs -----------------------------------------------------------------------------


def _digital(table, file, time, events, found) -> None:
    """Rows of (time, True or False), or of (time, channel) for each rise."""
    column = time if time in table else None
    t = _clock(table, column, file)
    if "ChannelName" in table:
        rose = _truth(table, "AlwaysTrue", file)
        channel = table["ChannelName"].astype(str).str.lower().to_numpy()
        for name in np.unique(channel[rose]):
            event(name, t[rose & (channel == name)], events, found)
        return
    high = _truth(table, "Value", file)
    if (high[1:] == high[:-1]).any():
        at = int(np.flatnonzero(high[1:] == high[:-1])[0])
        found.append(f"input0: rises and falls do not alternate in {file.name}, first row {at}")
    event("input0", t[high], events, found)
    event("input0_fall", t[~high], events, found)


def _truth(table: pd.DataFrame, column: str, file: Path) -> NDArray[np.bool_]:
    words = table[column].astype(str).str.strip().str.lower()
    truth = words.map({"true": True, "false": False, "1": True, "0": False})
    wrong = np.flatnonzero(truth.isna())
    if len(wrong):
        raise ReadError(
            f"column {column!r} of {file.name} must be True or False; row {wrong[0]} holds "
            f"{words.iloc[wrong[0]]!r}"
        )
    return truth.to_numpy(bool)
