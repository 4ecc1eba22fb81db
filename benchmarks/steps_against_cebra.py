"""Equal settings, equal data: steps per second and loss of isofold and the `cebra` package.

python benchmarks/steps_against_cebra.py [--steps 1000] [--seeds 3]

120 channels × 10,178 samples of simulated place cells, offset10-model, batch 512, constant rate
3e-4; time and three columns of behaviour. Fits of the two packages take turns; the figure is the
median of the ratios of neighbours.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np

import _jobs
import isofold as iso

SAMPLES, CHANNELS = 10_178, 120


def data(folder: Path) -> Path:
    rat = iso.simulate.place_cells(seed=0, n_laps=120, n_units=CHANNELS)
    inside = rat.trial >= 0
    direction = rat.labels["direction"][inside][:SAMPLES]
    y = np.stack([rat.labels["position"][inside][:SAMPLES], direction == 0, direction == 1], axis=1)
    x = np.asarray(rat.signal)[inside][:SAMPLES]
    assert x.shape == (SAMPLES, CHANNELS)
    path = folder / "data.npz"
    np.savez(path, train=x.astype(np.float32), y=y.astype(float))
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/steps.json"))
    given = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        path = data(Path(folder))
        for seed in range(given.seeds):
            for mode in ("time", "behavior"):
                job = {
                    "data": str(path), "mode": mode, "rate": 3e-4, "steps": given.steps,
                    "every": given.steps, "seed": seed, "warm": True, "cache": f"{folder}/cache",
                }  # fmt: skip
                row = {"mode": mode, "seed": seed}
                for package in ("cebra", "isofold"):
                    done = _jobs.run(package, job)
                    row[f"{package}_steps_per_s"] = given.steps / float(done["seconds"])
                    # The last tenth of the steps, so that batch noise averages out.
                    last = float(np.mean(done["loss"][-given.steps // 10 :]))
                    row[f"{package}_information"] = float(np.log(512) - last)
                rows.append(row)
                print(json.dumps(row), flush=True)
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps({"machine": _jobs.machine(), "rows": rows}, indent=1))


if __name__ == "__main__":
    main()
