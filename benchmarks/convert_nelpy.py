"""Convert a nelpy example recording to NWB.

python benchmarks/convert_nelpy.py linear-track DIR_IN OUT.nwb
python benchmarks/convert_nelpy.py w-maze DIR_IN OUT.nwb
"""

from __future__ import annotations

import argparse
from pathlib import Path

from nelpy import linear_track, w_maze


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recording", choices=["linear-track", "w-maze"])
    parser.add_argument("folder", type=Path, help="holds spikes.mat and the trajectory")
    parser.add_argument("out", type=Path, help="NWB file to write")
    given = parser.parse_args()
    read = linear_track if given.recording == "linear-track" else w_maze
    session = read(given.folder)
    print(session, "→", session.to_nwb(given.out))


if __name__ == "__main__":
    main()
