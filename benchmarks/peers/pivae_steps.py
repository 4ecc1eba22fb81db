"""Steps per second of `pi-vae-pytorch`: python pivae_steps.py DATA.npz [--steps 500] [--warm 50]

Runs in the environment of peers/pivae.txt. The data: x, counts (time, unit), and u (time, label).
The model of the rat in the pi-VAE paper at 120 units: encoder x→60→60→2n (tanh), label prior
u→20→20→2n (tanh), GIN decoder of two blocks of two couplings, hidden width unit // 4 = 30, Poisson.
A step: gather a batch, forward, loss, backward, Adam. Prints one JSON line.

Where the package differs from the paper, as read in 1.1.0, and what is done about it here:

- One MLP gives mean and log-variance; the paper has two. Left as it is.
- Couplings of a block are one layer, used twice; --own-couplings puts a layer of its own in each
  place. The same work forward and backward, more parameters for Adam.
- Every forward also decodes a sample of the encoder, without gradient. Left: its users pay for it.
- The loss defaults to a mixture of two KLs; alpha=0 is the ELBO of the paper (without log x!).
- Activations are classes, in the defaults too; an instance raises TypeError.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch
from pi_vae_pytorch import PiVAE
from pi_vae_pytorch.layers import AffineCouplingLayer, GINBlock
from pi_vae_pytorch.loss import ELBOLoss

LATENTS, LEARNING_RATE = 2, 5e-4


def build(n_units: int, n_labels: int, own_couplings: bool) -> PiVAE:
    model = PiVAE(
        n_units, n_labels, LATENTS, discrete_labels=False,
        encoder_hidden_layer_dim=60, label_prior_hidden_layer_dim=20,
    )  # fmt: skip
    for block in model.modules():
        if own_couplings and isinstance(block, GINBlock):
            block.net = torch.nn.Sequential(*(AffineCouplingLayer(n_units) for _ in block.net))
    return model


def batches(x: torch.Tensor, u: torch.Tensor, size: int, steps: int):
    """Shuffled epochs of whole batches."""
    left = torch.empty(0, dtype=torch.long)
    for _ in range(steps):
        if len(left) < size:
            left = torch.randperm(len(x))
        rows, left = left[:size], left[size:]
        yield x[rows], u[rows]


def train(model: PiVAE, optimiser: torch.optim.Optimizer, pairs) -> list[torch.Tensor]:
    """The loss of every step, in nats a sample."""
    elbo, losses = ELBOLoss(version=2, alpha=0.0), []
    for x, u in pairs:
        out = model(x, u)
        loss = elbo(
            x, out["posterior_firing_rate"], out["posterior_mean"], out["posterior_log_variance"],
            out["label_mean"], out["label_log_variance"],
            out["encoder_mean"], out["encoder_log_variance"],
        )  # fmt: skip
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.detach())
    return losses


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--warm", type=int, default=50, help="steps before the clock starts")
    parser.add_argument("--batch-size", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, help="of torch; default: its own choice")
    parser.add_argument("--own-couplings", action="store_true")
    given = parser.parse_args()
    if given.threads:
        torch.set_num_threads(given.threads)
    torch.manual_seed(given.seed)
    with np.load(given.data) as file:
        x, u = (torch.from_numpy(file[key].astype(np.float32)) for key in "xu")
    model = build(x.shape[1], u.shape[1], given.own_couplings)
    optimiser = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)
    first = train(model, optimiser, batches(x, u, given.batch_size, given.warm))
    start = time.perf_counter()
    last = train(model, optimiser, batches(x, u, given.batch_size, given.steps))
    seconds = time.perf_counter() - start
    losses = torch.stack(first + last)
    found = {
        "steps_per_second": given.steps / seconds,
        "loss": [float(losses[0]), float(losses[-1])],
        "parameters": sum(p.numel() for p in model.parameters()),
        "threads": torch.get_num_threads(),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
