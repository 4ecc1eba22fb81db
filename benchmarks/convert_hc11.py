"""Convert a rat of hc-11 from the `.jl` file that the CEBRA authors distribute to `.npz`.

python benchmarks/convert_hc11.py achilles.jl achilles.npz

A .jl file is a pickle, and loading a pickle runs whatever code it carries: run this in a throwaway
environment (docs/hc11.md). It needs joblib and NumPy, and nothing of isofold. Files other than the
four that the authors distribute are loaded with --trust only.

Written are `spikes` (time, unit), `position` (time,) in m, `direction` "right" or "left", `lap` and
`round_trip` (numbers from 0) of every bin, and `rate` in bins per second.
"""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from numpy.typing import NDArray

RATE = 40.0
"""Bins of 25 ms."""

JUMP = 0.2
"""Metres in one bin, i.e. 8 m/s: no rat runs there, bins without a position have been left out."""

KNOWN = {
    "c52f9b55cbc23c66d57f3842214058b8": "achilles.jl",
    "5d7b243e07b24c387e5412cd5ff46f0b": "achilles.jl.gz",
    "36341322907708c466871bf04bc133c2": "buddy.jl",
    "339290585be2188f48a176f05aaf5df6": "buddy.jl.gz",
    "a83b02dbdc884fdd7e53df362499d42f": "cicero.jl",
    "f262a87d2e59f164cb404cd410015f3a": "cicero.jl.gz",
    "2b889da48178b3155011c12555342813": "gatsby.jl",
    "564e431c19e55db2286a9d64c86a94c4": "gatsby.jl.gz",
}
"""MD5 of the distributed files, as `cebra` 0.6.1 lists them (cebra/datasets/hippocampus.py)."""


def load(path: Path, trust: bool) -> Any:
    """What the file holds. A file that is not known is looked at only where it is trusted."""
    found = hashlib.md5(path.read_bytes()).hexdigest()
    if found not in KNOWN and not trust:
        raise ValueError(
            f"{path.name} (MD5 {found}) is none of the files that the authors distribute, and "
            "loading it runs code that it carries; download it again, or say --trust where you "
            "know who made it"
        )
    try:
        return joblib.load(path)
    except Exception as error:  # a damaged pickle may raise anything
        raise ValueError(
            f"{path.name} is not a joblib file, or is cut short ({type(error).__name__}: {error})"
        ) from error


def converted(data: Any) -> dict[str, Any]:
    """Checked arrays with the number of the lap and round trip of every bin."""
    spikes, behaviour = _array(data, "spikes"), _array(data, "position")
    if spikes.ndim != 2 or 0 in spikes.shape:
        raise ValueError(f"spikes must be (time, unit), got shape {spikes.shape}")
    if (spikes < 0).any() or (spikes != np.floor(spikes)).any() or spikes.max() >= 2**16:
        raise ValueError("spikes must be counts of each bin: whole numbers from 0 to 65535")
    if behaviour.shape != (len(spikes), 3):
        raise ValueError(
            f"position must be (time, 3) with the {len(spikes)} bins of spikes: position in m, "
            f"1 while running right, 1 while running left; got shape {behaviour.shape}"
        )
    position, right, left = behaviour.T
    if not (np.isin(right, (0, 1)).all() and (left == 1 - right).all()):
        raise ValueError("columns 1 and 2 of position must say right or left: one 1 and one 0")
    lap, round_trip = laps(position, right)
    return {
        "spikes": spikes.astype(np.uint16),
        "position": position.astype(np.float64),
        "direction": np.where(right == 1, "right", "left"),
        "lap": lap,
        "round_trip": round_trip,
        "rate": np.array(RATE),
    }


def laps(position: NDArray, right: NDArray) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Number of the lap of every bin, and of the round trip.

    A lap begins where the direction changes or the position jumps; a round trip, the trial of the
    CEBRA paper, holds two runs of one direction each.
    """
    turned = np.diff(right, prepend=right[0]) != 0
    jumped = np.abs(np.diff(position, prepend=position[0])) > JUMP
    return np.cumsum(turned | jumped), np.cumsum(turned) // 2


def _array(data: Any, key: str) -> NDArray:
    if not isinstance(data, dict) or key not in data:
        held = sorted(map(str, data)) if isinstance(data, dict) else f"a {type(data).__name__}"
        raise ValueError(f"the file must hold 'spikes' and 'position'; it holds {held}")
    array = np.asarray(data[key])
    if array.dtype.kind not in "biuf" or not np.isfinite(array).all():
        raise ValueError(f"{key} must hold finite numbers, got dtype {array.dtype} or NaN")
    return array


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path, help="achilles.jl; a .jl.gz as well")
    parser.add_argument("out", type=Path, help="npz file to write")
    parser.add_argument("--trust", action="store_true", help="load a file that is not known")
    given = parser.parse_args()
    if given.out.suffix != ".npz":
        parser.error(f"the file to write must end in .npz, got {given.out.name}")
    try:
        arrays = converted(load(given.file, given.trust))
    except (OSError, ValueError) as error:
        parser.exit(1, f"{error}\n")
    np.savez_compressed(given.out, **arrays)
    time, unit = arrays["spikes"].shape
    print(f"{given.out}: {time} bins of 25 ms x {unit} units, {arrays['lap'][-1] + 1} laps")


if __name__ == "__main__":
    main()
