"""Scores: one file per question asked of an embedding. They know no model class."""

from .chance import blocks, surrogate, surrogate_within
from .consistency import consistency
from .bayes import PoissonBayes
from .decode import decode
from .score import Score

__all__ = ["PoissonBayes", "Score", "blocks", "consistency", "decode", "surrogate", "surrogate_within"]
