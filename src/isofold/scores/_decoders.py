"""Decoders. Each is a function (train inputs, test inputs) → predictor.

A predictor takes the encoded training labels and a list of settings and returns one prediction a
setting. What depends on the inputs alone (neighbours, factorisations) is done once, so that
hundreds of label permutations cost little.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import NearestNeighbors
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR

from ..errors import DataError
from ._linear import Floats
from ._targets import Target
from .bayes import PoissonBayes

Predictor = Callable[[Floats, Sequence[Any]], list[Floats]]

METRICS = ("cosine", "euclidean")
MOST_TREE_DIMENSIONS = 15
K = (1, 4, 9, 16, 36, 64, 144, 225)
ALPHAS = tuple(10.0**n for n in range(-3, 6))
PENALTIES = (0.1, 1.0, 10.0)
SMOOTHING = (0.0, 1.0, 2.0)


@dataclass(frozen=True)
class Decoder:
    """`fit` as in the module's first lines; `settings` are tried inside the training trials."""

    fit: Callable[[Floats, Floats], Predictor]
    settings: Callable[[int], Sequence[Any]]
    retune: bool
    """Choose the setting anew for every draw of chance (cheap decoders)."""
    most_rows: int | None = None
    """Thin the training samples to this many while choosing settings and drawing chance."""


def named(name: Any, target: Target, rows: Floats, options: dict[str, Any]) -> Decoder:
    """The decoder for a target and inputs like `rows`; takes what it knows out of `options`."""
    if hasattr(name, "fit") and hasattr(name, "predict"):
        return Decoder(_estimator(target, lambda _: clone(name)), lambda n: (None,), False)
    if name == "knn":
        metrics = (options.pop("metric"),) if "metric" in options else _metrics(rows)
        if not set(metrics) <= set(METRICS):
            raise DataError(f"metric must be 'cosine' or 'euclidean', got {metrics[0]!r}")
        ks = np.atleast_1d(options.pop("k", K)).tolist()
        return Decoder(_knn, lambda n: [(m, k) for m in metrics for k in _fitting(ks, n)], True)
    if name == "ridge":
        alphas = np.atleast_1d(options.pop("alpha", ALPHAS)).tolist()
        return Decoder(_ridge, lambda n: alphas, True)
    if name == "bayes":
        return _bayes(target, options)
    if name in ("logistic", "svm"):
        if name == "logistic" and not target.discrete:
            raise DataError(
                f"decoder 'logistic' decodes classes and the label is {target.kind}; use 'knn', "
                "'ridge' or 'svm', or kind='discrete'"
            )
        penalties = np.atleast_1d(options.pop("C", PENALTIES)).tolist()
        make = _logistic if name == "logistic" else (_svc if target.discrete else _svr)
        most = 10_000 if name == "logistic" else 1_000
        return Decoder(_estimator(target, make), lambda n: penalties, False, most_rows=most)
    raise DataError(
        "decoder must be 'knn', 'ridge', 'logistic', 'svm', 'bayes' or an estimator with fit and "
        f"predict, got {name!r}"
    )


def _fitting(ks: Sequence[int], n: int) -> list[int]:
    return [int(k) for k in ks if k <= n] or [n]


# -- linear in the labels: fast ---------------------------------------------------------------


def _knn(train: Floats, test: Floats) -> Predictor:
    neighbours: dict[str, NDArray] = {}

    def near(metric: str, k: int) -> NDArray:
        # the order of cosine distances is that of Euclidean distances on the unit sphere
        if metric not in neighbours or neighbours[metric].shape[1] < k:
            a, b = (_unit(x) if metric == "cosine" else x for x in (train, test))
            # brute force spins threads that small searches on shared processors wait for
            how = "kd_tree" if a.shape[1] <= MOST_TREE_DIMENSIONS else "brute"
            search = NearestNeighbors(n_neighbors=k, algorithm=how).fit(a)
            neighbours[metric] = search.kneighbors(b, return_distance=False)
        return neighbours[metric]

    def predict(y: Floats, settings: Sequence[tuple[str, int]]) -> list[Floats]:
        out = []
        most = {m: max(k for metric, k in settings if metric == m) for m, _ in settings}
        sums = {m: np.cumsum(y[near(m, k)[:, :k]], axis=1) for m, k in most.items()}
        for metric, k in settings:
            out.append(sums[metric][:, k - 1] / k)
        return out

    return predict


