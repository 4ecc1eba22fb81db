"""Peak memory of cleaning a 3-hour, 1 kHz, 8-channel recording, imports included.

python benchmarks/photometry_memory.py [--hours 3] [--rate 1000] [--fibers 4] [--folder DIR]

Makes an HDF5 file with a signal and a control channel per fiber, cleans it in a process of its own
with results on a scratch folder, and reports that process's ru_maxrss.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

CHUNK = 1 << 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hours", type=float, default=3.0)
    parser.add_argument("--rate", type=float, default=1000.0)
    parser.add_argument("--fibers", type=int, default=4)
    parser.add_argument("--bleaching", default="bright")
    parser.add_argument("--folder", type=Path, help="where to make the recording")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--clean", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.clean:
        print(json.dumps(clean(given.clean, given.bleaching)))
        return
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        path = Path(folder) / "raw.h5"
        make(path, int(given.hours * 3600 * given.rate), given.rate, given.fibers)
        command = [sys.executable, __file__, "--clean", str(path), "--bleaching", given.bleaching]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(done.stderr[-3000:])
    about = {"hours": given.hours, "rate": given.rate, "channels": 2 * given.fibers}
    result = about | {"bleaching": given.bleaching} | json.loads(done.stdout)
    print(json.dumps(result, indent=1))
    if given.out:
        given.out.write_text(json.dumps(result, indent=1) + "\n")


def make(path: Path, n: int, rate: float, fibers: int) -> None:
    """Two exponentials, transients, shared motion and noise, written in pieces."""
    import h5py

    rng = np.random.default_rng(0)
    with h5py.File(path, "w") as file:
        data = {
            k: file.create_dataset(k, (n, fibers), "f4", chunks=(CHUNK, 1)) for k in ("470", "415")
        }
        for a in range(0, n, CHUNK):
            t = (a + np.arange(min(CHUNK, n - a))) / rate
            f0 = 1 + 0.3 * np.exp(-t / 6000) + 0.1 * np.exp(-t / 300)
            for k in range(fibers):
                motion = 0.01 * np.sin(2 * np.pi * t / (31 + k)) + 0.005 * np.sin(t / (2.1 + k))
                active = 0.05 * np.exp(-np.mod(t, 7 + k))
                noise = rng.standard_normal((2, len(t)), dtype=np.float32)
                data["470"][a : a + len(t), k] = 300 * f0 * (1 + active + motion) + noise[0]
                data["415"][a : a + len(t), k] = 200 * f0 * (1 + 0.7 * motion) + noise[1]
        file.attrs["rate"] = rate


def clean(path: Path, bleaching: str) -> dict[str, Any]:
    """Clean the file; memory, time, and what came out."""
    import h5py
    import pynapple as nap

    import isofold as iso

    begin = time.perf_counter()
    with h5py.File(path, "r") as file:
        t = np.arange(len(file["470"])) / file.attrs["rate"]
        columns = [f"Fiber_{k}" for k in range(file["470"].shape[1])]
        first = nap.TsdFrame(t=t, d=file["470"], columns=columns, load_array=False)
        clock = {"t": first.index, "time_support": first.time_support}
        second = nap.TsdFrame(**clock, d=file["415"], columns=columns, load_array=False)
        del t
        session = iso.Session(series={"470": first, "415": second})
        out = iso.preprocess.photometry(
            session, "470", "415", bleaching=bleaching, scratch=path.parent / "scratch"
        )
        fits = out.provenance[-1]["fibers"].values()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        return {
            "peak_mb": round(peak),
            "seconds": round(time.perf_counter() - begin, 1),
            "slopes": [round(f["motion"]["slope"], 3) for f in fits],
            "finite": bool(np.isfinite(np.asarray(out.series["dff"].values[::1000])).all()),
        }


if __name__ == "__main__":
    main()
