"""The one training loop, and what it trains: contrast between pairs, or the evidence of a model."""

from .._cache import enable_cache
from .chunk import Fixed, run_chunk
from .contrast import Plan, Trained, train
from .contrast_step import Hyper, Program, encode_at
from .encoding import encode, encode_joined
from .loop import CHUNK, one_cycle

__all__ = [
    "CHUNK",
    "Fixed",
    "Hyper",
    "Plan",
    "Program",
    "Trained",
    "enable_cache",
    "encode",
    "encode_at",
    "encode_joined",
    "one_cycle",
    "run_chunk",
    "train",
]
