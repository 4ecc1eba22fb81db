"""Several animals: decoding across animals by joint models, and by models aligned afterwards.

python benchmarks/animals.py [--sets 12] [--animals 3] [--laps 30] [--units 30]

Simulated rats on one track: each has its own laps (speed, pauses, drift) and its own place cells;
only the latent, position and direction, is shared. The last third of each rat's laps is held out.
A kNN decoder of position learns from one rat's training laps in the embedding and is tested on
another's held-out laps, for every ordered pair. Joint: one `CEBRA` fitted on all rats, with
separate encoders or with one trunk. Separate: one `CEBRA` a rat, then aligned to the first of the
pair by the orthogonal or the linear (least squares) map between mean embeddings of training
samples in bins of position and direction. The interval resamples sets of rats.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import permutations
from pathlib import Path

import numpy as np
import pandas as pd

import _jobs
import isofold as iso

BINS = 16
SETTINGS = {"output_dimension": 3}


def rats(number: int, given) -> list[iso.Recording]:
    """One set: other laps and other cells for every rat."""
    return [
        replace(
            iso.simulate.place_cells(
                seed=1000 * number + n, n_laps=given.laps, n_units=given.units + 3 * n, pause=0.5
            ),
            name=f"rat {n}",
        )
        for n in range(given.animals)
    ]


def with_direction(recording: iso.Recording) -> iso.Recording:
    """Direction as two columns, so that joint and separate models see continuous labels alike."""
    direction = recording.labels["direction"]
    labels = {
        "position": recording.labels["position"],
        "outbound": (direction == 0).astype(float),
        "inbound": (direction == 1).astype(float),
    }
    return replace(recording, labels=labels, kinds={})


class Part:
    """Embedding inside the laps of one part of a recording, and its labels."""

    def __init__(self, z, recording: iso.Recording):
        inside = recording.trial >= 0
        self.z = np.asarray(z)[inside]
        self.position = recording.labels["position"][inside]
        self.trial = recording.trial[inside]
        bin_ = (self.position / 1.6 * BINS).astype(int).clip(0, BINS - 1)
        self.bin = bin_ + BINS * recording.labels["inbound"][inside].astype(int)

    def means(self) -> pd.DataFrame:
        return pd.DataFrame(self.z).groupby(self.bin).mean()


def aligned(source: Part, target: Part, test: np.ndarray, how: str) -> np.ndarray:
    """`test`, of the source animal, in the space of the target animal."""
    a, b = source.means(), target.means()
    shared = a.index.intersection(b.index)
    x, y = a.loc[shared].to_numpy(), b.loc[shared].to_numpy()
    if how == "orthogonal":
        u, _, v = np.linalg.svd((x - x.mean(0)).T @ (y - y.mean(0)))
        return (test - x.mean(0)) @ (u @ v) + y.mean(0)
    ones = np.ones((len(x), 1))
    weight = np.linalg.lstsq(np.hstack([x, ones]), y, rcond=None)[0]
    return np.hstack([test, np.ones((len(test), 1))]) @ weight


def decode(train: Part, test: Part, z: np.ndarray) -> dict[str, float]:
    score = iso.scores.decode(
        train.z, train.position, z, test.position, groups=(train.trial, test.trial), n_chance=0
    )
    return {"r2": float(score), "error_m": float(score.also["median_error"])}


def fitted(number: int, train, test, **settings) -> tuple[list[Part], list[Part]]:
    """Parts of every rat, embedded by one joint model."""
    labels = list(train[0].labels)
    model = iso.CEBRA(**SETTINGS, **settings, random_state=number).fit(train, labels=labels)
    parts = [
        [Part(z, one) for z, one in zip(model.transform(them), them, strict=True)]
        for them in (train, test)
    ]
    return parts[0], parts[1]


def separate(number: int, train, test) -> tuple[list[Part], list[Part]]:
    each = [fitted(number + n, [a], [b]) for n, (a, b) in enumerate(zip(train, test, strict=True))]
    return [a[0] for a, _ in each], [b[0] for _, b in each]


def one_set(number: int, given) -> dict[str, dict[str, float]]:
    """Mean over ordered pairs of rats of every way's scores."""
    split = [with_direction(rat).split(test=1 / 3) for rat in rats(number, given)]
    train, test = [a for a, _ in split], [b for _, b in split]
    ways: dict[str, tuple[Callable, tuple[str, ...]]] = {
        "joint": (lambda: fitted(number, train, test), ("",)),
        "joint, one trunk": (lambda: fitted(number, train, test, sessions="trunk"), ("",)),
        "separate": (lambda: separate(10 * number, train, test), ("orthogonal", "linear")),
    }
    found = {}
    for name, (fit, maps) in ways.items():
        start = time.perf_counter()
        learned, held = fit()
        seconds = time.perf_counter() - start
        for how in maps:
            scores = []
            for a, b in permutations(range(len(train)), 2):
                z = aligned(learned[b], learned[a], held[b].z, how) if how else held[b].z
                scores.append(decode(learned[a], held[b], z))
            row = pd.DataFrame(scores).mean().to_dict()
            found[f"{name}, {how}" if how else name] = {**row, "seconds": seconds}
    return found


def difference(rows: list[dict], a: str, b: str, measure: str, seed: int = 0) -> dict[str, float]:
    """Mean over sets of a − b, with a 95 % interval that resamples sets."""
    table = pd.DataFrame(rows).pivot(index="set", columns="way", values=measure)
    gap = (table[a] - table[b]).to_numpy()
    draws = np.random.default_rng(seed).choice(gap, (10_000, len(gap))).mean(axis=1)
    low, high = np.percentile(draws, [2.5, 97.5])
    return {"mean": float(gap.mean()), "low": float(low), "high": float(high)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", type=int, default=12)
    parser.add_argument("--animals", type=int, default=3)
    parser.add_argument("--laps", type=int, default=30)
    parser.add_argument("--units", type=int, default=30)
    parser.add_argument("--out", type=Path, default=_jobs.HERE / "results" / "animals.json")
    given = parser.parse_args()
    about = {k: v for k, v in vars(given).items() if k != "out"}
    rows = _jobs.Rows(given.out, **about)
    with tempfile.TemporaryDirectory() as folder:
        iso.enable_cache(folder)
        for number in range(given.sets):
            for way, scores in one_set(number, given).items():
                rows.add(set=number, way=way, **scores)
    done = list(rows.rows)
    if given.sets < 2:
        return
    for joint in ("joint", "joint, one trunk"):
        for other in ("separate, orthogonal", "separate, linear"):
            for measure in ("r2", "error_m"):
                gap = difference(done, joint, other, measure)
                rows.add(way=joint, against=other, measure=measure, **gap)


if __name__ == "__main__":
    main()
