"""Principal component analysis: the linear floor that every other method is held against."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA as _PCA

from ..errors import DataError
from ..recording import Recording
from ..trials import expand
from ._base import Estimator
from ._inputs import gather, positional, used_segments


class PCA(Estimator):
    """Project on the directions of largest variance: z_t = (x_t − mean) Wᵀ, W (latent, channel).

    Not for data whose structure is curved (place cells on a track): use it as the floor.

    Parameters
    ----------
    output_dimension
        Number of components.
    outside_trials
        Also learn from samples that lie in no trial.
    random_state
        Seed of the randomised solver (large inputs only).

    Attributes
    ----------
    components_, mean_, explained_variance_ratio_
        As in `sklearn.decomposition.PCA`.

    Raises
    ------
    DataError
        More components than channels or samples.

    References
    ----------
    Jolliffe, Principal Component Analysis (2002). Computed by scikit-learn.

    Examples
    --------
    >>> import isofold as iso
    >>> circle = iso.simulate.circle(seed=0, n_samples=200)
    >>> iso.PCA(output_dimension=2).fit(circle).transform(circle).shape
    (200, 2)
    """

    score_unit_ = "share of variance"

    def __init__(self, output_dimension: int = 3, *, outside_trials=False, random_state=None):
        self.output_dimension = output_dimension
        self.outside_trials = outside_trials
        self.random_state = random_state

    def fit(self, X: Any, *y: Any, labels: Any = None, trials: Any = None, **keyword: Any) -> Self:
        """Learn the components; labels are accepted and not used."""
        inputs = gather(self, X, positional(y, keyword), labels, trials, reset=True)
        recording = inputs.recording
        start, stop = used_segments(recording, self.outside_trials)
        rows = np.asarray(recording.signal)[expand(start, stop)]
        most = min(rows.shape)
        if not 1 <= self.output_dimension <= most:
            raise DataError(
                f"output_dimension must lie between 1 and {most} (the smaller of "
                f"{rows.shape[0]} samples and {rows.shape[1]} channels), "
                f"got {self.output_dimension}"
            )
        seed = np.random.default_rng(self.random_state).integers(2**31)
        pca = _PCA(self.output_dimension, random_state=int(seed)).fit(rows)
        self.components_, self.mean_ = pca.components_, pca.mean_
        self.explained_variance_ratio_ = pca.explained_variance_ratio_
        self.output_dimension_ = self.output_dimension
        self.settings_ = {"output_dimension": self.output_dimension}
        return self

    def inverse_transform(self, z: Any) -> NDArray:
        """The signal that an embedding stands for, (time, channel)."""
        return np.asarray(z) @ self.components_ + self.mean_

    def goodness_parts(
        self, recording: Recording, seed: int = 0
    ) -> tuple[NDArray[np.float64], str, NDArray[np.float64]]:
        """Share of variance per segment; chance: as many random directions."""
        start, stop = used_segments(recording, self.outside_trials)
        signal = np.asarray(recording.signal) - self.mean_
        share = _explained(signal, self.components_, start, stop)
        rng = np.random.default_rng(seed)
        chance = []
        for _ in range(20):
            random = np.linalg.qr(rng.standard_normal(self.components_.T.shape))[0].T
            chance.append(np.mean(_explained(signal, random, start, stop)))
        return share, self.score_unit_, np.asarray(chance)

    def _embed(self, recording: Recording) -> tuple[NDArray, NDArray[np.bool_]]:
        z = (np.asarray(recording.signal) - self.mean_) @ self.components_.T
        return z, np.zeros(len(z), bool)

    def _arrays(self) -> dict[str, NDArray]:
        return {
            "components": self.components_,
            "mean": self.mean_,
            "explained_variance_ratio": self.explained_variance_ratio_,
        }

    def _facts(self) -> dict[str, Any]:
        return {"settings": self.settings_}

    def _restore(self, arrays: dict[str, NDArray], facts: dict[str, Any]) -> None:
        self.components_, self.mean_ = arrays["components"], arrays["mean"]
        self.explained_variance_ratio_ = arrays["explained_variance_ratio"]
        self.settings_ = facts["settings"]
        self.output_dimension_ = len(self.components_)


def _explained(signal: NDArray, components: NDArray, start, stop) -> NDArray[np.float64]:
    """Share of each segment's sum of squares that lies in the span of the components."""
    pieces = [signal[a:b] for a, b in zip(start, stop, strict=True)]
    total = np.array([np.sum(x**2) for x in pieces])
    kept = np.array([np.sum((x @ components.T) ** 2) for x in pieces])
    return kept / np.where(total > 0, total, 1)
