"""Small recordings with a known circle and a class, seen through a random mixture of their own."""

import numpy as np
import pandas as pd

from isofold import Recording

TRIALS, LENGTH = 8, 40
TINY = {
    "model_architecture": "offset1-model", "output_dimension": 3, "num_hidden_units": 16,
    "batch_size": 64, "num_negatives": 64, "max_iterations": 200, "learning_rate": 2e-2,
    "temperature": 0.3, "time_offsets": 2, "random_state": 0,
}  # fmt: skip


def truth(seed, trials=TRIALS, length=LENGTH):
    """An angle that drifts on in every trial, and a class that alternates between trials."""
    rng = np.random.default_rng(seed)
    speed = rng.uniform(0.1, 0.2, trials)[:, None]
    angle = rng.uniform(0, 2 * np.pi, trials)[:, None] + speed * np.arange(length)
    return angle.ravel(), np.repeat(np.arange(trials) % 2, length)


def recording(seed, n_channels=12, name="a", noise=0.1):
    """Labels: circle (two columns), class; truth: the circle."""
    angle, label = truth(seed)
    circle = np.column_stack([np.cos(angle), np.sin(angle)])
    rng = np.random.default_rng([seed, 1])
    latent = np.column_stack([circle, 2 * label - 1])
    signal = latent @ rng.standard_normal((3, n_channels))
    signal = (signal + noise * rng.standard_normal(signal.shape)).astype(np.float32)
    start = np.arange(TRIALS) * LENGTH
    return Recording(
        signal, 1.0, labels={"circle": circle, "class": label}, name=name, truth=circle,
        trials=pd.DataFrame({"start": start, "stop": start + LENGTH}),
    )  # fmt: skip


def halves():
    """Samples of the first six trials, and of the last two."""
    early = np.arange(TRIALS * LENGTH) < 6 * LENGTH
    return early, ~early


def decoded(z_train, y_train, z_test, y_test):
    """R² of the circle by nearest neighbours of the training embedding."""
    z_train, z_test = np.asarray(z_train), np.asarray(z_test)
    distance = ((z_test[:, None] - z_train[None]) ** 2).sum(axis=2)
    near = np.argsort(distance, axis=1)[:, :5]
    guess = y_train[near].mean(axis=1)
    return 1 - ((guess - y_test) ** 2).sum() / ((y_test - y_test.mean(axis=0)) ** 2).sum()


def separation(z, label):
    """Distance between the means of two classes, in units of the spread within them."""
    z = np.asarray(z)
    a, b = z[label == 0], z[label == 1]
    within = np.sqrt((a.var(axis=0).sum() + b.var(axis=0).sum()) / 2)
    return np.linalg.norm(a.mean(axis=0) - b.mean(axis=0)) / within
