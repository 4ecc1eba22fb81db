"""Multidimensional scaling: points whose distances are those given; classical, and Sammon's."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.linalg import eigh
from scipy.optimize import minimize

from ._mind_threads import n_threads

Array = NDArray[np.float64]

ROWS = 256
"""Rows of the distance matrix in one task."""


def classical_mds(distances: Array, output_dimension: int) -> Array:
    """Coordinates (point, latent) whose inner products are nearest to −½ J D² J.

    Largest latent first; the entry of largest size in each is positive.
    """
    n = len(distances)
    square = distances**2
    mean = square.mean(axis=0)
    inner = -0.5 * (square - mean - mean[:, None] + mean.mean())
    values, vectors = eigh(inner, subset_by_index=[n - output_dimension, n - 1])
    z = vectors[:, ::-1] * np.sqrt(np.maximum(values[::-1], 0))
    return z * np.where(np.take_along_axis(z, np.abs(z).argmax(axis=0)[None], 0) < 0, -1, 1)


def sammon(distances: Array, output_dimension: int, n_iterations: int = 400) -> tuple[Array, float]:
    """Coordinates (point, latent) that minimise Sammon's stress, and the stress.

    Σ_{i<j} (D_ij − d_ij)² / D_ij  /  Σ_{i<j} D_ij, d the distances of the coordinates: near points
    count as much as far ones. From classical scaling, by L-BFGS.

    Parameters
    ----------
    distances
        D (point, point), symmetric, positive off the diagonal.
    n_iterations
        At most; fewer when the stress stands still.

    References
    ----------
    Sammon, "A nonlinear mapping for data structure analysis" (IEEE Trans. Computers, 1969).

    Examples
    --------
    >>> corners = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]])
    >>> gaps = np.linalg.norm(corners[:, None] - corners, axis=-1)
    >>> z, stress = sammon(gaps, 2)
    >>> round(stress, 6)
    0.0
    """
    start = classical_mds(distances, output_dimension)
    spread = np.sqrt(np.mean(distances**2))
    rng = np.random.default_rng(0)
    # A latent that classical scaling left empty would have no gradient to leave zero by.
    start += 1e-6 * spread * rng.standard_normal(start.shape)
    with ThreadPoolExecutor(n_threads()) as pool:
        found = minimize(
            stress_of(distances, pool.map),
            start.ravel(),
            jac=True,
            method="L-BFGS-B",
            options={"maxiter": n_iterations, "ftol": 1e-9, "gtol": 1e-9},
        )
    z = found.x.reshape(start.shape)
    return z - z.mean(axis=0), float(found.fun)


def stress_of(
    distances: Array, each: Callable[..., Iterable] = map
) -> Callable[[Array], tuple[float, Array]]:
    """Flat coordinates → Sammon's stress and its gradient; `each` maps blocks of rows."""
    n = len(distances)
    total = distances.sum() / 2
    distances = np.ascontiguousarray(distances)

    def stress(flat: Array) -> tuple[float, Array]:
        columns = np.ascontiguousarray(flat.reshape(n, -1).T)
        gradient, rows = np.zeros_like(columns), np.zeros(n)

        def block(first: int) -> None:
            _rows(columns, distances, first, min(first + ROWS, n), rows, gradient)

        list(each(block, range(0, n, ROWS)))
        return rows.sum() / (2 * total), gradient.T.ravel() / total

    return stress


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract"})
def _rows(z, distances, first, last, stress, gradient):  # type: ignore[no-untyped-def]
    """Stress and half the gradient that rows first:last of the distance matrix give."""
    d, n = z.shape
    pull = np.empty(n)
    for i in range(first, last):
        pull[:] = 1e-24  # points that coincide pull with a finite force
        for k in range(d):
            for j in range(n):
                pull[j] += (z[k, j] - z[k, i]) ** 2
        wanted = distances[i]
        off = 0.0
        for j in range(n):
            gap = np.sqrt(pull[j])
            target = wanted[j] if j != i else 1.0
            gap = gap if j != i else 1.0
            off += (target - gap) ** 2 / target
            pull[j] = 1 / gap - 1 / target
        stress[i] = off
        for k in range(d):
            force = 0.0
            for j in range(n):
                force += pull[j] * (z[k, j] - z[k, i])
            gradient[k, i] = 2 * force
