"""What a diagnosis means, in sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

ACTIVE = 0.01
"""Variance of a posterior mean, in prior variances, above which a latent is active."""

WEAK = 0.1
"""Gain below which the data hardly move a latent from its label's."""

ILL_CONDITIONED = 1e3


def verdict(latents: pd.DataFrame, found: Mapping[str, Any], objective: str) -> list[str]:
    """Collapse, labels against data, the mixture, and identifiability: a sentence on each."""
    labelled = "rank" in found
    say = [*_collapse(latents, labelled)]
    if "label_swap" in found:
        say.append(_swap(found["label_swap"]))
    if "weight_at_one" in found:
        say.append(_mixture(found["weight_at_zero"], found["weight_at_one"], objective))
    if labelled:
        say.append(_identifiable(found["rank"], found["rank_needed"], found["condition"]))
    else:
        say.append("Without labels latents are not identified: compare fits after alignment only.")
    return say


def _collapse(latents: pd.DataFrame, labelled: bool) -> list[str]:
    prior = "the label prior" if labelled else "N(0, 1)"
    gone = latents.index[~latents["active"]].tolist()
    say = []
    if gone:
        cure = "CIiVAE does not collapse" if labelled else "use fewer latents"
        say.append(
            f"Latent(s) {gone} are collapsed: their posterior is {prior}, whatever the activity "
            f"({cure})."
        )
    weak = latents.index[latents["active"] & (latents["gain"] < WEAK)].tolist()
    if weak:
        say.append(
            f"Latent(s) {weak} are hardly moved by the activity: gain over {prior} below {WEAK}."
        )
    if not gone and not weak:
        gain = latents["gain"].mean()
        say.append(f"All {len(latents)} latents carry activity: mean gain over {prior} {gain:.2f}.")
    return say


def _swap(share: float) -> str:
    if not share <= 0.5:
        return (
            "Given wrong labels the embedding follows them more than the activity: embeddings "
            "with labels show the labels; judge the model by those without."
        )
    return "Given wrong labels the embedding stays nearer to the activity than to them."


def _mixture(at_zero: float, at_one: float, objective: str) -> str:
    text = (
        f"The best mixture is q(z|x,u) alone for {at_zero:.0%} of samples and q(z|x) alone for "
        f"{at_one:.0%}."
    )
    if at_zero > 0.99:
        text += " The objective is that of pi-VAE here and does not keep a latent from collapse."
    return text


def _identifiable(rank: int, needed: int, condition: float) -> str:
    if rank < needed:
        return (
            f"The label prior varies in {rank} of the {needed} directions that identify the "
            "latents: they may be mixed with each other (further labels, or fewer latents)."
        )
    if condition > ILL_CONDITIONED:
        return (
            f"The label prior varies in all {needed} directions that identify the latents, in some "
            f"hardly (condition {condition:.0e}): check that fits of other seeds agree."
        )
    return f"The label prior varies in all {needed} directions that identify the latents."
