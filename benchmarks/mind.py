"""MIND: seconds of a fit against the number of samples, landmarks fixed.

python benchmarks/mind.py [--samples 2000 5000 10000 20000]

Lorenz system seen by 50 units through random tanh features; 100 trees, 1,000 landmarks, settings of
Low 2018. The first fit in a process loads compiled code and is not counted. Median of `--repeats`.
"""

from __future__ import annotations

import argparse
import json
from time import perf_counter

import numpy as np

import isofold as iso
from _jobs import ROOT


def recording(n: int) -> iso.Recording:
    return iso.simulate.lorenz(
        0, n_samples=n, n_units=50, mixing="nonlinear", noise=0.3, dt=0.02, n_trials=20
    )


def fit(n: int) -> dict[str, float]:
    data = recording(n)
    model = iso.MIND(landmarks=1000, n_trees=100, random_state=0)
    start = perf_counter()
    model.fit(data)
    fitted = perf_counter()
    model.transform(data)
    return {"fit": fitted - start, "transform": perf_counter() - fitted}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, nargs="+", default=[2000, 5000, 10000, 20000])
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    iso.MIND(landmarks=200, n_trees=5, random_state=0).fit(recording(1500)).transform(
        recording(1500)
    )
    rows = {}
    for n in options.samples:
        runs = [fit(n) for _ in range(options.repeats)]
        rows[n] = {k: round(float(np.median([r[k] for r in runs])), 2) for k in runs[0]}
        print(n, rows[n], flush=True)
    slope = np.polyfit(np.log(list(rows)), np.log([r["fit"] for r in rows.values()]), 1)[0]
    record = {"seconds": rows, "exponent": round(float(slope), 2)}
    print(record)
    out = ROOT / "benchmarks" / "results" / "mind.json"
    out.write_text(json.dumps(record, indent=2) + "\n")


if __name__ == "__main__":
    main()
