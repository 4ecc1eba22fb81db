"""Jacobian regulariser: how strongly an embedding answers to small changes of its input.

    R = ½ · mean_b ‖J_b‖_F²,  J_b = ∂f_b / ∂x_b

Added to the objective with a weight, it takes away the sensitivity that the objective does not pay
for, which sharpens attribution maps (Hoffman, Roberts & Yaida 2019, arXiv 1908.02729).
"""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ..errors import DataError


def jacobian_penalty(
    f: Callable[[Array], Array],
    windows: Float[Array, "window lag channel"],
    key: Array | None = None,
    projections: int | None = None,
) -> Float[Array, ""]:
    """½ · mean over windows of the squared Frobenius norm of the Jacobian.

    Exact, with one backward pass a latent; or unbiased, with `projections` = n backward passes on
    random unit vectors v_b: R = (D / 2n) Σ mean_b ‖v_bᵀ J_b‖². Differentiable in what `f` holds.

    Parameters
    ----------
    f
        (window · lag, channel), windows laid end to end → (window, latent); row b depends on
        window b alone.
    windows
        (window, lag, channel).
    key
        JAX key of the random vectors; only with `projections`.
    projections
        Random vectors a window; None is exact.

    Raises
    ------
    DataError
        `key` without `projections`, the reverse, or less than one projection.

    Examples
    --------
    >>> x = jnp.ones((5, 1, 2))
    >>> float(jacobian_penalty(lambda rows: 3 * rows, x))  # J = 3·I, so ½·(9 + 9)
    9.0
    """
    z, pull = jax.vjp(f, windows.reshape(-1, windows.shape[-1]))
    n_windows, n_latents = z.shape
    if key is not None and projections is not None:
        if projections < 1:
            raise DataError(f"projections must be at least 1 (None is exact), got {projections}")
        vectors = jax.random.normal(key, (projections, n_windows, n_latents), z.dtype)
        vectors /= jnp.linalg.norm(vectors, axis=-1, keepdims=True)
        scale = n_latents / projections
    elif key is None and projections is None:
        unit = jnp.eye(n_latents, dtype=z.dtype)[:, None]
        vectors = jnp.broadcast_to(unit, (n_latents, n_windows, n_latents))
        scale = 1.0
    else:
        raise DataError("random projections need both key and projections; the exact form neither")
    (projected,) = jax.vmap(pull)(vectors)
    return scale / 2 * jnp.sum(projected**2) / n_windows
