"""`transform` of long recordings: seconds and anonymous memory of isofold and `cebra`.

python benchmarks/transform.py [--samples 100000 1000000] [--repeats 3]

120 channels, offset10-model, 3-D; the input is a memory-mapped file, so that it does not count as
anonymous memory. Memory is the largest RssAnon (Linux) during the last `transform`, above that just
before; the result itself has 12 bytes a sample. Packages take turns, each in a fresh process; the
peer once as a whole and once with batch_size. The first `transform` of a process is not timed.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np

import _jobs

CHANNELS = 120
SCRIPT = Path("peers/time_transform.py")
WAYS = (("cebra", None), ("isofold", None), ("cebra", 10_000), ("isofold", 10_000))
"""Package and batch_size."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--out", type=Path, default=_jobs.HERE / "results" / "transform.json")
    given = parser.parse_args()
    rows = _jobs.Rows(given.out, channels=CHANNELS)
    rng = np.random.default_rng(0)
    python = {"cebra": _jobs.peer_python(), "isofold": _jobs.sys.executable}
    with tempfile.TemporaryDirectory() as folder:
        for n in given.samples:
            path = Path(folder) / "signal.npy"
            signal = np.lib.format.open_memmap(path, "w+", np.float32, (n, CHANNELS))
            for at in range(0, n, 100_000):
                signal[at : at + 100_000] = rng.poisson(0.3, (min(100_000, n - at), CHANNELS))
            del signal
            for repeat in range(given.repeats):
                for package, batch_size in WAYS:
                    job = {"package": package, "signal": str(path), "batch_size": batch_size}
                    done = _jobs.call(SCRIPT, job, python[package])
                    rows.add(
                        samples=n, repeat=repeat, package=package, batch_size=batch_size, **done
                    )


if __name__ == "__main__":
    main()
