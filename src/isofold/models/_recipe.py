"""What "auto" means: a closed-form function of samples and channels that holds nothing out.

The table stands in docs/choose-a-method.md. Raise `VERSION` with every change: it is saved with the
model, so that old results say which recipe made them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import DataError
from ..networks import Architecture
from ._objectives import OF_TIME, RULES

VERSION = 2

SESSIONS = ("separate", "trunk", "joined")
"""Several recordings: encoders of their own, of their own up to the input layer, or one encoder."""

PRIORS, BALANCES = ("auto", "empirical", "uniform", "trials"), ("samples", "trials")

KEEP = ("validation", "consistency")
"""Which of `n_init` fits is kept: the best on held-out trials, or the one most like the others."""

POOL_ROWS = 16_384
"""Rows of a rotating pool; recordings of more than half as many again are trained on through it."""


def resolve(
    params: dict[str, Any], architecture: Architecture, n_samples: int, n_recordings: int = 1
) -> dict[str, Any]:
    """Settings with every "auto" replaced; `n_samples` of the mean recording."""
    constant = params["learning_rate"] != "auto"
    steps = 25 * round(12 * max(1.0, n_samples / 30_000) ** 0.5)
    auto: dict[str, Any] = {
        "distance": "cosine" if architecture.normalize else "euclidean",
        # A handful of samples holds no pair ten samples apart.
        "time_offsets": min(10, max(1, n_samples // 10)),
        "max_iterations": 10_000 if constant else steps,
        # References of all recordings are compared with the negatives of all.
        "batch_size": 512 if constant else max(1024 // n_recordings, 128),
        # Without unit length the loss has no floor where positives are near: step gently.
        "learning_rate": 2e-2 if architecture.normalize else 2e-3,
        # Few samples are learned by heart; where there are many, whole channels place more finely.
        "channel_dropout": 0.0
        if constant or params["masking_kwargs"]
        else round(0.3 * min(1.0, 2_000 / max(n_samples, 1)) ** 2, 3),
    }
    settings = {k: auto[k] if k in auto and v == "auto" else v for k, v in params.items()}
    settings["schedule"] = "constant" if constant else "one-cycle"
    batch = settings["batch_size"]
    if settings["num_negatives"] == "auto":
        # Half as many negatives as references do as well and cost less.
        settings["num_negatives"] = (
            batch if params["batch_size"] != "auto" or constant else batch // 2
        )
    lags = settings["time_offsets"]
    if isinstance(lags, (tuple, list)) and len(lags) == 1:
        settings["time_offsets"] = lags[0]
    settings["optimizer_kwargs"] = dict(settings["optimizer_kwargs"])
    settings["recipe"] = VERSION
    return settings


def encode_whole(settings: dict[str, Any], n_rows: int, receptive_field: int) -> bool:
    """Is one pass over all rows cheaper than the windows of one step?"""
    if settings["batch_size"] is None:
        return True
    draws = 2 * settings["batch_size"] + settings["num_negatives"]
    return n_rows <= draws * receptive_field


def check(settings: dict[str, Any], architecture: Architecture) -> None:
    """Refuse settings that break a rule, naming the rule and the value."""
    rules = [
        ("criterion", "must be 'infonce'", lambda v: v == "infonce"),
        ("optimizer", "must be 'adam'", lambda v: v == "adam"),
        ("distance", "must be 'cosine' or 'euclidean'", lambda v: v in ("cosine", "euclidean")),
        (
            "conditional",
            f"must be one of {RULES}",
            lambda v: v in RULES,
        ),
        ("temperature_mode", "must be 'constant', 'auto' or 'validation'", _constant_or_auto),
        (
            "temperature",
            "as a list needs temperature_mode='validation'",
            lambda v: not isinstance(v, (list, tuple)),
        ),
        ("temperature", "must be positive", _positive),
        ("min_temperature", "must be positive, or None", lambda v: v is None or _positive(v)),
        ("learning_rate", "must be positive", _positive),
        ("time_offsets", "must be a whole number of samples >= 1", _whole(1)),
        ("max_iterations", "must be a whole number >= 0", _whole(0)),
        ("output_dimension", "must be a whole number >= 1", _whole(1)),
        ("num_hidden_units", "must be a whole number >= 2", _whole(2)),
        ("batch_size", "must be a whole number >= 1, or None", lambda v: v is None or _whole(1)(v)),
        ("num_negatives", "must be a whole number >= 1", lambda v: v is None or _whole(1)(v)),
        ("channel_dropout", "must lie in [0, 1)", lambda v: _number(v) and 0 <= v < 1),
        ("sessions", f"must be one of {SESSIONS}", lambda v: v in SESSIONS),
        ("hybrid_dimensions", "must be a whole number >= 1", _whole(1)),
        ("patience", "must be a whole number >= 1", _whole(1)),
        ("n_init", "must be a whole number >= 1", _whole(1)),
        ("keep", f"must be one of {KEEP}", lambda v: v in KEEP),
        ("jacobian_projections", "must be a whole number >= 0", _whole(0)),
        (
            "validation",
            "must be None or a share of the trials in (0, 1)",
            lambda v: v is None or (_number(v) and 0 < v < 1),
        ),
        ("prior", f"must be one of {PRIORS}", lambda v: v in PRIORS),
        ("balance", f"must be one of {BALANCES}", lambda v: v in BALANCES),
        ("time_window", "must be a whole number of samples >= 0", _whole(0)),
        ("edges", "must be 'replicate' or 'valid'", lambda v: v in ("replicate", "valid")),
    ]
    for name, rule, holds in rules:
        if not holds(settings[name]):
            raise DataError(f"{name} {rule}, got {settings[name]!r}")
    if settings["distance"] == "cosine" and not architecture.normalize:
        raise DataError(
            "distance='cosine' needs a model whose outputs have unit length; "
            f"{settings['model_architecture']!r} does not normalise: use distance='euclidean', or "
            "the model without '-mse'"
        )
    gaussian = ("delta_normal", "delta", "trial_delta", "trial_time_delta")
    if settings["conditional"] in gaussian and not _positive(settings["delta"]):
        raise DataError(
            f"conditional={settings['conditional']!r} needs delta > 0, the standard deviation "
            f"around the reference's label in the label's own unit; got {settings['delta']!r}"
        )
    for entry in settings["objectives"] or ():
        if isinstance(entry, dict):
            check({**settings, **entry, "objectives": None}, architecture)


def check_sessions(settings: dict[str, Any], n_recordings: int) -> None:
    """Refuse what several recordings in one fit do not allow."""
    if settings["sessions"] != "joined":
        return
    if settings["validation"] is not None:
        raise DataError(
            "sessions='joined' needs the labels of all recordings to embed one and has no "
            f"held-out information; got validation={settings['validation']}: give None"
        )
    rules = settings["objectives"]
    found = [one["conditional"] for one in rules]
    if n_recordings < 2 or len(rules) > 1 or found[0] in OF_TIME or settings["batch_size"] is None:
        raise DataError(
            "sessions='joined' puts moments of equal labels of several recordings side by side: it "
            "needs two recordings or more, labels, one objective and a batch_size; got "
            f"{n_recordings} recording(s), conditional {found}, "
            f"batch_size={settings['batch_size']}"
        )


def _constant_or_auto(value: Any) -> bool:
    """By now a temperature has been chosen, so that "validation" stands here no more."""
    return value in ("constant", "auto")


def _number(value: Any) -> bool:
    number = isinstance(value, (int, float, np.integer, np.floating))
    return number and not isinstance(value, bool) and value == value


def _positive(value: Any) -> bool:
    return _number(value) and 0 < value < float("inf")


def _whole(least: int):
    return lambda value: _number(value) and float(value).is_integer() and value >= least
