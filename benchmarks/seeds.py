"""Ten seeds for a consistency matrix: isofold at once, one after another, and the `cebra` package.

python benchmarks/seeds.py [--modes time behavior] [--seeds 10] [--peer-fits 1]

The data of steps.py. isofold at its default settings, warm, both ways in one process, twice in
turn; the peer's published recipe of 5,000 steps `--peer-fits` times, its time multiplied to as
many seeds.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import _jobs

RECIPE_STEPS = 5000


def own(path: str) -> None:
    """In a process of its own: both ways of fitting the seeds, in turn."""
    import isofold as iso

    job = json.loads(Path(path).read_text())
    iso.enable_cache(job["cache"])
    with np.load(job["data"]) as file:
        x, y = file["x0"], [] if job["mode"] == "time" else [file["y0"]]
    seeds = list(range(job["seeds"]))
    settings = {"output_dimension": 3} | ({"conditional": "time"} if job["mode"] == "time" else {})
    model = iso.CEBRA(**settings)

    def one_by_one():
        return [iso.CEBRA(**settings, random_state=seed).fit(x, *y) for seed in seeds]

    def at_once():
        return iso.fit_seeds(model, x, seeds, *y)

    ways = {"one_by_one_s": one_by_one, "at_once_s": at_once}
    for fit in ways.values():
        fit()  # compile; the clock is for warm fits
    took: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(job["repeats"]):
        for name, fit in ways.items():
            start = time.perf_counter()
            fitted = fit()
            took[name].append(time.perf_counter() - start)
    zs = [model.transform(x) for model in fitted]
    consistency = float(iso.scores.consistency(zs, n_chance=0))
    medians = {name: float(np.median(values)) for name, values in took.items()}
    Path(job["out"]).write_text(json.dumps({**medians, "consistency": consistency}))


def main() -> None:
    import steps

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--modes", nargs="+", choices=["time", "behavior"],
                        default=["time", "behavior"])  # fmt: skip
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--peer-fits", type=int, default=1)
    parser.add_argument("--peer-steps", type=int, default=RECIPE_STEPS)
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--out", type=Path, default=_jobs.HERE / "results" / "seeds.json")
    given = parser.parse_args()
    rows = _jobs.Rows(given.out, seeds=given.seeds, peer_fits=given.peer_fits)
    with tempfile.TemporaryDirectory() as folder:
        for mode in given.modes:
            data = Path(folder) / f"{mode}.npz"
            np.savez(data, **steps.arrays(mode))
            job = steps.jobs(mode, data, given.peer_steps, 0, folder)["cebra"]
            theirs = [
                float(_jobs.run("cebra", {**job, "seed": n})["seconds"])
                for n in range(given.peer_fits)
            ]
            mine = _jobs.call(
                __file__,
                {"mode": mode, "data": str(data), "cache": f"{folder}/cache",
                 "seeds": given.seeds, "repeats": given.repeats},
            )  # fmt: skip
            all_of_peer = float(np.median(theirs)) * given.seeds
            rows.add(
                mode=mode, cebra_one_fit_s=float(np.median(theirs)), cebra_all_s=all_of_peer,
                **mine, ratio_to_cebra=all_of_peer / mine["at_once_s"],
                ratio_to_one_by_one=mine["one_by_one_s"] / mine["at_once_s"],
            )  # fmt: skip


if __name__ == "__main__":
    own(sys.argv[1]) if sys.argv[1:] and sys.argv[1].endswith("job.json") else main()
