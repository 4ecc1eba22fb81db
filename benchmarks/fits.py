"""A default fit of isofold against the published recipe of the `cebra` package, on a real rat.

python benchmarks/fits_against_cebra.py LINEAR_TRACK.nwb [--folds 3]

25 ms counts of the running laps, whole laps held out in blocks. The peer runs its published recipe
(offset10-model, 3-D, time_offsets 10, batch 512, rate 3e-4, 5,000 steps), and an oracle that its
users do not have: the best of rates {3e-4, 1e-3, 3e-3} and of ten checkpoints by held-out InfoNCE.
isofold runs with everything at "auto", on the same plain arrays, and as its users run it, with
trials as walls; each with an empty and with a filled cache of compiled programs. One evaluation
serves all: InfoNCE of pairs drawn inside held-out laps, kNN decoding, consistency between seeds.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

import _jobs
import isofold as iso
from isofold._step import information
from isofold.models._contrast import pair_sampler
from isofold.models._inputs import targets_of
from isofold.sampling import Layout

STEPS, EVERY = 5000, 500
RATES = (3e-4, 1e-3, 3e-3)
COLUMNS = ["position", "right", "left"]
RULES = {"time": "time", "behavior": "time_delta"}


def rat(path: str) -> iso.Recording:
    """Running laps at 25 ms, with direction as two columns, as the peer's papers give it."""
    found = iso.read(path).restrict("running").bin(0.025, labels=["position", "direction"])
    right = found.label("direction") == "right"
    labels = {"position": found.labels["position"], "right": right.astype(float)}
    labels["left"] = 1 - labels["right"]
    return replace(found, labels=labels, kinds={})


def held_out_bits(z: np.ndarray, test: iso.Recording, mode: str) -> float:
    """log2(512) − InfoNCE of an embedding of the held-out laps at temperature 1."""
    start, stop = test.segments["start"].to_numpy(), test.segments["stop"].to_numpy()
    targets = targets_of(test, COLUMNS if mode == "behavior" else [])
    layout = Layout(z, start, stop, (0, 1), targets, len(z), z.shape[1])
    pool = layout.lay(start, stop, np.arange(len(start)))
    pairs = pair_sampler(pool, {"conditional": RULES[mode], "time_offsets": 10, "delta": None})
    rng = np.random.default_rng(0)
    reference = pairs.references(rng, (100, 512))
    positive, negative = pairs.positives(rng, reference), pairs.negatives(rng, (100, 512))
    index = (pool.rows[i] for i in (reference, positive, negative))
    return float(np.mean(information(*index, 1.0, distance="cosine")))


class Fold:
    """One split: plain arrays for both packages, and the one evaluation."""

    def __init__(self, recording: iso.Recording, folds: int, number: int, folder: Path):
        self.train, self.test = recording.folds(folds)[number]
        self.test_rows = np.isin(recording.trial, self.test.trials.index)
        self.train_rows = ~self.test_rows
        self.position, self.trial = recording.labels["position"], recording.trial
        self.path = folder / f"fold{number}.npz"
        x = np.asarray(recording.signal, np.float32)
        y = np.stack([recording.labels[c] for c in COLUMNS], axis=1)
        np.savez(self.path, train=x[self.train_rows], everything=x, y=y[self.train_rows])

    def measure(self, z: np.ndarray, mode: str) -> dict[str, float]:
        decoded = iso.scores.decode(
            z[self.train_rows], self.position[self.train_rows],
            z[self.test_rows], self.position[self.test_rows],
            groups=(self.trial[self.train_rows], self.trial[self.test_rows]), n_chance=0,
        )  # fmt: skip
        return {
            "bits": held_out_bits(z[self.test_rows], self.test, mode),
            "r2": float(decoded),
            "error_px": float(decoded.also["median_error"]),
        }

    def consistency(self, zs: list[np.ndarray]) -> float:
        # Laps alternate in direction: halves are dealt in pairs of laps.
        pair = np.unique(self.trial[self.test_rows], return_inverse=True)[1] // 2
        zs = [z[self.test_rows] for z in zs]
        return float(iso.scores.consistency(zs, groups=pair, n_chance=0))


