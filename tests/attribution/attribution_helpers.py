"""A recording whose channels depend on known factors."""

from functools import cache

import numpy as np
import pandas as pd

import isofold as iso

GROUPS = {"a": slice(0, 6), "b": slice(6, 12), "noise": slice(12, 18)}
TRUTH = np.zeros((2, 18), bool)
TRUTH[0, GROUPS["a"]] = TRUTH[1, GROUPS["b"]] = True


def slow_noise(rng, n, samples=20):
    """An autocorrelated series of variance 1."""
    x = np.zeros(n)
    for t in range(1, n):
        x[t] = x[t - 1] * (1 - 1 / samples) + rng.standard_normal() * np.sqrt(2 / samples)
    return x


def mixed(seed=0, n=1600, noise=0.5):
    """Six channels hear a, six b, six neither; trials of 100 samples."""
    rng = np.random.default_rng(seed)
    a, b = slow_noise(rng, n), slow_noise(rng, n)
    gain = TRUTH * rng.uniform(0.7, 1.3, TRUTH.shape) * rng.choice([-1, 1], TRUTH.shape)
    signal = np.stack([a, b], axis=1) @ gain + noise * rng.standard_normal((n, 18))
    signal[:, GROUPS["noise"]] *= 2  # the loudest noise stands where nothing is heard
    start = np.arange(0, n, 100)
    trials = pd.DataFrame({"start": start, "stop": start + 100, "odd": (start // 100) % 2})
    labels = {"a": a, "b": b, "side": a > 0, "angle": np.arctan2(b, a)}
    kinds = {"angle": "circular"}
    return iso.Recording(signal, rate=40.0, labels=labels, kinds=kinds, trials=trials, name="mixed")


@cache
def halves():
    """Training and held-out half."""
    return mixed().split(test=0.5)


@cache
def fitted(name):
    """Models of the training half; without unit length latents are free to lie along a and b."""
    train = halves()[0]
    if name == "pca":
        return iso.PCA(output_dimension=2).fit(train)
    settings = {"output_dimension": 3, "max_iterations": 75, "channel_dropout": 0.1}
    if name == "flat_cebra":
        settings |= {"output_dimension": 2, "max_iterations": 300}
        settings["model_architecture"] = "offset1-model-mse"
    return iso.CEBRA(**settings, batch_size=256, random_state=0).fit(train, labels=["a", "b"])
