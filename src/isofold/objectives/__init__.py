"""Objectives: pure functions of arrays."""

from . import evidence, gaussian, observation
from .gaussian import Gaussian
from .infonce import DISTANCES, infonce, similarity
from .jacobian import jacobian_penalty
from .schedules import Constant, Linear, RampUp, Schedule

__all__ = [
    "DISTANCES",
    "Constant",
    "Gaussian",
    "Linear",
    "RampUp",
    "Schedule",
    "evidence",
    "gaussian",
    "infonce",
    "jacobian_penalty",
    "observation",
    "similarity",
]
