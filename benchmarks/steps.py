"""Equal settings, equal data: steps per second of isofold and its peers.

python benchmarks/steps.py [--modes time behavior ...] [--steps 1000] [--seeds 3]

120 channels × 10,000 samples of simulated place cells, offset10-model, batch 512, constant rate
3e-4, against `cebra` 0.6.1; trials of 100 samples against TrialCEBRA 0.0.5; and 10⁶ samples with
behaviour. Fits of the two packages take turns; the figure is the median of the ratios of
neighbours. Beside each the information log(negatives) − InfoNCE over the last tenth of the steps,
and how often the time of a step holds 0.85 GFLOP (a recording) at the rate of a matrix product in
the same process.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np

import _jobs
import isofold as iso

SAMPLES, CHANNELS, BATCH, RECORDINGS = 10_000, 120, 512, 4
TRIAL_SAMPLES, WINDOW, DELTA = 100, 10, 0.1
STEP_FLOP = 0.85e9
"""Of a step of offset10-model at batch 512 and 120 channels."""

TARGETS = {
    "time": 2.5, "behavior": 8, "discrete": 3, "recordings": 4,
    "trial_time": 2, "trial_delta": 2, "trial_time_delta": 4, "million": 100,
}  # fmt: skip
"""Modes, and how many times the peer's steps per second each should reach."""

BASE = {
    "model_architecture": "offset10-model", "batch_size": BATCH, "learning_rate": 3e-4,
    "temperature": 1.0, "output_dimension": 3, "time_offsets": 10,
}  # fmt: skip


