"""Leading eigenvectors of a symmetric matrix, the same each time."""

from __future__ import annotations

from inspect import signature
from typing import Any

import numpy as np
from scipy.linalg import eigh
from scipy.sparse import issparse
from scipy.sparse.linalg import ArpackNoConvergence, eigsh

from ._sample_model import Floats

SEEDED: dict[str, Any] = {"rng": 0} if "rng" in signature(eigsh).parameters else {}
"""Where the solver must start anew, scipy from 1.16 on draws, from entropy unless told."""
VECTORS = 80
"""Krylov vectors kept: eigenvalues of a walk crowd near 1."""


def leading(matrix: Any, n: int) -> tuple[Floats, Floats]:
    """The n largest eigenvalues, largest first, and their vectors as columns.

    >>> leading(np.diag([1.0, 3.0, 2.0]), 2)
    (array([3., 2.]), array([[0., 0.], [1., 0.], [0., 1.]]))
    """
    size = matrix.shape[0]
    if size > max(VECTORS, 2 * n + 1):
        try:
            start = np.linspace(-1, 1, size)
            kept = max(VECTORS, 2 * n + 1)
            value, vector = eigsh(matrix, n, which="LA", v0=start, ncv=kept, **SEEDED)
            return value[::-1], upright(vector[:, ::-1])
        except ArpackNoConvergence:
            pass
    dense = matrix.toarray() if issparse(matrix) else matrix
    value, vector = eigh(dense, subset_by_index=(size - n, size - 1))
    return value[::-1], upright(vector[:, ::-1])


def upright(vectors: Floats) -> Floats:
    """Columns whose entry of largest size is positive: an eigenvector has no sign of its own."""
    largest = np.argmax(np.abs(vectors), axis=0)
    return vectors * np.sign(vectors[largest, np.arange(vectors.shape[1])])
