"""Error of every way of cleaning, on simulated photometry whose activity is known.

python benchmarks/photometry_error.py [--seeds 5] [--minutes 30] [--out results/photometry_error.md]

Error is the root mean square of (dF/F − truth), after the median of both is removed, in % ΔF/F; r
is the correlation with the truth; amplitude is the slope of each trial's measured response (mean of
0 to 1 s after the cue less mean of the second before) on the same of the truth: 1 is unbiased.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from isofold import simulate
from isofold.preprocess import photometry
from isofold.preprocess.motion import METHODS

SCENES = {
    "usual": {},
    "strong brightening": {"brightening": 0.3},
    "strong motion": {"motion": 0.04},
    "many transients": {"transients": 0.3},
}
BASELINES = ("poly", "exp", "tri-exp", "bright", "highpass", "airpls", "none")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument(
        "--out", type=Path, default=Path(__file__).parent / "results" / "photometry_error.md"
    )
    given = parser.parse_args()
    ways = [(b, "irls-asymmetric") for b in BASELINES]
    ways += [("bright", m) for m in METHODS if m != "irls-asymmetric"]
    ways += [("control", m) for m in ("ols", "irls")]
    lines = [
        "# Error of every way of cleaning photometry",
        "",
        f"`python benchmarks/photometry_error.py`: {given.seeds} simulated recordings of "
        f"{given.minutes:g} minutes a scene, one fiber, 20 Hz, noise 0.5 % of F₀ a sample "
        "(`simulate.photometry`). Error: root mean square of dF/F less its truth, both less their "
        "median, in % ΔF/F. r: correlation with the truth. Amplitude: slope of single trials' "
        "measured on their true responses. Means over recordings.",
        "",
    ]
    for scene, options in SCENES.items():
        lines += [
            f"## {scene}"
            + (f" ({', '.join(f'{k} = {v}' for k, v in options.items())})" * bool(options)),
            "",
            "| bleaching | motion | error, % | r | amplitude |",
            "|---|---|---|---|---|",
        ]
        raws = [
            simulate.photometry_session(seed=s, duration=60 * given.minutes, n_fibers=1, **options)
            for s in range(given.seeds)
        ]
        for bleaching, motion in ways:
            found = np.mean([measures(raw, bleaching, motion) for raw in raws], axis=0)
            error, r, slope = found
            lines.append(f"| {bleaching} | {motion} | {error:.2f} | {r:.3f} | {slope:.2f} |")
        lines.append("")
    given.out.write_text("\n".join(lines[:-1]) + "\n", encoding="utf-8")
    print("\n".join(lines))


def measures(raw, bleaching: str, motion: str) -> tuple[float, float, float]:
    """Error in %, correlation, slope of trial responses."""
    clean = photometry(raw, bleaching=bleaching, motion=motion)
    t = raw.series["470"].times()
    got = np.asarray(clean.series["dff"].values[:, 0], float)
    truth = np.asarray(raw.series["truth"].values[:, 0], float)
    kept = t >= 5
    a, b = got[kept] - np.median(got[kept]), truth[kept] - np.median(truth[kept])
    slope = np.polyfit(responses(t, truth, raw), responses(t, got, raw), 1)[0]
    return 100 * float(np.sqrt(np.mean((a - b) ** 2))), np.corrcoef(a, b)[0, 1], slope


def responses(t: np.ndarray, x: np.ndarray, raw) -> np.ndarray:
    """Mean of the second after each cue less mean of the second before."""
    mean = lambda a, b: x[np.searchsorted(t, a) : np.searchsorted(t, b)].mean()  # noqa: E731
    return np.array([mean(e, e + 1) - mean(e - 1, e) for e in raw.events["cue"]])


if __name__ == "__main__":
    main()
