"""Latent variable models as arrays for a file, and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
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


def log_of(model: Any) -> dict[str, NDArray]:
    """Losses and log of a fit."""
    log = {f"log.{name}": model.log_[name].to_numpy() for name in model.log_}
    return {"loss": np.asarray(model.loss_), **log}


def facts_of(model: Any) -> dict[str, Any]:
    """What a fitted model knows that is not an array."""
    table = model.validation_
    return {
        "settings": model.settings_,
        "code": model.code_.to_json(),
        "candidates": model.candidates_.to_dict("split", index=False),
        "sessions": list(model.sessions_),
        "channels": list(model.channels_),
        "interrupted": model.interrupted_,
        "log": list(model.log_.columns),
        "validation": None if table is None else table.to_dict("split", index=False),
    }


def restore(model: Any, arrays: dict[str, NDArray], facts: dict[str, Any]) -> None:
    """Undo `arrays_of`, `log_of` and `facts_of`."""
    model.settings_ = facts["settings"]
    model.code_ = LabelCode.from_json(facts["code"])
    model.candidates_ = pd.DataFrame(**facts["candidates"])
    model.sessions_, model.channels_ = tuple(facts["sessions"]), tuple(facts["channels"])
    model.params_ = params_of(arrays, model.settings_, model.code_, model.channels_)
    model.loss_, model.interrupted_ = arrays["loss"], facts["interrupted"]
    model.log_ = pd.DataFrame({name: arrays[f"log.{name}"] for name in facts["log"]})
    model.output_dimension_ = int(model.settings_["output_dimension"])
    model.offset_ = model.params_.parts[0].posterior.offset
    table = facts["validation"]
    model.validation_ = None if table is None else pd.DataFrame(**table)
