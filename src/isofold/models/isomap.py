"""Isomap: distances along the data, laid out in few dimensions."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from ..scores._graph import geodesics, joined, neighbor_graph, pieces
from ..scores._ranks import thinned
from ._eigen import leading
from ._neighbors import Neighbors, measured
from ._sample_model import Floats, SampleModel, require_dimension, require_neighbors


class Isomap(SampleModel):
    """Classical scaling of geodesics: z = V √λ of B = −½ J D² J, D shortest paths between samples.

    Paths run along the graph of nearest neighbours. A new sample has the shortest paths through its
    own neighbours. Recordings of more than `max_samples` samples are learned from that many, evenly
    spaced; all samples are embedded.

    Not for noisy data: one false neighbour is a shortcut through the whole; look whether the
    embedding holds for other `n_neighbors`. Not for holes and branches of high curvature.

    Parameters
    ----------
    output_dimension
        Number of latents.
    n_neighbors
        Of each sample in the graph. Pieces that the graph falls into are joined by their shortest
        distance, with a warning.
    metric
        "euclidean", "cosine" or "correlation" (between channels).
    max_samples
        Learn from at most so many samples (memory and time grow with their square).
    outside_trials
        Also learn from samples that lie in no trial.
    random_state
        Accepted for the sake of one interface; nothing is drawn.

    Attributes
    ----------
    embedding_, samples_
        Latents of the samples that were learned from, and these samples.
    eigenvalues_
        λ, the sum of squares along each latent.

    Raises
    ------
    DataError
        A setting breaks a rule, or the distances span fewer dimensions.

    References
    ----------
    Tenenbaum, de Silva & Langford, Science 290, 2319 (2000). Searches by scikit-learn, paths by
    scipy; equal to `sklearn.manifold.Isomap`.

    Examples
    --------
    >>> import isofold as iso
    >>> circle = iso.simulate.circle(seed=0, n_samples=200)
    >>> iso.Isomap(output_dimension=2).fit(circle).transform(circle).shape
    (200, 2)
    """

    def __init__(
        self,
        output_dimension: int = 3,
        *,
        n_neighbors: int = 15,
        metric: str = "euclidean",
        max_samples: int = 5000,
        outside_trials: bool = False,
        random_state: Any = None,
    ):
        self.output_dimension = output_dimension
        self.n_neighbors = n_neighbors
        self.metric = metric
        self.max_samples = max_samples
        self.outside_trials = outside_trials
        self.random_state = random_state

    def _learn(self, rows: Floats, seed: int) -> dict[str, Any]:
        keep = thinned(len(rows), self.max_samples)
        self.samples_ = rows[keep]
        require_neighbors(self.n_neighbors, len(keep))
        require_dimension(self.output_dimension, len(keep) - 2, "samples − 2")
        n_pieces = self._set_paths()
        if n_pieces > 1:
            warnings.warn(
                f"the graph of {self.n_neighbors} nearest neighbours falls into {n_pieces} pieces; "
                "they were joined by their shortest distances. Raise n_neighbors",
                stacklevel=3,
            )
        square = -0.5 * self._paths**2
        self.mean_ = square.mean(axis=0)
        centred = square - self.mean_ - self.mean_[:, None] + self.mean_.mean()
        if np.abs(centred).max() < 1e-100:
            raise DataError("Isomap needs samples that differ; all of them are equal")
        self.eigenvalues_, vector = leading(centred, self.output_dimension)
        if self.eigenvalues_[-1] <= 1e-12 * self.eigenvalues_[0]:
            raise DataError(
                f"the distances between samples span {int(np.sum(self.eigenvalues_ > 0))} "
                f"dimensions at most; lower output_dimension={self.output_dimension}"
            )
        self.embedding_ = vector * np.sqrt(self.eigenvalues_)
        return {
            "n_neighbors": self.n_neighbors,
            "metric": self.metric,
            "n_samples": len(keep),
            "n_pieces": n_pieces,
        }

    def _set_paths(self) -> int:
        """Search and shortest paths, from the samples alone; how many pieces the graph has."""
        self._search = Neighbors(self.samples_, self.metric)
        rows = measured(self.samples_, self.metric)
        graph = neighbor_graph(rows, self.n_neighbors)
        n_pieces = int(pieces(graph).max()) + 1
        graph = joined(graph, rows)
        graph.data = graph.data if self.metric == "euclidean" else graph.data**2 / 2
        self._paths = geodesics(graph)
        return n_pieces

    def _place(self, rows: Floats) -> Floats:
        if not hasattr(self, "_paths"):
            self._set_paths()
        distance, index = self._search.query(rows, self.n_neighbors)
        mean, turn = self.mean_.mean(), self.embedding_ / self.eigenvalues_
        z = np.empty((len(rows), len(self.eigenvalues_)))
        for i in range(len(rows)):
            path = np.min(self._paths[index[i]] + distance[i, :, None], axis=0)
            square = -0.5 * path**2
            z[i] = (square - self.mean_ - square.mean() + mean) @ turn
        return z

    def _arrays(self) -> dict[str, NDArray]:
        return {
            "samples": self.samples_,
            "embedding": self.embedding_,
            "eigenvalues": self.eigenvalues_,
            "mean": self.mean_,
        }

    def _facts(self) -> dict[str, Any]:
        return {"settings": self.settings_}

    def _restore(self, arrays: dict[str, NDArray], facts: dict[str, Any]) -> None:
        self.samples_, self.embedding_ = arrays["samples"], arrays["embedding"]
        self.eigenvalues_, self.mean_ = arrays["eigenvalues"], arrays["mean"]
        self.settings_ = facts["settings"]
        self.output_dimension_ = len(self.eigenvalues_)
