"""Which latents are trained by which pairs: the objectives that settings and labels ask for."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from ..objectives.schedules import Constant, Linear, RampUp
from ..recording import Recording

RULES = (
    None,
    "time",
    "time_delta",
    "delta_normal",
    "delta",
    "trial_time",
    "trial_delta",
    "trial_time_delta",
)
"""Values of `conditional`; "delta" is the older name of "delta_normal"."""

OF_TIME = ("time", "trial_time")
"""Rules that work without labels."""

OWN = ("conditional", "labels", "dimensions", "weight", "temperature", "distance", "time_offsets",
       "delta", "prior", "same_trial", "balance", "time_window", "fixed_partner")  # fmt: skip
"""What an entry of `objectives` may set; the rest follows the estimator's settings."""


def choose_rule(given: str | None, recording: Recording, labels: Sequence[str]) -> str:
    """The rule that the labels at hand allow."""
    kinds = {recording.kind(name) for name in labels}
    if given in OF_TIME:
        return str(given)
    if not kinds:
        if given == "time_delta":  # as in the `cebra` package, but said
            warnings.warn(
                "conditional='time_delta' without labels trains by time, as conditional='time'; "
                "give labels with fit(X, y) or fit(recording, labels=[...])",
                UserWarning,
                stacklevel=2,
            )
        elif given is not None:
            raise DataError(
                f"conditional={given!r} needs labels: fit(X, y) or fit(recording, labels=[...]); "
                "without labels use conditional='time'"
            )
        return "time"
    if kinds == {"discrete"} and not str(given).startswith("trial_"):
        return "discrete"
    return {"delta": "delta_normal", None: "time_delta"}.get(given, str(given))


def objectives_of(
    settings: dict[str, Any], recording: Recording, labels: Sequence[str]
) -> list[dict[str, Any]]:
    """One entry for every set of positives, all settings filled in."""
    whole = (0, int(settings["output_dimension"]))
    if settings["objectives"] is not None:
        entries = [_checked(entry, n, labels) for n, entry in enumerate(settings["objectives"])]
        _check_cover([e.get("dimensions", whole) for e in entries], whole[1])
    elif settings["hybrid"]:
        entries = _hybrid(settings, labels, whole)
    else:
        entries = [{}]
    found = []
    for entry in entries:
        one: dict[str, Any] = {
            k: settings.get(k) for k in OWN if k not in ("labels", "dimensions", "weight")
        }
        one |= {"labels": list(labels), "dimensions": whole, "weight": 1.0} | entry
        one["conditional"] = choose_rule(one["conditional"], recording, one["labels"])
        if one["conditional"] == "time":
            one["labels"] = []
        if one["prior"] == "auto":
            kinds = {recording.kind(name) == "discrete" for name in one["labels"]}
            one["prior"] = "uniform" if len(kinds) == 2 else "empirical"
        one["dimensions"] = [int(d) for d in one["dimensions"]]
        found.append(one)
    return found


SCHEDULES = {"constant": Constant, "linear": Linear, "ramp": RampUp}


def weight_over(steps: int, given: Any) -> NDArray[np.float64]:
    """Weight of every step: a number, or a table such as {schedule = "ramp", end_weight = 0.1,
    start_step = 100, end_step = 200} (`isofold.objectives.schedules`)."""
    table = dict(given) if isinstance(given, dict) else {"schedule": "constant", "weight": given}
    kind = table.pop("schedule", None)
    if kind not in SCHEDULES or not all(isinstance(v, (int, float)) for v in table.values()):
        raise DataError(
            f"a weight is a number or a table with schedule = one of {sorted(SCHEDULES)}, "
            f"got {given!r}"
        )
    try:
        return SCHEDULES[kind](**table)(np.arange(steps))
    except TypeError as error:
        raise DataError(f"weight {given!r}: {error}") from error


def _hybrid(settings: dict[str, Any], labels: Sequence[str], whole: tuple[int, int]) -> list[dict]:
    """Behaviour on the first latents, time on all."""
    first = settings["hybrid_dimensions"]
    if not labels:
        raise DataError(
            "hybrid=True trains on time and on behaviour and needs labels: fit(X, y) or "
            "fit(recording, labels=[...]); without labels drop hybrid"
        )
    if settings["conditional"] in OF_TIME:
        raise DataError(
            f"hybrid=True already trains on time; conditional={settings['conditional']!r} leaves "
            "behaviour out: drop one of the two"
        )
    if not 1 <= first <= whole[1]:
        raise DataError(
            f"hybrid=True uses the first hybrid_dimensions={first} latents for behaviour; "
            f"output_dimension={whole[1]} is smaller: raise it, or lower hybrid_dimensions"
        )
    if np.shape(settings["hybrid_weights"]) != (2,):
        raise DataError(
            "hybrid_weights are two numbers, for behaviour and for time; got "
            f"{settings['hybrid_weights']!r}"
        )
    behavior, time = settings["hybrid_weights"]
    return [
        {"dimensions": (0, first), "weight": float(behavior)},
        {"conditional": "time", "weight": float(time)},
    ]


def _checked(entry: Any, number: int, labels: Sequence[str]) -> dict[str, Any]:
    unknown = set(entry) - set(OWN) if isinstance(entry, dict) else {repr(entry)}
    if unknown:
        raise DataError(
            f"objectives[{number}] is a table of {list(OWN)}; unknown: {sorted(unknown)}"
        )
    own = entry.get("labels", labels)
    own = [own] if isinstance(own, str) else list(own)
    missing = [name for name in own if name not in labels]
    if missing:
        raise DataError(
            f"objectives[{number}] uses labels {missing} that are not given to fit; name them in "
            f"fit(recording, labels=[...]), now labels={list(labels)}"
        )
    return entry | {"labels": own}


def _check_cover(slices: Sequence[Any], dimension: int) -> None:
    """Slices must be distinct, lie in the embedding, and leave no latent untrained."""
    rule = f"dimensions of objectives are whole numbers (first, last) in 0…{dimension}"
    for one in slices:
        whole = np.shape(one) == (2,) and all(float(d).is_integer() for d in one)
        if not (whole and 0 <= one[0] < one[1] <= dimension):
            raise DataError(f"{rule}, with first < last; got {one}")
    if len({(a, b) for a, b in slices}) < len(slices):
        raise DataError(f"{rule}, each of its own; got {[tuple(s) for s in slices]}")
    covered = {latent for a, b in slices for latent in range(int(a), int(b))}
    missing = sorted(set(range(dimension)) - covered)
    if missing:
        raise DataError(f"{rule}, and together leave no latent untrained; nothing trains {missing}")
