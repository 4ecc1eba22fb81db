"""Latent variable models as arrays for a file, and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ReadError
from ._label_code import LabelCode


def arrays_of(params: Any) -> dict[str, NDArray]:
    """All arrays of a model by number."""
    import jax

    from ..training.chunk import is_array

    leaves = [leaf for leaf in jax.tree.leaves(params) if is_array(leaf)]
    return {f"model.{i}": np.asarray(leaf) for i, leaf in enumerate(leaves)}


def params_of(
    arrays: dict[str, NDArray], settings: dict[str, Any], code: LabelCode, channels: Sequence[int]
) -> Any:
    """Undo `arrays_of`: a model of these settings with the arrays of the file."""
    from ._vae_fit import skeleton

    return filled(skeleton(settings, code, channels), arrays)


def filled(skeleton: Any, arrays: dict[str, NDArray]) -> Any:
    """Modules with the arrays that `arrays_of` gave in place of their own."""
    import equinox as eqx
    import jax
    import jax.numpy as jnp

    from ..training.chunk import is_array

    arrays_, rest = eqx.partition(skeleton, is_array)
    old, tree = jax.tree.flatten(arrays_)
    new = [jnp.asarray(arrays[f"model.{i}"]) for i in range(len(old))]
    for had, has in zip(old, new, strict=True):
        if had.shape != has.shape:
            raise ReadError(f"the model in the file does not fit its settings: {has.shape}")
    return eqx.combine(jax.tree.unflatten(tree, new), rest)