def peer(fold: Fold, mode: str, seed: int, rate: float) -> dict:
    job = {"data": str(fold.path), "mode": mode, "rate": rate, "steps": STEPS, "every": EVERY}
    done = _jobs.run("cebra", {**job, "seed": seed, "warm": False})
    checkpoints = [fold.measure(z, mode) for z in done["embeddings"]]
    best = int(np.argmax([c["bits"] for c in checkpoints]))
    return {
        "seconds": float(done["seconds"]),
        "last": checkpoints[-1],
        "best": {**checkpoints[best], "steps": (best + 1) * EVERY},
        "z": done["embeddings"][-1],
    }


def ours(source: dict, fold: Fold, mode: str, seed: int, caches: Path) -> dict:
    """Cold, then warm: the same fit in two fresh processes on one cache."""
    cache = caches / f"{mode}-{seed}-{'-'.join(source)}-{fold.path.stem}"
    job = {**source, "mode": mode, "seed": seed, "warm": False, "cache": str(cache)}
    cold = _jobs.run("isofold", job)
    warm = _jobs.run("isofold", job)
    assert (cold["embeddings"] == warm["embeddings"]).all(), "same seed, same bits"
    z = warm["embeddings"][0]
    return {
        "cold_s": float(cold["seconds"]),
        "warm_s": float(warm["seconds"]),
        "last": fold.measure(z, mode),
        "z": z,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("nwb")
    parser.add_argument("--folds", type=int, default=3)
    parser.add_argument("--tuned", type=int, default=3, help="folds in which the oracle runs")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/fits.json"))
    given = parser.parse_args()
    recording = rat(given.nwb)
    rows: list[dict] = []

    def note(**row) -> None:
        rows.append(row)
        print(json.dumps(row), flush=True)
        given.out.parent.mkdir(parents=True, exist_ok=True)
        given.out.write_text(json.dumps({"machine": _jobs.machine(), "rows": rows}, indent=1))

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        saved = str(recording.save(folder / "rat.zarr"))
        folds = [Fold(recording, given.folds, number, folder) for number in range(given.folds)]
        first = {}
        for number, fold in enumerate(folds):
            walls = {"recording": saved, "folds": given.folds, "fold": number}
            sources = {"isofold": {"data": str(fold.path)}, "isofold, walls": walls}
            for mode in RULES:
                at = {"fold": number, "mode": mode}
                first[number, mode] = compare(fold, at, sources, folder / "cache", note)
        for (number, mode), theirs in first.items():
            if number >= given.tuned:
                continue
            tune(folds[number], {"fold": number, "mode": mode}, theirs, note)


def compare(fold: Fold, at: dict, sources: dict[str, dict], cache: Path, note) -> dict:
    """Published recipe and ours, two seeds each, in turn; returns the peer's first fit."""
    kept: dict[str, list] = {}
    theirs = []
    for seed in (0, 1):
        theirs.append(peer(fold, at["mode"], seed, RATES[0]))
        note(**at, who="cebra", seed=seed, seconds=theirs[-1]["seconds"], **theirs[-1]["last"])
        kept.setdefault("cebra", []).append(theirs[-1]["z"])
        for who, source in sources.items():
            mine = ours(source, fold, at["mode"], seed, cache)
            times = {"cold_s": mine["cold_s"], "warm_s": mine["warm_s"]}
            note(**at, who=who, seed=seed, **times, **mine["last"])
            kept.setdefault(who, []).append(mine["z"])
    for who, zs in kept.items():
        note(**at, who=who, consistency=fold.consistency(zs))
    return theirs[0]


def tune(fold: Fold, at: dict, first: dict, note) -> None:
    """The oracle: the best checkpoint of the best rate, by InfoNCE on the held-out laps."""
    fits = [first, *(peer(fold, at["mode"], 0, rate) for rate in RATES[1:])]
    best = max(fits, key=lambda fit: fit["best"]["bits"])
    total = sum(fit["seconds"] for fit in fits)
    note(**at, who="cebra, tuned oracle", seed=0, seconds=total, **best["best"])


if __name__ == "__main__":
    main()
