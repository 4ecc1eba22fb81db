"""Equal architecture, equal batch: steps per second of isofold's pi-VAE and `pi-vae-pytorch` 1.1.0.

python benchmarks/vae_steps.py [--steps 500] [--repeats 5]

120 units in single bins of 25 ms of a simulated rat, label (position, outbound, inbound), 2-D,
batch 200, Adam at 5e-4; peers/pivae_steps.py says what the model is. The peer runs as its package
has it, once with the number of threads that torch chooses and once with one; the faster run counts.
The packages take turns; the figure is the median of the ratios of neighbours.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
import warnings
from pathlib import Path
from time import perf_counter

import numpy as np

import _jobs
import isofold as iso
from steps import rat

BATCH, SAMPLES = 200, 10_000
TARGET = 8
"""How many times the peer's steps per second isofold should reach."""

SCRIPT = _jobs.HERE / "peers" / "pivae_steps.py"


def ours(x: np.ndarray, u: np.ndarray, steps: int) -> float:
    """Steps per second of isofold at the peer's architecture: what `steps` more steps cost, once
    the program is compiled."""
    columns = list(u.T)

    def seconds(n: int) -> float:
        model = iso.PiVAE(
            encoder_hidden=(60, 60), decoder_hidden=30, activation="relu", batch_size=BATCH,
            learning_rate=5e-4, warm_up=0, max_iterations=n, random_state=0,
        )  # fmt: skip
        start = perf_counter()
        model.fit(x, *columns)
        return perf_counter() - start

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # so few steps do not converge
        seconds(25)
        few = seconds(25)
        return steps / (seconds(25 + steps) - few)


def peer(data: Path, steps: int, *options: str) -> dict:
    """What peers/pivae_steps.py prints, from a process in its own environment."""
    command = [_jobs.peer_python("pivae"), str(SCRIPT), str(data), "--steps", str(steps)]
    command += ["--batch-size", str(BATCH), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"pi-vae-pytorch failed:\n{done.stderr[-3000:]}")
    return json.loads(done.stdout)


def measure(data: Path, x: np.ndarray, u: np.ndarray, steps: int, seed: int) -> dict[str, float]:
    ways: list[list[str]] = [[], ["--threads", "1"]]
    of_peer = [peer(data, steps, "--seed", str(seed), *options) for options in ways]
    fastest = max(of_peer, key=lambda found: found["steps_per_second"])
    row = {"peer_steps_per_s": fastest["steps_per_second"], "peer_threads": fastest["threads"]}
    row["isofold_steps_per_s"] = ours(x, u, steps)
    row["ratio"] = row["isofold_steps_per_s"] / row["peer_steps_per_s"]
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--out", type=Path, default=_jobs.HERE / "results" / "vae_steps.json")
    given = parser.parse_args()
    rows = _jobs.Rows(given.out, steps=given.steps, batch_size=BATCH, target=TARGET)
    x, u, _ = rat(0, 140)
    x, u = x[:SAMPLES], u[:SAMPLES].astype(np.float32)
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "rat.npz"
        np.savez(data, x=x, u=u)
        for repeat in range(given.repeats):
            rows.add(repeat=repeat, **measure(data, x, u, given.steps, repeat))


if __name__ == "__main__":
    main()