def rat(seed: int, n_laps: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Counts inside laps, (position, outbound, inbound), and the number of the lap."""
    found = iso.simulate.place_cells(seed=seed, n_laps=n_laps, n_units=CHANNELS)
    inside = found.trial >= 0
    direction = found.labels["direction"][inside]
    y = np.stack([found.labels["position"][inside], direction == 0, direction == 1], axis=1)
    x = np.asarray(found.signal)[inside].astype(np.float32)
    return x, y.astype(float), found.trial[inside]


def arrays(mode: str) -> dict[str, np.ndarray]:
    """What both packages get: x and y of the first recording, x1 and y1 of the next, …"""
    if mode == "recordings":
        rats = [rat(seed, 120) for seed in range(RECORDINGS)]
        return {f"x{n}": x[:SAMPLES] for n, (x, _, _) in enumerate(rats)} | {
            f"y{n}": y[:SAMPLES] for n, (_, y, _) in enumerate(rats)
        }
    if mode == "million":
        x, y, _ = rat(0, 1200)
        x, y = (np.tile(a[: 10 * SAMPLES], (10, 1)) for a in (x, y))
        # No two moments of a real recording have the very same label.
        y[:, 0] += 1e-3 * np.random.default_rng(0).standard_normal(len(y))
        return {"x0": x, "y0": y}
    x, y, lap = rat(0, 140)
    if mode.startswith("trial_"):
        return _trials(x, y, lap)
    if mode == "discrete":
        place = np.minimum((y[:, 0] / y[:, 0].max() * 8).astype(int), 7)
        return {"x0": x[:SAMPLES], "y0": (place + 8 * y[:, 1].astype(int))[:SAMPLES]}
    return {"x0": x[:SAMPLES], "y0": y[:SAMPLES]}


def _trials(x: np.ndarray, y: np.ndarray, lap: np.ndarray) -> dict[str, np.ndarray]:
    """(trial, time, …): the first samples of laps that are long enough."""
    start = np.flatnonzero(np.diff(lap, prepend=-1))
    length = np.diff(start, append=len(lap))
    rows = start[length >= TRIAL_SAMPLES][: SAMPLES // TRIAL_SAMPLES, None]
    rows = rows + np.arange(TRIAL_SAMPLES)
    return {"x0": x[rows], "y0": y[rows]}


def settings(mode: str, steps: int) -> tuple[dict, dict]:
    """Of the peer and of isofold, the same in each one's words."""
    if mode.startswith("trial_"):
        rule = mode.removeprefix("trial_")
        peer = {**BASE, "conditional": rule, "time_offsets": WINDOW, "delta": DELTA}
        # The peer's delta is the length of the whole change, ours the spread of each of 3 columns.
        ours = {**BASE, "conditional": mode, "time_window": WINDOW, "balance": "trials"}
        ours["delta"] = DELTA / np.sqrt(3)
    else:
        peer = {**BASE, "conditional": "time" if mode == "time" else "time_delta"}
        ours = {**peer, "conditional": None if mode == "discrete" else peer["conditional"]}
    return peer, {**ours, "max_iterations": steps}


def jobs(mode: str, data: Path, steps: int, seed: int, cache: str) -> dict[str, dict]:
    """One for each package."""
    with np.load(data) as file:
        several = [f"{n}" for n in range(sum(name.startswith("x") for name in file))]
    labelled = mode not in ("time", "trial_time")
    both = {
        "data": str(data), "x": [f"x{n}" for n in several],
        "y": [[f"y{n}" for n in several]] if labelled else [], "seed": seed, "warm": True,
        "cache": cache, "trial": mode.startswith("trial_"), "multiply": True,
    }  # fmt: skip
    peer, ours = settings(mode, steps)
    # The peer needs seconds for a step of 10⁶ samples: a few tell as much as many.
    of_peer = 4 if mode == "million" else steps
    look = {"look": 1, "warm_steps": 1} if mode == "million" else {}
    job = {**both, "settings": peer, "steps": of_peer, "every": of_peer, **look}
    return {
        "cebra": job,
        "isofold": {**both, "settings": ours, "steps": steps, **({"look": 25} if look else {})},
    }


def rate(done: dict[str, np.ndarray], steps: int) -> float:
    """Steps per second of the fit; where the clock was looked at, without what comes before."""
    clock = done["clock"]
    if len(clock) < 2:
        return steps / float(done["seconds"])
    return float((clock[-1, 0] - clock[0, 0]) / (clock[-1, 1] - clock[0, 1]))


def measure(mode: str, both: dict[str, dict]) -> dict[str, float]:
    row: dict[str, float] = {}
    negatives = BATCH * len(both["cebra"]["x"])
    for package in ("cebra", "isofold"):
        steps = both[package]["steps"]
        done = _jobs.run(package, both[package])
        row[f"{package}_steps_per_s"] = rate(done, steps)
        row[f"{package}_fit_s"] = float(done["seconds"])
        if steps >= 10:
            # The last tenth of the steps, so that batch noise averages out.
            last = float(np.mean(done["loss"][-(steps // 10) :]))
            row[f"{package}_information"] = float(np.log(negatives) - last)
    row["ratio"] = row["isofold_steps_per_s"] / row["cebra_steps_per_s"]
    row["product_gflops"] = float(done["product_rate"]) / 1e9
    limit = STEP_FLOP * len(both["cebra"]["x"]) / float(done["product_rate"])
    row["step_over_limit"] = 1 / row["isofold_steps_per_s"] / limit
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--modes", nargs="+", choices=list(TARGETS), default=list(TARGETS))
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/steps.json"))
    given = parser.parse_args()
    rows = _jobs.Rows(given.out, steps=given.steps, targets=TARGETS)
    with tempfile.TemporaryDirectory() as folder:
        for mode in given.modes:
            data = Path(folder) / f"{mode}.npz"
            np.savez(data, **arrays(mode))
            for seed in range(given.seeds if mode != "million" else 1):
                both = jobs(mode, data, given.steps, seed, f"{folder}/cache")
                rows.add(mode=mode, seed=seed, **measure(mode, both))
            data.unlink()


if __name__ == "__main__":
    main()
