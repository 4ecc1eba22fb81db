"""Tables of the identifiable VAEs: speed, recipe, recovery of their papers' simulations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd


def vae_steps(load: Callable, table: Callable) -> str:
    about, rows = load("vae_steps")
    m = rows.median(numeric_only=True)
    head = ["pi-vae-pytorch, steps/s", "isofold, steps/s", "ratio (range)", "wanted"]
    body = [[
        f"{m.peer_steps_per_s:.0f}", f"{m.isofold_steps_per_s:.0f}",
        f"**{m.ratio:.1f}** ({rows.ratio.min():.1f}–{rows.ratio.max():.1f})", f"{about['target']}",
    ]]  # fmt: skip
    return "\n".join([
        "## pi-VAE, equal architecture and batch", "",
        f"120 units, single bins, batch {about['batch_size']}, {about['steps']} steps; "
        f"{about['machine']}; {len(rows)} turns, medians. The peer is pi-vae-pytorch 1.1.0, with "
        "one thread or two, whichever is faster.", "", table(head, body),
    ])  # fmt: skip


def vae_fits(load: Callable, table: Callable) -> str:
    about, rows = load("vae_fits")
    m = rows.median(numeric_only=True)
    bits, theirs = f"{m.auto_bits_per_spike:.3f}", f"{m.published_bits_per_spike:.3f}"
    body = [
        ["published recipe", f"{m.published_seconds:.0f}", "1", theirs],
        ["“auto”, cold", f"{m.auto_seconds_cold:.0f}", f"**{m.ratio_cold:.1f}**", bits],
        ["“auto”, warm", f"{m.auto_seconds_warm:.0f}", f"**{m.ratio_warm:.1f}**", bits],
    ]
    return "\n".join([
        "## conv-pi-VAE at “auto” against the published recipe", "",
        f"{m.windows:.0f} windows of 120 units × 10 bins, {about['epochs']} epochs of the "
        f"published recipe in the same code; {about['machine']}; {len(rows)} fit each. Decoding "
        f"1,000 windows against {m.candidates:.0f} labels by 100 draws takes "
        f"{m.decode_1000_seconds:.2f} s.", "",
        table(["recipe", "seconds", "speed-up", "held-out bits per spike"], body),
    ])  # fmt: skip


def vae_recovery(load: Callable, table: Callable) -> str:
    _, rows = load("vae_recovery")
    body = []
    for (data, objective), part in rows.groupby(["data", "objective"], sort=False):
        body.append([
            str(data), str(objective), str(len(part)), _range(part.labels_alone),
            _range(part.r2), _range(part.ceiling), _range(part.share), _range(part.r2_free),
            _range(part.ceiling_free), _range(part.within), f"{part.nats.mean():.3f}",
            str(int(part.collapsed.sum())),
        ])  # fmt: skip
    head = ["data", "objective", "sets", "labels alone", "with labels", "ceiling", "share",
            "without", "ceiling without", "within label", "nats − exact", "collapsed"]  # fmt: skip
    return "\n".join([
        "## Recovery of simulated latents", "",
        "Held-out R² of a linear map to the truth, mean (least–most) over data sets; `share` is "
        "(with labels − labels alone) / (ceiling − labels alone); nats: held-out log p(x|u) a "
        "sample minus the exact one; collapsed: latents with a KL below .01 nats.", "",
        table(head, body),
    ])  # fmt: skip


def _range(values: pd.Series) -> str:
    return f"{values.mean():.2f} ({values.min():.2f}–{values.max():.2f})"


PARTS: dict[str, Callable[[Callable, Callable], Any]] = {
    "vae_steps": vae_steps,
    "vae_fits": vae_fits,
    "vae_recovery": vae_recovery,
}
