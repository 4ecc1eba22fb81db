"""Questions asked of single trials: one file a question, on tensors (trial, time, channel)."""

from .compare import Comparison, compare
from .condition_average import condition_average
from .decode_over_time import decode_over_time
from .decode_trials import decode_trials
from .hierarchical_bootstrap import hierarchical_bootstrap
from .outliers import outliers
from .path_distance import path_distance
from .responses import responses
from .trajectories import trajectories
from .variability import variability
from .warp import warp

__all__ = [
    "Comparison",
    "compare",
    "condition_average",
    "decode_over_time",
    "decode_trials",
    "hierarchical_bootstrap",
    "outliers",
    "path_distance",
    "responses",
    "trajectories",
    "variability",
    "warp",
]
