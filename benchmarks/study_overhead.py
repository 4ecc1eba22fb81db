"""What a study costs beside its fits: time of tiny runs, and what a second process brings.

    python benchmarks/study_overhead.py [--runs 2000] [--workers 2] [--fits 40]

The first number is wall time without start-up, over the number of runs that do almost nothing; the
start-up is what a study of one run takes. The second is the time of runs that compute for half a
second, in one process over that in two.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from isofold import Recording, Study, run
from isofold.models._embedding import as_embedding


class Busy(BaseEstimator):
    """The first channels as they are, after so many seconds of work on one processor."""

    def __init__(self, seconds=0.0, random_state=None):
        self.seconds = seconds
        self.random_state = random_state

    def fit(self, recording, labels=None):
        rng = np.random.default_rng(self.random_state)
        left = self.seconds
        while left > 1e-6:  # axes of settings that do nothing
            start = time.process_time()
            np.sort(rng.normal(size=200_000))
            left -= time.process_time() - start
        return self

    def transform(self, recording):
        z = np.asarray(recording.signal)[:, :2]
        return as_embedding(z, recording, np.zeros(len(z), bool), "busy")


def study(n_runs: int, seconds: float) -> Study:
    x = np.tile(np.linspace(0, 1, 50), 10)
    start = np.arange(10) * 50
    trials = pd.DataFrame({"start": start, "stop": start + 50})
    recording = Recording(
        np.c_[x, 1 - x, x**2], rate=20.0, labels={"x": x}, trials=trials, name="rat"
    )
    n_seeds = min(n_runs, 20)
    method = {
        "method": "busy",
        "grid": {
            "seconds": list(seconds + np.arange(n_runs // n_seeds) / 1e5)
        },  # names tell them apart
    }
    decode = {"score": "decode", "label": "x", "decoder": "ridge", "alpha": 1.0, "n_chance": 0}
    return Study(
        "overhead",
        [recording],
        [method],
        seeds=range(n_seeds),
        scores=[decode],
        estimators={"busy": Busy},
    )


def seconds_of(n_runs: int, seconds: float, workers: int) -> tuple[float, float]:
    """Wall time of a study, and of what comes after its runs."""
    ends: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        run(
            study(n_runs, seconds),
            Path(folder) / "out",
            workers=workers,
            progress=lambda *now: ends.append(time.perf_counter()),
        )
        end = time.perf_counter()
    return end - start, end - ends[-1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--fits", type=int, default=40)
    given = parser.parse_args()
    start_up, _ = seconds_of(1, 0.0, given.workers)
    wall, after = seconds_of(given.runs, 0.0, given.workers)
    each = (wall - start_up) / given.runs * 1e3
    print(
        f"{given.runs} tiny runs, {given.workers} processes: {wall:.1f} s, of which start-up "
        f"{start_up:.1f} s, tables and page {after:.1f} s: {each:.1f} ms a run"
    )
    if given.fits:
        one, two = (seconds_of(given.fits, 0.5, n)[0] for n in (1, 2))
        print(
            f"{given.fits} runs of 0.5 s: {one:.1f} s in one process, {two:.1f} s in two: "
            f"{(one - start_up) / (two - start_up):.2f} x"
        )


if __name__ == "__main__":
    main()
