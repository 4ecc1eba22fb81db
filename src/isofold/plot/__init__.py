"""Figures for Python users; the report draws its charts with the same functions.

Every function returns a `plotly.graph_objects.Figure` that can be shown, changed and saved; with
`backend="matplotlib"` a `matplotlib.figure.Figure`, or the axes given as `ax`. Colours can be told
apart by colour-blind readers and stand on light and dark ground.
"""

from ._backend import either_backend
from .channels import channels as _channels
from .curves import loss as _loss
from .dimension import dimension as _dimension
from .dots import decoding as _decoding
from .matrix import consistency as _consistency
from .over_time import over_time as _over_time
from .overview import overview as _overview
from .points import embedding as _embedding
from .save import save
from .sweep import sweep as _sweep
from .traces import traces as _traces
from .trials import trials as _trials

channels = either_backend(_channels)
consistency = either_backend(_consistency)
decoding = either_backend(_decoding)
dimension = either_backend(_dimension)
embedding = either_backend(_embedding)
loss = either_backend(_loss)
over_time = either_backend(_over_time)
overview = either_backend(_overview)
sweep = either_backend(_sweep)
traces = either_backend(_traces)
trials = either_backend(_trials)

__all__ = [
    "channels",
    "consistency",
    "decoding",
    "dimension",
    "embedding",
    "loss",
    "over_time",
    "overview",
    "save",
    "sweep",
    "traces",
    "trials",
]
