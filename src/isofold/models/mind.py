"""MIND: a manifold from how the activity moves, by the probabilities of its transitions."""

from __future__ import annotations

import warnings
from numbers import Integral, Real
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
from ._mind_threads import one_blas_thread

AUTO_LANDMARKS = 1000
CHANCE_DRAWS = 20
_BOUNDS: dict[str, tuple[type, float, float]] = {
    "output_dimension": (Integral, 1, np.inf),
    "pca_variance": (Real, 0, 1),
    "n_trees": (Integral, 1, np.inf),
    "n_directions": (Integral, 1, np.inf),
    "min_leaf": (Integral, 1, np.inf),
    "leaf_variance": (Real, 0, 1),
    "mds_iterations": (Integral, 0, np.inf),
}


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
        _check_settings(self)
        start, stop = used_segments(inputs.recording, self.outside_trials)
        rng = np.random.default_rng(self.random_state)
        self._seed = rng.integers(2**63, size=2).tolist()
        with one_blas_thread():
            used = expand(start, stop)
            points = self._learn_space(np.asarray(inputs.recording.signal)[used])
            last = np.cumsum(stop - start) - 1  # has no successor in its segment
            leaving = np.delete(np.arange(len(used)), last)
            chosen = leaving[self._choose(points[leaving], len(start))]
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
        >>> r2[1] > r2[0]
        True
        """
        check_is_fitted(self)
        other = clone(self).set_params(output_dimension=output_dimension)
        _check_settings(other)
        given = other.get_params(deep=False)
        vars(other).update({k: v for k, v in vars(self).items() if k not in given})
        with one_blas_thread():
            other._lay_out()
        return other

    def inverse_transform(self, z: Any) -> NDArray:
        """The signal that an embedding stands for, (time, channel) or (trial, time, channel)."""
        check_is_fitted(self)
        z = np.asarray(z, np.float64)
        with one_blas_thread():
            scores = self.inverse_map_(z.reshape(-1, z.shape[-1]))
        return (scores @ self.components_ + self.mean_).reshape(*z.shape[:-1], -1)

    def reconstruction(self, X: Any, trials: pd.DataFrame | None = None) -> pd.DataFrame:
        """How well the signal of each segment is rebuilt from its embedding.

        Columns: `correlation` (Pearson's, of all entries) and `r2` = 1 − var(x − x̂) / var(x). Both
        count what channels differ in on average: put them beside PCA's, not beside 0.
        """
        check_is_fitted(self)
        recording = gather(self, X, trials=trials).recording
        start, stop = used_segments(recording, self.outside_trials)
        signal = np.asarray(recording.signal)
        return _agreement(signal, self._rebuilt(recording), start, stop)

    def goodness_parts(
        self, recording: Recording, seed: int = 0
    ) -> tuple[NDArray[np.float64], str, NDArray[np.float64]]:
        """Correlation of signal and reconstruction per segment; chance: that of other samples."""
        start, stop = used_segments(recording, self.outside_trials)
        signal, rebuilt = np.asarray(recording.signal), self._rebuilt(recording)
        found = _agreement(signal, rebuilt, start, stop)["correlation"].to_numpy()
        rng, used = np.random.default_rng(seed), expand(start, stop)
        chance, other = [], rebuilt.copy()
        for _ in range(CHANCE_DRAWS):
            other[used] = rebuilt[rng.permutation(used)]
            chance.append(_agreement(signal, other, start, stop)["correlation"].mean())
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

    def _choose(self, points: NDArray[np.float64], n_segments: int) -> Ints:
        """Landmarks among states that have a successor, once there are enough of those."""
        n = len(points)
        what = f"{n} transitions ({n + n_segments} samples in {n_segments} segments)"
        if self.min_leaf > n:
            raise DataError(
                f"min_leaf must be at most the number of transitions; got min_leaf="
                f"{self.min_leaf} and {what}: lower it or give longer trials"
            )
        if n < 2 * self.min_leaf:
            warnings.warn(
                f"{what} cannot be cut into leaves of min_leaf={self.min_leaf}: every tree is one "
                "leaf, which says the same of every state; lower min_leaf",
                UserWarning,
                stacklevel=3,
            )
        count = {"auto": min(n, AUTO_LANDMARKS), "all": None}.get(self.landmarks, self.landmarks)
        if count is not None and count > n:
            raise DataError(
                f"landmarks must be at most the number of transitions; got {count} and {what}: "
                "lower it or use 'all'"
            )
        return choose_landmarks(points, count, np.random.default_rng(self._seeds()[0]))

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
            **{name: getattr(self, name) for name in _BOUNDS},
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
        with one_blas_thread():
            z = self.map_(self._scores(recording.signal))
        return z, np.zeros(len(z), bool)

    def _rebuilt(self, recording: Recording) -> NDArray:
        return self.inverse_transform(self._embed(recording)[0])

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
        names = ("stress_", "density_ratio_", "settings_", "_seed")
        return {name: getattr(self, name) for name in names}

    def _restore(self, arrays: dict[str, NDArray], facts: dict[str, Any]) -> None:
        self.components_, self.mean_ = arrays["components"], arrays["mean"]
        self.landmarks_, self._points = arrays["landmarks"], arrays["points"]
        self.embedding_ = arrays["embedding"]
        self.geodesic_distances_ = arrays["geodesic_distances"]
        vars(self).update(facts)
        self.map_ = LocalLinear(self._points, self.embedding_, **facts["settings_"]["map"])
        self.inverse_map_ = LocalLinear(
            self.embedding_, self._points, **facts["settings_"]["inverse_map"]
        )
        self.output_dimension_ = self.embedding_.shape[1]


def _check_settings(model: MIND) -> None:
    """Refuse settings that mean nothing, before any work."""
    for name, (kind, low, high) in _BOUNDS.items():
        value = getattr(model, name)
        if not isinstance(value, kind) or isinstance(value, bool) or not low <= value <= high:
            number = "a whole number" if kind is Integral else "a share"
            upper = f" and at most {high}" if high < np.inf else ""
            raise DataError(f"{name} must be {number} of at least {low}{upper}, got {value!r}")
    value = model.landmarks
    number = isinstance(value, Integral) and not isinstance(value, bool) and value > 1
    if not number and value not in ("auto", "all"):
        raise DataError(f"landmarks must be 'auto', 'all' or a whole number > 1, got {value!r}")


def _agreement(signal: NDArray, rebuilt: NDArray, start: Ints, stop: Ints) -> pd.DataFrame:
    """Correlation and R² of all entries of each segment; 0 where nothing changes."""
    found = []
    for a, b in zip(start, stop, strict=True):
        x, r = signal[a:b].ravel().astype(np.float64), rebuilt[a:b].ravel()
        spread = x.std() * r.std()
        along = np.mean((x - x.mean()) * (r - r.mean())) / spread if spread > 0 else 0.0
        found.append((along, 1 - np.var(x - r) / x.var() if x.var() > 0 else 0.0))
    return pd.DataFrame(found, columns=["correlation", "r2"]).rename_axis("segment")


def _chosen(found: LocalLinear) -> dict[str, Any]:
    return {"n_neighbors": found.n_neighbors, "ridge": found.ridge}
