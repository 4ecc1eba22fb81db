"""UMAP: a layout that keeps neighbours, by the umap-learn package."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._extras import require
from ..errors import DataError
from ..trials import Ints
from ._neighbors import METRICS, Neighbors
from ._sample_model import Floats, SampleModel, require_dimension, require_neighbors

TRANSFORM_SEED = 42
"""As in umap-learn: placing new samples is not drawn anew for each seed of the fit."""
INITS = ("pca", "random")
FLOOR = 1.001e-3
"""Least width of a kernel as a share of the mean distance, umap-learn's .001 and a margin."""


class UMAP(SampleModel):
    """Neighbours stay neighbours: cross entropy between fuzzy graphs of signal and embedding.

    Fitted by umap-learn. New samples are placed as its `transform` places a single sample, by some
    steps among the fixed samples of the fit, so that where one lies does not depend on those that
    come with it. Training samples are placed in the same way; their own layout is `embedding_`.

    Not for distances, densities or the size of gaps: only neighbourhoods mean something. Not for
    linear scores without a look at the picture: a closed loop may be cut open.

    Parameters
    ----------
    output_dimension
        Number of latents.
    n_neighbors
        Small for detail, large for the whole.
    min_dist
        Least distance in the embedding, in its own unit: small packs clusters.
    metric
        "euclidean", "cosine" or "correlation" (between channels).
    n_epochs
        Passes of the layout; None: 500, or 200 for more than 10,000 samples.
    init
        Where the layout starts: "pca" or "random". The package's own "spectral" is not offered: its
        eigensolver differs from run to run.
    outside_trials
        Also learn from samples that lie in no trial.
    random_state
        Seed of the layout.

    Attributes
    ----------
    embedding_, samples_
        Layout of the samples of the fit, and these samples.

    Raises
    ------
    MissingDependencyError
        umap-learn is not installed: pip install "isofold[umap]".
    DataError
        A setting breaks a rule.

    References
    ----------
    McInnes, Healy & Melville, arXiv:1802.03426.

    Examples
    --------
    >>> import isofold as iso
    >>> circle = iso.simulate.circle(seed=0, n_samples=200)
    >>> model = iso.UMAP(output_dimension=2, n_epochs=30, random_state=0)
    >>> model.fit(circle).transform(circle).shape
    (200, 2)
    """

    def __init__(
        self,
        output_dimension: int = 3,
        *,
        n_neighbors: int = 15,
        min_dist: float = 0.1,
        metric: str = "euclidean",
        n_epochs: int | None = None,
        init: str = "pca",
        outside_trials: bool = False,
        random_state: Any = None,
    ):
        self.output_dimension = output_dimension
        self.n_neighbors = n_neighbors
        self.min_dist = min_dist
        self.metric = metric
        self.n_epochs = n_epochs
        self.init = init
        self.outside_trials = outside_trials
        self.random_state = random_state

    def _learn(self, rows: Floats, seed: int) -> dict[str, Any]:
        umap = require("umap", "umap", "UMAP")
        if self.metric not in METRICS:
            raise DataError(f"metric must be one of {METRICS}, got {self.metric!r}")
        require_neighbors(self.n_neighbors, len(rows))
        if self.init not in INITS:
            raise DataError(f"init must be one of {INITS}, got {self.init!r}")
        most = len(rows) - 2 if self.init == "random" else min(len(rows) - 2, rows.shape[1])
        require_dimension(self.output_dimension, most, "samples − 2, and channels unless random")
        layout = umap.UMAP(
            n_neighbors=self.n_neighbors,
            n_components=self.output_dimension,
            metric=self.metric,
            n_epochs=self.n_epochs,
            init=self.init,
            min_dist=self.min_dist,
            random_state=seed,
            n_jobs=1,
        ).fit(rows)
        self.samples_, self.embedding_ = rows, np.asarray(layout.embedding_, np.float32)
        self._search = Neighbors(rows, self.metric)
        a, b = float(layout._a), float(layout._b)
        return {"n_neighbors": self.n_neighbors, "metric": self.metric, "a": a, "b": b}

    def _place(self, rows: Floats) -> Floats:
        if not hasattr(self, "_search"):
            self._search = Neighbors(self.samples_, self.metric)
        distance, index = self._search.query(rows, self.n_neighbors)
        n_epochs = 100 if self.n_epochs is None else max(int(self.n_epochs // 3), 1)
        curve = (self.settings_["a"], self.settings_["b"])
        return place(distance.astype(np.float32), index, self.embedding_, curve, n_epochs)

    def _arrays(self) -> dict[str, NDArray]:
        return {"samples": self.samples_, "embedding": self.embedding_}

    def _facts(self) -> dict[str, Any]:
        return {"settings": self.settings_}

    def _restore(self, arrays: dict[str, NDArray], facts: dict[str, Any]) -> None:
        self.samples_, self.embedding_ = arrays["samples"], arrays["embedding"]
        self.settings_ = facts["settings"]
        self.output_dimension_ = self.embedding_.shape[1]


def place(
    distance: NDArray[np.float32],
    index: Ints,
    layout: NDArray[np.float32],
    curve: tuple[float, float],
    n_epochs: int,
) -> Floats:
    """`umap.UMAP.transform` of every row alone, from its distances to rows of the layout.

    The package scales weights and steps by the largest weight of all rows that come together; here
    each row has its own.
    """
    umap_ = require("umap.umap_", "umap", "UMAP")
    layouts = require("umap.layouts", "umap", "UMAP")
    n, k = index.shape
    sigma = _widths(umap_.smooth_knn_dist, distance)
    rho = np.zeros(n, np.float32)
    weight = umap_.compute_membership_strengths(
        index.astype(np.int32), distance, sigma, rho, bipartite=True
    )[2].reshape(n, k)
    z = _start(weight, index, layout)
    share = weight / weight.max(axis=1, keepdims=True)
    drawn = share * np.float32(n_epochs) >= 1
    head, column = np.nonzero(drawn)
    state = np.random.RandomState(TRANSFORM_SEED).randint(-(2**31) + 1, 2**31 - 2, 3)
    placed = layouts.optimize_layout_euclidean(
        z,
        layout.copy(),
        head.astype(np.int32),
        index[head, column].astype(np.int32),
        n_epochs,
        len(layout),
        1.0 / share[drawn].astype(np.float64),
        *curve,
        state.astype(np.int64),
        1.0,
        0.25,
        5.0,
        False,
    )
    return np.asarray(placed, np.float64)


def _widths(smooth: Callable, distance: NDArray[np.float32]) -> NDArray[np.float32]:
    """Kernel widths of the rows alone: the package's floor is a share of the mean of all rows."""
    k = float(distance.shape[1])
    sigma, _ = smooth(distance, k, local_connectivity=0.0)
    for row in np.flatnonzero(sigma <= FLOOR * distance.mean()):
        sigma[row] = smooth(distance[[row]], k, local_connectivity=0.0)[0][0]
    return np.maximum(sigma, np.float32(FLOOR) * distance.mean(axis=1))


def _start(weight: NDArray, index: Ints, layout: NDArray) -> NDArray[np.float32]:
    """Weighted mean of the neighbours; where one has weight 1 (the nearest at distance 0), it."""
    mean = np.einsum("nk,nkd->nd", weight / weight.sum(axis=1, keepdims=True), layout[index])
    same = weight[:, 0] == 1
    mean[same] = layout[index[same, 0]]
    return mean.astype(np.float32)
