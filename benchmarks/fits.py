"""A default fit of isofold against the published recipe of the `cebra` package, on a real rat.

python benchmarks/fits.py RECORDING.nwb [--folds 3] [--modes time behavior] [--walls] [--tuned 0]

25 ms counts of the running laps or trips, whole ones held out in blocks. The peer runs its
published recipe (offset10-model, 3-D, time_offsets 10, batch 512, rate 3e-4, 5,000 steps), and,
in the first `--tuned` folds, an oracle that its users do not have: the best of rates {3e-4, 1e-3,
3e-3} and of ten checkpoints by held-out InfoNCE. isofold runs with everything at "auto", on the
same plain arrays, and with `--walls` as its users run it, with trials as walls; each with an empty
and with a filled cache of compiled programs. Labels of training laps that changed places
and start ("permuted") show how consistent embeddings are that only collapse onto labels.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np

import _jobs
from _folds import Fold, rat

STEPS, EVERY = 5000, 500
RATES = (3e-4, 1e-3, 3e-3)
RECIPE = {
    "model_architecture": "offset10-model", "batch_size": 512, "temperature": 1.0,
    "output_dimension": 3, "time_offsets": 10,
}  # fmt: skip


def peer(fold: Fold, mode: str, seed: int, rate: float) -> dict:
    settings = {**RECIPE, "learning_rate": rate}
    settings["conditional"] = "time" if mode == "time" else "time_delta"
    job = {**fold.job(mode), "settings": settings, "steps": STEPS, "every": EVERY, "seed": seed}
    done = _jobs.run("cebra", job)
    checkpoints = [fold.measure(z, mode) for z in done["z0"]]
    best = int(np.argmax([c["bits"] for c in checkpoints]))
    return {
        "seconds": float(done["seconds"]),
        "last": checkpoints[-1],
        "best": {**checkpoints[best], "steps": (best + 1) * EVERY},
        "z": done["z0"][-1],
    }


def ours(source: dict, fold: Fold, mode: str, seed: int, cache: Path, cold: bool) -> dict:
    """Cold, then warm: the same fit in two fresh processes on one cache."""
    settings = {"output_dimension": 3} | ({"conditional": "time"} if mode == "time" else {})
    job = {**fold.job(mode), **source, "settings": settings, "seed": seed, "cache": str(cache)}
    first = _jobs.run("isofold", job)
    times = {"cold_s": float(first["seconds"])} if cold else {}
    again = _jobs.run("isofold", job)
    assert (first["z0"] == again["z0"]).all(), "same seed, same bits"
    z = again["z0"][0]
    times["warm_s"] = float(again["seconds"])
    return {"times": times, "last": fold.measure(z, mode), "z": z}


def compare(fold: Fold, at: dict, given, caches: Path, rows: _jobs.Rows) -> dict:
    """Published recipe and ours in turn, some seeds each; returns the peer's first fit."""
    kept: dict[str, list] = {}
    theirs = []
    for seed in range(max(given.seeds, given.own_seeds)):
        if seed < given.seeds:
            theirs.append(peer(fold, at["mode"], seed, RATES[0]))
            rows.add(
                **at, who="cebra", seed=seed, seconds=theirs[-1]["seconds"], **theirs[-1]["last"]
            )
            kept.setdefault("cebra", []).append(theirs[-1]["z"])
        for who, source in fold.sources(at["mode"], given.walls).items():
            if seed >= given.own_seeds:
                continue
            cache = caches / f"{at['mode']}-{fold.number}-{who}-{seed}"
            mine = ours(source, fold, at["mode"], seed, cache, cold=True)
            rows.add(**at, who=who, seed=seed, **mine["times"], **mine["last"])
            kept.setdefault(who, []).append(mine["z"])
    for who, zs in kept.items():
        if len(zs) > 1:
            rows.add(**at, who=who, consistency=fold.consistency(zs))
    return theirs[0]


def control(fold: Fold, at: dict, caches: Path, rows: _jobs.Rows) -> None:
    """Two seeds of each package on labels of other laps."""
    kept: dict[str, list] = {"cebra": [], "isofold": []}
    for seed in (0, 1):
        kept["cebra"].append(peer(fold, "permuted", seed, RATES[0])["z"])
        cache = caches / "permuted"
        kept["isofold"].append(ours({}, fold, "permuted", seed, cache, cold=False)["z"])
    for who, zs in kept.items():
        rows.add(**{**at, "mode": "permuted"}, who=who, consistency=fold.consistency(zs))


def tune(fold: Fold, at: dict, first: dict, rows: _jobs.Rows) -> None:
    """The oracle: the best checkpoint of the best rate, by InfoNCE on the held-out laps."""
    fits = [first, *(peer(fold, at["mode"], 0, rate) for rate in RATES[1:])]
    best = max(fits, key=lambda fit: fit["best"]["bits"])
    # Its user would stop each fit there, had he known.
    total = sum(fit["seconds"] * fit["best"]["steps"] / STEPS for fit in fits)
    rows.add(**at, who="cebra, tuned oracle", seed=0, seconds=total, **best["best"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("nwb", type=Path)
    parser.add_argument("--folds", type=int, default=3, help="parts that laps are dealt into")
    parser.add_argument("--only", type=int, nargs="+", help="numbers of the folds to run")
    parser.add_argument("--modes", nargs="+", default=["time", "behavior"])
    parser.add_argument("--seeds", type=int, default=2, help="of the peer")
    parser.add_argument("--own-seeds", type=int, default=5)
    parser.add_argument("--tuned", type=int, default=0, help="folds in which the oracle runs")
    parser.add_argument("--walls", action="store_true", help="isofold also with trials as walls")
    parser.add_argument("--no-control", action="store_true", help="no fits on permuted labels")
    parser.add_argument("--out", type=Path, help="default: results/fits-NAME.json")
    given = parser.parse_args()
    out = given.out or _jobs.HERE / "results" / f"fits-{given.nwb.stem}.json"
    rows = _jobs.Rows(out, recording=given.nwb.stem, folds=given.folds)
    recording = rat(given.nwb)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        saved = str(recording.save(folder / "rat.zarr"))
        for number in given.only or range(given.folds):
            fold = Fold(recording, saved, given.folds, number, folder)
            for mode in given.modes:
                at = {"fold": number, "mode": mode}
                first = compare(fold, at, given, folder / "cache", rows)
                if number < given.tuned:
                    tune(fold, at, first, rows)
                if mode == "behavior" and not given.no_control:
                    control(fold, at, folder / "cache", rows)


if __name__ == "__main__":
    main()
