"""Training on a Zarr recording that need not fit in memory, against the same one in memory.

python benchmarks/out_of_core.py [--samples 10000000] [--channels 200] [--steps 1500]

One process a fit. Steps per second are counted after the first 100 steps; anonymous memory is read
from /proc/self/status ten times a second. Visits: one whole epoch of pools, sample by sample, and
the pools of the fit by hundredths of the recording. Information is that of held-out trials of a
simulated recording that fits in memory, mean of three seeds.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np

import _jobs
import isofold as iso


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=10_000_000)
    parser.add_argument("--channels", type=int, default=200)
    parser.add_argument("--chunk", type=int, default=65_536, help="samples in a chunk of the Zarr")
    parser.add_argument("--steps", type=int, default=1_500)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="where to make the recording")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--job", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.job:
        job = json.loads(given.job)
        print(json.dumps(JOBS[job.pop("do")](**job)))
        return
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        result = compare(Path(folder), given)
    text = json.dumps(result, indent=1)
    print(text)
    if given.out:
        given.out.write_text(text + "\n")


def compare(folder: Path, given: argparse.Namespace) -> dict[str, Any]:
    size = {"samples": given.samples, "channels": given.channels, "chunk": given.chunk}
    large, small = str(folder / "large.zarr"), str(folder / "small.zarr")
    make(large, **size)
    fits = {
        where: in_process(do="fit", path=large, where=where, steps=given.steps)
        for where in ("memory", "zarr")
    }
    speed = fits["zarr"]["steps_per_s"] / fits["memory"]["steps_per_s"]
    visits = in_process(do="visits", path=large, steps=given.steps)
    simulate(small, given.chunk)
    bits = {
        where: [
            in_process(do="bits", path=small, where=where, seed=seed)["bits"]
            for seed in range(given.seeds)
        ]
        for where in ("memory", "zarr")
    }
    ratio = float(np.mean(bits["zarr"]) / np.mean(bits["memory"]))
    return {
        "machine": _jobs.machine(), **size, "steps": given.steps, "fits": fits,
        "zarr_over_memory_speed": round(speed, 3), "visits": visits, "held_out_bits": bits,
        "zarr_over_memory_bits": round(ratio, 4),
    }  # fmt: skip


def in_process(**job: Any) -> dict[str, Any]:
    command = [sys.executable, __file__, "--job", json.dumps(job)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{job} failed:\n{done.stderr[-3000:]}")
    return json.loads(done.stdout.splitlines()[-1])


# -- recordings ----------------------------------------------------------------------------------


def make(path: str, samples: int, channels: int, chunk: int) -> None:
    """Noise around a slow circle, and its angle as a label."""
    import zarr

    rng = np.random.default_rng(0)
    group = zarr.open_group(path, mode="w")
    signal = group.create_dataset(
        "signal", shape=(samples, channels), chunks=(chunk, channels), dtype="f4"
    )
    angle = np.cumsum(rng.standard_normal(samples)) * 0.05
    mixing = rng.standard_normal((2, channels)).astype(np.float32)
    for a in range(0, samples, chunk):
        part = angle[a : a + chunk, None]
        circle = np.hstack([np.cos(part), np.sin(part)]).astype(np.float32)
        noise = rng.standard_normal((len(part), channels), dtype=np.float32)
        signal[a : a + chunk] = circle @ mixing + noise
    group.create_dataset("angle", data=np.mod(angle, 2 * np.pi))


def simulate(path: str, chunk: int) -> None:
    """A circle of 600,000 samples in 100 trials: it fits in memory, but not in the buffer."""
    import zarr

    circle = iso.simulate.circle(
        seed=0, n_samples=600_000, n_units=100, mixing="linear", noise=1.0, n_trials=100
    )
    group = zarr.open_group(path, mode="w")
    signal = np.asarray(circle.signal, np.float32)
    group.create_dataset("signal", data=signal, chunks=(chunk, signal.shape[1]))
    group.create_dataset("angle", data=np.mod(circle.labels["angle"], 2 * np.pi))
    group.create_dataset("stop", data=circle.trials["stop"].to_numpy())


def load(path: str, where: str) -> iso.Recording:
    import pandas as pd
    import zarr

    group = zarr.open_group(path, mode="r")
    trials = None
    if "stop" in group:
        stop = group["stop"][:]
        trials = pd.DataFrame({"start": np.append(0, stop[:-1]), "stop": stop})
    signal = group["signal"] if where == "zarr" else group["signal"][:]
    return iso.Recording(
        signal, rate=100.0, labels={"angle": group["angle"][:]}, kinds={"angle": "circular"},
        trials=trials,
    )  # fmt: skip


# -- jobs ----------------------------------------------------------------------------------------


class Anonymous:
    """Largest anonymous memory of this process while it is watched, in MB."""

    def __enter__(self) -> Anonymous:
        self.most, self._done = 0.0, threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def _watch(self) -> None:
        while not self._done.wait(0.1):
            lines = Path("/proc/self/status").read_text().splitlines()
            kilobytes = next(line.split()[1] for line in lines if line.startswith("RssAnon"))
            self.most = max(self.most, int(kilobytes) / 1024)

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()


def model(steps: int, seed: int = 0) -> iso.CEBRA:
    return iso.CEBRA("offset10-model", output_dimension=3, max_iterations=steps, random_state=seed)


def fit(path: str, where: str, steps: int) -> dict[str, float]:
    recording = load(path, where)
    marks: list[tuple[int, float]] = []
    with Anonymous() as memory:
        begin = time.perf_counter()
        model(steps).fit(
            recording,
            labels=["angle"],
            callback=lambda step, _: marks.append((step, time.perf_counter())),
            callback_frequency=100,
        )
        whole = time.perf_counter() - begin
    (first, since), (last, until) = marks[0], marks[-1]
    return {
        "steps_per_s": round((last - first) / (until - since), 2),
        "seconds": round(whole, 1),
        "seconds_before_step_100": round(since - begin, 1),
        "peak_anonymous_mb": round(memory.most),
    }


def visits(path: str, steps: int) -> dict[str, Any]:
    """Least and most visits of a sample in one epoch, and of a hundredth in a fit, over the mean.

    Pools are dealt with the seed of a fit, 25 steps a pool.
    """
    from isofold.models._recipe import POOL_ROWS
    from isofold.sampling import Layout, RotatingSource, padded_size

    recording = load(path, "zarr")
    n = len(recording)
    layout = Layout(
        recording.signal, np.array([0]), np.array([n]), (5, 5), POOL_ROWS,
        padded_size(recording.n_channels),
    )  # fmt: skip
    count = np.zeros(n, np.int32)
    parts, places, left = None, [], n
    begin = time.perf_counter()
    for number, pool in enumerate(RotatingSource(layout).pools(np.random.default_rng(0)), 1):
        np.add.at(count, pool.sample[:left], 1)
        places.append(len(np.unique(pool.sample[pool.start] * 100 // n)))
        left -= len(pool.sample)
        if number == -(-steps // 25):
            parts = np.bincount(np.arange(n) * 100 // n, weights=count)
        if left <= 0:
            break
    around = lambda c: [round(float(v), 4) for v in (c.min() / c.mean(), c.max() / c.mean())]  # noqa: E731
    return {
        "sample_in_epoch": around(count),
        "hundredth_in_fit": around(parts) if parts is not None else None,
        "hundredths_in_a_pool": round(float(np.mean(places)), 1),
        "pools_per_s": round(number / (time.perf_counter() - begin), 1),
    }


def bits(path: str, where: str, seed: int) -> dict[str, float]:
    train, test = load(path, where).split(test=0.2, how="interleaved")
    fitted = model(600, seed).fit(train, labels=["angle"])
    return {"bits": round(fitted.score(test), 4)}


JOBS = {"fit": fit, "visits": visits, "bits": bits}

if __name__ == "__main__":
    main()
