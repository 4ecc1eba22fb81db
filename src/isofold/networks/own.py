"""A user's own encoder: any Equinox module that states its offset, once it has been tried."""

from __future__ import annotations

import inspect
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from numpy.typing import NDArray

from ..errors import DataError


class OwnEncoder(eqx.Module):
    """A module that `check_encoder` has tried, with the interface of `Encoder`."""

    module: Any
    offset: tuple[int, int] = eqx.field(static=True)
    stride: int = eqx.field(static=True)
    n_channels: int = eqx.field(static=True)
    normalize: bool = eqx.field(static=True)
    takes: tuple[str, ...] = eqx.field(static=True)
    """Which of "key" and "window" the module takes."""

    def __call__(
        self, rows: Float[Array, "row channel"], key: jax.Array | None = None, window: int = 64
    ) -> Array:
        """The embedding of one long array; channels beyond `n_channels` are padding."""
        given = {"key": key, "window": window}
        return self.module(rows[:, : self.n_channels], **{k: given[k] for k in self.takes})

    @property
    def receptive_field(self) -> int:
        return sum(self.offset)

    @property
    def has_dropout(self) -> bool:
        """Whether a key may make a difference."""
        return "key" in self.takes


def check_encoder(encoder: Any, n_channels: int) -> OwnEncoder:
    """Try a user's encoder on random rows and wrap it for training.

    The encoder is an Equinox module with an attribute or property `offset` = (left, right): the
    embedding of sample t sees samples t − left … t + right − 1, L = left + right of them.
    Called on rows (n, channel) it returns (n − L + 1, latent), where row k depends on input rows
    k … k + L − 1 alone, and in the same way for every k. With an attribute `stride` = s, a divisor
    of L, it returns ⌊(n − L)/s⌋ + 1 rows, row k of which sees input rows ks … ks + L − 1. It may
    take `key` (None outside training) and `window` (the number of rows that share a mask).

    Raises DataError when a statement does not fit what the module does.

    >>> import equinox as eqx, jax
    >>> class Smooth(eqx.Module):
    ...     conv: eqx.nn.Conv1d
    ...     offset: tuple[int, int] = eqx.field(static=True, default=(2, 3))
    ...     def __call__(self, rows):
    ...         return self.conv(rows.T).T
    >>> smooth = Smooth(eqx.nn.Conv1d(12, 3, kernel_size=5, key=jax.random.key(0)))
    >>> check_encoder(smooth, n_channels=12).receptive_field
    5
    >>> wrong = Smooth(smooth.conv, offset=(5, 5))
    >>> check_encoder(wrong, n_channels=12)
    Traceback (most recent call last):
    isofold.errors.DataError: the encoder states offset (5, 5) and stride 1, so ...
    """
    left, right, stride = _stated(encoder)
    encoder = _arrays(encoder)
    wrapped = OwnEncoder(
        encoder, (left, right), stride, int(n_channels), normalize=False, takes=_takes(encoder)
    )
    field = left + right
    x = np.random.default_rng(0).standard_normal((3 * field + 2 * stride, n_channels))
    x = x.astype(np.float32)
    z = _tried(wrapped, x)
    rows = [0, len(z) // 2, len(z) - 1]
    for k in rows:
        _check_window(wrapped, x, z, k)
    _check_gradients(wrapped, x, z, rows)
    unit = bool(np.allclose(np.linalg.norm(z, axis=1), 1, atol=1e-4))
    return OwnEncoder(encoder, (left, right), stride, int(n_channels), unit, wrapped.takes)


def _stated(encoder: Any) -> tuple[int, int, int]:
    """Left, right and stride."""
    if not isinstance(encoder, eqx.Module):
        raise DataError(
            f"an encoder must be an instance of an Equinox module, got {encoder!r}; derive its "
            "class from equinox.Module and pass an object of it"
        )
    offset, stride = getattr(encoder, "offset", None), getattr(encoder, "stride", 1)
    whole = (int, np.integer)
    if not (
        isinstance(offset, tuple | list)
        and len(offset) == 2
        and all(isinstance(part, whole) and not isinstance(part, bool) for part in offset)
        and offset[0] >= 0
        and offset[1] >= 1
    ):
        raise DataError(
            "an encoder must state offset = (left, right), whole numbers with left >= 0 and "
            f"right >= 1, as an attribute or property, got {offset!r}; a convolution of 5 taps "
            "has (2, 3)"
        )
    left, right = int(offset[0]), int(offset[1])
    if not isinstance(stride, whole) or stride < 1 or (left + right) % stride:
        raise DataError(
            f"the stride of an encoder must be a whole number that divides left + right = "
            f"{left + right}, got {stride!r}; without an attribute `stride` it is 1"
        )
    return left, right, int(stride)


def _arrays(encoder: Any) -> Any:
    """The module with all its arrays as JAX arrays of floats; what is not an array is hashable."""
    encoder = jax.tree.map(lambda a: jnp.asarray(a) if isinstance(a, np.ndarray) else a, encoder)
    arrays, rest = eqx.partition(encoder, eqx.is_array)
    for path, leaf in jax.tree_util.tree_leaves_with_path(arrays):
        if not jnp.issubdtype(leaf.dtype, jnp.floating):
            raise DataError(
                "every array of an encoder is trained and must hold floats, got "
                f"{leaf.dtype} at {jax.tree_util.keystr(path)}; keep constants as tuples in "
                "fields with equinox.field(static=True), and keys out of the module"
            )
    try:
        leaves, tree = jax.tree.flatten(rest)
        hash((tree, tuple(leaves)))
    except TypeError as error:
        raise DataError(
            f"what is not an array in an encoder must be hashable: {error}; use tuples in place "
            "of lists and arrays in fields with equinox.field(static=True)"
        ) from error
    return encoder


def _takes(encoder: Any) -> tuple[str, ...]:
    given = inspect.signature(type(encoder).__call__).parameters
    return tuple(name for name in ("key", "window") if name in given)


def _called(encoder: OwnEncoder, x: NDArray) -> NDArray:
    try:
        return np.asarray(eqx.filter_jit(encoder)(jnp.asarray(x)))
    except Exception as error:
        raise DataError(
            f"an encoder must be a function of rows (row, channel) that JAX can compile; on "
            f"{x.shape} it failed with {type(error).__name__}: {error}; try "
            "equinox.filter_jit(encoder)(jax.numpy.ones((rows, channels)))"
        ) from error


def _tried(encoder: OwnEncoder, x: NDArray) -> NDArray:
    """The embedding of rows, if it has the right shape."""
    z = _called(encoder, x)
    field, stride = encoder.receptive_field, encoder.stride
    rows = (len(x) - field) // stride + 1
    if z.ndim != 2 or len(z) != rows:
        fit = ""
        if z.ndim == 2 and stride == 1 and 1 <= len(z) <= len(x):
            found = len(x) - len(z) + 1
            fit = f"; {found} samples in a window, like offset {(found // 2, -(-found // 2))}, fit"
        raise DataError(
            f"the encoder states offset {encoder.offset} and stride {stride}, so from "
            f"{len(x)} rows it must make an array ({rows}, latent), got {z.shape}{fit}; correct "
            "the offset, and use no padding"
        )
    if not np.isfinite(z).all():
        raise DataError(
            f"an encoder must give finite numbers, got {int((~np.isfinite(z)).sum())} others of "
            f"{z.size} from random input of unit variance; check its weights"
        )
    return z


def _check_window(encoder: OwnEncoder, x: NDArray, z: NDArray, k: int) -> None:
    """Row k of the embedding of everything is the embedding of its own window."""
    first = k * encoder.stride
    alone = _called(encoder, x[first : first + encoder.receptive_field])
    if alone.shape != (1, z.shape[1]) or not np.allclose(
        alone[0], z[k], rtol=1e-3, atol=1e-4 * max(float(np.abs(z).max()), 1e-12)
    ):
        raise DataError(
            f"the encoder states offset {encoder.offset} and stride {encoder.stride}, so its row "
            f"{k} must be what it makes of input rows {first} to "
            f"{first + encoder.receptive_field - 1} alone; the two differ. Remove what looks at "
            "other rows or at their position (normalisation over time, padding, position codes), "
            "or correct the offset"
        )


def _check_gradients(encoder: OwnEncoder, x: NDArray, z: NDArray, rows: list[int]) -> None:
    """The derivative of a row is zero outside its window, and finite."""
    weight = jnp.asarray(np.random.default_rng(1).standard_normal(z.shape[1]), jnp.float32)
    slope = jax.vmap(jax.grad(lambda x, k: encoder(x)[k] @ weight), (None, 0))
    gradients = np.asarray(jax.jit(slope)(jnp.asarray(x), jnp.asarray(rows)))
    if not np.isfinite(gradients).all():
        raise DataError(
            "an encoder must have finite derivatives, got NaN or infinity from random input; "
            "add a small constant under square roots and in denominators"
        )
    for k, gradient in zip(rows, gradients, strict=True):
        seen = np.flatnonzero(np.abs(gradient).max(axis=1) > 0)
        first = k * encoder.stride
        last = first + encoder.receptive_field - 1
        if len(seen) and (seen[0] < first or seen[-1] > last):
            raise DataError(
                f"the encoder states offset {encoder.offset} and stride {encoder.stride}, so its "
                f"row {k} may depend on input rows {first} to {last}, got {seen[0]} to "
                f"{seen[-1]}; correct the offset"
            )
