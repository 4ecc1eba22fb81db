"""Which samples make a positive pair: NumPy only, so that every rule is tested by brute force."""

from .behavior import ContinuousSampler, DiscreteSampler, MixedSampler
from .pool import (
    Layout,
    MemorySource,
    Pool,
    Sampler,
    Source,
    Targets,
    padded_rows,
    padded_size,
)
from .rotating import RotatingSource
from .time import TimeSampler

__all__ = [
    "ContinuousSampler",
    "DiscreteSampler",
    "Layout",
    "MemorySource",
    "MixedSampler",
    "Pool",
    "RotatingSource",
    "Sampler",
    "Source",
    "Targets",
    "TimeSampler",
    "padded_rows",
    "padded_size",
]
