"""Correlations of columns, and the directions along which two spaces correlate most."""

from __future__ import annotations

import numpy as np
from scipy.stats import rankdata

from ._linear import Floats


def correlations(a: Floats, b: Floats, ranks: bool = False) -> Floats:
    """(column of a, column of b); 0 where a column is constant."""
    a, b = (_standard(rankdata(x, axis=0) if ranks else x) for x in (a, b))
    return a.T @ b


def _standard(rows: Floats) -> Floats:
    centred = rows - rows.mean(axis=0)
    norm = np.linalg.norm(centred, axis=0)
    return centred / np.where(norm > 0, norm, 1)


def canonical(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """Directions of canonical correlation, from the singular values of the whitened product."""
    white_a, white_b = _whitening(a), _whitening(b)
    product = ((a - a.mean(axis=0)) @ white_a).T @ ((b - b.mean(axis=0)) @ white_b)
    left, _, right = np.linalg.svd(product, full_matrices=False)
    return white_a @ left, white_b @ right.T


def _whitening(rows: Floats) -> Floats:
    _, size, right = np.linalg.svd(rows - rows.mean(axis=0), full_matrices=False)
    real = size > size[0] * 1e-10 if len(size) else size > 0
    return right[real].T / size[real]
