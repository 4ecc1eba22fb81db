"""Diffusion maps: the slow directions of a random walk between neighbouring samples."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, diags_array

from ..errors import DataError
from ..scores._graph import pieces
from ..scores._ranks import thinned
from ._eigen import leading, upright
from ._neighbors import Neighbors
from ._sample_model import Floats, SampleModel, require_dimension, require_neighbors


class DiffusionMap(SampleModel):
    """Eigenvectors of a random walk: P ψ_k = λ_k ψ_k, z_k = λ_k^t ψ_k without the constant one.

    P is the row-normalised kernel exp(−d²/ε) / (q_i q_j)^α between nearest neighbours, q the row
    sums of exp(−d²/ε); α = 1 takes the density of samples out. A new sample is placed by Nyström's
    formula, ψ_k(x) = Σ_j P(x, j) ψ_k(j) / λ_k. Recordings of more than `max_samples` samples are
    learned from that many, evenly spaced; all samples are embedded.

    Not for reading single latents: those after the first are often bent functions of it. Not for
    data in separate clusters: latents then only name the cluster (a warning says so).

    Parameters
    ----------
    output_dimension
        Number of latents.
    n_neighbors
        Of each sample, joined by the kernel.
    epsilon
        Squared width of the kernel; "auto": the median squared distance to the last neighbour.
    alpha
        1 for the geometry alone, 0 for the walk on the samples as they lie (Laplacian eigenmaps).
    diffusion_time
        Steps t of the walk; more of them shrink fast latents.
    metric
        "euclidean", "cosine" or "correlation" (between channels).
    max_samples
        Learn from at most so many samples.
    outside_trials
        Also learn from samples that lie in no trial.
    random_state
        Accepted for the sake of one interface; nothing is drawn.

    Attributes
    ----------
    embedding_, samples_
        Latents of the samples that were learned from, and these samples.
    eigenvalues_
        λ_k, at most 1.
    epsilon_
        ε as used.

    Raises
    ------
    DataError
        A setting breaks a rule, or all samples are equal.

    References
    ----------
    Coifman & Lafon, Applied and Computational Harmonic Analysis 21, 5 (2006).

    Examples
    --------
    >>> import isofold as iso
    >>> circle = iso.simulate.circle(seed=0, n_samples=200)
    >>> iso.DiffusionMap(output_dimension=2).fit(circle).transform(circle).shape
    (200, 2)
    """

    def __init__(
        self,
        output_dimension: int = 3,
        *,
        n_neighbors: int = 30,
        epsilon: float | str = "auto",
        alpha: float = 1.0,
        diffusion_time: float = 1.0,
        metric: str = "euclidean",
        max_samples: int = 5000,
        outside_trials: bool = False,
        random_state: Any = None,
    ):
        self.output_dimension = output_dimension
        self.n_neighbors = n_neighbors
        self.epsilon = epsilon
        self.alpha = alpha
        self.diffusion_time = diffusion_time
        self.metric = metric
        self.max_samples = max_samples
        self.outside_trials = outside_trials
        self.random_state = random_state

    def _learn(self, rows: Floats, seed: int) -> dict[str, Any]:
        keep = thinned(len(rows), self.max_samples)
        self.samples_ = rows[keep]
        require_neighbors(self.n_neighbors, len(keep))
        require_dimension(self.output_dimension, len(keep) - 2, "samples − 2")
        self._search = Neighbors(self.samples_, self.metric)
        distance, index = self._search.query(self.samples_, self.n_neighbors + 1)
        self.epsilon_ = self._width(distance[:, -1])
        kernel = self._kernel(distance, index)
        n_pieces = int(pieces(kernel).max()) + 1
        if n_pieces > 1:
            warnings.warn(
                f"the graph of {self.n_neighbors} nearest neighbours falls into {n_pieces} pieces: "
                "latents will tell these apart and little else. Raise n_neighbors",
                stacklevel=3,
            )
        self.density_ = kernel.sum(axis=1)
        self.eigenvalues_, self.functions_ = self._slowest(kernel)
        return {
            "n_neighbors": self.n_neighbors,
            "epsilon": self.epsilon_,
            "metric": self.metric,
            "n_samples": len(keep),
            "n_pieces": n_pieces,
        }

    @property
    def embedding_(self) -> Floats:
        return self.functions_ * self.eigenvalues_**self.diffusion_time

    def _width(self, last: Floats) -> float:
        width: float | str
        if self.epsilon == "auto":
            width = float(np.median(last**2))
            found = "half of the samples equal all their neighbours"
        else:
            width, found = self.epsilon, f"got {self.epsilon!r}"
        if isinstance(width, str) or not 0 < width < np.inf:
            raise DataError(f"epsilon must be a positive number or 'auto'; {found}")
        return float(width)

    def _kernel(self, distance: Floats, index: NDArray) -> csr_array:
        """exp(−d²/ε) between samples of which one is a neighbour of the other."""
        n, k = index.shape
        weight = np.exp(-(distance**2) / self.epsilon_)
        start = np.arange(n + 1) * k
        kernel = csr_array((weight.ravel(), index.ravel(), start), shape=(n, n))
        return kernel.maximum(kernel.T).tocsr()

    def _slowest(self, kernel: csr_array) -> tuple[Floats, Floats]:
        """Largest eigenvalues but the first, and their functions, of mean square 1 on the walk."""
        thin = diags_array(self.density_**-self.alpha)
        kernel = thin @ kernel @ thin
        degree = kernel.sum(axis=1)
        root = diags_array(degree**-0.5)
        size, vector = leading(root @ kernel @ root, self.output_dimension + 1)
        if size[-1] <= 0:
            raise DataError(
                f"the kernel has {int(np.sum(size > 0)) - 1} slow directions; lower "
                f"output_dimension={self.output_dimension} or raise n_neighbors"
            )
        functions = vector * np.sqrt(degree.sum() / degree)[:, None]
        return size[1:], upright(functions[:, 1:])

    def _place(self, rows: Floats) -> Floats:
        if not hasattr(self, "_search"):
            self._search = Neighbors(self.samples_, self.metric)
        distance, index = self._search.query(rows, self.n_neighbors + 1)
        # the new sample's own density cancels; relative to the nearest so that none underflows
        weight = np.exp(-(distance**2 - distance[:, :1] ** 2) / self.epsilon_)
        weight *= self.density_[index] ** -self.alpha
        weight /= weight.sum(axis=1, keepdims=True)
        functions = np.sum(weight[:, :, None] * self.functions_[index], axis=1)
        return functions * self.eigenvalues_ ** (self.diffusion_time - 1)

    def _arrays(self) -> dict[str, NDArray]:
        return {
            "samples": self.samples_,
            "functions": self.functions_,
            "eigenvalues": self.eigenvalues_,
            "density": self.density_,
        }

    def _facts(self) -> dict[str, Any]:
        return {"settings": self.settings_, "epsilon": self.epsilon_}

    def _restore(self, arrays: dict[str, NDArray], facts: dict[str, Any]) -> None:
        self.samples_, self.functions_ = arrays["samples"], arrays["functions"]
        self.eigenvalues_, self.density_ = arrays["eigenvalues"], arrays["density"]
        self.settings_, self.epsilon_ = facts["settings"], facts["epsilon"]
        self.output_dimension_ = len(self.eigenvalues_)
