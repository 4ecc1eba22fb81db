"""Estimators that take no time, for studies in tests. Importable by worker processes."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from uuid import uuid4

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from isofold.models._embedding import as_embedding
from isofold.recording import Recording
from isofold.studies.executor import HereExecutor as Here

__all__ = ["Greedy", "Here", "Rotated", "Slow", "rat"]


class Rotated(BaseEstimator):
    """Random rotation of the first principal axes: other seeds, other coordinates."""

    def __init__(self, output_dimension=2, fail_on_seed=None, random_state=None):
        self.output_dimension = output_dimension
        self.fail_on_seed = fail_on_seed
        self.random_state = random_state

    def fit(self, recording, labels=None):
        if self.random_state == self.fail_on_seed:
            raise ValueError("this seed\nfails")
        x = np.asarray(recording.signal, dtype=float)
        self.mean_ = x.mean(axis=0)
        axes = np.linalg.svd(x - self.mean_, full_matrices=False)[2][: self.output_dimension]
        rng = np.random.default_rng(self.random_state)
        turn = np.linalg.qr(rng.normal(size=(len(axes), len(axes))))[0]
        self.axes_ = turn @ axes
        self.loss_ = np.array([1.0, 0.5])
        self.settings_ = {"output_dimension": self.output_dimension}
        self.fitted_on_ = None if not labels else recording.label(labels[0]).copy()
        return self

    def transform(self, recording):
        z = (np.asarray(recording.signal, dtype=float) - self.mean_) @ self.axes_.T
        return as_embedding(z, recording, np.zeros(len(z), bool), "rotated")

    def save(self, path):
        path.write_bytes(self.axes_.tobytes())


class Slow(Rotated):
    """A fit that takes its time, and says in a file that it began."""

    def __init__(
        self, seconds=0.3, notes=None, output_dimension=2, fail_on_seed=None, random_state=None
    ):
        super().__init__(output_dimension, fail_on_seed, random_state)
        self.seconds, self.notes = seconds, notes

    def fit(self, recording, labels=None):
        if self.notes:
            (Path(self.notes) / f"{self.random_state}-{uuid4().hex}").touch()
        time.sleep(self.seconds)
        return super().fit(recording, labels)


class Greedy(Rotated):
    """A fit that kills its process, or takes all memory, on one seed."""

    def __init__(
        self, how="die", of_seed=1, output_dimension=2, fail_on_seed=None, random_state=None
    ):
        super().__init__(output_dimension, fail_on_seed, random_state)
        self.how, self.of_seed = how, of_seed

    def fit(self, recording, labels=None):
        if self.random_state == self.of_seed:
            if self.how == "die":
                os.kill(os.getpid(), signal.SIGKILL)
            self.taken_ = np.ones((600, 1 << 20), np.uint8)  # 600 MiB
            time.sleep(30)  # a nanny looks ten times a second
        return super().fit(recording, labels)


def rat(name="rat1", n_trials=10, length=40, seed=0, n_channels=6):
    """Laps of a position that the channels see through fixed tuning and noise."""
    rng = np.random.default_rng(seed)
    phase = np.tile(np.linspace(0, 1, length), n_trials)
    centres = rng.permutation(np.linspace(0, 1, n_channels))
    signal = np.exp(-((phase[:, None] - centres) ** 2) / 0.05)
    signal += 0.1 * rng.normal(size=signal.shape)
    start = np.arange(n_trials) * length
    trials = pd.DataFrame({"start": start, "stop": start + length, "lap": np.arange(n_trials) % 2})
    return Recording(signal, rate=20.0, labels={"position": phase}, trials=trials, name=name)
