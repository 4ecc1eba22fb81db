"""Outputs of every architecture of the `cebra` package: python architectures_cebra.py OUT.npz.

Runs in the peer's environment. For each name it writes its weights in the order of its layers,
random windows (window, channel, lag), what the model makes of them, and [left, right, stride].
"""

from __future__ import annotations

import sys

import cebra.models
import numpy as np
import torch

CHANNELS, HIDDEN, OUTPUTS, WINDOWS = 12, 16, 3, 64


def main(out: str) -> None:
    torch.manual_seed(0)
    arrays: dict[str, np.ndarray] = {}
    for name in cebra.models.get_options():
        if name.startswith("supervised"):
            continue
        model = cebra.models.init(name, CHANNELS, HIDDEN, OUTPUTS).eval()
        state = model.state_dict()
        # As drawn, no output comes near a limit (a resnet's do).
        if "-clip-" in name or (name.endswith("-tanh") and "resnet" not in name):
            state[list(state)[-2]] *= 50
        offset = model.get_offset()
        window = torch.randn(WINDOWS, CHANNELS, len(offset))
        arrays[f"{name}/window"] = window.numpy()
        with torch.no_grad():
            arrays[f"{name}/output"] = model(window).numpy()
        stride = getattr(model, "resample_factor", 1)
        arrays[f"{name}/offset"] = np.array([offset.left, offset.right, stride])
        # A layer that is used several times is here as often as it is used.
        for i, weight in enumerate(state.values()):
            arrays[f"{name}/weight{i}"] = weight.numpy()
    np.savez(out, **arrays)


if __name__ == "__main__":
    main(sys.argv[1])
