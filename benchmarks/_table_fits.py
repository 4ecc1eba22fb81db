"""Tables of default fits against the published recipe."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import t as student

BASE = "cebra"
HEAD = ["mode", "who", "seconds", "speed-up", "bits", "R²", "error, px", "consistency"]


def fits(about: dict[str, Any], rows: pd.DataFrame) -> str:
    """One recording: means, then paired differences with intervals."""
    rows = rows.assign(consistency=rows.get("consistency", pd.Series(np.nan, rows.index)))
    fitted, consistent = rows[rows["seed"].notna()], rows[rows["consistency"].notna()]
    lines = [
        f"## A default fit against the published recipe: {about['recording']}", "",
        f"Rat CA1, 25 ms, running; {fitted['fold'].nunique()} of {about['folds']} folds of whole "
        f"laps or trips; {about['machine']}. cebra: offset10-model, 3-D, batch 512, rate 3e-4, "
        "5,000 steps. Oracle: the best of three rates and ten checkpoints by InfoNCE on the "
        "held-out laps, which its users do not have; its time is that of the three fits up to "
        "their best checkpoints. isofold: everything at “auto”; “walls” with trials and gaps as "
        "walls, else on the same plain arrays. Cold: empty compilation cache; warm: filled; both "
        "in a fresh process. All held out: information in bits (τ = 1), kNN decoding of position, "
        "consistency between seeds. “Permuted”: behaviour models trained on the labels of other "
        "laps from a random start on: how much consistency collapsing onto labels gives.", "",
        *([about["note"], ""] if "note" in about else []),
        *_table(fitted, consistent), "", *_differences(fitted, consistent),
    ]  # fmt: skip
    return "\n".join(lines)


def _table(fitted: pd.DataFrame, consistent: pd.DataFrame) -> list[str]:
    lines = [f"| {' | '.join(HEAD)} |", "|" + "---|" * len(HEAD)]
    for mode, part in fitted.groupby("mode", sort=False):
        peer = part[part["who"] == BASE]["seconds"].median()
        for who, mine in part.groupby("who", sort=False):
            m = mine[["bits", "r2", "error_px"]].mean()
            same = consistent[(consistent["mode"] == mode) & (consistent["who"] == who)]
            agree = f"{same['consistency'].mean():.2f}" if len(same) else "–"
            lines.append(
                f"| {mode} | {who} | {_seconds(mine)} | {_speed(mine, peer)} | {m.bits:.3f} "
                f"| {m.r2:.3f} | {m.error_px:.1f} | {agree} |"
            )
    for who, same in consistent[consistent["mode"] == "permuted"].groupby("who", sort=False):
        lines.append(f"| permuted | {who} | – | – | – | – | – | {same['consistency'].mean():.2f} |")
    return lines


def _seconds(part: pd.DataFrame) -> str:
    if "warm_s" in part and part["warm_s"].notna().any():
        return f"{part['cold_s'].median():.1f} cold, {part['warm_s'].median():.1f} warm"
    return f"{part['seconds'].median():.0f}"


def _speed(part: pd.DataFrame, base: float) -> str:
    if "warm_s" in part and part["warm_s"].notna().any():
        cold, warm = base / part["cold_s"].median(), base / part["warm_s"].median()
        return f"**{cold:.0f}×** cold, **{warm:.0f}×** warm"
    return f"{base / part['seconds'].median():.1f}×"


def _differences(fitted: pd.DataFrame, consistent: pd.DataFrame) -> list[str]:
    """Paired over folds, isofold − cebra, each the mean over seeds of its fold."""
    lines = ["Paired differences to the published recipe, mean [95 % interval]: Student's t over "
             "folds, and for R² of single laps also a bootstrap over laps:", ""]  # fmt: skip
    for mode, part in fitted.groupby("mode", sort=False):
        folds = part.groupby(["who", "fold"])[["bits", "r2", "error_px"]].mean()
        same = consistent[consistent["mode"] == mode].groupby(["who", "fold"])["consistency"].mean()
        folds = folds.join(same)
        for who in part["who"].unique():
            if who == BASE or "oracle" in who or BASE not in folds.index:
                continue
            gap = (folds.loc[who] - folds.loc[BASE]).dropna(how="all")
            found = [
                f"{name} {_t_interval(gap[column].dropna().to_numpy())}"
                for column, name in (("error_px", "error, px,"), ("consistency", "consistency"),
                                     ("bits", "bits"), ("r2", "R²"))
            ]  # fmt: skip
            found.append(f"R² of laps {_over_laps(part, who)}")
            lines.append(f"- {mode}, {who}: {'; '.join(found)}")
    return lines


def _t_interval(gap: np.ndarray) -> str:
    if len(gap) < 2:
        return f"{gap.mean():+.3f}" if len(gap) else "–"
    half = student.ppf(0.975, len(gap) - 1) * gap.std(ddof=1) / np.sqrt(len(gap))
    return f"{gap.mean():+.3f} [{gap.mean() - half:+.3f}, {gap.mean() + half:+.3f}]"


def _over_laps(part: pd.DataFrame, who: str) -> str:
    """Each held-out lap's share of R², mean over seeds; laps are resampled."""
    each = {
        name: pd.DataFrame(list(part[part["who"] == name]["r2_of_trials"])).mean()
        for name in (who, BASE)
    }
    gap = (each[who] - each[BASE]).dropna().to_numpy()
    if len(gap) < 2:
        return "–"
    draws = np.random.default_rng(0).choice(gap, (10_000, len(gap))).mean(axis=1)
    low, high = np.percentile(draws, [2.5, 97.5])
    return f"{gap.mean():+.3f} [{low:+.3f}, {high:+.3f}]"
