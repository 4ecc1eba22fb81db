"""All benchmarks, one after another: `make bench`. Nothing else should run on the machine.

The peer's environment is made on the first call. The real recording is looked for in
../shared/data/nelpy_linear_track, or in the folder given as the first argument; without it that
part is left out, with a word.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from _jobs import HERE, ROOT


def call(script: str, *arguments: object) -> None:
    subprocess.run([sys.executable, HERE / script, *map(str, arguments)], cwd=ROOT, check=True)


def main() -> None:
    default = ROOT / "../shared/data/nelpy_linear_track"
    data = Path(sys.argv[1]) if len(sys.argv) > 1 else default
    call("steps_against_cebra.py")
    if not (data / "spikes.mat").exists():
        print(f"real data not found: {data}; fits_against_cebra.py is left out")
        return
    with tempfile.TemporaryDirectory() as folder:
        nwb = Path(folder) / "linear-track.nwb"
        call("convert_nelpy.py", "linear-track", data, nwb)
        call("fits_against_cebra.py", nwb)
    call("table.py")


if __name__ == "__main__":
    main()
