"""What a fitted model says of its own latents, as a run keeps it."""

from __future__ import annotations

import math
from typing import Any

from ..errors import IsofoldError
from ..recording import Recording

NUMBERS = ("label_swap", "weight_at_zero", "weight_at_one", "rank", "rank_needed", "condition")
"""Of `Diagnosis`, beside its `latents` and `verdict`."""


def diagnosis(model: Any, test: Recording) -> dict[str, Any] | None:
    """`model.diagnose` on held-out trials as plain data, NaN as None; None where there is none."""
    if not hasattr(model, "diagnose"):
        return None
    try:
        found = model.diagnose(test)
    except IsofoldError as error:  # a model that cannot be looked at is still a model
        return {"latents": [], "verdict": [f"Not diagnosed: {error}"]}
    latents = [
        {str(k): _plain(v) for k, v in row.items()} for row in found.latents.to_dict("records")
    ]
    numbers = {name: _plain(getattr(found, name)) for name in NUMBERS}
    return {"latents": latents, **numbers, "verdict": list(found.verdict)}


def _plain(value: Any) -> Any:
    value = value.item() if hasattr(value, "item") else value
    return None if isinstance(value, float) and not math.isfinite(value) else value
