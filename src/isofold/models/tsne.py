"""t-SNE: a layout of neighbourhood probabilities, by the openTSNE package."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._extras import require
from ..errors import DataError
from ._sample_model import Floats, SampleModel, require_dimension

MANY = 10_000
"""From so many samples on repulsion is interpolated (FFT) in one and two dimensions."""
INITIALIZATIONS = ("pca", "random")
METRICS = ("euclidean", "cosine")


class TSNE(SampleModel):
    """min KL(P ‖ Q): Gaussian neighbours in the signal, Student-t neighbours in the embedding.

    Fitted by openTSNE with exact neighbours. New samples are placed by its `transform`, each by
    itself among the fixed samples of the fit. Training samples are placed in the same way; their
    own layout is `embedding_`.

    Not for distances, densities, the size of clusters or of the gaps between them. Not for linear
    scores without a look at the picture: a closed loop may be cut open.

    Parameters
    ----------
    output_dimension
        Number of latents, 1 to 3 (3 is slow).
    perplexity
        Effective number of neighbours; less than a third of the samples.
    metric
        "euclidean" or "cosine".
    n_iter, early_exaggeration_iter
        Steps of the layout, and those before with exaggerated attraction.
    learning_rate
        "auto" or a number.
    exaggeration
        Attraction times this in the main phase too; None: 1.
    initialization
        "pca" or "random". The package's "spectral" is not offered: its eigensolver differs from run
        to run.
    outside_trials
        Also learn from samples that lie in no trial.
    random_state
        Seed of the initial layout.

    Attributes
    ----------
    embedding_, samples_
        Layout of the samples of the fit, and these samples.
    kl_divergence_
        What was minimised, in nats.

    Raises
    ------
    MissingDependencyError
        openTSNE is not installed: pip install "isofold[tsne]".
    DataError
        A setting breaks a rule.

    References
    ----------
    van der Maaten & Hinton, JMLR 9, 2579 (2008); Poličar et al., J. Stat. Softw. 109 (2024).

    Examples
    --------
    >>> import isofold as iso
    >>> circle = iso.simulate.circle(seed=0, n_samples=200)
    >>> model = iso.TSNE(n_iter=50, early_exaggeration_iter=50, random_state=0)
    >>> model.fit(circle).transform(circle).shape
    (200, 2)
    """

    def __init__(
        self,
        output_dimension: int = 2,
        *,
        perplexity: float = 30.0,
        metric: str = "euclidean",
        n_iter: int = 500,
        early_exaggeration_iter: int = 250,
        learning_rate: float | str = "auto",
        exaggeration: float | None = None,
        initialization: str = "pca",
        outside_trials: bool = False,
        random_state: Any = None,
    ):
        self.output_dimension = output_dimension
        self.perplexity = perplexity
        self.metric = metric
        self.n_iter = n_iter
        self.early_exaggeration_iter = early_exaggeration_iter
        self.learning_rate = learning_rate
        self.exaggeration = exaggeration
        self.initialization = initialization
        self.outside_trials = outside_trials
        self.random_state = random_state

    def _learn(self, rows: Floats, seed: int) -> dict[str, Any]:
        tsne = require("openTSNE", "tsne", "TSNE")
        self._check(rows)
        interpolated = len(rows) >= MANY and self.output_dimension < 3
        repulsion = "fft" if interpolated else "bh"
        affinities = self._affinities_of(rows)
        layout = tsne.TSNE(
            n_components=self.output_dimension,
            n_iter=self.n_iter,
            early_exaggeration_iter=self.early_exaggeration_iter,
            learning_rate=self.learning_rate,
            exaggeration=self.exaggeration,
            initialization=self.initialization,
            negative_gradient_method=repulsion,
            random_state=seed,
            n_jobs=1,
        ).fit(rows, affinities=affinities)
        self.samples_, self.embedding_ = rows, np.array(layout)
        self.kl_divergence_ = float(layout.kl_divergence)
        self._affinities = affinities
        return {
            "perplexity": self.perplexity,
            "metric": self.metric,
            "negative_gradient_method": repulsion,
        }

    def _check(self, rows: Floats) -> None:
        require_dimension(self.output_dimension, min(3, *rows.shape), "3, samples and channels")
        if self.metric not in METRICS:
            raise DataError(f"metric must be one of {METRICS}, got {self.metric!r}")
        if self.initialization not in INITIALIZATIONS:
            raise DataError(
                f"initialization must be one of {INITIALIZATIONS}, got {self.initialization!r}"
            )
        if not 0 < self.perplexity <= (len(rows) - 1) / 3:
            raise DataError(
                f"perplexity must be positive and at most a third of the other samples, "
                f"{(len(rows) - 1) / 3:.1f} here, got {self.perplexity}"
            )

    def _affinities_of(self, rows: Floats) -> Any:
        affinity = require("openTSNE.affinity", "tsne", "TSNE")
        return affinity.PerplexityBasedNN(
            rows, perplexity=self.perplexity, method="exact", metric=self.metric, n_jobs=1
        )

    def _place(self, rows: Floats) -> Floats:
        tsne = require("openTSNE", "tsne", "TSNE")
        if not hasattr(self, "_affinities"):
            self._affinities = self._affinities_of(self.samples_)
        layout = tsne.TSNEEmbedding(  # anew each time: placing moves the centre of the layout
            self.embedding_,
            self._affinities,
            negative_gradient_method=self.settings_["negative_gradient_method"],
            n_jobs=1,
        )
        perplexity = min(5.0, (len(self.samples_) - 1) / 3)  # the package's, where there is room
        return np.array(layout.transform(rows, perplexity=perplexity))

    def _arrays(self) -> dict[str, NDArray]:
        return {"samples": self.samples_, "embedding": self.embedding_}

    def _facts(self) -> dict[str, Any]:
        return {"settings": self.settings_, "kl_divergence": self.kl_divergence_}

    def _restore(self, arrays: dict[str, NDArray], facts: dict[str, Any]) -> None:
        self.samples_, self.embedding_ = arrays["samples"], arrays["embedding"]
        self.settings_, self.kl_divergence_ = facts["settings"], facts["kl_divergence"]
        self.output_dimension_ = self.embedding_.shape[1]
