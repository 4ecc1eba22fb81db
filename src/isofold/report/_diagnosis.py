"""Collapse and identifiability: what the runs of a method say of their latents, counted."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from ..plot.dots import Row, dots
from ..studies._numbers import number
from .variants import plain

MOST = 40
"""Methods and recordings that are shown."""
MIXED = 1e3
"""Condition of the label prior from which some directions hardly vary."""
Runs = list[dict[str, Any]]


@dataclass(frozen=True)
class Diagnosed:
    """One method on one recording."""

    variant: str
    recording: str
    latents: pd.DataFrame
    """One row a run and latent: `seed`, `fold`, `latent`, `kl`, `gain`, `active`."""
    findings: list[str]
    said: list[dict[str, str]]
    """The words of each run's own diagnosis."""
    n_runs: int


def diagnosed(runs: pd.DataFrame, diagnosis_of: Callable[[str], dict[str, Any]]) -> list[Diagnosed]:
    """Of every method that can look at its latents, in the order of the runs; no controls."""
    groups: dict[tuple[str, str], Runs] = {}
    for run in runs.to_dict("records"):
        found = {} if run["is_control"] else diagnosis_of(run["key"])
        if found:
            name = str(run["variant"]), str(run["recording"])
            groups.setdefault(name, []).append(found | {k: plain(run[k]) for k in ("seed", "fold")})
    return [_diagnosed(*name, found) for name, found in groups.items()]


def diagnosis_blocks(found: list[Diagnosed], figures: dict[str, Any]) -> list[dict[str, Any]]:
    """What the template draws; its figures are added to `figures`."""
    blocks = []
    for place, about in enumerate(found[:MOST]):
        name = f"diagnosis-{place}"
        rows = _rows(about)
        if rows:
            figures[name] = json.loads(_figure(about).to_json())
        alt = f"Gain of each latent of {about.variant}: " + "; ".join(
            f"latent {r['latent']} mean {r['gain']}" for r in rows
        )
        blocks.append({"about": about, "rows": rows, "figure": name, "alt": alt})
    return blocks


def _diagnosed(variant: str, recording: str, runs: Runs) -> Diagnosed:
    rows = [
        {"seed": run["seed"], "fold": run["fold"], "latent": k} | latent
        for run in runs
        for k, latent in enumerate(run.get("latents", []))
    ]
    said = [
        {"seed": run["seed"], "fold": run["fold"], "says": " ".join(map(str, run["verdict"]))}
        for run in runs
    ]
    findings = [*_collapse(runs), *_swap(runs), *_mixture(runs), *_identified(runs)]
    return Diagnosed(variant, recording, pd.DataFrame(rows), findings, said, len(runs))


def _rows(about: Diagnosed) -> list[dict[str, str]]:
    if about.latents.empty:
        return []
    return [
        {
            "latent": str(latent),
            "kl": _mean(part, "kl"),
            "gain": _mean(part, "gain"),
            "active": f"{int(part['active'].astype(bool).sum())} of {len(part)}",
        }
        for latent, part in about.latents.groupby("latent")
    ]


def _mean(part: pd.DataFrame, name: str) -> str:
    return number(float(part[name].astype(float).mean())) if name in part else "–"


def _figure(about: Diagnosed) -> Any:
    rows = []
    for latent, part in about.latents.groupby("latent"):
        hover = [
            f"latent {latent}, seed {s}, fold {f}"
            for s, f in zip(part["seed"], part["fold"], strict=True)
        ]
        values = part["gain"].astype(float).to_numpy()
        rows.append(Row(f"latent {latent}", values, hover, mean=float(values.mean())))
    figure = dots(rows, unit="gain of the data over the prior")
    figure.update_xaxes(range=[-0.03, 1.03])
    return figure


# -- findings: every number is a count of runs or their mean --------------------------------


def _collapse(runs: Runs) -> list[str]:
    looked = [run["latents"] for run in runs if run.get("latents")]
    if not looked:
        return []
    gone = [sum(not latent["active"] for latent in latents) for latents in looked]
    of = f"{len(looked)} run{'s' if len(looked) > 1 else ''}"
    if not any(gone):
        return [f"No latent is collapsed in any of {of}."]
    with_gone = sum(n > 0 for n in gone)
    return [
        f"In {with_gone} of {of} a latent is collapsed (its posterior is the prior, whatever the "
        f"activity): {number(sum(gone) / len(gone))} of {len(looked[0])} latents on average."
    ]


def _swap(runs: Runs) -> list[str]:
    share = _known(runs, "label_swap")
    if not share:
        return []
    led = sum(s > 0.5 for s in share)
    mean = sum(share) / len(share)
    text = (
        f"Given wrong labels, embeddings follow the labels with a share of {number(mean)} "
        f"(0: activity decides, 1: labels decide)"
    )
    if not led:
        return [f"{text}, below one half in all {len(share)}."]
    return [
        f"{text}, above one half in {led} of {len(share)} runs: embeddings with labels then show "
        "the labels; judge by those without."
    ]


def _mixture(runs: Runs) -> list[str]:
    low, high = _known(runs, "weight_at_zero"), _known(runs, "weight_at_one")
    if not low or not high:
        return []
    return [
        f"The best mixture is the posterior with labels alone for {sum(low) / len(low):.0%} of "
        f"samples and the one without for {sum(high) / len(high):.0%} (mean over runs)."
    ]


def _identified(runs: Runs) -> list[str]:
    ranks = [(run["rank"], run["rank_needed"]) for run in runs if run.get("rank") is not None]
    if not ranks:
        known = any(run.get("latents") for run in runs)
        return [
            "Without labels latents are not identified: compare runs after alignment only."
        ] * known
    enough = sum(rank >= needed for rank, needed in ranks)
    hardly = sum(c > MIXED for c in _known(runs, "condition"))
    text = (
        f"The label prior varies in all {ranks[0][1]} directions that identify the latents in "
        f"{enough} of {len(ranks)} runs"
    )
    if enough < len(ranks):
        return [f"{text}; in the others latents may be mixed with each other."]
    also = f", in {hardly} of them hardly in some: check that seeds agree" if hardly else ""
    return [f"{text}{also}. This is what theory asks for, not proof that this fit found them."]


def _known(runs: Runs, name: str) -> list[float]:
    return [float(run[name]) for run in runs if run.get(name) is not None]
