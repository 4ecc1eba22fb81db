"""dF/F and motion correction against a plain transcription of the Allen Institute's method.

python benchmarks/photometry.py [--minutes 60] [--fibers 4] [--rounds 1] [--methods poly exp bright]

A recording of `fibers` × (green, red, isosbestic) at 20 Hz. Both sides do the same work: dF/F of
all channels by each method, then motion correction of green and red by the isosbestic channel. They
take turns, in one process each. Differences of the results and the residual sums of squares of the
fits are reported beside the times (bright weighs samples: its plain sums may lie on either side).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

import _jobs

RATE = 20.0
CUT = 100


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--fibers", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--methods", nargs="+", default=["poly", "exp", "bright"])
    parser.add_argument("--loaded", action="store_true", help="note that the machine was loaded")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--job", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.job:
        job = json.loads(given.job)
        print(json.dumps(do(**job)))
        return
    size = {"minutes": given.minutes, "fibers": given.fibers}
    seconds: dict[str, dict[str, list[float]]] = {m: {} for m in given.methods}
    results: dict[str, dict[str, Any]] = {}
    for _ in range(given.rounds):
        for method in given.methods:
            for side in ("plain", "isofold"):
                found = in_process(side=side, method=method, **size)
                seconds[method].setdefault(side, []).append(found.pop("seconds"))
                results.setdefault(method, {})[side] = found
    rows = [row(m, seconds[m], results[m]) for m in given.methods]
    whole = {s: sum(min(seconds[m][s]) for m in given.methods) for s in ("plain", "isofold")}
    out = {
        "machine": _jobs.machine(), "loaded": given.loaded, **size, "rate": RATE, "rows": rows,
        "seconds": whole, "faster": round(whole["plain"] / whole["isofold"], 1),
    }  # fmt: skip
    print(json.dumps(out, indent=1))
    if given.out:
        given.out.write_text(json.dumps(out, indent=1) + "\n")


def in_process(**job: Any) -> dict[str, Any]:
    command = [sys.executable, __file__, "--job", json.dumps(job)]
    # Threads of BLAS only wait for each other on sums of this size, on either side.
    single = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=single)
    if done.returncode:
        raise RuntimeError(f"{job} failed:\n{done.stderr[-3000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def row(method: str, seconds: dict[str, list[float]], found: dict[str, Any]) -> dict[str, Any]:
    """One line: times, and how far the two results are apart."""
    theirs, ours = (np.load(found[s]["path"]) for s in ("plain", "isofold"))
    line: dict[str, Any] = {"method": method}
    for what in ("dff", "corrected"):
        a, b = theirs[what][:, CUT:], ours[what][:, CUT:]
        line[what] = {
            "least_r": float(min(np.corrcoef(x, y)[0, 1] for x, y in zip(a, b, strict=True))),
            "slope_off": float(
                max(abs(np.polyfit(x, y, 1)[0] - 1) for x, y in zip(a, b, strict=True))
            ),
            "largest_difference": float(np.abs(a - b).max()),
        }
    ratio = ours["rss"] / theirs["rss"]
    line["rss_ours_over_theirs"] = {"least": float(ratio.min()), "most": float(ratio.max())}
    best = {side: min(s) for side, s in seconds.items()}
    for path in (found["plain"]["path"], found["isofold"]["path"]):
        Path(path).unlink()
    return line | {"seconds": best, "faster": round(best["plain"] / best["isofold"], 1)}


# -- jobs ----------------------------------------------------------------------------------------


def make(minutes: float, fibers: int) -> dict[str, np.ndarray]:
    """green, red, iso: (fiber, time); the isosbestic channel sees motion only."""
    from isofold import simulate

    lights: dict[str, list[np.ndarray]] = {"green": [], "red": [], "iso": []}
    for k in range(fibers):
        one = simulate.photometry(seed=k, duration=60 * minutes, n_fibers=1).signal
        other = simulate.photometry(
            seed=k, duration=60 * minutes, n_fibers=1, transients=0.02, brightening=0.0
        ).signal
        lights["green"].append(one[:, 0])
        lights["iso"].append(one[:, 1])
        lights["red"].append(other[:, 0])
    return {k: np.array(v, np.float64) for k, v in lights.items()}


def do(side: str, method: str, minutes: float, fibers: int) -> dict[str, Any]:
    """Clean the recording; the time without making it and without imports."""
    lights = make(minutes, fibers)
    work = plain if side == "plain" else isofold
    work({k: v[:1, :15_000] for k, v in lights.items()}, "poly")  # imports, first calls
    begin = time.perf_counter()
    dff, corrected, f0 = work(lights, method)
    seconds = time.perf_counter() - begin
    traces = np.concatenate([lights[k] for k in ("green", "red", "iso")])[:, CUT:]
    f0 = f0[:, CUT:]
    if method == "tri-exp":
        from isofold.preprocess._filters import low_pass

        traces = np.array([low_pass(x, RATE, 0.01) for x in traces])
    rss = np.sum((traces - f0) ** 2, axis=1)
    path = Path(tempfile.mkdtemp()) / "result.npz"
    np.savez(path, dff=dff, corrected=corrected, rss=rss)
    return {"seconds": seconds, "path": str(path)}


def plain(lights: dict[str, np.ndarray], method: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """dF/F (channel × fiber, time), corrected green and red, baselines."""
    sys.path.insert(0, str(Path(__file__).parent / "peers"))
    import photometry_plain as p

    done = {k: [p.dff(x, RATE, method) for x in v] for k, v in lights.items()}
    corrected = [
        p.motion_correct(own[0], iso[0], RATE)[0]
        for k in ("green", "red")
        for own, iso in zip(done[k], done["iso"], strict=True)
    ]
    every = [one for k in ("green", "red", "iso") for one in done[k]]
    return np.array([e[0] for e in every]), np.array(corrected), np.array([e[1] for e in every])


def isofold(
    lights: dict[str, np.ndarray], method: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The same through the functions that `photometry` is made of."""
    from isofold import preprocess

    divide = "fit" if method == "bright" else "sliding"
    n = lights["green"].shape[1]
    t = np.arange(n) / RATE
    dffs: dict[str, list[np.ndarray]] = {}
    baselines = []
    for k, traces in lights.items():
        for x in traces:
            fit = preprocess.fit_bleaching(t[CUT:], x[CUT:], method, start=0.0)
            f0 = fit.at(t[CUT:])
            r = preprocess.dff(x[CUT:], f0, RATE, divide)
            dffs.setdefault(k, []).append(np.concatenate([np.full(CUT, r[0]), r]))
            baselines.append((k, np.concatenate([np.full(CUT, f0[0]), f0])))
    corrected = [
        preprocess.motion_correct(own, iso, RATE)[0]
        for k in ("green", "red")
        for own, iso in zip(dffs[k], dffs["iso"], strict=True)
    ]
    order = [r for k in ("green", "red", "iso") for r in dffs[k]]
    f0s = [f for k in ("green", "red", "iso") for kind, f in baselines if kind == k]
    return np.array(order), np.array(corrected), np.array(f0s)


if __name__ == "__main__":
    main()