def _unit(rows: Floats) -> Floats:
    norm = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(norm > 0, norm, 1)


def _metrics(rows: Floats) -> tuple[str, ...]:
    """Those worth trying: on the unit sphere both agree, on a line the cosine is a sign."""
    if rows.shape[1] == 1:
        return ("euclidean",)
    on_sphere = np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-4)
    return ("cosine",) if on_sphere else METRICS


def _ridge(train: Floats, test: Floats) -> Predictor:
    """Standardised inputs, as StandardScaler and Ridge(alpha) give."""
    mean, scale = train.mean(axis=0), train.std(axis=0)
    scale = np.where(scale > 0, scale, 1)
    left, size, right = np.linalg.svd((train - mean) / scale, full_matrices=False)
    turned = ((test - mean) / scale) @ right.T

    def predict(y: Floats, settings: Sequence[float]) -> list[Floats]:
        centre = y.mean(axis=0)
        loads = left.T @ (y - centre)
        shrunk = [size / np.maximum(size**2 + alpha, 1e-12) for alpha in settings]
        return [turned @ (s[:, None] * loads) + centre for s in shrunk]

    return predict


# -- scikit-learn estimators: refitted --------------------------------------------------------


def _logistic(penalty: float) -> Any:
    return make_pipeline(StandardScaler(), LogisticRegression(C=penalty, max_iter=1000))


def _svc(penalty: float) -> Any:
    return make_pipeline(StandardScaler(), SVC(C=penalty))


def _svr(penalty: float) -> Any:
    return make_pipeline(StandardScaler(), SVR(C=penalty))


def _estimator(target: Target, make: Callable[[Any], Any]) -> Callable[[Floats, Floats], Predictor]:
    def fit(train: Floats, test: Floats) -> Predictor:
        def predict(y: Floats, settings: Sequence[Any]) -> list[Floats]:
            return [_predict_one(make(s), train, y, test, target.discrete) for s in settings]

        return predict

    return fit


def _predict_one(model: Any, train: Floats, y: Floats, test: Floats, discrete: bool) -> Floats:
    if discrete:
        code = y.argmax(axis=1)
        known = np.unique(code)
        guess = np.full(len(test), known[0])
        if len(known) > 1:
            guess = model.fit(train, code).predict(test)
        return np.eye(y.shape[1])[guess]
    mean, scale = y.mean(axis=0), y.std(axis=0)
    scale = np.where(scale > 0, scale, 1)
    columns = [clone(model).fit(train, c).predict(test) for c in ((y - mean) / scale).T]
    return np.stack(columns, axis=1) * scale + mean


# -- Poisson naive Bayes ----------------------------------------------------------------------


def _bayes(target: Target, options: dict[str, Any]) -> Decoder:
    """The last column of the labels is the code of the nuisance label, if there is one."""
    smoothing = np.atleast_1d(options.pop("smoothing", SMOOTHING)).tolist()
    n_bins, estimate = options.pop("n_bins", 40), options.pop("estimate", "mean")
    n_nuisance = options.pop("n_nuisance", 0)

    def fit(train: Floats, test: Floats) -> Predictor:
        def predict(y: Floats, settings: Sequence[float]) -> list[Floats]:
            columns, nuisance = (y[:, :-1], y[:, -1]) if n_nuisance else (y, None)
            place = target.decode(columns)
            out = []
            for smooth in settings:
                model = PoissonBayes(n_bins=n_bins, kind=target.kind, smoothing=smooth)
                model.fit(train, place, nuisance)
                guess = model.predict(test, estimate)
                out.append(_columns(target, guess))
            return out

        return predict

    settings = smoothing if not target.discrete else [0.0]
    return Decoder(fit, lambda n: settings, retune=False)


def _columns(target: Target, guess: NDArray) -> Floats:
    if target.discrete:
        return (guess[:, None] == target.classes).astype(float)
    if target.kind == "circular":
        return np.stack([np.cos(guess), np.sin(guess)], axis=1)
    return guess[:, None]
