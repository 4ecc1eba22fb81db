"""Write benchmarks/results/README.md from the numbers beside it; what was not run is left out."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

import _table_vaes
from _table_fits import fits

RESULTS = Path(__file__).parent / "results"

RECORDINGS = ("linear-track", "w-maze")


def load(name: str) -> tuple[dict[str, Any], pd.DataFrame]:
    """What a run says about itself, and its rows."""
    data = json.loads((RESULTS / f"{name}.json").read_text())
    return data, pd.DataFrame(data["rows"])


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def steps() -> str:
    about, rows = load("steps")
    body = []
    for mode, part in rows.groupby("mode", sort=False):
        m = part.median(numeric_only=True)
        theirs, mine = m.get("cebra_information"), m.isofold_information
        same = "–" if pd.isna(theirs) else f"{theirs:.4f}, {mine:.4f}"
        body.append([
            mode, f"{m.cebra_steps_per_s:.3g}", f"{m.isofold_steps_per_s:.3g}",
            f"**{m.ratio:.1f}** ({part.ratio.min():.1f}–{part.ratio.max():.1f})",
            f"{about['targets'][mode]:g}", same, f"{m.step_over_limit:.2f}",
        ])  # fmt: skip
    head = ["mode", "peer, steps/s", "isofold, steps/s", "ratio (range)", "wanted",
            "information: peer, isofold", "step / 0.85 GFLOP"]  # fmt: skip
    return "\n".join([
        "## Equal settings, equal data", "",
        f"120 channels × 10,000 samples, offset10-model, batch 512, rate 3e-4, {about['steps']} "
        f"steps; {about['machine']}. Medians over {rows['seed'].nunique()} fits each, taking "
        "turns. The peer is cebra 0.6.1, of modes “trial” TrialCEBRA 0.0.5. Information is "
        "log(negatives) − InfoNCE (nats) over the last tenth of the steps; the last column is the "
        "time of a step over that of 0.85 GFLOP a recording in a matrix product.", "",
        table(head, body),
    ])  # fmt: skip


def seeds() -> str:
    about, rows = load("seeds")
    body = [
        [
            r["mode"], f"{r.cebra_all_s:.0f}", f"{r.one_by_one_s:.1f}", f"{r.at_once_s:.1f}",
            f"**{r.ratio_to_cebra:.0f}**", f"**{r.ratio_to_one_by_one:.2f}**",
            f"{r.consistency:.3f}",
        ]
        for _, r in rows.iterrows()
    ]  # fmt: skip
    n = about["seeds"]
    head = ["mode", "cebra, s", "isofold one by one, s", "isofold at once, s", "ratio to cebra",
            "ratio to one by one", "consistency"]  # fmt: skip
    return "\n".join([
        f"## {n} seeds", "",
        f"{about['machine']}. cebra: one fit of its published recipe × {n} "
        f"({about['peer_fits']} measured); isofold: default settings, warm.", "", table(head, body),
    ])  # fmt: skip


def transform() -> str:
    about, rows = load("transform")
    rows["batch_size"] = rows["batch_size"].fillna(0).astype(int)
    keys = ["samples", "batch_size"]
    body = []
    for (samples, size), part in rows.groupby(keys):
        wide = part.pivot(index="repeat", columns="package")
        ratio = wide["seconds"]["cebra"] / wide["seconds"]["isofold"]
        m = wide.median()
        body.append([
            f"{samples:,}", str(size or "–"),
            f"{m['seconds', 'cebra']:.2f}", f"{m['seconds', 'isofold']:.2f}",
            f"**{ratio.median():.1f}**",
            f"{m['extra_mb', 'cebra']:.0f}", f"{m['extra_mb', 'isofold']:.0f}",
        ])  # fmt: skip
    head = ["samples", "batch_size", "cebra, s", "isofold, s", "ratio", "cebra, MB", "isofold, MB"]
    return "\n".join([
        "## Transform", "",
        f"{about['channels']} channels, offset10-model, 3-D; {about['machine']}. MB: the largest "
        "anonymous memory during the call above that before it; the result has 12 bytes a sample.",
        "", table(head, body),
    ])  # fmt: skip


def animals() -> str:
    about, rows = load("animals")
    scores = rows[rows["set"].notna()]
    body = [
        [str(way), f"{part.r2.mean():.3f}", f"{100 * part.error_m.mean():.1f}",
         f"{part.seconds.median():.1f}"]
        for way, part in scores.groupby("way", sort=False)
    ]  # fmt: skip
    lines = [
        "## Several animals", "",
        f"{about['sets']} sets of {about['animals']} simulated rats with their own laps and cells; "
        f"{about['machine']}. A kNN decoder of position learns from one rat's training laps and "
        "reads another's held-out laps; means over ordered pairs and sets.", "",
        table(["models", "R²", "error, cm", "seconds"], body), "",
    ]  # fmt: skip
    if "against" in rows:
        for _, r in rows[rows["against"].notna()].iterrows():
            unit, k = ("R²", 1) if r.measure == "r2" else ("cm", 100)
            lines.append(
                f"- {r.way} − {r.against}: {k * r['mean']:+.3f} {unit} "
                f"[{k * r.low:+.3f}, {k * r.high:+.3f}]"
            )
    return "\n".join(lines)


def out_of_core() -> str:
    about = json.loads((RESULTS / "out_of_core.json").read_text())
    body = [
        [where, f"{fit['steps_per_s']:.1f}", f"{fit['peak_anonymous_mb']:,}"]
        for where, fit in about["fits"].items()
    ]
    return "\n".join([
        "## Larger than memory", "",
        f"{about['samples']:,} × {about['channels']} float32, chunks of {about['chunk']:,} "
        f"samples, {about['steps']} steps; {about['machine']}, other work running. Steps per "
        f"second from Zarr over those in memory: {about['zarr_over_memory_speed']}. Visits of a "
        "sample in a whole epoch of pools, least and most over the mean: "
        f"{about['visits']['sample_in_epoch']}. Held-out information of a smaller recording, "
        f"Zarr over memory: {about['zarr_over_memory_bits']}.", "",
        table(["signal in", "steps/s", "peak anonymous memory, MB"], body),
    ])  # fmt: skip


def main() -> None:
    parts: list[tuple[str, Callable[[], str]]] = [
        ("steps", steps), ("seeds", seeds), ("transform", transform), ("animals", animals),
        ("out_of_core", out_of_core),
    ]  # fmt: skip
    texts = [make() for name, make in parts if (RESULTS / f"{name}.json").exists()]
    texts += [
        make(load, table) for name, make in _table_vaes.PARTS.items()
        if (RESULTS / f"{name}.json").exists()
    ]  # fmt: skip
    texts += [
        fits(*load(f"fits-{name}")) for name in RECORDINGS
        if (RESULTS / f"fits-{name}.json").exists()
    ]  # fmt: skip
    (RESULTS / "README.md").write_text("\n\n".join(["# Benchmarks, last run", *texts]) + "\n")


if __name__ == "__main__":
    main()
