"""Traces with what a fiber shows, and the plain transcription they are compared with."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[2]


def plain():
    """benchmarks/peers/photometry_plain.py as a module."""
    path = ROOT / "benchmarks" / "peers" / "photometry_plain.py"
    spec = importlib.util.spec_from_file_location("photometry_plain", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def traces(seed=0, minutes=20.0, rate=20.0, brightening=0.08, rapid=0.05):
    """(t, signal, control) of one fiber: three exponentials, brightening, transients, motion."""
    from scipy.ndimage import gaussian_filter1d

    rng = np.random.default_rng(seed)
    n = int(minutes * 60 * rate)
    t = np.arange(n) / rate
    shape = np.exp(-np.arange(0, 5, 1 / rate))
    activity = (rng.random(n) < 0.1 / rate) * rng.exponential(0.04, n)
    activity = np.convolve(activity, shape)[:n]
    motion = gaussian_filter1d(rng.standard_normal(n), 4 * rate)
    motion *= 0.01 / motion.std()

    def f0(size):
        down = 1 + 0.35 * np.exp(-t / 2500) + 0.15 * np.exp(-t / 200) + rapid * np.exp(-t / 30)
        return size * down * (1 - brightening * np.exp(-t / 900))

    signal = f0(300) * (1 + activity + motion) + rng.standard_normal(n)
    control = f0(200) * (1 + 0.7 * motion) + rng.standard_normal(n)
    return t, signal, control
