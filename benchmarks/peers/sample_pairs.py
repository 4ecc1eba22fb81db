"""Pairs drawn by the peers' own samplers: python sample_pairs.py DATA.npz OUT.npz

Runs in the peers' environment. The data: y (sample, k), classes (sample,), trial_classes (sample,),
n_trials, draws; the trials are of equal length. Writes for every rule how often each sample was
positive of each reference, (sample, sample).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import partial

import numpy as np
import torch
from cebra import distributions
from cebra.distributions.mixed import MixedTimeDeltaDistribution
from trial_cebra.distribution import TrialAwareDistribution

TIME_OFFSET, WINDOW, DELTA = 3, 2, 0.4


def main(path: str, out: str) -> None:
    with np.load(path) as file:
        data = dict(file)
    n, draws = len(data["y"]), int(data["draws"])
    counts = {}
    for name, distribution in rules(data):
        count = np.zeros((n, n), np.int64)
        for _ in range(draws // 2000):
            reference = distribution.sample_prior(2000)
            asked = reference
            if name.startswith("discrete"):
                asked = torch.from_numpy(data["classes"])[reference]
            positive = distribution.sample_conditional(asked)
            np.add.at(count, (reference.numpy(), positive.numpy()), 1)
        counts[name] = count
    np.savez(out, **counts)


def rules(data: dict[str, np.ndarray]) -> Iterator[tuple[str, object]]:
    y = torch.from_numpy(data["y"].astype(np.float32))
    classes = torch.from_numpy(data["classes"])
    yield "time", distributions.TimeContrastive(time_offset=TIME_OFFSET, num_samples=len(y))
    yield "time_delta", distributions.TimedeltaDistribution(y, TIME_OFFSET)
    yield "delta_normal", distributions.DeltaNormalDistribution(y, DELTA)
    yield "discrete/empirical", distributions.DiscreteEmpirical(classes)
    yield "discrete/uniform", distributions.DiscreteUniform(classes)
    yield "mixed", MixedTimeDeltaDistribution(classes, y, TIME_OFFSET)
    yield from trial_rules(data, y)


def trial_rules(
    data: dict[str, np.ndarray], y: torch.Tensor
) -> Iterator[tuple[str, TrialAwareDistribution]]:
    """Every conditional without classes, with classes of samples, with classes of trials."""
    n_trials = int(data["n_trials"])
    n_time = len(y) // n_trials
    labels = y.reshape(n_trials, n_time, -1)
    for conditional in ("time", "delta", "time_delta"):
        make = partial(
            TrialAwareDistribution, n_trials, n_time, conditional,
            y=None if conditional == "time" else labels, time_offsets=WINDOW, delta=DELTA,
        )  # fmt: skip
        yield f"trial_{conditional}", make()
        for kind in ("classes", "trial_classes"):
            for prior in ("balanced", "uniform"):
                discrete = torch.from_numpy(data[kind])
                name = f"trial_{conditional}/{kind}/{prior}"
                yield name, make(y_discrete=discrete, sample_prior=prior)
        if conditional != "delta":
            yield f"trial_{conditional}/same_trial", make(sample_exclude_intrial=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
