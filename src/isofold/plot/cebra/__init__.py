"""The plotting functions of the `cebra` package, by its names.

Names, arguments, defaults, returned types and numbers of axes are those of `cebra` 0.6.1, so that
code that plots with it runs after its import is changed; docs/cebra.md says what differs. New code
does better with `embedding`, `loss`, `consistency` and `overview` of `isofold.plot`, which show
held-out trials, chance and missing values.
"""

from .consistency import plot_consistency
from .curves import compare_models, plot_loss, plot_temperature
from .embedding import plot_embedding
from .interactive import plot_embedding_interactive
from .overview import plot_overview

__all__ = [
    "compare_models",
    "plot_consistency",
    "plot_embedding",
    "plot_embedding_interactive",
    "plot_loss",
    "plot_overview",
    "plot_temperature",
]
