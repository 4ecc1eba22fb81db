"""InfoNCE of a fitted model on data, in nats and in bits: names of the `cebra` package."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import DataError


def infonce_loss(
    cebra_model: Any,
    X: Any,
    *y: Any,
    session_id: int | str | None = None,
    num_batches: int = 500,
    correct_by_batchsize: bool = False,
    seed: int = 0,
) -> float:
    """Mean InfoNCE of batches drawn from one recording by the rules of the fit, in nats.

    L = mean over batches of −φ(r, p)/τ + log Σ exp φ(r, n)/τ; lower is better, and log M (M
    negatives) is a collapsed embedding. Never compare across τ, dimension or number of negatives:
    use `isofold.scores.goodness_of_fit`, which also gives chance and an interval.

    Parameters
    ----------
    cebra_model
        Fitted contrastive model: offers `infonce_batches`.
    X, *y
        One recording with its labels: (time, channel) and arrays as in `fit`, or a `Recording`.
    session_id
        Which recording of a fit of several it is.
    num_batches
        Batches of the size used in the fit. A model fitted with `batch_size=None` takes every
        sample of X once instead.
    correct_by_batchsize
        Subtract log M.
    seed
        Fixes the batches.

    Raises
    ------
    SessionError
        No or an unknown session_id.
    DataError
        Labels in number, kind or columns, or channels, differ from the fit; batch_size is None and
        `correct_by_batchsize`.
    UnsupportedError
        X or y are several recordings.

    Examples
    --------
    >>> class Model:
    ...     num_negatives_ = 4
    ...     def infonce_batches(self, X, *y, session_id, num_batches, seed):
    ...         return np.full(num_batches, np.log(4)), 4
    >>> round(infonce_loss(Model(), X=None), 3)
    1.386
    """
    losses, n_negatives = _batches(cebra_model, X, y, session_id, num_batches, seed)
    loss = float(np.mean(losses))
    if not correct_by_batchsize:
        return loss
    if cebra_model.num_negatives_ is None:
        raise DataError(
            "Batch size is None: a full batch has no size to correct for; drop "
            "correct_by_batchsize or fit with a batch_size"
        )
    return loss - float(np.log(n_negatives))


def goodness_of_fit_score(
    cebra_model: Any,
    X: Any,
    *y: Any,
    session_id: int | str | None = None,
    num_batches: int = 500,
    seed: int = 0,
) -> float:
    """(log M − `infonce_loss`)·log₂e in bits, M negatives: 0 is a collapsed embedding.

    Arguments and errors are those of `infonce_loss`. Prefer `isofold.scores.goodness_of_fit`.

    Examples
    --------
    >>> class Model:
    ...     num_negatives_ = 4
    ...     def infonce_batches(self, X, *y, session_id, num_batches, seed):
    ...         return np.full(num_batches, np.log(2)), 4
    >>> round(goodness_of_fit_score(Model(), X=None), 6)
    1.0
    """
    losses, n_negatives = _batches(cebra_model, X, y, session_id, num_batches, seed)
    return float(np.mean((np.log(n_negatives) - losses) / np.log(2)))


def goodness_of_fit_history(model: Any) -> np.ndarray:
    """(log M − InfoNCE)·log₂e of every training step in bits, mean over objectives: (step,).

    On the data trained on, so it says nothing about new data: `validation=` of the estimator does.

    Raises
    ------
    RuntimeError
        The model is not fitted.
    DataError
        It was fitted with `batch_size=None`.

    Examples
    --------
    >>> class Model:
    ...     num_negatives_ = 8
    ...     losses_ = np.log([[8.0, 1.0], [4.0, 1.0]])  # the last column is the Jacobian penalty
    >>> goodness_of_fit_history(Model()).round(6).tolist()
    [0.0, 1.0]
    """
    chance = np.log(_negatives_of(model))
    return (chance - np.asarray(model.losses_)[:, :-1].mean(axis=1)) / np.log(2)


def infonce_to_goodness_of_fit(
    infonce: Any,
    model: Any = None,
    batch_size: int | None = None,
    num_sessions: int | None = None,
) -> Any:
    """(log M − InfoNCE)·log₂e in bits; M is the model's number of negatives, or B·S as given.

    Raises
    ------
    RuntimeError
        The model is not fitted.
    DataError
        Both a model and sizes, or too few sizes; a model fitted with `batch_size=None`.

    Examples
    --------
    >>> round(infonce_to_goodness_of_fit(0.0, batch_size=4, num_sessions=2), 6)
    3.0
    """
    if model is not None and (batch_size is not None or num_sessions is not None):
        raise DataError("batch_size and num_sessions should not be provided with a model")
    if model is None and (batch_size is None or num_sessions is None):
        raise DataError(
            f"batch_size and num_sessions, or a model, are needed; got batch_size={batch_size} "
            f"and num_sessions={num_sessions}"
        )
    n = _negatives_of(model) if model is not None else batch_size * num_sessions  # type: ignore[operator]
    bits = (np.log(n) - np.asarray(infonce, float)) / np.log(2)
    return bits if np.ndim(bits) else float(bits)


def _batches(model: Any, X: Any, y: tuple, session_id, num_batches: int, seed: int):
    if not callable(getattr(model, "infonce_batches", None)):
        raise TypeError(
            f"{type(model).__name__} is not contrastive: it has no infonce_batches; use model.score"
        )
    return model.infonce_batches(X, *y, session_id=session_id, num_batches=num_batches, seed=seed)


def _negatives_of(model: Any) -> int:
    if not hasattr(model, "num_negatives_"):
        raise RuntimeError("Fit the CEBRA model first: its loss is not known before")
    if model.num_negatives_ is None:
        raise DataError(
            "Computing the goodness of fit of training batches needs a batch_size: the model was "
            "fitted with batch_size=None; use isofold.scores.goodness_of_fit(model, recording)"
        )
    return int(model.num_negatives_)
