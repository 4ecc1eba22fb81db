"""Sums of exponentials, and bleaching times brightening: values and derivatives."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

HIGHEST_EXPONENT = 50.0
"""A search may try a curve that grows: it must lose, not overflow."""


def decay(t: Floats, rate: float) -> Floats:
    """e^(−rate · t)."""
    return np.exp(np.minimum(-rate * t, HIGHEST_EXPONENT))


def exponentials(x: Floats, t: Floats) -> Floats:
    """Σ x[2k] e^(−x[2k+1] t), plus the last entry where their number is odd."""
    constant = x[-1] if len(x) % 2 else 0.0
    pairs = zip(x[0 : len(x) - 1 : 2], x[1::2], strict=True)
    return sum((a * decay(t, b) for a, b in pairs), np.full(len(t), constant))


def exponentials_jacobian(x: Floats, t: Floats) -> Floats:
    """(time, parameter) derivative of `exponentials`."""
    out = np.ones((len(t), len(x)))
    for k in range(0, len(x) - 1, 2):
        out[:, k] = decay(t, x[k + 1])
        out[:, k + 1] = -x[k] * t * out[:, k]
    return out


class Bright(NamedTuple):
    """b_inf (1 + Σ b e^(−t/τ)) (1 − b_bright e^(−t/t_bright)); a term that is absent has b = 0.

    Times in seconds.
    """

    b_inf: float
    b_slow: float
    b_fast: float
    b_rapid: float = 0.0
    b_bright: float = 0.0
    t_slow: float = np.inf
    t_fast: float = np.inf
    t_rapid: float = np.inf
    t_bright: float = np.inf

    def at(self, t: Floats) -> Floats:
        """The curve at times t."""
        return self.b_inf * self.bleaching(t) * self.brightening(t)

    def bleaching(self, t: Floats) -> Floats:
        return np.add(1.0, sum(b * decay(t, 1 / tau) for b, tau in self.terms() if b != 0))

    def brightening(self, t: Floats) -> Floats:
        if self.b_bright == 0:
            return np.ones(len(t))
        return 1.0 - self.b_bright * decay(t, 1 / self.t_bright)

    def terms(self) -> list[tuple[float, float]]:
        """(amplitude, time constant) of the bleaching."""
        return [
            (self.b_slow, self.t_slow),
            (self.b_fast, self.t_fast),
            (self.b_rapid, self.t_rapid),
        ]

    def jacobian(self, t: Floats, names: tuple[str, ...]) -> Floats:
        """(time, name) derivatives by amplitudes and by log time constants."""
        down, up = self.bleaching(t), self.brightening(t)
        columns = {"b_inf": down * up}
        for kind, (b, tau) in zip(("slow", "fast", "rapid"), self.terms(), strict=True):
            if f"b_{kind}" in names:
                gone = self.b_inf * up * decay(t, 1 / tau)
                columns |= {f"b_{kind}": gone, f"t_{kind}": b * gone * t / tau}
        if "b_bright" in names:
            gone = -self.b_inf * down * decay(t, 1 / self.t_bright)
            columns |= {"b_bright": gone, "t_bright": self.b_bright * gone * t / self.t_bright}
        return np.column_stack([columns[name] for name in names])
