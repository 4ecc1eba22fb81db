"""Objectives: pure functions of arrays."""

from .infonce import DISTANCES, infonce, similarity

__all__ = ["DISTANCES", "infonce", "similarity"]
