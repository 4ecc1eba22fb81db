"""A linear read-out of labels from an embedding."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import DataError
from ..recording import Recording
from ..scores._inputs import as_label, require_trials, trials_or_blocks
from ..scores._targets import Target
from ..trials import Ints

Floats = NDArray[np.float64]

ALPHAS = 10.0 ** np.arange(-6.0, 3.0)
"""Ridge penalties tried, per sample: 0 is least squares, 1 halves the weight of a unit input."""
N_FOLDS = 5


def encoded(recording: Recording, name: str, used: Ints) -> Floats:
    """The label as columns of mean 0 and variance 1: numbers, cosine and sine, or a class each."""
    label = as_label(recording.label(name), recording.kind(name), name)[used]
    y = Target.of(label, label).encode(label)
    deviation = y.std(axis=0)
    if not deviation.any():
        raise DataError(f"label {name!r} must vary over the samples used; it is constant")
    return ((y - y.mean(axis=0)) / deviation)[:, deviation > 0]


class ReadOut:
    """Ridge regression from one embedding to any (encoded) labels."""

    def __init__(self, z: Floats, trials: NDArray):
        deviation = z.std(axis=0)
        self._scale = np.where(deviation > 0, deviation, 1)
        self._z = (z - z.mean(axis=0)) / self._scale
        several = len(pd.unique(trials)) > 1
        self.trials = trials_or_blocks(trials if several else None, len(z))
        require_trials(self.trials, "a read-out that is held out by trial")
        codes = pd.factorize(self.trials)[0]
        self._fold = codes % min(N_FOLDS, codes.max() + 1)
        self._gram = np.stack([part.T @ part for part in self._parts(self._z)])

    def fit(self, y: Floats) -> tuple[Floats, float]:
        """Weights (column, latent) at the penalty that predicts held-out trials best; its R²."""
        products = np.stack(
            [a.T @ b for a, b in zip(self._parts(self._z), self._parts(y), strict=True)]
        )
        errors = [self._held_out_error(products, alpha) for alpha in ALPHAS]
        best = int(np.argmin(errors))
        total = float(np.sum(y**2))
        weights = self._solve(self._gram.sum(0), products.sum(0), ALPHAS[best], len(y))
        return weights.T / self._scale, 1 - (total + errors[best]) / total

    def _held_out_error(self, products: Floats, alpha: float) -> float:
        """Σ‖y − Zw‖² over held-out folds, less Σ‖y‖²."""
        error = 0.0
        for fold, (gram, product) in enumerate(zip(self._gram, products, strict=True)):
            n = int(np.sum(self._fold != fold))
            w = self._solve(self._gram.sum(0) - gram, products.sum(0) - product, alpha, n)
            error += float(np.sum(w * (gram @ w)) - 2 * np.sum(w * product))
        return error

    @staticmethod
    def _solve(gram: Floats, product: Floats, alpha: float, n: int) -> Floats:
        return np.asarray(np.linalg.solve(gram + alpha * n * np.eye(len(gram)), product), float)

    def _parts(self, rows: Floats) -> list[Floats]:
        return [rows[self._fold == fold] for fold in range(self._fold.max() + 1)]
