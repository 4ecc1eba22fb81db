"""One model from several seeds, and which of them to keep."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.base import clone

from ..errors import DataError
from ._recipe import KEEP


def fit_seeds(model: Any, X: Any, seeds: Sequence[int], *y: Any, **options: Any) -> list[Any]:
    """Fit a copy of `model` for every seed; the compiled program is shared.

    `X`, `y` and options are those of `fit`, with its errors. For several recordings or methods use
    a `Study`, which runs in parallel and keeps what it did.

    >>> import isofold as iso
    >>> circle = iso.simulate.circle(seed=0, n_samples=200)
    >>> [m.random_state for m in fit_seeds(iso.PCA(output_dimension=2), circle, [0, 1])]
    [0, 1]
    """
    return [clone(model).set_params(random_state=seed).fit(X, *y, **options) for seed in seeds]


def keep_one(model: Any, X: Any, y: tuple, **options: Any) -> Any:
    """Fit `n_init` seeds and make `model` the best of them; `inits_` tells of all, and all are in
    `initialisations_` (which a file does not keep)."""
    if model.keep not in KEEP:
        raise DataError(f"keep must be one of {KEEP}, got {model.keep!r}")
    if model.keep == "validation" and model.validation is None:
        raise DataError(
            "n_init > 1 with keep='validation' needs held-out trials: give validation=0.2, or "
            "keep='consistency'"
        )
    first = np.random.default_rng(model.random_state).integers(2**31 - model.n_init)
    if isinstance(model.random_state, (int, np.integer)):
        first = int(model.random_state)
    seeds = [int(first) + n for n in range(model.n_init)]
    fits = fit_seeds(clone(model).set_params(n_init=1), X, seeds, *y, **options)
    if model.keep == "validation":
        values = [float(fit.validation_["bits"].max()) for fit in fits]
    else:
        joined = {"with_labels": True} if getattr(model, "sessions", None) == "joined" else {}
        values = _agreement([fit.transform(X, **joined) for fit in fits])
    take_over(model, fits[int(np.argmax(values))])
    model.inits_ = [
        {"seed": seed, model.keep: value} for seed, value in zip(seeds, values, strict=True)
    ]
    model.initialisations_ = fits
    return model


def take_over(model: Any, best: Any) -> None:
    """Make `model` the fitted `best`; its settings stay."""
    model.__dict__.update({k: v for k, v in vars(best).items() if k.endswith("_")})


def _agreement(embeddings: Sequence[Any]) -> list[float]:
    """Mean consistency of each fit with the others, both ways; of several recordings the mean."""
    from ..scores import consistency

    each = [z if isinstance(z, list) else [z] for z in embeddings]
    total = np.zeros(len(each))
    for same in zip(*each, strict=True):
        rows = {str(n): z for n, z in enumerate(same)}
        parts = consistency(rows, n_chance=0).parts.reset_index()
        value = parts.columns[-1]
        for n, name in enumerate(rows):
            involved = (parts["from"] == name) | (parts["to"] == name)
            total[n] += parts.loc[involved, value].mean()
    return list(total / len(each[0]))
