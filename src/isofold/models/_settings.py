"""From an estimator's parameters and its input to the settings of a fit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from . import _encoders, _recipe
from ._dropin import label_types
from ._inputs import Inputs
from ._objectives import objectives_of


def settings_of(model: Any, inputs: Sequence[Inputs]) -> dict[str, Any]:
    """Every setting of a fit with these recordings, "auto" resolved, or an error."""
    params = model.get_params(deep=False)
    if model.temperature_mode == "validation":  # chosen by the fit that this one goes on from
        chosen = getattr(model, "temperature_", 1.0)
        params |= {"temperature": chosen, "temperature_mode": "constant"}
    if params["model_architecture"] == "auto":
        params["model_architecture"] = "offset10-model"
    architecture = _encoders.architecture_of(params, inputs[0].recording.n_channels)
    n_samples = int(np.mean([len(one.recording) for one in inputs]))
    settings = _recipe.resolve(params, architecture, n_samples, len(inputs))
    _recipe.check(settings, architecture)
    first = inputs[0]
    settings["objectives"] = objectives_of(settings, first.recording, first.labels)
    settings |= {key: settings["objectives"][0][key] for key in ("conditional", "prior")}
    used = {name for one in settings["objectives"] for name in one["labels"]}
    settings["labels"] = [name for name in first.labels if name in used]
    settings["label_types"] = label_types(first.recording, first.labels)
    _recipe.check_sessions(settings, len(inputs))
    return settings
