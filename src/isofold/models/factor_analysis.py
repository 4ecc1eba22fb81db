"""Factor analysis: shared latents, and noise of each channel's own size."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from sklearn.decomposition import FactorAnalysis as _FactorAnalysis

from ..recording import Recording
from ..trials import expand
from ._inputs import used_segments
from ._sample_model import CHANCE_DRAWS, Floats, SampleModel, require_dimension
from ._shared_variance import alone, torn


class FactorAnalysis(SampleModel):
    """x = z W + mean + noise, z ~ N(0, I), noise ~ N(0, Ψ) with Ψ diagonal; z_t = E[z | x_t].

    Unlike PCA it does not take a noisy channel for a latent. Goodness of fit is the gain in
    log-likelihood over channels that are independent Gaussians, in bits a sample. Not for counts as
    they are (`preprocess.square_root` first), nor for curved structure, nor for single latents:
    they are free up to rotation unless `rotation` is given.

    Parameters
    ----------
    output_dimension
        Number of factors.
    tol, max_iter
        Expectation maximisation stops when the log-likelihood gains less than `tol`, or after so
        many rounds.
    svd_method
        "lapack" (exact) or "randomized" (faster for many channels).
    rotation
        None, "varimax" or "quartimax".
    outside_trials
        Also learn from samples that lie in no trial.
    random_state
        Seed of svd_method="randomized".

    Attributes
    ----------
    components_, mean_, noise_variance_
        W, mean and the diagonal of Ψ.
    n_iter_
        Rounds of expectation maximisation.

    Raises
    ------
    DataError
        More factors than channels or samples.

    References
    ----------
    Bishop, Pattern Recognition and Machine Learning, 12.2.4. Computed by scikit-learn.

    Examples
    --------
    >>> import isofold as iso
    >>> circle = iso.simulate.circle(seed=0, n_samples=200, n_units=10, mixing="linear", noise=0.1)
    >>> iso.FactorAnalysis(output_dimension=2).fit(circle).transform(circle).shape
    (200, 2)
    """

    score_unit_ = "bits a sample over independent channels"

    def __init__(
        self,
        output_dimension: int = 3,
        *,
        tol: float = 1e-2,
        max_iter: int = 1000,
        svd_method: str = "lapack",
        rotation: str | None = None,
        outside_trials: bool = False,
        random_state: Any = None,
    ):
        self.output_dimension = output_dimension
        self.tol = tol
        self.max_iter = max_iter
        self.svd_method = svd_method
        self.rotation = rotation
        self.outside_trials = outside_trials
        self.random_state = random_state

    def _learn(self, rows: Floats, seed: int) -> dict[str, Any]:
        shape = f"the smaller of {rows.shape[0]} samples and {rows.shape[1]} channels"
        require_dimension(self.output_dimension, min(rows.shape), shape)
        model = _FactorAnalysis(
            self.output_dimension,
            tol=self.tol,
            max_iter=self.max_iter,
            svd_method=self.svd_method,
            rotation=self.rotation,
            random_state=seed,
        ).fit(rows)
        self.components_, self.mean_ = model.components_, model.mean_
        self.noise_variance_, self.variance_ = model.noise_variance_, rows.var(axis=0)
        self.n_iter_ = int(model.n_iter_)
        return {"svd_method": self.svd_method, "n_iter": self.n_iter_}

    def goodness_parts(
        self, recording: Recording, seed: int = 0
    ) -> tuple[NDArray[np.float64], str, NDArray[np.float64]]:
        """Bits a sample over independent channels, per segment; chance: channels shifted apart."""
        start, stop = used_segments(recording, self.outside_trials)
        rows = np.asarray(recording.signal, np.float64)[expand(start, stop)]
        border = np.concatenate([[0], np.cumsum(stop - start)])
        gain = np.add.reduceat(self._gain(rows), border[:-1]) / (stop - start)
        rng = np.random.default_rng(seed)
        chance = [
            self._gain(torn(rows, border[:-1], border[1:], rng)).mean() for _ in range(CHANCE_DRAWS)
        ]
        return gain, self.score_unit_, np.asarray(chance)

    def _gain(self, rows: Floats) -> Floats:
        """Bits of each sample."""
        factor, log_det, weight = self._posterior()
        white = rows - self.mean_
        mahalanobis = np.sum(white**2 / self.noise_variance_, axis=1)
        shared = white @ weight
        mahalanobis -= np.sum(shared * cho_solve(factor, shared.T).T, axis=1)
        together = -0.5 * (rows.shape[1] * np.log(2 * np.pi) + log_det + mahalanobis)
        return (together - alone(rows, self.mean_, self.variance_)) / np.log(2)

    def _posterior(self) -> tuple[Any, float, Floats]:
        """Factor of the posterior's precision I + W Ψ⁻¹ Wᵀ, log |WᵀW + Ψ|, and Ψ⁻¹ Wᵀ."""
        weight = (self.components_ / self.noise_variance_).T
        factor = cho_factor(np.eye(len(self.components_)) + self.components_ @ weight)
        log_det = 2 * np.log(np.diag(factor[0])).sum() + np.log(self.noise_variance_).sum()
        return factor, float(log_det), weight

    def _place(self, rows: Floats) -> Floats:
        factor, _, weight = self._posterior()
        return (rows - self.mean_) @ cho_solve(factor, weight.T).T

    def _arrays(self) -> dict[str, NDArray]:
        return {
            "components": self.components_,
            "mean": self.mean_,
            "noise_variance": self.noise_variance_,
            "variance": self.variance_,
        }

    def _facts(self) -> dict[str, Any]:
        return {"settings": self.settings_}

    def _restore(self, arrays: dict[str, NDArray], facts: dict[str, Any]) -> None:
        self.components_, self.mean_ = arrays["components"], arrays["mean"]
        self.noise_variance_, self.variance_ = arrays["noise_variance"], arrays["variance"]
        self.settings_, self.n_iter_ = facts["settings"], facts["settings"]["n_iter"]
        self.output_dimension_ = len(self.components_)
