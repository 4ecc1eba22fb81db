"""What "auto" means for the VAEs, and which settings are allowed."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import DataError
from ..networks import ACTIVATIONS, DECODERS, OBSERVATIONS, get_architecture
from ._label_code import OF_TIME
from ._recipe import _number, _positive, _whole

VERSION = 1

ENCODERS = ("mlp", "conv", "smooth")
TARGETS = ("centre", "window")
PRIORS = ("labels", *OF_TIME, "none")
OBJECTIVES = ("direct", "elbo", "ci", "released")


def resolve(params: dict[str, Any], n_samples: int, rate: float) -> dict[str, Any]:
    """Settings with every "auto" replaced; `n_samples` of the mean recording."""
    for name, least in (("batch_size", 1), ("max_iterations", 0)):
        if params[name] != "auto" and not _whole(least)(params[name]):
            raise DataError(f"{name} must be a whole number >= {least}, got {params[name]!r}")
    constant = params["learning_rate"] != "auto"
    batch = params["batch_size"]
    batch = 128 if batch == "auto" else int(batch)
    batch = min(batch, n_samples)
    if params["max_iterations"] != "auto":
        steps = int(params["max_iterations"])
    else:
        epochs = 600 if constant else 48
        steps = int(np.clip(25 * round(epochs * n_samples / batch / 25), 1_500, 20_000))
    auto: dict[str, Any] = {
        "learning_rate": 3e-3,
        # A latent that is free at first unfolds; the prior pulls it into shape afterwards. Without
        # this, fits end folded (simulated pi-VAE data: R² .84 against .93 of the truth).
        "warm_up": 2 * steps // 3,
        "smoothing": 2.5 / rate,
        "activation": "gelu",
    }
    settings = {k: auto[k] if k in auto and v == "auto" else v for k, v in params.items()}
    settings |= {"batch_size": batch, "max_iterations": steps, "recipe": VERSION, "rate": rate}
    settings["sessions"] = "separate"
    settings["schedule"] = "constant" if constant else "one-cycle"
    return settings


def check(settings: dict[str, Any]) -> None:
    """Refuse settings that break a rule, naming the rule and the value."""
    one_of = {
        "encoder": ENCODERS, "observation": OBSERVATIONS, "decoder": DECODERS, "target": TARGETS,
        "prior": PRIORS, "objective": OBJECTIVES, "activation": tuple(sorted(ACTIVATIONS)),
    }  # fmt: skip
    for name, known in one_of.items():
        if settings[name] not in known:
            raise DataError(f"{name} must be one of {known}, got {settings[name]!r}")
    rules = [
        ("output_dimension", "must be a whole number >= 1", _whole(1)),
        ("num_hidden_units", "must be a whole number >= 2", _whole(2)),
        ("learning_rate", "must be positive", _positive),
        ("gradient_clip", "must be positive", _positive),
        ("smoothing", "must be a positive time in seconds", _positive),
        ("beta", "must be 0 or more", lambda v: _number(v) and 0 <= v < float("inf")),
        ("warm_up", "must be a whole number of steps >= 0", _whole(0)),
        ("n_init", "must be a whole number >= 1", _whole(1)),
        ("patience", "must be a whole number >= 1", _whole(1)),
        ("mixture_draws", "must be a whole number >= 1", _whole(1)),
        ("encoder_hidden", "must be widths of layers, like (60, 60)", _widths),
        ("prior_hidden", "must be widths of layers, like (20, 20)", _widths),
        ("decoder_hidden", "must be None or a width >= 1", lambda v: v is None or _whole(1)(v)),
        (
            "validation",
            "must be None or a share of the trials in (0, 1)",
            lambda v: v is None or (_number(v) and 0 < v < 1),
        ),
    ]
    for name, rule, holds in rules:
        if name in settings and not holds(settings[name]):
            raise DataError(f"{name} {rule}, got {settings[name]!r}")
    if settings["target"] == "window" and settings["encoder"] != "conv":
        raise DataError(
            "target='window' explains the window that the encoder sees: it needs encoder='conv', "
            f"got encoder={settings['encoder']!r}; use target='centre'"
        )
    labelled = settings["objective"] == "direct" and settings["prior"] != "none"
    if labelled and settings["encoder"] == "conv":
        raise DataError(
            "an encoder of signal and label (objective='direct') is 'mlp' or 'smooth', got "
            "encoder='conv'; use PiVAE or CIiVAE"
        )
    if settings["encoder"] == "conv":
        get_architecture(settings["model_architecture"])


def _widths(value: Any) -> bool:
    return isinstance(value, (tuple, list)) and all(_whole(1)(v) for v in value)
