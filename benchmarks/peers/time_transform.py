"""One timed `transform`: python time_transform.py JOB.json, in the environment of its package.

The job: `package` ("cebra" or "isofold"), `signal` (npy, memory-mapped), `batch_size`, and `out`,
a JSON file.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from importlib import import_module
from pathlib import Path

import numpy as np


def main(path: str) -> None:
    job = json.loads(Path(path).read_text())
    signal = np.load(job["signal"], mmap_mode="r")
    model = import_module(job["package"]).CEBRA(
        model_architecture="offset10-model", batch_size=256, learning_rate=3e-4, max_iterations=2,
        output_dimension=3, time_offsets=10, conditional="time", device="cpu",
    )  # fmt: skip
    model.fit(np.array(signal[:2000]))
    embed = {"batch_size": job["batch_size"]}
    model.transform(signal, **embed)
    before = anonymous()
    largest, stop = [before], threading.Event()
    watch = threading.Thread(target=_watch, args=(largest, stop))
    watch.start()
    start = time.perf_counter()
    z = np.asarray(model.transform(signal, **embed))
    seconds = time.perf_counter() - start
    stop.set()
    watch.join()
    assert z.shape == (len(signal), 3)
    memory = {"before_mb": before / 1e6, "extra_mb": (max(largest) - before) / 1e6}
    Path(job["out"]).write_text(json.dumps({"seconds": seconds, **memory}))


def anonymous() -> int:
    """Bytes of memory that no file stands behind."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("RssAnon"))


def _watch(largest: list[int], stop: threading.Event) -> None:
    while not stop.wait(0.005):
        largest.append(anonymous())


if __name__ == "__main__":
    main(sys.argv[1])
