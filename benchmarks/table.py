"""Write benchmarks/results/README.md from the numbers beside it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd

RESULTS = Path(__file__).parent / "results"


def load(name: str) -> tuple[str, pd.DataFrame]:
    data = json.loads((RESULTS / f"{name}.json").read_text())
    return data["machine"], pd.DataFrame(data["rows"])


def steps() -> str:
    machine, rows = load("steps")
    rows["ratio"] = rows["isofold_steps_per_s"] / rows["cebra_steps_per_s"]
    rows["gap"] = (rows["isofold_information"] / rows["cebra_information"] - 1).abs()
    lines = [
        "## Equal settings, equal data",
        "",
        f"120 channels × 10,178 samples, offset10-model, batch 512, rate 3e-4; {machine}. Medians "
        f"over {rows['seed'].nunique()} fits each, taking turns. Information is "
        "log(512) − InfoNCE (nats) over the last tenth of 1,000 steps.",
        "",
        "| | cebra 0.6.1, steps/s | isofold, steps/s | ratio (range) | information: cebra, isofold "
        "| largest difference |",
        "|---|---|---|---|---|---|",
    ]
    for mode, part in rows.groupby("mode", sort=False):
        m = part.median(numeric_only=True)
        lines.append(
            f"| {mode} | {m.cebra_steps_per_s:.0f} | {m.isofold_steps_per_s:.0f} "
            f"| **{m.ratio:.1f}** ({part.ratio.min():.1f}–{part.ratio.max():.1f}) "
            f"| {m.cebra_information:.4f}, {m.isofold_information:.4f} | {part.gap.max():.2%} |"
        )
    return "\n".join(lines)


def fits() -> str:
    machine, rows = load("fits")
    fitted = rows[rows["seed"].notna()]
    consistent = rows[rows["consistency"].notna()]
    folds = rows["fold"].nunique()
    tuned = fitted[fitted["who"].str.contains("oracle")]["fold"].nunique()
    lines = [
        "## A default fit against the published recipe",
        "",
        f"Rat CA1 on a linear track (31 units, 25 ms, running laps), {folds} folds of whole laps, "
        f"2 seeds; {machine}. cebra: offset10-model, 3-D, batch 512, rate 3e-4, 5,000 steps. "
        "Oracle: the best of three rates and ten checkpoints by InfoNCE on the held-out laps, "
        f"which its users do not have ({tuned} of {folds} folds); its time is that of the three "
        "fits (left out where they ran beside other work). isofold: everything at “auto”; “walls” "
        "with trials and gaps as walls, else on the same plain arrays. Cold: empty compilation "
        "cache; warm: filled; both in a fresh process. All held out: information in bits (τ = 1), "
        "kNN decoding of position, consistency between two seeds.",
        "",
        "| mode | who | seconds | speed-up | bits | R² | error, px | consistency |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for mode, part in fitted.groupby("mode", sort=False):
        base = part[part["who"] == "cebra"]["seconds"].median()
        for who, mine in part.groupby("who", sort=False):
            m = mine[["bits", "r2", "error_px"]].mean()
            same = consistent[(consistent["mode"] == mode) & (consistent["who"] == who)]
            agree = f"{same['consistency'].mean():.2f}" if len(same) else "–"
            seen = mine["fold"].nunique()
            who = who if seen == folds else f"{who}, fold 0 alone"
            lines.append(
                f"| {mode} | {who} | {_seconds(mine)} | {_speed(mine, base)} | {m.bits:.3f} "
                f"| {m.r2:.3f} | {m.error_px:.1f} | {agree} |"
            )
    return "\n".join([*lines, "", *_differences(fitted)])


def _seconds(part: pd.DataFrame) -> str:
    if part["cold_s"].notna().any():
        return f"{part['cold_s'].median():.1f} cold, {part['warm_s'].median():.1f} warm"
    return f"{part['seconds'].median():.0f}" if part["seconds"].notna().all() else "–"


def _speed(part: pd.DataFrame, base: float) -> str:
    if part["cold_s"].notna().any():
        cold, warm = base / part["cold_s"].median(), base / part["warm_s"].median()
        return f"**{cold:.0f}×** cold, **{warm:.0f}×** warm"
    return f"{base / part['seconds'].median():.1f}×" if part["seconds"].notna().all() else "–"


def _differences(fitted: pd.DataFrame) -> list[str]:
    """Mean paired difference over folds and seeds, isofold − cebra, with its standard error."""
    lines = ["Paired differences to the published recipe (mean ± standard error over fits):", ""]
    keys = ["fold", "seed"]
    for mode, part in fitted.groupby("mode", sort=False):
        theirs = part[part["who"] == "cebra"].set_index(keys)
        for who in ("isofold", "isofold, walls"):
            gap = part[part["who"] == who].set_index(keys)[["bits", "r2", "error_px"]]
            gap = gap - theirs[["bits", "r2", "error_px"]]
            mean, error = gap.mean(), gap.std() / np.sqrt(len(gap))
            lines.append(
                f"- {mode}, {who}: bits {mean.bits:+.3f} ± {error.bits:.3f}, R² {mean.r2:+.3f} ± "
                f"{error.r2:.3f}, error {mean.error_px:+.1f} ± {error.error_px:.1f} px"
            )
    return lines


if __name__ == "__main__":
    parts = ["# Benchmarks, last run", steps(), fits()]
    (RESULTS / "README.md").write_text("\n\n".join(parts) + "\n")
