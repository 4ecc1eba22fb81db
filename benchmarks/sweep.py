"""The same grid as a study and by the peer's GridSearch (serial, without seeds or held-out scores).

python benchmarks/sweep.py [--steps 1000]

Nine fits: three dimensions × three temperatures on a circle that fifty units see. Ours is the whole
study, cold: processes started, fits with the "auto" recipe, held-out scores, tables and page. The
peer's is its fits alone, of `steps` iterations each; its cost is linear in them (its default is
10,000). Held-out R² of the truth of both stands beside the times.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from time import perf_counter

import numpy as np

import isofold as iso
from _jobs import ROOT, call, peer_python

RECORDING = {"n_samples": 4000, "n_units": 50, "mixing": "nonlinear", "noise": 0.3, "n_trials": 20}
GRID = {"output_dimension": [2, 3, 4], "temperature": [0.3, 1.0, 3.0]}
ARCHITECTURE = {"model_architecture": "offset10-model"}


def ours(folder: Path) -> dict:
    study = iso.Study(
        "sweep",
        [{"simulate": {"name": "circle", **RECORDING}}],
        [{"method": "cebra-time", **ARCHITECTURE, "grid": GRID}],
        split={"test": 0.2},
        scores=["recovery"],
    )
    start = perf_counter()
    results = iso.run(study, folder / "results")
    seconds = perf_counter() - start
    value = results.scores.query("part == 'all' and score == 'recovery'")["value"]
    return {"seconds": seconds, "r2": float(np.median(value)), "runs": len(results.runs)}


def theirs(folder: Path, steps: int) -> dict:
    train, test = iso.simulate.circle(0, **RECORDING).split(test=0.2)
    signals = folder / "signals.npz"
    parts = {"train": train, "test": test}
    arrays = {name: np.asarray(part.signal, np.float32) for name, part in parts.items()}
    arrays |= {f"truth_{name}": part.truth for name, part in parts.items()}
    np.savez(signals, **arrays)
    fixed = {**ARCHITECTURE, "max_iterations": steps, "batch_size": 512, "time_offsets": 10}
    job = {"signals": str(signals), "grid": GRID, "fixed": fixed}
    found = call("peers/grid_search.py", job, peer_python())
    r2 = [run["r2"] for run in found["runs"]]
    return {"seconds": found["seconds"], "r2": float(np.median(r2)), "runs": len(r2)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=1000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        mine, peer = ours(folder), theirs(folder, options.steps)
    ratio = peer["seconds"] / mine["seconds"]
    record = {"isofold": mine, "cebra": peer, "steps": options.steps, "ratio": ratio}
    print(json.dumps(record, indent=2))
    out = ROOT / "benchmarks" / "results" / "sweep.json"
    out.write_text(json.dumps(record, indent=2) + "\n")


if __name__ == "__main__":
    main()
