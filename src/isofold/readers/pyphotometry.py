"""pyPhotometry `.ppd` → `Session`.

Layout after the `data_import.py` that pyPhotometry ships (github.com/pyPhotometry/code).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ReadError
from ..session import Session
from ._checked import event, rising, timed

CONTINUOUS = ("GCaMP/RFP", "2 colour continuous", "2EX_2EM_continuous")
STROBED = (
    *("GCaMP/iso", "1 colour time div.", "2EX_1EM_pulsed"),
    *("GCaMP/RFP_dif", "2 colour time div.", "2EX_2EM_pulsed", "3EX_2EM_pulsed"),
)
"""Modes by their names through the versions; strobed ones take one signal a tick in turn."""

OLD_MODES = {1: "GCaMP/RFP", 2: "GCaMP/iso", 3: "GCaMP/RFP_dif"}
OLD_HEADER = 42


@dataclass(frozen=True)
class Header:
    mode: str
    rate: float
    volts: tuple[float, ...]
    version: tuple[int, ...]
    analog: int
    digital: int
    about: dict[str, Any]

    @property
    def strobed(self) -> bool:
        return self.mode in STROBED

    @property
    def paired(self) -> bool:
        """From version 1.1 a strobed signal is stored with the LED on and off, not subtracted."""
        return self.strobed and self.version >= (1, 1)


def read_ppd(path: Path, *, unsorted: str = "raise") -> Session:
    """Signals in volts as series "analog_1" …, rises of the digital lines as events "digital_1" ….

    Word k of a cycle is signal k: v = (word >> 1) × volts per division, its lowest bit a digital
    line. In strobed modes signal k lies k / (rate × signals) s after the first, and keeps its own
    clock. Files of version 1.1 hold each signal with the LED on and off: "analog_1" is their
    difference, "analog_1_led_on" and "analog_1_baseline" the two.

    Raises
    ------
    ReadError
        The header is none, its mode unknown (a laboratory's own: the layout cannot be told), or the
        file ends within a header or holds no samples.
    """
    raw = path.read_bytes()
    size = int.from_bytes(raw[:2], "little")
    if len(raw) < 2 + size:
        raise ReadError(f"{path.name} is cut short: it ends within its header of {size} bytes")
    header = _header(raw[2 : 2 + size], path)
    words = np.frombuffer(raw, dtype="<u2", offset=2 + size, count=(len(raw) - 2 - size) // 2)
    cycle = header.analog * (2 if header.paired else 1)
    n = len(words) // cycle
    if not n:
        raise ReadError(f"{path.name} holds no samples after its header; copy it again")
    found: list[str] = []
    left = len(raw) - 2 - size - 2 * n * cycle
    if left:
        found.append(f"analog_1: {path.name} ends within a sample; its last {left} bytes left out")
    series, events = _signals(words[: n * cycle].reshape(n, cycle), header, path, unsorted, found)
    step = {"step": "read", "file": path.name, "format": "pyPhotometry", "mode": header.mode}
    start = str(header.about.get("date_time") or "")
    return Session(
        series=series,
        events=events,
        name=path.stem,
        subject=str(header.about.get("subject_ID") or "").strip() or None,
        metadata={"warnings": found, "acquired": start, "ppd_header": header.about},
        provenance=(step,),
    )


def is_ppd(head: bytes, suffix: str) -> bool:
    """A length, then JSON with the volts per division; before 2018 42 bytes without words."""
    size = int.from_bytes(head[:2], "little")
    if head[2:3] == b"{" and b'"volts_per_division"' in head[2 : 2 + size]:
        return True
    return suffix.lower() == ".ppd"


def _signals(
    words: NDArray, header: Header, path: Path, unsorted: str, found: list[str]
) -> tuple[dict[str, Any], dict[str, NDArray]]:
    series: dict[str, Any] = {}
    events: dict[str, NDArray] = {}
    each = 2 if header.paired else 1
    for k in range(header.analog):
        late = k / (header.rate * header.analog) if header.strobed else 0.0
        t = late + np.arange(len(words)) / header.rate
        volts = header.volts[k] if k < len(header.volts) else header.volts[0]
        on = (words[:, each * k] >> 1) * volts
        parts = {f"analog_{k + 1}": on}
        if header.paired:
            off = (words[:, each * k + 1] >> 1) * volts
            name = f"analog_{k + 1}"
            parts = {name: on - off, f"{name}_led_on": on, f"{name}_baseline": off}
        for name, values in parts.items():
            series[name] = timed(name, t, values, found, where=path.name, unsorted=unsorted)
        if k < header.digital:
            event(f"digital_{k + 1}", t[rising(words[:, each * k] & 1)], events, found)
    return series, events


def _header(raw: bytes, path: Path) -> Header:
    about = _old(raw, path) if not raw.startswith(b"{") else _json(raw, path)
    try:
        mode = str(about["mode"])
        rate = float(about["sampling_rate"])
        volts = tuple(float(v) for v in np.ravel(about["volts_per_division"]))
        version = tuple(int(x) for x in str(about.get("version", "0")).split(".")[:2])
        analog = int(about.get("n_analog_signals", 3 if mode.startswith("3EX") else 2))
        digital = int(about.get("n_digital_signals", min(analog, 2)))
    except (KeyError, TypeError, ValueError) as error:
        raise ReadError(
            f"{path.name}: its header lacks a field or holds none of its kind ({error!r}); it has "
            f"{sorted(about)}"
        ) from error
    if mode not in (*CONTINUOUS, *STROBED):
        raise ReadError(
            f"{path.name} has the mode {mode!r}, of which isofold does not know how its samples "
            f"lie in the file; known are {[*CONTINUOUS, *STROBED]}. Export it with the program "
            "that wrote it, and read the csv"
        )
    right = 3 if mode.startswith("3EX") else 2
    positive = np.isfinite([rate, *volts]).all() and rate > 0 and min(volts, default=0) > 0
    if not (positive and analog == right and 0 <= digital <= analog):
        raise ReadError(
            f"{path.name}: mode {mode!r} has {right} signals, a positive rate and volts per "
            f"division; its header says {analog} signals, {digital} lines, {rate} Hz, {volts}"
        )
    return Header(mode, rate, volts, version, analog, digital, about)


def _json(raw: bytes, path: Path) -> dict[str, Any]:
    try:
        about = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise ReadError(f"{path.name}: its header is no JSON ({error}); is it damaged?") from error
    if not isinstance(about, dict):
        raise ReadError(f"{path.name}: its header is no JSON object; is it damaged?")
    return about


def _old(raw: bytes, path: Path) -> dict[str, Any]:
    """Before 2018: subject 12 bytes, date 19, mode 1, rate 2, nanovolts per division 2 × 4."""
    if len(raw) != OLD_HEADER or raw[31] not in OLD_MODES:
        raise ReadError(
            f"{path.name} is no pyPhotometry file: its header is neither JSON nor the "
            f"{OLD_HEADER} bytes of before 2018"
        )
    return {
        "subject_ID": raw[:12].decode("latin-1").strip("\x00 "),
        "date_time": raw[12:31].decode("latin-1").strip("\x00 "),
        "mode": OLD_MODES[raw[31]],
        "sampling_rate": int.from_bytes(raw[32:34], "little"),
        "volts_per_division": (np.frombuffer(raw[34:42], dtype="<u4") * 1e-9).tolist(),
    }
