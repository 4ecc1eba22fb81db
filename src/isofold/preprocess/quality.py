"""Quality of a photometry session: named checks with a value, a threshold and a verdict."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._grid import sampling_step
from ..errors import DataError
from ..session import Session
from ._filters import chunks
from ._traces import Channel, read_trace

Row = dict[str, Any]

SHORTEST = 900.0
HIGHEST_FLOOR = 265.0
LARGEST_STEP = 2000.0
LARGEST_SLOPE = 10.0
LARGEST_JITTER = 0.2e-3
SIGNIFICANT = 0.05

FLOOR = re.compile(r"floor", re.IGNORECASE)
PULSES = ("rising", "falling")


def quality(
    session: Session,
    series: Sequence[str] | None = None,
    *,
    fibers: Sequence[str] | None = None,
    floors: Sequence[str] | None = None,
    pulses: tuple[str, str] | None = None,
    frame_numbers: Mapping[str, NDArray] | None = None,
    frame_times: Mapping[str, tuple[NDArray, NDArray]] | None = None,
    event: str | None = None,
    response: str | None = None,
    slopes: Mapping[str, float] | None = None,
) -> list[Row]:
    """Check a session by the thresholds of the Allen Institute's pipeline.

    ================== ===================================================================
    samples            no series is empty, and all have one length
    duration           longer than 900 s
    missing            no NaN
    timestamps         the reader found nothing wrong with the clock
    floor              mean dark level of the camera below 265 counts
    sudden change      largest rise from sample to sample below 2,000 counts
    pulses             as many falling as rising pulses, and as many as frames
    frame numbers      step exactly 1
    frame times        intervals of camera and reference clock within 0.2 ms of each other
    motion slope       at most 10; then "pending", for a person must look
    alignment          response to an event in one fiber at least, p < .05
    ================== ===================================================================

    Parameters
    ----------
    series
        Names to check; all but the floors by default.
    fibers
        Columns to check; all by default.
    floors
        Series of the dark level; all whose name holds "floor" by default.
    pulses
        Names of two events, of rising and falling pulses; found by name if not given.
    frame_numbers, frame_times
        Light → frame numbers, and light → (camera time, reference time) in s; from
        `metadata["frame_numbers"]` and `metadata["frame_times"]` if not given.
    event, response
        Event and series (dF/F, after cleaning) of the alignment check: mean of 0 to 0.5 s less mean
        of the 0.5 s before, over events, one-sample t-test.
    slopes
        Fiber → slope of the motion regression.

    Returns
    -------
    list of dict
        {check, channel, value, threshold, status, reason}; status is "pass", "fail" or "pending".
        A check for which the session has nothing is absent.

    Raises
    ------
    DataError
        A series or event that does not exist.

    Examples
    --------
    >>> from isofold import simulate
    >>> rows = quality(simulate.photometry_session(seed=0, duration=120.0, n_fibers=1))
    >>> [(r["check"], r["status"]) for r in rows if r["channel"] in ("470", "470:Fiber_0")][:2]
    [('duration', 'fail'), ('missing', 'pass')]
    """
    names = list(session.series) if series is None else list(series)
    floors = [n for n in session.series if FLOOR.search(n)] if floors is None else list(floors)
    names = [n for n in names if n not in floors]
    rows = [*_lengths(session, names)]
    for name in names:
        rows += [_duration(session, name), *_channels(session, name, fibers)]
        rows += _clock(session, name)
    rows += [_floor(session, name) for name in floors]
    rows += _pulses(session, names, pulses)
    rows += _frame_numbers(frame_numbers or session.metadata.get("frame_numbers") or {})
    rows += _frame_times(frame_times or session.metadata.get("frame_times") or {})
    rows += [_slope(fiber, slope) for fiber, slope in (slopes or {}).items()]
    return rows + (_alignment(session, event, response) if event is not None else [])


def _row(check: str, channel: str, value: Any, threshold: Any, good: bool, reason: str) -> Row:
    return {
        "check": check, "channel": channel, "value": value, "threshold": threshold,
        "status": "pass" if good else "fail", "reason": reason,
    }  # fmt: skip


def _lengths(session: Session, names: Sequence[str]) -> Iterator[Row]:
    times = {name: np.asarray(session.get_series(name).times()) for name in names}
    n = {name: len(t) for name, t in times.items()}
    if n:
        spread = max(n.values()) - min(n.values())
        allowed = int(min(n.values()) > 2 and _alternate(list(times.values())))
        told = ", ".join(f"{k} {v}" for k, v in n.items())
        yield _row(
            "samples", ", ".join(n), spread, allowed, min(n.values()) > 0 and spread <= allowed,
            f"samples: {told}; one length above 0 is expected (lights that alternate: within one)",
        )  # fmt: skip


def _alternate(times: Sequence[NDArray]) -> bool:
    """Whether the lights flash in turn: their first frames are apart, but less than a step."""
    first = np.sort([t[0] for t in times])
    step = sampling_step(times[0])
    return bool((np.diff(first) > 0.1 * step).all() and first[-1] - first[0] < step)


def _duration(session: Session, name: str) -> Row:
    t = np.asarray(session.get_series(name).times())
    seconds = float(t[-1] - t[0]) if len(t) else 0.0
    return _row(
        "duration", name, seconds, SHORTEST, seconds > SHORTEST,
        f"{seconds:.1f} s; more than {SHORTEST:g} s are expected",
    )  # fmt: skip


def _channels(session: Session, name: str, fibers: Sequence[str] | None) -> Iterator[Row]:
    series = session.get_series(name)
    if not len(series.index):
        return
    columns = list(series.columns) if len(series.values.shape) == 2 else [None]
    for k, column in enumerate(columns):
        if column is not None and fibers is not None and str(column) not in fibers:
            continue
        channel = name if column is None else f"{name}:{column}"
        x = read_trace(session, Channel(name, None if column is None else k, channel)).x
        gone = int(np.count_nonzero(~np.isfinite(x)))
        yield _row(
            "missing", channel, gone, 0, gone == 0, f"{gone} of {len(x)} samples are missing"
        )
        step = _largest_rise(x)
        yield _row(
            "sudden change", channel, step, LARGEST_STEP, step < LARGEST_STEP,
            f"largest rise from sample to sample {step:.6g}; below {LARGEST_STEP:g} is expected",
        )  # fmt: skip


def _largest_rise(x: NDArray) -> float:
    """Largest signed difference, without the first ten samples and the last two."""
    most = -np.inf
    for part in chunks(max(len(x) - 13, 0)):
        rise = np.diff(x[10 + part.start : 10 + part.stop + 1].astype(np.float64))
        most = max(most, float(np.max(rise, where=np.isfinite(rise), initial=-np.inf)))
    return most if np.isfinite(most) else 0.0


def _clock(session: Session, name: str) -> Iterator[Row]:
    found = [w for w in session.metadata.get("warnings", []) if w.startswith(f"{name}:")]
    reason = "; ".join(found) or "nothing suspicious in the timestamps"
    yield _row("timestamps", name, len(found), 0, not found, reason)


def _floor(session: Session, name: str) -> Row:
    values = session.get_series(name).values
    total = sum(float(np.nansum(values[p], dtype=np.float64)) for p in chunks(len(values)))
    n = sum(int(np.isfinite(np.asarray(values[p])).sum()) for p in chunks(len(values)))
    mean = total / n if n else np.nan
    return _row(
        "floor", name, mean, HIGHEST_FLOOR, bool(mean < HIGHEST_FLOOR),
        f"mean dark level {mean:.2f}; below {HIGHEST_FLOOR:g} is expected",
    )  # fmt: skip


def _pulses(
    session: Session, names: Sequence[str], pulses: tuple[str, str] | None
) -> Iterator[Row]:
    if pulses is None:
        found = [[e for e in session.events if word in e.lower()] for word in PULSES]
        if any(len(f) != 1 for f in found):
            return
        pulses = found[0][0], found[1][0]
    for name in pulses:
        if name not in session.events:
            raise DataError(f"no event {name!r}; there are {sorted(session.events)}")
    rising, falling = (len(session.events[e]) for e in pulses)
    frames = {len(session.get_series(n).index) for n in names}
    good = rising == falling and (not frames or rising in frames)
    yield _row(
        "pulses", ", ".join(pulses), rising - falling, 0, good,
        f"{rising} rising, {falling} falling pulses; frames: {sorted(frames)}",
    )  # fmt: skip


def _frame_numbers(numbers: Mapping[str, NDArray]) -> Iterator[Row]:
    for light, frames in numbers.items():
        odd = int(np.count_nonzero(np.diff(np.asarray(frames)) != 1))
        yield _row(
            "frame numbers", light, odd, 0, odd == 0, f"{odd} steps of frame numbers are not 1"
        )


def _frame_times(times: Mapping[str, tuple[NDArray, NDArray]]) -> Iterator[Row]:
    for light, (camera, reference) in times.items():
        apart = np.abs(np.diff(camera) - np.diff(reference))
        worst = float(apart.max(initial=0.0))
        yield _row(
            "frame times", light, worst, LARGEST_JITTER, worst < LARGEST_JITTER,
            f"intervals of camera and reference differ by up to {worst * 1e3:.3f} ms",
        )  # fmt: skip


def _slope(fiber: str, slope: float) -> Row:
    row = _row(
        "motion slope", fiber, slope, LARGEST_SLOPE, slope <= LARGEST_SLOPE,
        f"slope of the signal on its control {slope:.4g}",
    )  # fmt: skip
    if row["status"] == "pass":
        row |= {"status": "pending", "reason": f"{row['reason']}; look at the fit"}
    return row


def _alignment(session: Session, event: str, response: str | None) -> list[Row]:
    if event not in session.events:
        raise DataError(f"no event {event!r}; there are {sorted(session.events)}")
    name = response or ("dff" if "dff" in session.series else "")
    series = session.get_series(name)
    p = {str(c): _p_value(series, k, session.events[event]) for k, c in enumerate(_names(series))}
    known = {c: v for c, v in p.items() if np.isfinite(v)}
    best = min(known, key=known.__getitem__) if known else next(iter(p))
    good = bool(known) and known[best] < SIGNIFICANT
    told = ", ".join(f"{c} {v:.3g}" for c, v in p.items())
    return [
        _row("alignment", best, p[best], SIGNIFICANT, good, f"p of a response to {event!r}: {told}")
    ]


def _names(series: Any) -> list[Any]:
    return list(series.columns) if hasattr(series, "columns") else [0]


def _p_value(series: Any, column: int, events: NDArray) -> float:
    """One-sample t-test over events: mean of [0, 0.5) s less mean of [−0.5, 0) s."""
    from scipy.stats import ttest_1samp

    t, values = np.asarray(series.times()), series.values
    change = []
    for e in events:
        a, b, c = np.searchsorted(t, [e - 0.5, e, e + 0.5])
        piece = np.asarray(values[a:c] if values.ndim == 1 else values[a:c, column], np.float64)
        if a < b < c and np.isfinite(piece).all():
            change.append(piece[b - a :].mean() - piece[: b - a].mean())
    if len(change) < 2 or np.ptp(change) == 0:
        return float("nan")
    return float(ttest_1samp(change, 0.0).pvalue)
