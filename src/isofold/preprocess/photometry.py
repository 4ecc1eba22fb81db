"""Photometry: raw fluorescence of every fiber to dF/F without bleaching and motion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from ..session import Session
from ._clean import Cleaned, Settings, clean_fiber
from ._columns import Columns
from ._epoch import inside_epoch, plain_epoch
from ._filters import clock_of, stretches
from ._traces import Channel, Trace, channels, on_clock, read_trace
from .bleaching import MODELS, options_of
from .motion import check_method
from .quality import quality
from .standard_score import standard_score

TO = {
    "dff": None,
    "zscore": "standard",
    "baseline-zscore": "baseline",
    "modified-zscore": "modified",
}


def photometry(
    session: Session,
    signal: str = "470",
    control: str | None = "415",
    *,
    fibers: Sequence[str] | None = None,
    bleaching: str = "bright",
    options: Mapping[str, Any] | None = None,
    motion: str = "irls-asymmetric",
    motion_cutoff: float | None = 0.05,
    noise_cutoff: float | None = 3.0,
    epoch: Any = None,
    warm_up: float = 5.0,
    to: str = "dff",
    baseline: Any = None,
    prefix: str = "",
    scratch: str | Path | None = None,
) -> Session:
    """Remove bleaching, then motion, from every fiber.

    Per fiber and channel F₀ is fitted (`fit_bleaching`) and dF/F made of it (`dff`); then

        dff = low-pass(dff_uncorrected − motion),   motion = slope · (control dF/F − its mean),

    with the slope of a regression of slow dF/F on slow control dF/F (`fit_motion`). The control is
    interpolated to the signal's clock first; where its nearest sample is missing, that one sample
    of the result is NaN.

    Parameters
    ----------
    signal, control
        Names of series whose columns are fibers, or patterns such as "G_*" and "Iso_*" of series of
        one channel each, paired by what the star stands for. The control may be isosbestic or red.
        None, or "" where a study file says it: corrects bleaching only.
    fibers
        Columns to take, or what the star stands for; all by default.
    bleaching, options
        Model of F₀ and its settings, see `fit_bleaching`; or "control": F₀ = a + b · control fitted
        to the raw signal, and dff = F / F₀ − 1.
    motion, motion_cutoff
        Method of regression and the frequency in Hz below which it looks, see `fit_motion`.
    noise_cutoff
        Hz; the result is low-passed there if that is below half the sampling rate. None: never.
    epoch
        Where the regression may look: (start, stop) in s, a table with start and stop, or the name
        of one. All of the recording by default.
    warm_up
        Seconds at the start that are not fitted; there the result holds its first later value.
    to
        "dff", or also a series `zscore`: "zscore", "baseline-zscore" (of the stretch `baseline`,
        given like `epoch`) or "modified-zscore", see `standard_score`.
    prefix
        Put before the names of the series that are added, for a second pair of channels.
    scratch
        Folder in which results are kept as files instead of in memory (long recordings).

    Returns
    -------
    Session
        With the series `dff`, `dff_uncorrected`, `baseline` (F₀ in units of the signal) and
        `motion` (what was subtracted, ΔF/F; absent without a control), time × fiber on the
        signal's clock; `metadata["quality"]`, see `quality`; and all settings and fitted parameters
        in `provenance`. A fiber of which nothing can be made is NaN and named in
        `metadata["warnings"]`.

    Raises
    ------
    DataError
        Names, fibers, models or methods that do not exist; a fiber without its control.

    Notes
    -----
    Defaults are those of the Allen Institute's pipeline (aind-fip-dff, 2026-05), with which results
    agree. Which baseline is best for which bleaching: `benchmarks/results/photometry_error.md`.

    Examples
    --------
    >>> from isofold import simulate
    >>> raw = simulate.photometry_session(seed=0, duration=120.0, n_fibers=1)
    >>> clean = photometry(raw, "470", "415", bleaching="exp")
    >>> [name for name in clean.series if name not in raw.series]
    ['dff', 'dff_uncorrected', 'baseline', 'motion']
    """
    control = control or None
    settings = _settings(bleaching, options, motion, motion_cutoff, noise_cutoff, warm_up)
    pairs = _pairs(session, signal, control, fibers, settings)
    zscore = _zscore(to, baseline)
    first = session.get_series(next(iter(pairs.values()))[0].series)
    t = np.asarray(first.times())
    used = None if epoch is None else inside_epoch(session, epoch, t)
    window = None if baseline is None else inside_epoch(session, baseline, t)
    columns = Columns(_added(settings, control, zscore), len(t), list(pairs), scratch)
    fits: dict[str, Any] = {}
    slopes: dict[str, float] = {}
    dead: list[str] = []
    for k, (fiber, pair) in enumerate(pairs.items()):
        cleaned = _cleaned(session, *pair, t, settings, used)
        _put(columns, k, cleaned, zscore, window)
        fits[fiber] = cleaned.notes
        if cleaned.dead:
            dead.append(f"{pair[0].series}: fiber {fiber}: {cleaned.dead}; its result is NaN")
        if cleaned.slope is not None:
            slopes[fiber] = cleaned.slope
        del cleaned  # or it would stay while the next fiber is worked on
    step = {
        "step": "photometry", "signal": signal, "control": control, **asdict(settings),
        "epoch": plain_epoch(epoch), "to": to, "baseline": plain_epoch(baseline),
        "prefix": prefix, "fibers": fits,
    }  # fmt: skip
    return replace(
        session,
        series={**session.series, **{prefix + k: v for k, v in columns.series(first).items()}},
        metadata=_noted(session, pairs, dead, slopes),
        provenance=(*session.provenance, step),
    )


Pair = tuple[Channel, Channel | None]


def _settings(
    bleaching: str,
    options: Mapping[str, Any] | None,
    motion: str,
    motion_cutoff: float | None,
    noise_cutoff: float | None,
    warm_up: float,
) -> Settings:
    check_method(motion)
    if bleaching not in (*MODELS, "control"):
        raise DataError(f"bleaching must be one of {(*MODELS, 'control')}, got {bleaching!r}")
    resolved = (
        dict(options or {}) if bleaching == "control" else options_of(bleaching, options or {})
    )
    if bleaching == "control" and (resolved or motion == "none"):
        raise DataError(
            'bleaching="control" has no options of its own and needs a motion method other than '
            f'"none" for its line; got options={options!r}, motion={motion!r}'
        )
    for name, value in {"motion_cutoff": motion_cutoff, "noise_cutoff": noise_cutoff}.items():
        if value is not None and not (np.isfinite(value) and value > 0):
            raise DataError(f"{name} is a frequency in Hz above 0, or None; got {value!r}")
    if not (np.isfinite(warm_up) and warm_up >= 0):
        raise DataError(f"warm_up is a time in seconds, 0 or more; got {warm_up!r}")
    return Settings(bleaching, resolved, motion, motion_cutoff, noise_cutoff, float(warm_up))


def _zscore(to: str, baseline: Any) -> str | None:
    if to not in TO:
        raise DataError(f"to must be one of {list(TO)}, got {to!r}")
    if (baseline is not None) != (to == "baseline-zscore"):
        raise DataError(
            f'baseline= goes with to="baseline-zscore", and only with it; got to={to!r}'
        )
    return TO[to]


def _pairs(
    session: Session,
    signal: str,
    control: str | None,
    fibers: Sequence[str] | None,
    settings: Settings,
) -> dict[str, Pair]:
    """Signal and control of every fiber that both have."""
    own = channels(session, signal)
    chosen = list(own) if fibers is None else [str(f) for f in fibers]
    absent = [f for f in chosen if f not in own]
    if absent or not chosen:
        raise DataError(f"{signal!r} has the fibers {list(own)}; asked for {absent or chosen}")
    if control is None:
        if settings.bleaching == "control":
            raise DataError('bleaching="control" needs a control; control=None has none')
        return {f: (own[f], None) for f in chosen}
    other = channels(session, control)
    if len(own) == len(other) == 1:  # two series of one channel need no common name
        other = dict(zip(own, other.values(), strict=True))
    absent = [f for f in chosen if f not in other]
    if absent:
        raise DataError(
            f"every fiber of {signal!r} needs its control in {control!r}, which has {list(other)}; "
            f"missing: {absent}. Choose fibers=..., or control=None"
        )
    return {f: (own[f], other[f]) for f in chosen}


def _cleaned(
    session: Session,
    own: Channel,
    other: Channel | None,
    t: NDArray,
    settings: Settings,
    used: NDArray | None,
) -> Cleaned:
    """One fiber on the clock t."""
    signal = read_trace(session, own)
    if len(signal.t) != len(t) or not np.array_equal(signal.t, t):
        signal = Trace(t, on_clock(signal, t), *_clock(t))
    control = None
    if other is not None:
        control = replace(signal, x=on_clock(read_trace(session, other), t))
    return clean_fiber(signal, control, settings, used)


def _clock(t: NDArray) -> tuple[float, list[slice]]:
    return 1 / clock_of(t)[0], stretches(t)


def _added(settings: Settings, control: str | None, zscore: str | None) -> list[str]:
    corrected = control is not None and settings.motion != "none"
    names = ["dff", "dff_uncorrected", "baseline", *(["motion"] if corrected else [])]
    return names + (["zscore"] if zscore else [])


def _put(
    columns: Columns, k: int, cleaned: Cleaned, zscore: str | None, window: NDArray | None
) -> None:
    for name in columns.names:
        if name != "zscore":
            columns.put(name, k, getattr(cleaned, name))
        elif np.isfinite(cleaned.dff).any():
            columns.put(name, k, standard_score(cleaned.dff, zscore or "standard", window))
        else:
            columns.put(name, k, cleaned.dff)


def _noted(
    session: Session, pairs: Mapping[str, Pair], dead: list[str], slopes: Mapping[str, float]
) -> dict[str, Any]:
    names = dict.fromkeys(c.series for pair in pairs.values() for c in pair if c is not None)
    rows = quality(session, series=list(names), fibers=list(pairs), slopes=slopes)
    warnings = [*session.metadata.get("warnings", []), *dead]
    return {**session.metadata, "quality": rows} | ({"warnings": warnings} if warnings else {})
