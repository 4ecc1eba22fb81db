"""Encoders as settings ask for them: drawn for a fit, taken over, or restored from a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from ..networks import Architecture, Encoder, build, check_encoder, get_architecture
from ..sampling import padded_size


def architecture_of(settings: dict[str, Any], n_channels: int = 1) -> Architecture:
    """The named architecture; `causal` moves its window to the past.

    In its place a user's own encoder, tried out, which knows as much about itself.
    """
    name = settings["model_architecture"]
    if callable(name):
        return _draw(settings, n_channels, n_channels, np.random.default_rng(0))  # type: ignore[return-value]
    architecture = get_architecture(name)
    return replace(architecture, causal=True) if settings["causal"] else architecture


def draw(
    settings: dict[str, Any], channels: Sequence[int], rng: np.random.Generator
) -> tuple[Encoder, ...]:
    """New encoders, one a recording; one for all channels where recordings are joined."""
    if settings["sessions"] == "joined":
        padded = sum(padded_size(n) for n in channels)
        return (_draw(settings, padded, padded, rng),)
    return tuple(_draw(settings, n, padded_size(n), rng) for n in channels)


def _draw(settings: dict[str, Any], n: int, padded: int, rng) -> Encoder:
    hidden, out = int(settings["num_hidden_units"]), int(settings["output_dimension"])
    own = settings["model_architecture"]
    if callable(own):
        module = own(n, hidden, out, int(rng.integers(2**31)))
        return check_encoder(module, n)  # type: ignore[return-value]  # an Encoder's interface
    return build(architecture_of(settings), n, padded, hidden, out, rng)


def with_new_input(drawn: Encoder, trunk: Encoder) -> Encoder:
    """The trunk's encoder, with the first layer just drawn for other channels."""
    import equinox as eqx

    if not hasattr(trunk, "layers") or not hasattr(drawn, "layers"):
        raise DataError("adapt=True replaces the first of `layers`; this encoder has no layers")
    n = drawn.input_layers
    return eqx.tree_at(lambda e: e.layers, drawn, (*drawn.layers[:n], *trunk.layers[n:]))


def to_arrays(encoders: Sequence[Encoder]) -> dict[str, NDArray]:
    """All arrays of the encoders by number, for a file."""
    import equinox as eqx
    import jax

    leaves = jax.tree.leaves(eqx.filter(tuple(encoders), eqx.is_array))
    return {f"encoder.{i}": np.asarray(leaf) for i, leaf in enumerate(leaves)}


def from_arrays(
    settings: dict[str, Any], channels: Sequence[int], arrays: dict[str, NDArray]
) -> tuple[Encoder, ...]:
    """Undo `to_arrays`."""
    import equinox as eqx
    import jax
    import jax.numpy as jnp

    skeleton = draw(settings, channels, np.random.default_rng(0))
    trainable, rest = eqx.partition(skeleton, eqx.is_array)
    old = jax.tree.leaves(trainable)
    leaves = [jnp.asarray(arrays[f"encoder.{i}"]) for i in range(len(old))]
    for had, has in zip(old, leaves, strict=True):
        if had.shape != has.shape:
            raise DataError(
                f"the encoder in the file does not fit the one built: {has.shape}, {had.shape}"
            )
    return eqx.combine(jax.tree.unflatten(jax.tree.structure(trainable), leaves), rest)
