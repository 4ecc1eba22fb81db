"""All benchmarks, one after another: `make bench`. Nothing else should run on the machine.

The peers' environment is made on the first call. Real recordings are looked for in ../shared/data,
or in the folder given as the first argument; those that are not there are left out, with a word.
Each script also runs alone and says how in its first lines.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from _jobs import HERE, ROOT

REAL = {"linear-track": ("nelpy_linear_track", 1), "w-maze": ("nelpy_w_maze", 0)}
"""Name, folder, and in how many folds the peer is tuned."""


def call(script: str, *arguments: object) -> None:
    subprocess.run([sys.executable, HERE / script, *map(str, arguments)], cwd=ROOT, check=True)


def main() -> None:
    data = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "../shared/data"
    scripts = (
        "steps.py", "seeds.py", "transform.py", "animals.py", "stream_latency.py",
        "vae_steps.py", "vae_fits.py", "vae_recovery.py",
        "mind.py", "study_overhead.py", "sweep.py", "page.py",
        "photometry.py", "photometry_memory.py", "photometry_error.py",
    )  # fmt: skip
    for script in scripts:
        call(script)
    for name, (folder, tuned) in REAL.items():
        if not (data / folder / "spikes.mat").exists():
            print(f"real data not found: {data / folder}; fits.py is left out for {name}")
            continue
        with tempfile.TemporaryDirectory() as temporary:
            nwb = Path(temporary) / f"{name}.nwb"
            call("convert_nelpy.py", name, data / folder, nwb)
            call("fits.py", nwb, "--tuned", tuned, "--walls")
    call("table.py")


if __name__ == "__main__":
    main()
