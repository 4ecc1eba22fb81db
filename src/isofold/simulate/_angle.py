"""An angle that advances at an uneven speed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

JITTER = 0.3
"""Standard deviation of the change of log speed over one turn: laps differ, the circle is even."""


def running_angle(n: int, turns_per_sample: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """θ of one trial: the log speed is a stationary AR(1) process with the memory of one turn."""
    memory = np.exp(-turns_per_sample)
    shock = JITTER * rng.standard_normal(n) * np.sqrt(1 - memory**2)
    log_speed = np.empty(n)
    value = JITTER * rng.standard_normal()
    for i in range(n):
        value = memory * value + shock[i]
        log_speed[i] = value
    step = 2 * np.pi * turns_per_sample * np.exp(log_speed - JITTER**2 / 2)
    return rng.uniform(0, 2 * np.pi) + np.cumsum(step)
