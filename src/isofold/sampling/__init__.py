"""Which samples make a positive pair: NumPy only, so that every rule is tested by brute force."""

from .across import ACROSS_TRIALS, AcrossTrialsSampler
from .behavior import ContinuousSampler, DiscreteSampler, MixedSampler, label_changes
from .pairs import DealtPairs, Draw, JoinedPairs, OwnPairs, Pairs
from .pool import (
    LabelSampler,
    Layout,
    MemorySource,
    Pool,
    Sampler,
    Source,
    Targets,
    padded_rows,
    padded_size,
)
from .query import NO_SAMPLE, Query
from .rotating import TILE, RotatingSource, ahead
from .time import TimeSampler

__all__ = [
    "ACROSS_TRIALS",
    "NO_SAMPLE",
    "TILE",
    "AcrossTrialsSampler",
    "ContinuousSampler",
    "DealtPairs",
    "DiscreteSampler",
    "Draw",
    "JoinedPairs",
    "LabelSampler",
    "Layout",
    "MemorySource",
    "MixedSampler",
    "OwnPairs",
    "Pairs",
    "Pool",
    "Query",
    "RotatingSource",
    "Sampler",
    "Source",
    "Targets",
    "TimeSampler",
    "ahead",
    "label_changes",
    "padded_rows",
    "padded_size",
]
