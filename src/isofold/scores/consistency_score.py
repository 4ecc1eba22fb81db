"""Consistency as the `cebra` package gives it: in-sample, as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import DataError, UnsupportedError
from .consistency import consistency


def consistency_score(
    embeddings: Sequence[Any],
    between: str | None = None,
    labels: Sequence[Any] | None = None,
    dataset_ids: Sequence[Any] | None = None,
    num_discretization_bins: int = 100,
) -> tuple[NDArray, NDArray, NDArray]:
    """R² of least squares from every embedding to every other, fitted and scored on all samples.

    For users of the `cebra` package, with its definition. In-sample R² rises with dimension and
    does not notice overfitting: for results use `isofold.scores.consistency`, which is held out.

    Parameters
    ----------
    embeddings
        At least two, (time, latent).
    between
        "runs": the same samples. "datasets": matched by mean embeddings in bins of one label.
    labels
        For "datasets": one (time,) array an embedding.
    dataset_ids
        For "datasets": which data set each embedding is of; R² is averaged over equal pairs.
    num_discretization_bins
        Edges of the label bins.

    Returns
    -------
    tuple
        R² (pair,), ids (pair, 2) and ids (embedding,).

    Raises
    ------
    DataError
        An argument is missing or of the wrong length.
    UnsupportedError
        Labels of several columns: `isofold.scores.consistency` takes them.

    Examples
    --------
    >>> z = np.random.default_rng(0).normal(size=(400, 3))
    >>> scores, pairs, ids = consistency_score([z, 2 * z + 1], between="runs")
    >>> scores.round(6).tolist(), pairs.tolist(), ids.tolist()
    ([1.0, 1.0], [[0, 1], [1, 0]], [0, 1])
    """
    if between not in ("runs", "datasets"):
        raise DataError(f"Missing between: it must be 'runs' or 'datasets', got {between!r}")
    zs = [np.asarray(z) for z in embeddings]
    if len(zs) < 2:
        raise DataError(f"Invalid list of embeddings: at least two are compared, got {len(zs)}")
    if between == "runs":
        _require_runs(zs, labels, dataset_ids)
        ids, found = np.arange(len(zs)), consistency(zs, in_sample=True, n_chance=0).parts
    else:
        ids = np.arange(len(zs)) if dataset_ids is None else np.asarray(dataset_ids)
        if len(ids) != len(zs) or len(np.unique(ids)) < 2:
            raise DataError(
                f"Invalid dataset_ids: one an embedding and two different ones at least, got "
                f"{ids.tolist()} for {len(zs)} embeddings"
            )
        found = consistency(
            zs, between="datasets", labels=_labels(zs, labels), in_sample=True, n_chance=0,
            bins=num_discretization_bins,
        ).parts  # fmt: skip
    pairs = np.array([(ids[a], ids[b]) for a, b in found.index])
    return *_averaged(found.to_numpy(), pairs), ids


def _require_runs(zs: list[NDArray], labels: Any, dataset_ids: Any) -> None:
    if dataset_ids is not None:
        raise DataError("No dataset ID goes with between='runs': runs are of one data set")
    if labels is not None:
        raise DataError("No labels go with between='runs': the samples are the same")
    if len({len(z) for z in zs}) > 1:
        raise DataError(
            f"Invalid embeddings: runs have the same samples, got lengths {[len(z) for z in zs]}; "
            "for others use between='datasets'"
        )


def _labels(zs: list[NDArray], labels: Sequence[Any] | None) -> list[NDArray]:
    if labels is None:
        raise DataError("Missing labels: between='datasets' matches embeddings by them")
    if len(labels) != len(zs):
        raise DataError(
            f"Invalid set of labels: one an embedding, got {len(labels)} for {len(zs)} embeddings"
        )
    columns = [np.asarray(column) for column in labels]
    for column in columns:
        if column.ndim > 1:
            raise UnsupportedError(
                f"Invalid labels: the in-sample form takes (time,) arrays, got {column.shape}; "
                "isofold.scores.consistency(between='datasets') takes several columns"
            )
        if column.dtype.kind not in "iuf":
            raise DataError(f"Invalid labels dtype: numbers are needed, got {column.dtype}")
    return [column.astype(float) for column in columns]


def _averaged(scores: NDArray, pairs: NDArray) -> tuple[NDArray, NDArray]:
    """Mean over embeddings of the same two data sets, in order of appearance."""
    table = pd.DataFrame({"from": pairs[:, 0], "to": pairs[:, 1], "score": scores})
    table = table[table["from"] != table["to"]]
    mean = table.groupby(["from", "to"], sort=False)["score"].mean()
    return mean.to_numpy(), np.array([list(pair) for pair in mean.index])
