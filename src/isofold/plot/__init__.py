"""Figures for Python users, in plotly; the report draws its charts with the same functions.

Every function returns a `plotly.graph_objects.Figure` that can be shown, changed and saved.
Colours can be told apart by colour-blind readers and stand on light and dark ground.
"""

from .channels import channels
from .curves import loss
from .dots import decoding
from .matrix import consistency
from .over_time import over_time
from .points import embedding
from .sweep import sweep
from .traces import traces
from .trials import trials

__all__ = [
    "channels",
    "consistency",
    "decoding",
    "embedding",
    "loss",
    "over_time",
    "sweep",
    "traces",
    "trials",
]
