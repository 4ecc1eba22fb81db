"""A linear classifier whose labels can be permuted hundreds of times at little cost."""

from __future__ import annotations

import numpy as np

from ..trials import Ints
from ._tensor import Floats

PENALTIES = 10.0 ** np.arange(-3, 4)
"""Of the mean squared singular value of the training features."""


class RidgeClassifier:
    """Ridge regression of class indicators; the class with the largest prediction wins.

    ŷ = ȳ + (x − x̄) (XᵀX + α)⁻¹ Xᵀ(Y − ȳ). α is that of the smallest squared error with one
    training trial left out, which has a closed form, and is chosen anew for every set of labels.
    Missing features (NaN) take the training mean.
    """

    def __init__(self, train: Floats, test: Floats):
        known = ~np.isnan(train)
        n = known.sum(axis=0)
        mean = np.where(known, train, 0).sum(axis=0) / np.maximum(n, 1)
        inputs = np.where(known, train - mean, 0.0)
        self._left, size, right = np.linalg.svd(inputs, full_matrices=False)
        held = np.where(np.isnan(test), 0.0, test - mean) @ right.T
        least = 1e-10 * max(float(size.max(initial=0.0)), 1e-300)
        self._size = np.where(size > least, size, 0.0)
        self._held = held
        used = max(int(np.sum(size > least)), 1)
        self._penalties = PENALTIES * max(float(np.sum(size**2)) / used, 1e-300)

    def predict(self, codes: Ints, n_classes: int, balanced: bool = False) -> Ints:
        """Class (test, draw) for training classes (train, draw).

        `balanced` divides predictions by the share of each class, as if all were equally frequent.
        """
        n, n_draws = codes.shape
        y = np.stack([codes == k for k in range(n_classes - 1)], axis=1).astype(float)
        prior = y.mean(axis=0)
        y = (y - prior).reshape(n, -1)
        inner = self._left.T @ y
        best = np.full(n_draws, np.inf)
        guess = np.zeros((len(self._held), n_classes - 1, n_draws))
        for penalty in self._penalties:
            shrink = self._size**2 / (self._size**2 + penalty)
            error = self._left_out_error(y, inner, shrink).reshape(n, n_classes - 1, n_draws)
            error = (error**2).sum(axis=(0, 1)) + (error.sum(axis=1) ** 2).sum(axis=0)
            better = error < best
            best = np.where(better, error, best)
            gain = shrink / np.where(self._size > 0, self._size, 1.0)
            found = (self._held @ (gain[:, None] * inner)).reshape(guess.shape)
            guess = np.where(better, found, guess)
        guess = guess + prior
        whole = np.concatenate([guess, 1 - guess.sum(axis=1, keepdims=True)], axis=1)
        if balanced:
            share = np.concatenate([prior, 1 - prior.sum(axis=0, keepdims=True)])
            whole = np.where(share > 0, whole / np.where(share > 0, share, 1.0), -np.inf)
        return np.argmax(whole, axis=1)

    def _left_out_error(self, y: Floats, inner: Floats, shrink: Floats) -> Floats:
        leverage = 1 / len(y) + (self._left**2) @ shrink
        residual = y - self._left @ (shrink[:, None] * inner)
        return residual / np.maximum(1 - leverage, 1e-6)[:, None]
