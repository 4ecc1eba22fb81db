"""Estimators. `METHODS` is the only list of what can be named in a study or on the command line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sklearn.base import clone

from ..errors import ReadError
from ._base import Estimator
from ._files import read_model
from .cebra import CEBRA
from .pca import PCA

__all__ = ["CEBRA", "METHODS", "PCA", "Estimator", "Method", "fit_seeds", "load"]


@dataclass(frozen=True)
class Method:
    """A named choice of estimator and settings. Calling it builds the estimator."""

    estimator: type[Estimator]
    summary: str
    settings: dict[str, Any] = field(default_factory=dict)
    labels: str = "ignored"
    """Whether labels are "ignored" or "required"."""

    def __call__(self, **settings: Any) -> Estimator:
        return self.estimator(**{**self.settings, **settings})


METHODS: dict[str, Method] = {
    "pca": Method(PCA, "linear projection on the directions of largest variance"),
    "cebra-time": Method(
        CEBRA, "contrastive, samples near in time belong together", {"conditional": "time"}
    ),
    "cebra-behavior": Method(
        CEBRA, "contrastive, samples with similar labels belong together", labels="required"
    ),
}
"""Every name that a study or `isofold embed` can give; docs/choose-a-method.md says when to."""


def load(path: str | Path) -> Estimator:
    """Read a model that `save` wrote. Nothing that the file names is imported or executed.

    Raises
    ------
    ReadError
        There is no such file, or isofold did not write it.

    Examples
    --------
    >>> import tempfile
    >>> import isofold as iso
    >>> circle = iso.simulate.circle(seed=0, n_samples=200)
    >>> file = iso.PCA(output_dimension=2).fit(circle).save(tempfile.mkdtemp() + "/model.isofold")
    >>> iso.load(file).transform(circle).shape
    (200, 2)
    """
    header, arrays = read_model(path)
    kinds = {m.estimator.__name__: m.estimator for m in METHODS.values()}
    if header["estimator"] not in kinds:
        raise ReadError(
            f"{path} holds a {header['estimator']!r}; this isofold knows {sorted(kinds)}"
        )
    params = {k: tuple(v) if isinstance(v, list) else v for k, v in header["params"].items()}
    model = kinds[header["estimator"]](**params)
    model.n_features_in_ = header["n_features_in"]
    model._restore(arrays, header["facts"])
    return model


def fit_seeds(model: Estimator, X: Any, seeds: Sequence[int], *y: Any, **options: Any) -> list[Any]:
    """Fit a copy of `model` for every seed; the compiled program is shared.

    `X`, `y` and options are those of `fit`, with its errors. For several recordings or methods use
    a `Study`, which runs in parallel and keeps what it did.

    >>> import isofold as iso
    >>> circle = iso.simulate.circle(seed=0, n_samples=200)
    >>> [m.random_state for m in fit_seeds(iso.PCA(output_dimension=2), circle, [0, 1])]
    [0, 1]
    """
    return [clone(model).set_params(random_state=seed).fit(X, *y, **options) for seed in seeds]
