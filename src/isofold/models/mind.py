"""MIND: a manifold from how the activity moves, by the probabilities of its transitions."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.utils.validation import check_is_fitted

from ..errors import DataError
from ..recording import Recording
from ..trials import Ints, expand
from ._base import Estimator
from ._inputs import gather, positional, used_segments
from ._mind_landmarks import choose_landmarks
from ._mind_maps import LocalLinear, fit_map
from ._mind_rules import BOUNDS, check_settings, check_transitions, landmark_count
from ._mind_threads import one_thread_a_task

CHANCE_DRAWS = 20
"""Permutations of samples."""


class MIND(Estimator):
    """Manifold Inference from Neural Dynamics: states are near if one soon leads to the other.

    A forest learns p(x_{t+1} | x_t) of the principal components: each tree cuts the states by
    random hyperplanes until the next state is one Gaussian (probabilistic PCA) in every leaf.
    Between landmarks i, j the local distance is √−log p(x_j | x_i), the median over trees and
    normalised over j; the geodesic distance is the shortest path of those, mean of both ways; z of
    the landmarks lays them out (Sammon's multidimensional scaling), and local linear maps lead
    from any state to z and back. Transitions never cross a trial or a gap.

    Not for states that repeat exactly, such as bins without any spike: smooth counts first. Not
    where successive samples are unrelated. Memory grows with the square of the landmarks.

    Parameters
    ----------
    output_dimension
        Number of latents; see `with_dimension` for choosing it.
    pca_variance
        Share of variance that the principal components keep, for all that follows.
    landmarks
        How many samples are laid out, far from each other; "all"; "auto": at most 1,000.
    n_trees, n_directions
        Size of the forest; random hyperplanes that are tried in each node.
    min_leaf
        Fewest transitions in a leaf.
    leaf_variance
        Share of a leaf's variance in its Gaussian's own directions; the rest is noise.
    mds_iterations
        Most steps of Sammon's scaling; 0 is close to classical scaling.
    outside_trials
        Also learn from samples that lie in no trial.
    random_state
        Seed of landmarks, trees and folds. Bits do not depend on the number of threads.

    Attributes
    ----------
    landmarks_
        Sample numbers of the landmarks in the recording of the fit, rising.
    geodesic_distances_
        (landmark, landmark), in units of the largest local distance.
    embedding_, stress_
        z of the landmarks, (landmark, latent), and Sammon's stress of it.
    density_ratio_
        Landmark pairs within e¹⁰ of the largest density, over those within e¹⁰ … e²⁰; above about
        1.5 embeddings are seldom good.
    components_, mean_
        Of the principal components.
    map_, inverse_map_
        Local linear maps with `n_neighbors` and `ridge` (λ), chosen by 10 folds of the landmarks.

    Raises
    ------
    DataError
        A setting breaks a rule, there are too few samples for it, or the signal never changes.

    References
    ----------
    Low, Lewallen, Aronov, Nevers & Tank, "Probing variability in a cognitive map using manifold
    inference from neural dynamics" (bioRxiv 418939, 2018): the defaults. Nieh et al., "Geometry of
    abstract learned knowledge in the hippocampus" (Nature, 2021): `mind-nieh-2021` in `METHODS`.

    Examples
    --------
    >>> import isofold as iso
    >>> lorenz = iso.simulate.lorenz(seed=0, n_samples=400, n_units=8, mixing="nonlinear")
    >>> model = iso.MIND(2, n_trees=10, min_leaf=20, landmarks=100, random_state=0).fit(lorenz)
    >>> model.transform(lorenz).shape
    (400, 2)
    """

    score_unit_ = "correlation"

    def __init__(
        self,
        output_dimension: int = 3,
        *,
        pca_variance: float = 0.95,
        landmarks: int | str = "auto",
        n_trees: int = 100,
        n_directions: int = 2,
        min_leaf: int = 40,
        leaf_variance: float = 0.95,
        mds_iterations: int = 400,
        outside_trials: bool = False,
        random_state: Any = None,
    ):
        self.output_dimension = output_dimension
        self.pca_variance = pca_variance
        self.landmarks = landmarks
        self.n_trees = n_trees
        self.n_directions = n_directions
        self.min_leaf = min_leaf
        self.leaf_variance = leaf_variance
        self.mds_iterations = mds_iterations
        self.outside_trials = outside_trials
        self.random_state = random_state

    def fit(self, X: Any, *y: Any, labels: Any = None, trials: Any = None, **keyword: Any) -> Self:
        """Learn the manifold; labels are accepted and not used."""
        inputs = gather(self, X, positional(y, keyword), labels, trials, reset=True)
        check_settings(self.get_params(deep=False))
        start, stop = used_segments(inputs.recording, self.outside_trials)
        check_transitions(self.min_leaf, int(np.sum(stop - start - 1)), len(start))
        rng = np.random.default_rng(self.random_state)
        self._seed = rng.integers(2**63, size=2).tolist()
        with one_thread_a_task():
            used = expand(start, stop)
            points = self._learn_space(np.asarray(inputs.recording.signal)[used])
            last = np.cumsum(stop - start) - 1  # has no successor in its segment
            leaving = np.delete(np.arange(len(used)), last)
            count = landmark_count(self.landmarks, len(leaving))
            place = np.random.default_rng(self._seeds()[0])
            chosen = leaving[choose_landmarks(points[leaving], count, place)]
            keep = self._learn_distances(points[leaving], points[leaving + 1], points[chosen])
            self.landmarks_ = used[chosen[keep]]
            self._points = points[chosen[keep]]
            self._lay_out()
        return self

    def with_dimension(self, output_dimension: int) -> Self:
        """The same geodesic distances laid out in another number of latents: a new fitted model.

        Only scaling and maps are computed again, the forest is not. Compare by `reconstruction` of
        held-out trials.

        Examples
        --------
        >>> import isofold as iso
        >>> lorenz = iso.simulate.lorenz(seed=0, n_samples=600, n_trials=6)
        >>> train, test = lorenz.split(test=0.3)
        >>> model = iso.MIND(1, n_trees=10, min_leaf=20, landmarks=100, random_state=0).fit(train)
        >>> r2 = [model.with_dimension(d).reconstruction(test)["r2"].mean() for d in (1, 2)]
        >>> bool(r2[1] > r2[0])
        True
        """
        check_is_fitted(self)
        other = clone(self).set_params(output_dimension=output_dimension)
        given = other.get_params(deep=False)
        check_settings(given)
        for name in vars(self).keys() - given.keys():
            setattr(other, name, getattr(self, name))
        with one_thread_a_task():
            other._lay_out()
        return other

    def inverse_transform(self, z: Any) -> NDArray:
        """The signal that an embedding stands for, (time, channel) or (trial, time, channel)."""
        check_is_fitted(self)
        z = np.asarray(z, np.float64)
        with one_thread_a_task():
            scores = self.inverse_map_(z.reshape(-1, z.shape[-1]))
        return (scores @ self.components_ + self.mean_).reshape(*z.shape[:-1], -1)

    def reconstruction(self, X: Any, trials: pd.DataFrame | None = None) -> pd.DataFrame:
        """How well the signal of each segment is rebuilt from its embedding.

        Columns: `correlation` (Pearson's, of all entries) and `r2` = 1 − var(x − x̂) / var(x). Both
        count what channels differ in on average: put them beside PCA's, not beside 0.
        """
        check_is_fitted(self)
        return _agreement(*self._beside(gather(self, X, trials=trials).recording))

    def goodness_parts(
        self, recording: Recording, seed: int = 0
    ) -> tuple[NDArray[np.float64], str, NDArray[np.float64]]:
        """Correlation of signal and reconstruction per segment; chance: that of other samples."""
        signal, rebuilt, stop = self._beside(recording)
        found = _agreement(signal, rebuilt, stop)["correlation"].to_numpy()
        rng = np.random.default_rng(seed)
        chance = [
            _agreement(signal, rng.permutation(rebuilt), stop)["correlation"].mean()
            for _ in range(CHANCE_DRAWS)
        ]
        return found, self.score_unit_, np.asarray(chance)

    # -- fit, in steps -----------------------------------------------------------------------------

    def _learn_space(self, rows: NDArray) -> NDArray[np.float64]:
        """Principal components; the rows in them."""
        rows = rows.astype(np.float64)
        if not np.ptp(rows, axis=0).any():
            raise DataError(
                "MIND needs a signal that changes; every sample is the same: look at the channels"
            )
        pca = PCA(svd_solver="covariance_eigh").fit(rows)
        share = np.cumsum(pca.explained_variance_ratio_)
        kept = min(int(np.sum(share < self.pca_variance - 1e-12)) + 1, len(share))
        self.components_, self.mean_ = pca.components_[:kept], pca.mean_
        return self._scores(rows)

    def _learn_distances(
        self, x: NDArray[np.float64], y: NDArray[np.float64], landmarks: NDArray[np.float64]
    ) -> NDArray[np.bool_]:
        """Geodesic distances by the transitions x → y; which landmarks they are of."""
        from ._mind_geodesics import Forest, density_ratio, geodesics  # numba loads slowly

        forest = Forest(self.n_trees, self.n_directions, self.min_leaf, self.leaf_variance)
        log_density = forest.log_densities(x, y, landmarks, self._seeds()[1])
        self.density_ratio_ = density_ratio(log_density)
        self.geodesic_distances_, keep = geodesics(log_density)
        return keep

    def _lay_out(self) -> None:
        """Coordinates of the landmarks, and the maps."""
        from ._sammon import sammon

        n = len(self.landmarks_)
        if n <= self.output_dimension:
            raise DataError(
                f"{self.output_dimension} latents need at least {self.output_dimension + 1} "
                f"different landmarks, got {n}: more samples, more landmarks or fewer latents"
            )
        self.embedding_, self.stress_ = sammon(
            self.geodesic_distances_, self.output_dimension, self.mds_iterations
        )
        folds = self._seeds()[2]
        self.map_ = fit_map(self._points, self.embedding_, np.random.default_rng(folds))
        self.inverse_map_ = fit_map(self.embedding_, self._points, np.random.default_rng(folds))
        self.output_dimension_ = self.output_dimension
        self.settings_ = {
            **{name: getattr(self, name) for name in BOUNDS},
            "landmarks": n,
            "components": len(self.components_),
            "map": _chosen(self.map_),
            "inverse_map": _chosen(self.inverse_map_),
        }

    def _seeds(self) -> list[np.random.SeedSequence]:
        """Of landmarks, trees and folds."""
        return np.random.SeedSequence(self._seed).spawn(3)

    # -- use, and files ----------------------------------------------------------------------------

    def _scores(self, signal: NDArray) -> NDArray[np.float64]:
        return np.ascontiguousarray((np.asarray(signal) - self.mean_) @ self.components_.T)

    def _embed(self, recording: Recording) -> tuple[NDArray, NDArray[np.bool_]]:
        with one_thread_a_task():
            z = self.map_(self._scores(recording.signal))
        return z, np.zeros(len(z), bool)

    def _beside(self, recording: Recording) -> tuple[NDArray, NDArray, Ints]:
        """Signal and reconstruction of the segments that count, and where each stops in them."""
        start, stop = used_segments(recording, self.outside_trials)
        signal = np.asarray(recording.signal)[expand(start, stop)].astype(np.float64)
        with one_thread_a_task():
            z = self.map_(self._scores(signal))
        return signal, self.inverse_transform(z), np.cumsum(stop - start)

    def _arrays(self) -> dict[str, NDArray]:
        return {
            "components": self.components_,
            "mean": self.mean_,
            "landmarks": self.landmarks_,
            "points": self._points,
            "embedding": self.embedding_,
            "geodesic_distances": self.geodesic_distances_,
        }

    def _facts(self) -> dict[str, Any]:
        return {
            "stress": self.stress_,
            "density_ratio": self.density_ratio_,
            "settings": self.settings_,
            "seed": self._seed,
        }

    def _restore(self, arrays: dict[str, NDArray], facts: dict[str, Any]) -> None:
        self.components_, self.mean_ = arrays["components"], arrays["mean"]
        self.landmarks_, self._points = arrays["landmarks"], arrays["points"]
        self.embedding_ = arrays["embedding"]
        self.geodesic_distances_ = arrays["geodesic_distances"]
        self.stress_, self.density_ratio_ = facts["stress"], facts["density_ratio"]
        self.settings_, self._seed = facts["settings"], facts["seed"]
        there, back = self.settings_["map"], self.settings_["inverse_map"]
        self.map_ = LocalLinear(self._points, self.embedding_, **there)
        self.inverse_map_ = LocalLinear(self.embedding_, self._points, **back)
        self.output_dimension_ = self.embedding_.shape[1]


def _agreement(signal: NDArray, rebuilt: NDArray, stop: Ints) -> pd.DataFrame:
    """Correlation and R² of all entries of each segment; 0 where nothing changes."""
    found = []
    for x, r in zip(np.split(signal, stop[:-1]), np.split(rebuilt, stop[:-1]), strict=True):
        spread = x.std() * r.std()
        along = np.mean((x - x.mean()) * (r - r.mean())) / spread if spread > 0 else 0.0
        found.append((along, 1 - np.var(x - r) / x.var() if x.var() > 0 else 0.0))
    return pd.DataFrame(found, columns=["correlation", "r2"]).rename_axis("segment")


def _chosen(found: LocalLinear) -> dict[str, Any]:
    return {"n_neighbors": found.n_neighbors, "ridge": found.ridge}
