"""Objectives: pure functions of arrays."""

from .infonce import DISTANCES, infonce, similarity
from .jacobian import jacobian_penalty
from .schedules import Constant, Linear, RampUp, Schedule

__all__ = [
    "DISTANCES",
    "Constant",
    "Linear",
    "RampUp",
    "Schedule",
    "infonce",
    "jacobian_penalty",
    "similarity",
]
